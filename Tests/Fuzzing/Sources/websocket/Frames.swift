import FuzzSupport

/// Frames that are whole as such, of choices.
enum Frames {
    static func make(_ choices: inout Choices) -> [UInt8] {
        var bytes: [UInt8] = []
        while !choices.isAtEnd, bytes.count < 1 << 19 { bytes += frame(&choices) }
        return bytes
    }

    private static func frame(_ choices: inout Choices) -> [UInt8] {
        let kind = choices.byte()
        let flags: UInt8 = (kind & 0x10 == 0 ? 0x80 : 0) | (kind & 0x20 == 0 ? 0 : 0x40)
        let size = choices.byte()
        var payload = choices.counted()
        // Sizes of all three forms.
        if size == 7 { payload += [UInt8](repeating: 3, count: 300) }
        if size == 9 { payload += [UInt8](repeating: 4, count: 70_000) }
        let key = (0..<4).map { UInt8(truncatingIfNeeded: 17 &* ($0 + Int(kind))) }
        let count = UInt64(payload.count)
        var bytes = [flags | kind & 0x0f]
        if payload.count <= 125 {
            bytes.append(0x80 | UInt8(payload.count))
        } else if payload.count <= 0xffff {
            bytes += [0xfe, UInt8(count >> 8), UInt8(count & 0xff)]
        } else {
            bytes.append(0xff)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * UInt64($0))) }
        }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }
}
