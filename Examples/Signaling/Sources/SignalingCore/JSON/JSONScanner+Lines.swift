extension JSONScanner {
    /// A line within a string of the text.
    struct Line {
        /// Without its end.
        let text: Text
        let withEnd: Range<Int>
    }

    /// The lines of a string, which end by LF or CR LF, escaped as JSON has them. The last one may lack its end.
    func lines(_ text: Text) -> [Line] {
        var lines: [Line] = []
        var start = text.range.lowerBound
        var hasEscapes = false
        // Where a CR began that was the last thing so far.
        var carriageReturn: Int?
        var index = start
        while index < text.range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                // A CR within the line.
                if carriageReturn != nil { (hasEscapes, carriageReturn) = (true, nil) }
                index += 1
                continue
            }
            let length = bytes[index + 1] == UInt8(ascii: "u") ? 6 : 2
            switch decoded(Text(range: index..<index + length, hasEscapes: true)).utf8 {
            case [0x0A]:
                let content = Text(range: start..<(carriageReturn ?? index), hasEscapes: hasEscapes)
                lines.append(Line(text: content, withEnd: start..<index + length))
                (start, hasEscapes, carriageReturn) = (index + length, false, nil)
            case [0x0D]:
                if carriageReturn != nil { hasEscapes = true }
                carriageReturn = index
            default: (hasEscapes, carriageReturn) = (true, nil)
            }
            index += length
        }
        if start < index {
            lines.append(Line(text: Text(range: start..<index, hasEscapes: true), withEnd: start..<index))
        }
        return lines
    }
}

extension JSONWriter {
    /// A text as it stands in a string, without the quotes.
    static func escaped(_ utf8: some Sequence<UInt8>) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(utf8: Array(utf8))
        return Array(writer.bytes.dropFirst().dropLast())
    }
}
