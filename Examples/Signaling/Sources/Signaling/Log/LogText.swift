/// How a line looks. Either form is one line, whatever is in it.
enum LogText {
    /// `2026-01-31T12:00:00.000Z warning signaling: what happened loop=0`
    static func text(
        _ time: String, _ level: String, _ label: String, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var line = "\(time) \(level) \(label): \(printable(message))"
        for (key, value) in fields {
            let value = printable(value)
            line += value.contains(" ") || value.isEmpty ? " \(key)=\"\(value)\"" : " \(key)=\(value)"
        }
        return line + "\n"
    }

    /// `{"ts":"2026-01-31T12:00:00.000Z","level":"warning","logger":"signaling","message":"what happened","loop":"0"}`
    static func json(
        _ time: String, _ level: String, _ label: String, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var line = "{\"ts\":\"\(time)\",\"level\":\"\(level)\",\"logger\":\(quoted(label))"
        line += ",\"message\":\(quoted(message))"
        for (key, value) in fields { line += ",\(quoted(key)):\(quoted(value))" }
        return line + "}\n"
    }

    /// Without what would end the line or command a terminal.
    private static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: result += "\\\""
            case 0x5c: result += "\\\\"
            case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
