/// Builds a JSON text in one array.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// Whether a comma is due before the next field or element.
    private var needsComma = false

    package init() {}

    package mutating func object(_ fields: (inout JSONWriter) -> Void) { nested("{", "}", fields) }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) { nested("[", "]", elements) }

    package mutating func key(_ name: String) {
        separate()
        quote(name.utf8)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ text: String) {
        separate()
        quote(text.utf8)
    }

    package mutating func string(utf8: [UInt8]) {
        separate()
        quote(utf8)
    }

    package mutating func integer(_ value: some BinaryInteger) {
        separate()
        guard let number = UInt64(exactly: value) else { return bytes.append(contentsOf: "\(value)".utf8) }
        appendDecimal(number, to: &bytes)
    }

    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// A text that is JSON already: a value, or fields of the object that is being written.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    package mutating func field(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func field(_ name: String, _ value: some BinaryInteger) {
        key(name)
        integer(value)
    }

    /// The text of a party id, which needs no escapes.
    mutating func field(_ name: String, _ id: SessionID) {
        key(name)
        needsComma = true
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: id.utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func nested(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ content: (inout JSONWriter) -> Void
    ) {
        separate()
        bytes.append(UInt8(ascii: open))
        needsComma = false
        content(&self)
        bytes.append(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func quote(_ utf8: some Sequence<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                bytes.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8)
                bytes.append(contentsOf: String(byte, radix: 16).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Appends the digits of a number.
func appendDecimal(_ number: UInt64, to bytes: inout [UInt8]) {
    let start = bytes.count
    var rest = number
    repeat {
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        rest /= 10
    } while rest > 0
    bytes[start...].reverse()
}
