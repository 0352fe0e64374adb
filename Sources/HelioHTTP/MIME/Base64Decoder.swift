/// Base64 as parts have it: in lines of any length, with padding (RFC 2045 section 6.8; RFC 4648 section 3.5).
struct Base64Decoder: Sendable {
    /// The bits of the characters of a quantum so far, and their number.
    private var bits: UInt32 = 0
    private var count = 0
    /// Padding characters that the last quantum still needs; nil before its first.
    private var paddingLeft: Int?

    private static let blank: UInt8 = 0x40
    private static let padding: UInt8 = 0x41
    private static let invalid: UInt8 = 0xff

    /// What a byte stands for: 0 to 63, or one of the above.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, byte) in Base64Encoder.alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        for byte in [9, 10, 13, 32] { values[byte] = blank }
        values[Int(UInt8(ascii: "="))] = padding
        return values
    }()

    /// - Parameter output: has room for as many bytes as the input and three.
    mutating func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(TransferEncodingError) -> Int {
        let values = Self.values
        var index = 0
        var written = 0
        while index < input.count {
            if count == 0, paddingLeft == nil, index + 4 <= input.count {
                let (first, second) = unsafe (values[Int(input[index])], values[Int(input[index + 1])])
                let (third, fourth) = unsafe (values[Int(input[index + 2])], values[Int(input[index + 3])])
                if (first | second | third | fourth) < 64 {
                    unsafe output[written] = first << 2 | second >> 4
                    unsafe output[written + 1] = second << 4 | third >> 2
                    unsafe output[written + 2] = third << 6 | fourth
                    index += 4
                    written += 3
                    continue
                }
            }
            let byte = unsafe input[index]
            index += 1
            let value = values[Int(byte)]
            if value < 64 {
                written += unsafe try take(value, UnsafeMutableRawBufferPointer(rebasing: output[written...]))
            } else if value == Self.padding {
                written += unsafe try pad(UnsafeMutableRawBufferPointer(rebasing: output[written...]))
            } else if value != Self.blank {
                throw .invalidByte(byte)
            }
        }
        return written
    }

    private mutating func take(
        _ value: UInt8, _ output: UnsafeMutableRawBufferPointer
    ) throws(TransferEncodingError) -> Int {
        guard paddingLeft == nil else { throw .invalidPadding }
        bits = bits << 6 | UInt32(value)
        count += 1
        guard count == 4 else { return 0 }
        unsafe output[0] = UInt8(truncatingIfNeeded: bits >> 16)
        unsafe output[1] = UInt8(truncatingIfNeeded: bits >> 8)
        unsafe output[2] = UInt8(truncatingIfNeeded: bits)
        bits = 0
        count = 0
        return 3
    }

    private mutating func pad(_ output: UnsafeMutableRawBufferPointer) throws(TransferEncodingError) -> Int {
        if let left = paddingLeft {
            guard left > 0 else { throw .invalidPadding }
            paddingLeft = left - 1
            return 0
        }
        switch count {
        case 2:
            guard bits & 0xf == 0 else { throw .invalidPadding }
            unsafe output[0] = UInt8(truncatingIfNeeded: bits >> 4)
            paddingLeft = 1
            count = 0
            return 1
        case 3:
            guard bits & 0x3 == 0 else { throw .invalidPadding }
            unsafe output[0] = UInt8(truncatingIfNeeded: bits >> 10)
            unsafe output[1] = UInt8(truncatingIfNeeded: bits >> 2)
            paddingLeft = 0
            count = 0
            return 2
        default: throw .invalidPadding
        }
    }

    func finish() throws(TransferEncodingError) {
        guard count == 0, (paddingLeft ?? 0) == 0 else { throw .truncated }
    }
}
