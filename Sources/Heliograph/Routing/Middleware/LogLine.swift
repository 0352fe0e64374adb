/// A line of a log while it is put together, in memory that is kept for the next one.
///
/// What a peer has sent cannot end the line, leave its quotes or steer a terminal.
///
/// Its owner deallocates it.
@safe struct LogLine {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    /// Of a value that a peer has sent, no more than this is written.
    static let longestValue = 2048

    init() {
        capacity = 1024
        unsafe base = .allocate(capacity: capacity)
    }

    func deallocate() { unsafe base.deallocate() }

    /// The bytes so far; valid until the line changes.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    mutating func clear() { count = 0 }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        unsafe grown.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = grown
        capacity = larger
    }

    /// Room has been reserved.
    private mutating func put(_ byte: UInt8) {
        unsafe base[count] = byte
        count += 1
    }

    /// Room has been reserved.
    private mutating func put(_ text: UnsafeRawBufferPointer) {
        guard let start = text.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: text.count)
        count += text.count
    }

    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A text of our own.
    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { text in
            reserve(text.count)
            unsafe put(UnsafeRawBufferPointer(text))
        }
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        put(byte)
    }

    /// At least so many digits, zeros in front.
    mutating func append(_ number: Int, digits: Int = 1) {
        reserve(24)
        if number < 0 { put(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = count
        repeat {
            put(UInt8(truncatingIfNeeded: rest % 10) + 48)
            rest /= 10
        } while rest > 0 || count - start < digits
        var written = unsafe UnsafeMutableBufferPointer(start: base + start, count: count - start)
        unsafe written.reverse()
    }

    /// Nanoseconds as seconds, to the microsecond.
    mutating func appendSeconds(nanoseconds: UInt64) {
        append(Int(truncatingIfNeeded: nanoseconds / 1_000_000_000))
        append(UInt8(ascii: "."))
        append(Int(nanoseconds / 1000 % 1_000_000), digits: 6)
    }

    /// Bytes that are known to be harmless.
    mutating func append(known bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        unsafe put(bytes)
    }

    // MARK: What a peer has sent

    /// As nginx's combined format has it: `"`, `\` and all but visible ASCII as `\xHH`.
    mutating func appendEscaped(_ value: RawSpan) {
        unsafe value.withUnsafeBytes { unsafe appendEscaped($0) }
    }

    /// As ``appendEscaped(_:)-(RawSpan)``.
    mutating func appendEscaped(_ text: String) {
        var text = text
        text.withUTF8 { unsafe appendEscaped(UnsafeRawBufferPointer($0)) }
    }

    private mutating func appendEscaped(_ value: UnsafeRawBufferPointer) {
        let length = min(value.count, Self.longestValue)
        reserve(4 * length)
        for index in 0..<length {
            let byte = unsafe value[index]
            if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                put(byte)
            } else {
                put(UInt8(ascii: "\\"))
                put(UInt8(ascii: "x"))
                putHexadecimal(byte)
            }
        }
    }

    /// As the inside of a JSON string (RFC 8259 section 7). Control characters are escaped, those of C1 too; what is not UTF-8
    /// becomes U+FFFD.
    mutating func appendJSON(_ value: RawSpan) {
        unsafe value.withUnsafeBytes { unsafe appendJSON($0) }
    }

    /// As ``appendJSON(_:)-(RawSpan)``.
    mutating func appendJSON(_ text: String) {
        var text = text
        text.withUTF8 { unsafe appendJSON(UnsafeRawBufferPointer($0)) }
    }

    private mutating func appendJSON(_ whole: UnsafeRawBufferPointer) {
        let value = unsafe UnsafeRawBufferPointer(rebasing: whole.prefix(Self.longestValue))
        reserve(6 * value.count)
        var index = 0
        while index < value.count {
            let byte = unsafe value[index]
            if byte < 0x80 {
                putJSON(ascii: byte)
                index += 1
                continue
            }
            let length = unsafe Self.sequence(UnsafeRawBufferPointer(rebasing: value[index...]))
            if length == 0 {
                append("\\ufffd")
                index += 1
            } else if byte == 0xc2, unsafe value[index + 1] < 0xa0 {
                putControl(unsafe value[index + 1])
                index += 2
            } else {
                unsafe put(UnsafeRawBufferPointer(rebasing: value[index..<index + length]))
                index += length
            }
        }
    }

    private mutating func putJSON(ascii byte: UInt8) {
        if byte < 0x20 || byte == 0x7f { return putControl(byte) }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { put(UInt8(ascii: "\\")) }
        put(byte)
    }

    private mutating func putControl(_ character: UInt8) {
        append("\\u00")
        putHexadecimal(character)
    }

    private mutating func putHexadecimal(_ byte: UInt8) {
        put(Self.hexadecimal(byte >> 4))
        put(Self.hexadecimal(byte & 15))
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
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
