/// Writes the text format of Prometheus, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String { case counter, gauge, histogram }

    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""
    private var family = ""

    /// Begins a family of series; all of its samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        family = "signaling_" + name
        text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind.rawValue)\n"
    }

    mutating func sample(_ value: some BinaryInteger, _ labels: Labels = [], suffix: String = "") {
        sample("\(value)", labels, suffix)
    }

    /// A time, as Prometheus wants it: in seconds.
    mutating func sample(nanoseconds: UInt64, _ labels: Labels = [], suffix: String = "") {
        sample("\(Double(nanoseconds) / 1e9)", labels, suffix)
    }

    private mutating func sample(_ value: String, _ labels: Labels, _ suffix: String) {
        text += family + suffix
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
