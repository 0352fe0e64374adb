/// Watches that data of the encodings 7bit and 8bit consists of lines (RFC 2045 sections 2.7 and 2.8).
struct LineChecker: Sendable {
    let allowsHighBytes: Bool
    private var lineLength = 0
    private var isAfterCR = false

    init(allowsHighBytes: Bool) { self.allowsHighBytes = allowsHighBytes }

    mutating func check(_ bytes: UnsafeRawBufferPointer) throws(TransferEncodingError) {
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            if isAfterCR {
                guard byte == 10 else { throw .bareLineEnd }
                isAfterCR = false
                lineLength = 0
                continue
            }
            switch byte {
            case 13: isAfterCR = true
            case 10: throw .bareLineEnd
            case 0: throw .invalidByte(byte)
            case 128... where !allowsHighBytes: throw .invalidByte(byte)
            default:
                lineLength += 1
                guard lineLength <= TransferDecoder.longestLine else { throw .lineTooLong }
            }
        }
    }

    func finish() throws(TransferEncodingError) {
        guard !isAfterCR else { throw .bareLineEnd }
    }
}
