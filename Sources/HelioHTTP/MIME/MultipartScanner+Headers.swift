/// What follows a boundary: the rest of its line, and the fields of the part that it begins.
extension MultipartScanner {
    /// The rest of a boundary's line.
    ///
    /// - Returns: whether the byte is taken.
    mutating func behindBoundary(_ byte: UInt8) throws(MultipartError) -> Bool {
        switch (state, byte) {
        case (.tail(let level, false), UInt8(ascii: "-")): state = .dash(level: level)
        case (.tail(let level, _), 0x20), (.tail(let level, _), 0x09):
            try ignore(1)
            state = .tail(level: level, isPadded: true)
        case (.tail, 13): state = .tailReturn
        case (.tailReturn, 10):
            guard partCount < limits.maxParts else { throw .tooManyParts(limit: limits.maxParts) }
            headerBytes.removeAll(keepingCapacity: true)
            state = .headers
        case (.dash(let level), UInt8(ascii: "-")):
            levels[level].isClosed = true
            state = .closed
        case (.closed, 0x20), (.closed, 0x09): try ignore(1)
        case (.closed, 13):
            // It may be the beginning of the next delimiter.
            state = .text
            return false
        default: throw .malformedDelimiter
        }
        return true
    }

    /// Gathers the lines of a part's fields, up to the empty one.
    mutating func headers(
        in input: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(MultipartError) -> Event? {
        while position < input.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[position...])
            let lineEnd = unsafe rest.firstIndex(of: 10)
            let count = lineEnd.map { $0 + 1 } ?? rest.count
            guard headerBytes.count + count <= limits.maxHeaderSize + 2 else {
                throw .headersTooLarge(limit: limits.maxHeaderSize)
            }
            unsafe headerBytes.append(contentsOf: rest[..<count])
            position += count
            guard lineEnd != nil else { return nil }
            guard headerBytes.count >= 2, headerBytes[headerBytes.count - 2] == 13 else { throw .malformedHeaders }
            let isEmpty = headerBytes.count == 2 || headerBytes.count >= 4 && headerBytes[headerBytes.count - 3] == 10
            if isEmpty { return .began(try beginPart()) }
        }
        return nil
    }

    private mutating func beginPart() throws(MultipartError) -> MultipartPart {
        let fields = try MultipartFields.parse(headerBytes, limits)
        let part = try MultipartPart(
            headers: fields, in: levels[levels.count - 1].type, parent: open.last, index: partCount)
        partCount += 1
        open.append(part)
        if part.isMultipart { try beginLevel(part.contentType) }
        state = .candidate(matched: 2, virtual: 2, level: levels.count - 1)
        return part
    }

    private mutating func beginLevel(_ type: MediaType) throws(MultipartError) {
        guard levels.count < limits.maxDepth else { throw .tooDeep(limit: limits.maxDepth) }
        guard let boundary = type["boundary"], MultipartBoundary.isValid(boundary) else { throw .invalidBoundary }
        let delimiter = MultipartBoundary.delimiter(boundary)
        for level in levels where level.delimiter.starts(with: delimiter) || delimiter.starts(with: level.delimiter) {
            throw .ambiguousBoundary
        }
        levels.append(Level(type: type, delimiter: delimiter))
    }
}

/// The fields of a part: as those of HTTP, but that a line may be folded (RFC 5322 section 2.2.3), as mail has it.
enum MultipartFields {
    /// - Parameter bytes: whole lines, the last of them empty.
    static func parse(_ bytes: [UInt8], _ limits: MultipartLimits) throws(MultipartError) -> HeaderBlock {
        let block = HeaderBlock()
        var line: [UInt8] = []
        var position = 0
        while position < bytes.count - 2 {
            guard let lineEnd = bytes[position...].firstIndex(of: 10), lineEnd > position, bytes[lineEnd - 1] == 13
            else { throw .malformedHeaders }
            line += bytes[position..<lineEnd - 1]
            position = lineEnd + 1
            // Folded: the blank that begins the next line stands for the line's end too.
            if bytes[position] == 0x20 || bytes[position] == 0x09 { continue }
            guard block.count < limits.maxHeaderCount else { throw .tooManyHeaders(limit: limits.maxHeaderCount) }
            try append(line, to: block)
            line.removeAll(keepingCapacity: true)
        }
        guard line.isEmpty else { throw .malformedHeaders }
        return block
    }

    private static func append(_ line: [UInt8], to block: HeaderBlock) throws(MultipartError) {
        // A name that begins as a boundary does: who looks for boundaries alone would see one.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(FieldScanner.isTokenByte), !line.starts(with: [0x2d, 0x2d])
        else { throw .malformedHeaders }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { throw .malformedHeaders }
        let name = line[..<colon].map(FieldScanner.lowercased)
        unsafe name.withUnsafeBytes { name in
            unsafe value.withUnsafeBytes { value in unsafe block.append(name: name, value: value) }
        }
    }
}
