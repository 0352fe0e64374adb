/// Encodes a part's bytes, a piece at a time. The encodings that change nothing pass them on as they are: it is for the
/// program to say `7bit` of lines of ASCII alone.
///
/// ```swift
/// var encoder = TransferEncoder(.base64)
/// let text = Array("Hello".utf8)
/// encoder.encode(text.span.bytes) { piece in exchange.write(piece) }
/// encoder.finish { piece in exchange.write(piece) }
/// ```
public struct TransferEncoder: Sendable {
    public let encoding: TransferEncoding
    private var state: State

    private enum State {
        case asIs
        case base64(Base64Encoder)
        case quotedPrintable(QuotedPrintableEncoder)
    }

    private static let pieceSize = 3072

    public init(_ encoding: TransferEncoding) {
        self.encoding = encoding
        state =
            switch encoding {
            case .binary, .sevenBit, .eightBit: .asIs
            case .base64: .base64(Base64Encoder())
            case .quotedPrintable: .quotedPrintable(QuotedPrintableEncoder())
            }
    }

    /// - Parameter emit: gets encoded pieces, each valid for the call.
    public mutating func encode(_ bytes: RawSpan, _ emit: (RawSpan) -> Void) {
        guard case .asIs = state else {
            unsafe bytes.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: Self.pieceSize) {
                    let end = min(start + Self.pieceSize, bytes.count)
                    unsafe run(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isLast: false, emit)
                }
            }
            return
        }
        emit(bytes)
    }

    /// Emits what was kept back. The last call.
    public mutating func finish(_ emit: (RawSpan) -> Void) {
        if case .asIs = state { return }
        unsafe run(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, emit)
    }

    private mutating func run(_ input: UnsafeRawBufferPointer, isLast: Bool, _ emit: (RawSpan) -> Void) {
        // At most three bytes for one, and a soft break of three in each line of 76.
        unsafe withUnsafeTemporaryAllocation(byteCount: input.count * 4 + 64, alignment: 16) { output in
            var written = 0
            switch state {
            case .asIs: return
            case .base64(var encoder):
                written = unsafe encoder.encode(input, isLast: isLast, into: output)
                state = .base64(encoder)
            case .quotedPrintable(var encoder):
                written = unsafe encoder.encode(input, isLast: isLast, into: output)
                state = .quotedPrintable(encoder)
            }
            if written > 0 { unsafe emit(UnsafeRawBufferPointer(rebasing: output[..<written]).bytes) }
        }
    }
}

/// Base64 in lines of 76 characters.
struct Base64Encoder: Sendable {
    private var bits: UInt32 = 0
    private var count = 0
    private var column = 0

    static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let lineLength = 76

    mutating func encode(
        _ input: UnsafeRawBufferPointer, isLast: Bool, into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        let alphabet = Self.alphabet
        var written = 0
        func put(_ quantum: UInt32, _ characters: Int) {
            if column == Self.lineLength {
                unsafe output[written] = 13
                unsafe output[written + 1] = 10
                written += 2
                column = 0
            }
            for position in 0..<4 {
                let value = Int(quantum >> UInt32(18 - 6 * position) & 63)
                unsafe output[written] = position < characters ? alphabet[value] : UInt8(ascii: "=")
                written += 1
            }
            column += 4
        }
        for index in 0..<input.count {
            bits = bits << 8 | UInt32(unsafe input[index])
            count += 1
            if count == 3 {
                put(bits, 4)
                bits = 0
                count = 0
            }
        }
        if isLast, count > 0 {
            put(bits << UInt32(8 * (3 - count)), count + 1)
            count = 0
        }
        return written
    }
}

/// Quoted-printable in lines of at most 76 characters. CRLF stays the end of a line; CR and LF alone are data.
struct QuotedPrintableEncoder: Sendable {
    private var column = 0
    /// A blank or CR of which the next byte says what it is.
    private var held: UInt8?

    private static let lineLength = 76

    mutating func encode(
        _ input: UnsafeRawBufferPointer, isLast: Bool, into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        var written = 0
        for index in 0..<input.count {
            let byte = unsafe input[index]
            if let before = held {
                held = nil
                if before == 13, byte == 10 {
                    unsafe output[written] = 13
                    unsafe output[written + 1] = 10
                    written += 2
                    column = 0
                    continue
                }
                // A blank is written as it is unless the line ends behind it.
                unsafe put(before, escaped: before == 13 || byte == 13, &written, output)
            }
            switch byte {
            case 0x20, 0x09, 13: held = byte
            case 0x3d: unsafe put(byte, escaped: true, &written, output)
            default: unsafe put(byte, escaped: !(0x21...0x7e ~= byte), &written, output)
            }
        }
        if isLast, let last = held {
            held = nil
            unsafe put(last, escaped: true, &written, output)
        }
        return written
    }

    private mutating func put(
        _ byte: UInt8, escaped: Bool, _ written: inout Int, _ output: UnsafeMutableRawBufferPointer
    ) {
        // The last place of a line is for the soft break's `=`.
        if column + (escaped ? 3 : 1) > Self.lineLength - 1 {
            for byte in [UInt8(ascii: "="), 13, 10] {
                unsafe output[written] = byte
                written += 1
            }
            column = 0
        }
        if escaped {
            unsafe output[written] = UInt8(ascii: "=")
            unsafe output[written + 1] = Hexadecimal.digit(byte >> 4)
            unsafe output[written + 2] = Hexadecimal.digit(byte & 15)
            written += 3
            column += 3
        } else {
            unsafe output[written] = byte
            written += 1
            column += 1
        }
    }
}
