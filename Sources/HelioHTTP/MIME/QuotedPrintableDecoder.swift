/// Quoted-printable (RFC 2045 section 6.7). Blanks at the end of a line are no data: they are held back until it is known
/// whether they are.
struct QuotedPrintableDecoder: Sendable {
    private var state = State.text
    private var blanks: [UInt8] = []
    private var lineLength = 0

    private enum State {
        case text
        /// CR, as the end of a line.
        case carriageReturn
        case equals
        /// The first digit's value.
        case digit(UInt8)
        /// Blanks between `=` and the end of the line.
        case softBlanks
        case softCarriageReturn
    }

    /// - Parameter output: has room for as many bytes as the input, a line of blanks and two.
    mutating func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(TransferEncodingError) -> Int {
        var written = 0
        for index in 0..<input.count {
            let byte = unsafe input[index]
            switch state {
            case .text:
                switch byte {
                case 0x3d:
                    unsafe release(&written, output)
                    state = .equals
                case 0x21...0x7e:
                    if !blanks.isEmpty { unsafe release(&written, output) }
                    unsafe output[written] = byte
                    written += 1
                case 0x20, 0x09: blanks.append(byte)
                case 13: state = .carriageReturn
                case 10: throw .bareLineEnd
                default: throw .invalidByte(byte)
                }
            case .carriageReturn:
                guard byte == 10 else { throw .bareLineEnd }
                blanks.removeAll(keepingCapacity: true)
                unsafe output[written] = 13
                unsafe output[written + 1] = 10
                written += 2
                endLine()
                continue
            case .digit(let high):
                guard let low = Hexadecimal.value(byte) else { throw .invalidEscape }
                unsafe output[written] = high << 4 | low
                written += 1
                state = .text
            default:
                if try takeEscape(byte) { continue }
            }
            lineLength += 1
            guard lineLength <= TransferDecoder.longestLine + 1 else { throw .lineTooLong }
        }
        return written
    }

    /// A byte behind `=`.
    ///
    /// - Returns: whether it has ended the line.
    private mutating func takeEscape(_ byte: UInt8) throws(TransferEncodingError) -> Bool {
        if case .softCarriageReturn = state {
            guard byte == 10 else { throw .bareLineEnd }
            endLine()
            return true
        }
        if byte == 13 {
            state = .softCarriageReturn
        } else if byte == 0x20 || byte == 0x09 {
            state = .softBlanks
        } else if case .equals = state, let high = Hexadecimal.value(byte) {
            state = .digit(high)
        } else {
            throw .invalidEscape
        }
        return false
    }

    private mutating func endLine() {
        state = .text
        lineLength = 0
    }

    /// The blanks that were held back are data.
    private mutating func release(_ written: inout Int, _ output: UnsafeMutableRawBufferPointer) {
        for blank in blanks {
            unsafe output[written] = blank
            written += 1
        }
        blanks.removeAll(keepingCapacity: true)
    }

    func finish() throws(TransferEncodingError) {
        guard case .text = state else { throw .truncated }
    }
}
