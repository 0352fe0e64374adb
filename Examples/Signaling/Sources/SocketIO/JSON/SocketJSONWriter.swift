/// Writes values as JSON text, bytes as placeholders whose attachments it gathers.
struct SocketJSONWriter {
    private(set) var bytes: [UInt8]
    private(set) var attachments: [[UInt8]] = []

    init(_ beginning: [UInt8] = []) { bytes = beginning }

    mutating func array(_ values: some Sequence<SocketValue>) {
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for element in values {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            value(element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func value(_ value: SocketValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .number(let value): append(Self.text(of: value))
        case .string(let value): string(value)
        case .array(let values): array(values)
        case .object(let value): object(value)
        case .binary(let data):
            append("{\"_placeholder\":true,\"num\":\(attachments.count)}")
            attachments.append(data)
        case .json(let json): bytes += json.bytes
        }
    }

    private mutating func object(_ object: SocketObject) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in object.members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            self.member(member.name, member.value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func member(_ name: String, _ value: SocketValue) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        self.value(value)
    }

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            // U+001E among them: in a payload of long polling it parts packets.
            case ..<0x20: append("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// As JavaScript has it: no fraction where there is none, and null for what JSON cannot say.
    private static func text(of number: Double) -> String {
        guard number.isFinite else { return "null" }
        if number == 0 { return "0" }
        return Int(exactly: number).map(String.init) ?? "\(number)"
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
