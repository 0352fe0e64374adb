internal import HelioHTTP

/// Methods as small numbers, and sets of them as bits: what a table compares.
struct RouteMethods {
    /// Names beyond those that have a number by themselves.
    private var others: [String] = []

    static let get: UInt8 = 0
    static let head: UInt8 = 1
    static let options: UInt8 = 2
    static let connect: UInt8 = 3
    /// A method that no route has.
    static let unknown: UInt8 = 63
    /// Every method, for a route that takes all.
    static let any: UInt8 = 62
    private static let known: [Method] = [.get, .head, .options, .connect, .post, .put, .patch, .delete, .trace]

    func code(of method: Method) -> UInt8 {
        switch method {
        case .get: Self.get
        case .head: Self.head
        case .options: Self.options
        case .connect: Self.connect
        case .post: 4
        case .put: 5
        case .patch: 6
        case .delete: 7
        case .trace: 8
        case .other(let name):
            others.firstIndex(of: name).map { UInt8(Self.known.count + $0) } ?? Self.unknown
        }
    }

    /// The number of a method that a route has, which is given one if it is new.
    mutating func add(_ method: Method) -> UInt8 {
        if case .other(let name) = method, !others.contains(name) {
            precondition(Self.known.count + others.count < Int(Self.any), "routes have at most 53 methods of their own")
            others.append(name)
        }
        return code(of: method)
    }

    func name(of code: UInt8) -> String {
        let index = Int(code)
        if index < Self.known.count { return Self.known[index].rawValue }
        let other = index - Self.known.count
        return other < others.count ? others[other] : "any method"
    }

    /// The value of `allow` (RFC 9110 section 10.2.1). OPTIONS is always allowed, and HEAD where GET is.
    func allow(_ set: UInt64) -> String {
        var set = set | 1 << UInt64(Self.options)
        if set & 1 << UInt64(Self.get) != 0 { set |= 1 << UInt64(Self.head) }
        return (0..<UInt8(Self.known.count + others.count)).filter { set & 1 << UInt64($0) != 0 }
            .map(name(of:)).joined(separator: ", ")
    }
}
