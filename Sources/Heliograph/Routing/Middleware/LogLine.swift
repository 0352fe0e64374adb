internal import HelioHTTP

/// A line of a log while it is put together, in memory that is kept for the next one.
///
/// What a peer has sent cannot end the line, leave its quotes or steer a terminal.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    /// Of a value that a peer has sent, no more than this is written.
    static let longestValue = 2048

    init() { bytes.reserveCapacity(512) }

    mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    mutating func append(_ text: StaticString) { text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) } }

    /// A text of our own.
    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// At least so many digits, zeros in front.
    mutating func append(_ number: Int, digits: Int = 1) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var scale: UInt = 1
        var count = 1
        while number.magnitude / scale >= 10 || count < digits {
            scale *= 10
            count += 1
        }
        while scale > 0 {
            bytes.append(UInt8(truncatingIfNeeded: number.magnitude / scale % 10) + 48)
            scale /= 10
        }
    }

    /// Nanoseconds as seconds, to the microsecond.
    mutating func appendSeconds(nanoseconds: UInt64) {
        append(Int(truncatingIfNeeded: nanoseconds / 1_000_000_000))
        bytes.append(UInt8(ascii: "."))
        append(Int(nanoseconds / 1000 % 1_000_000), digits: 6)
    }

    // MARK: What a peer has sent

    /// As nginx's combined format has it: `"`, `\` and all but visible ASCII as `\xHH`.
    mutating func appendEscaped(_ value: RawSpan) {
        unsafe value.withUnsafeBytes { value in
            unsafe value.prefix(Self.longestValue).forEach { appendEscaped($0) }
        }
    }

    /// As ``appendEscaped(_:)-(RawSpan)``.
    mutating func appendEscaped(_ text: String) {
        for byte in text.utf8.prefix(Self.longestValue) { appendEscaped(byte) }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        guard byte < 0x20 || byte >= 0x7f || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
            bytes.append(byte)
            return
        }
        append("\\x")
        append(hexadecimal: byte >> 4)
        append(hexadecimal: byte & 15)
    }

    /// As the inside of a JSON string (RFC 8259 section 7). Control characters are escaped, those of C1 too; what is not UTF-8
    /// becomes U+FFFD.
    mutating func appendJSON(_ value: RawSpan) {
        unsafe value.withUnsafeBytes { value in
            unsafe appendJSON(UnsafeRawBufferPointer(rebasing: value.prefix(Self.longestValue)))
        }
    }

    /// As ``appendJSON(_:)-(RawSpan)``.
    mutating func appendJSON(_ text: String) {
        var text = text
        text.withUTF8 { text in
            unsafe appendJSON(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text).prefix(Self.longestValue)))
        }
    }

    private mutating func appendJSON(_ value: UnsafeRawBufferPointer) {
        var index = 0
        while index < value.count {
            let byte = unsafe value[index]
            if byte < 0x80 {
                appendJSON(ascii: byte)
                index += 1
                continue
            }
            let length = unsafe Self.sequence(UnsafeRawBufferPointer(rebasing: value[index...]))
            if length == 0 {
                append("\\ufffd")
                index += 1
            } else if byte == 0xc2, unsafe value[index + 1] < 0xa0 {
                appendControl(unsafe value[index + 1])
                index += 2
            } else {
                unsafe bytes.append(contentsOf: value[index..<index + length])
                index += length
            }
        }
    }

    private mutating func appendJSON(ascii byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0..<0x20, 0x7f: appendControl(byte)
        default: bytes.append(byte)
        }
    }

    private mutating func appendControl(_ character: UInt8) {
        append("\\u00")
        append(hexadecimal: character >> 4)
        append(hexadecimal: character & 15)
    }

    private mutating func append(hexadecimal digit: UInt8) {
        bytes.append(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
    }

    /// The length of the UTF-8 sequence that the bytes begin with, which is not ASCII (RFC 3629 section 4); 0: it is none.
    private static func sequence(_ bytes: UnsafeRawBufferPointer) -> Int {
        let length: Int
        let second: ClosedRange<UInt8>
        switch unsafe bytes[0] {
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return 0
        }
        guard bytes.count >= length, unsafe second.contains(bytes[1]) else { return 0 }
        for index in 2..<max(2, length) where unsafe bytes[index] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
