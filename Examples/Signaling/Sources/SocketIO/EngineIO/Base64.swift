/// Base64 (RFC 4648 section 4), with its padding and nothing else in it.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    static func encode(_ data: [UInt8], to bytes: inout [UInt8]) {
        let alphabet = alphabet
        var index = 0
        while index < data.count {
            let left = data.count - index
            let second = left > 1 ? data[index + 1] : 0
            let third = left > 2 ? data[index + 2] : 0
            bytes.append(alphabet[Int(data[index] >> 2)])
            bytes.append(alphabet[Int((data[index] & 0x03) << 4 | second >> 4)])
            bytes.append(left > 1 ? alphabet[Int((second & 0x0F) << 2 | third >> 6)] : padding)
            bytes.append(left > 2 ? alphabet[Int(third & 0x3F)] : padding)
            index += 3
        }
    }

    /// - Returns: nil when the text is not base64, or its padding is wrong.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let body = text.last == padding ? text.dropLast(text.dropLast().last == padding ? 2 : 1) : text
        let values = values
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for letter in body {
            let value = values[Int(letter)]
            guard value < 64 else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
