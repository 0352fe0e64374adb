/// The character classes of RFC 9110 section 5.6.2 and RFC 3986 section 2, by bit masks: a test costs a shift.
enum HTTP1Characters {
    /// tchar (RFC 9110 section 5.6.2): what methods and field names are made of.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        isIn(byte, low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)
    }

    /// What a host by name is made of: unreserved, sub-delims and `%` (RFC 3986 section 3.2.2).
    @inline(__always)
    static func isRegisteredName(_ byte: UInt8) -> Bool {
        isIn(byte, low: 0x2bff_7ff2_0000_0000, high: 0x47ff_fffe_87ff_fffe)
    }

    @inline(__always)
    private static func isIn(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }

    /// OWS (RFC 9110 section 5.6.3).
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// The number that the digits are, at most eighteen of them; nil for other bytes, for more of them and for none.
    static func number(_ text: UnsafeRawBufferPointer) -> Int? {
        guard unsafe !text.isEmpty, text.count <= 18 else { return nil }
        var number = 0
        for index in 0..<text.count {
            let byte = unsafe text[index]
            guard isDigit(byte) else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// Whether all bytes may stand in a field value (RFC 9110 section 5.5): visible, obs-text, space and tab. CR, LF and
    /// NUL are never let through.
    static func areFieldValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        // Eight at a time: a byte below 32, or 127, sets the high bit of its lane.
        while index + 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
            let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
            if (low | isDelete) & 0x8080_8080_8080_8080 != 0 {
                guard unsafe bytes[index..<index + 8].allSatisfy(isFieldValue) else { return false }
            }
            index += 8
        }
        while index < bytes.count {
            guard unsafe isFieldValue(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    @inline(__always)
    private static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 32 && byte != 127 || byte == 9 }

    /// Whether all bytes may stand in a request target: no control, no blank (RFC 9112 section 3.2), no fragment. Bytes over
    /// 127 are let through, as nghttp2 lets them through in `:path`.
    static func areTarget(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe bytes.allSatisfy { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "#") }
    }

    /// Whether the bytes are `uri-host [ ":" port ]` (RFC 9110 section 7.2), without user information. None at all are: a
    /// `Host` without a value is how a client says that its target has no authority (RFC 9112 section 3.2).
    static func areAuthority(_ bytes: UnsafeRawBufferPointer, needsPort: Bool = false) -> Bool {
        var index = 0
        if unsafe bytes.first == UInt8(ascii: "[") {
            index = 1
            while index < bytes.count, unsafe isInAddress(bytes[index]) { index += 1 }
            guard index > 1, index < bytes.count, unsafe bytes[index] == UInt8(ascii: "]") else { return false }
            index += 1
        } else {
            while index < bytes.count, unsafe isRegisteredName(bytes[index]) { index += 1 }
        }
        let isNamed = index > 0
        guard index < bytes.count else { return !needsPort }
        guard isNamed, unsafe bytes[index] == UInt8(ascii: ":"), bytes.count - index <= 6 else { return false }
        let digits = index + 1
        index = digits
        while index < bytes.count, unsafe isDigit(bytes[index]) { index += 1 }
        return index == bytes.count && !(needsPort && index == digits)
    }

    /// An IPv6 address' characters, and those of its IPv4 part.
    private static func isInAddress(_ byte: UInt8) -> Bool {
        hexDigit(byte) != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }

    /// Whether the bytes are that text but for the case of letters. `text` is lower case and has letters, digits and `-` alone.
    static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
            guard unsafe lower == text.utf8Start[index] else { return false }
        }
        return true
    }
}
