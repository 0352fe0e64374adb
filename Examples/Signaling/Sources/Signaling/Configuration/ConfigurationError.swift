/// What is wrong with a configuration: one line for each fault, which names the setting, where its value came from, and what it
/// takes.
struct ConfigurationError: Error, CustomStringConvertible {
    var problems: [String]

    init(_ problems: [String]) { self.problems = problems }

    init(_ problem: String) { problems = [problem] }

    var description: String { problems.joined(separator: "; ") }
}

/// Where a value came from.
enum SettingSource: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(String, line: Int)
    case environment(String)
    case flag(String)

    var description: String {
        switch self {
        case .standard: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): variable
        case .flag(let name): name
        }
    }
}

/// A value as it was given, before anyone looked whether it is one.
struct GivenValue: Sendable {
    let texts: [String]
    let source: SettingSource

    /// What to say when it is not one of the setting's.
    func problem(_ setting: Setting, _ reason: String?) -> String {
        let value = setting.isSecret ? "its value" : "'\(texts.joined(separator: ","))'"
        let why = reason.map { "\(value) \($0)" } ?? "\(value) is not \(setting.allowed)"
        return switch source {
        case .flag: "\(setting.flag): \(why)"
        case .file, .environment, .standard: "\(source): \(setting.name): \(why)"
        }
    }
}
