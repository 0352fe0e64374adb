/// One value that an operator can choose. From its name follow the flag (`--room-capacity`), the variable of the environment
/// (`SIGNALING_ROOM_CAPACITY`) and the key of the file (`room-capacity: 8`, or `room: {capacity: 8}`).
///
/// ```swift
/// Setting("room-capacity", \.limits.roomCapacity, .integer(1...100_000), "Members of one room.", .whileRunning)
/// Setting("certificate", \.tls.certificate, optional: .path, "A PEM file with the certificate.", .atStart)
/// Setting("origin", \.web.origins, list: .text, unset: "any", "Who may use it from a browser.", .whileRunning)
/// ```
struct Setting: Sendable {
    /// When a new value takes effect.
    enum Effect: String, Sendable {
        /// At SIGHUP too, without dropping a connection.
        case whileRunning = "reload"
        case atStart = "restart"
    }

    /// Who looks for it in the help.
    enum Audience: Sendable {
        case everyone
        /// Who tunes a deployment: it is shown by `--help-hidden`.
        case tuning
    }

    let name: String
    /// What it is, in one sentence.
    let help: String
    /// What it takes, in words that follow "takes".
    let allowed: String
    let shape: SettingShape
    let effect: Effect
    let audience: Audience
    /// A value that is shown by nobody; secrets themselves are read from files.
    let isSecret: Bool
    /// What stands in the help when there is no value.
    let unset: String
    let read: @Sendable (_ texts: [String], _ into: inout ServiceConfiguration) throws(BadValue) -> Void
    /// The value as it would be given; empty when there is none.
    let write: @Sendable (ServiceConfiguration) -> [String]
    let copy: @Sendable (_ from: ServiceConfiguration, _ to: inout ServiceConfiguration) -> Void

    init<Value>(
        _ name: String, _ path: any WritableKeyPath<ServiceConfiguration, Value> & Sendable,
        _ format: SettingFormat<Value>, _ help: String, _ effect: Effect, audience: Audience = .everyone,
        isSecret: Bool = false
    ) {
        self.name = name
        self.help = help
        allowed = format.allowed
        shape = format.shape
        self.effect = effect
        self.audience = audience
        self.isSecret = isSecret
        unset = format.unset
        read = { texts, configuration throws(BadValue) in configuration[keyPath: path] = try format.read(texts) }
        write = { format.write($0[keyPath: path]) }
        copy = { $1[keyPath: path] = $0[keyPath: path] }
    }

    /// A value that need not be there.
    ///
    /// - Parameter unset: what is the case then.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<ServiceConfiguration, Value?> & Sendable,
        optional format: SettingFormat<Value>, unset: String = "none", _ help: String, _ effect: Effect,
        audience: Audience = .everyone, isSecret: Bool = false
    ) {
        self.init(name, path, format.optional(unset), help, effect, audience: audience, isSecret: isSecret)
    }

    /// Any number of values.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<ServiceConfiguration, [Value]> & Sendable,
        list format: SettingFormat<Value>, unset: String = "none", _ help: String, _ effect: Effect,
        audience: Audience = .everyone, isSecret: Bool = false
    ) {
        self.init(name, path, format.list(unset), help, effect, audience: audience, isSecret: isSecret)
    }

    var flag: String { "--" + name }

    var variable: String { "SIGNALING_" + String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }

    /// The value for people to read.
    func shown(_ configuration: ServiceConfiguration) -> String {
        let texts = write(configuration)
        if texts.isEmpty { return unset }
        return isSecret ? "[redacted]" : texts.joined(separator: ", ")
    }

    /// Every setting there is, by topic.
    static let all: [Setting] = listen + tls + access + log + sessions + messages + operations + operators + http

    static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}
