/// Chunks (RFC 9112 section 7.1).
extension HTTP1Parser {
    /// `chunk-size [ chunk-ext ]`.
    mutating func chunkSize(_ line: UnsafeRawBufferPointer) throws(HTTP1Refusal) -> Int {
        var size = 0
        var digits = 0
        while digits < line.count, let digit = unsafe HTTP1Characters.hexDigit(line[digits]) {
            guard digits < Self.longestChunkSize else { throw .malformed }
            size = size << 4 | digit
            digits += 1
        }
        guard digits > 0 else { throw .malformed }
        guard digits < line.count else { return size }
        extensionsLeft -= line.count - digits
        guard extensionsLeft >= 0 else { throw .extensionsTooLong }
        try unsafe chunkExtensions(UnsafeRawBufferPointer(rebasing: line[digits...]))
        return size
    }

    /// Section 7.1.1: `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`. None is known; they are checked all the
    /// same, as whoever reads the line in another way finds the body elsewhere.
    private func chunkExtensions(_ text: UnsafeRawBufferPointer) throws(HTTP1Refusal) {
        var position = 0
        while position < text.count {
            unsafe skipBlanks(text, &position)
            guard position < text.count, unsafe text[position] == UInt8(ascii: ";") else { throw .malformed }
            position += 1
            unsafe skipBlanks(text, &position)
            try unsafe skipToken(text, &position)
            var value = position
            unsafe skipBlanks(text, &value)
            guard value < text.count, unsafe text[value] == UInt8(ascii: "=") else { continue }
            position = value + 1
            unsafe skipBlanks(text, &position)
            if position < text.count, unsafe text[position] == UInt8(ascii: "\"") {
                try unsafe skipQuotedString(text, &position)
            } else {
                try unsafe skipToken(text, &position)
            }
        }
    }

    private func skipBlanks(_ text: UnsafeRawBufferPointer, _ position: inout Int) {
        while position < text.count, unsafe HTTP1Characters.isBlank(text[position]) { position += 1 }
    }

    private func skipToken(_ text: UnsafeRawBufferPointer, _ position: inout Int) throws(HTTP1Refusal) {
        let start = position
        while position < text.count, unsafe HTTP1Characters.isToken(text[position]) { position += 1 }
        guard position > start else { throw .malformed }
    }

    /// RFC 9110 section 5.6.4.
    private func skipQuotedString(_ text: UnsafeRawBufferPointer, _ position: inout Int) throws(HTTP1Refusal) {
        position += 1
        while position < text.count {
            let byte = unsafe text[position]
            guard byte >= 32 && byte != 127 || byte == 9 else { throw .malformed }
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard position < text.count, unsafe text[position] >= 32 && text[position] != 127 || text[position] == 9
            else { throw .malformed }
            position += 1
        }
        throw .malformed
    }
}
