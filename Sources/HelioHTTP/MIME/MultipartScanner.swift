internal import CNghttp2

/// Finds the parts of a multipart body in pieces of it, one event at a time (RFC 2046 section 5.1).
///
/// ```
/// preamble  CRLF--boundary CRLF  fields CRLF CRLF  data  CRLF--boundary …  CRLF--boundary-- CRLF epilogue
/// ```
///
/// It copies no data: an event names a range of the input, or bytes that were held back at the end of the piece before since
/// they might have begun a boundary. Those are the boundary's own first bytes, so they need not be kept either. Who calls
/// decides when to go on, which is all that backpressure needs.
@safe struct MultipartScanner {
    enum Event {
        /// The input is used up.
        case needsMore
        case began(MultipartPart)
        /// Data of the open part: a range of the input.
        case data(Range<Int>)
        /// Data of the open part: a range of ``delimiter(of:)`` of this level.
        case held(Range<Int>, level: Int)
        case ended(MultipartPart)
    }

    /// A multipart body, or a part that is one.
    struct Level {
        let type: MediaType
        /// What ends each of its parts.
        let delimiter: [UInt8]
        /// Its closing boundary has come.
        var isClosed = false
    }

    enum State {
        /// In data, or in what is ignored.
        case text
        /// The first `matched` bytes of this level's delimiter have come, and were held back; `virtual` of them are the end of
        /// a line before the text, and no data.
        case candidate(matched: Int, virtual: Int, level: Int)
        /// Behind a boundary.
        case tail(level: Int, isPadded: Bool)
        case dash(level: Int)
        case tailReturn
        /// Behind the dashes that close a level.
        case closed
        case headers
    }

    let limits: MultipartLimits
    var levels: [Level]
    var state = State.candidate(matched: 2, virtual: 2, level: 0)
    /// The parts that are open, the outermost first.
    var open: [MultipartPart] = []
    /// Parts that have ended and have not been reported so.
    var endsDue = 0
    var partCount = 0
    private var total = 0
    var ignored = 0
    /// The fields of a part that begins, as far as they have come.
    var headerBytes: [UInt8] = []

    init(type: MediaType, limits: MultipartLimits) throws(MultipartError) {
        guard type.isMultipart else { throw .notMultipart }
        guard let boundary = type["boundary"], MultipartBoundary.isValid(boundary) else { throw .invalidBoundary }
        self.limits = limits
        levels = [Level(type: type, delimiter: MultipartBoundary.delimiter(boundary))]
    }

    /// The next event. `position` is where the input is read; it goes on to where the event ends.
    mutating func next(in input: UnsafeRawBufferPointer, _ position: inout Int) throws(MultipartError) -> Event {
        if endsDue > 0 {
            endsDue -= 1
            let part = open.removeLast()
            part.isComplete = true
            return .ended(part)
        }
        let start = position
        let event = unsafe try advance(in: input, &position)
        total += position - start
        guard total <= limits.maxTotalSize else { throw .tooLarge(limit: limits.maxTotalSize) }
        return event
    }

    /// Says that the body has ended.
    func finish() throws(MultipartError) {
        guard levels[0].isClosed, endsDue == 0 else { throw .truncated }
        switch state {
        case .text, .closed, .candidate: return
        default: throw .truncated
        }
    }

    func delimiter(of level: Int) -> [UInt8] { levels[level].delimiter }

    private mutating func advance(
        in input: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(MultipartError) -> Event {
        while position < input.count {
            var event: Event?
            switch state {
            case .text: event = unsafe try text(in: input, &position)
            case .candidate(let matched, let virtual, let level):
                event = unsafe try candidate(matched, virtual, level, in: input, &position)
            case .headers: event = unsafe try headers(in: input, &position)
            case .tail, .dash, .tailReturn, .closed:
                if try behindBoundary(unsafe input[position]) { position += 1 }
            }
            if let event { return event }
            if endsDue > 0 { return unsafe try next(in: input, &position) }
        }
        return .needsMore
    }
}

// MARK: - Data

extension MultipartScanner {
    /// Whether what comes is the data of a part, and not to be ignored.
    private var isInData: Bool { open.last.map { !$0.isMultipart } ?? false }

    /// Goes on to the next delimiter, or to what may be the beginning of one. Nil: it is ignored, or nothing.
    private mutating func text(
        in input: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(MultipartError) -> Event? {
        let start = position
        var from = start
        while let found = unsafe find(in: input, from) {
            let match = unsafe match(in: input, found, matched: 0, of: 0)
            let end = found + match.count
            if match.isWhole {
                let event = try passed(start..<found)
                position = end
                try reached(match.level)
                return event
            }
            if end == input.count {
                position = end
                state = .candidate(matched: match.count, virtual: 0, level: match.level)
                return try passed(start..<found)
            }
            from = max(end, found + 1)
        }
        position = input.count
        return try passed(start..<position)
    }

    /// Goes on with a delimiter of which some bytes have come.
    private mutating func candidate(
        _ matched: Int, _ virtual: Int, _ level: Int, in input: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(MultipartError) -> Event? {
        let match = unsafe match(in: input, position, matched: matched, of: level)
        if match.isWhole {
            position += match.count
            try reached(match.level)
            return nil
        }
        if position + match.count == input.count {
            position = input.count
            state = .candidate(matched: matched + match.count, virtual: virtual, level: match.level)
            return nil
        }
        // It was data, and so is what has matched here: no delimiter begins in it, as CR is at the beginning of one alone.
        state = .text
        return try passed(virtual..<matched, held: level)
    }

    /// Where the next delimiter stands or begins, or the next line that may be one.
    private func find(in input: UnsafeRawBufferPointer, _ from: Int) -> Int? {
        guard let base = input.baseAddress, let first = levels.firstIndex(where: { !$0.isClosed }) else { return nil }
        let delimiter = levels[first].delimiter
        // A single one is searched for whole; of several, what they have in common is.
        let isSingle = levels.lastIndex { !$0.isClosed } == first
        let length = isSingle ? delimiter.count : 4
        return unsafe delimiter.withUnsafeBytes { delimiter in
            let needle = unsafe delimiter.baseAddress.unsafelyUnwrapped
            if let hit = unsafe heliograph_find(base + from, input.count - from, needle, length) {
                return unsafe UnsafeRawPointer(hit) - base
            }
            for index in max(from, input.count - length + 1)..<max(from, input.count)
            where unsafe input[index] == 13 && memcmp(base + index, needle, input.count - index) == 0 {
                return index
            }
            return nil
        }
    }

    /// How many bytes from `position` on go on with a delimiter that begins with the first `matched` bytes of this level's.
    private func match(
        in input: UnsafeRawBufferPointer, _ position: Int, matched: Int, of level: Int
    ) -> (count: Int, isWhole: Bool, level: Int) {
        var best = (count: 0, isWhole: false, level: level)
        for index in levels.indices where !levels[index].isClosed {
            let delimiter = levels[index].delimiter
            guard matched <= delimiter.count,
                index == level || matched <= 4 || delimiter[..<matched] == levels[level].delimiter[..<matched]
            else { continue }
            let room = min(delimiter.count - matched, input.count - position)
            var count = 0
            while count < room, unsafe input[position + count] == delimiter[matched + count] { count += 1 }
            if matched + count == delimiter.count { return (count, true, index) }
            if count > best.count { best = (count, false, index) }
        }
        return best
    }

    /// Counts what stands between delimiters. Nil: it is nothing, or ignored.
    ///
    /// - Parameter held: the level whose delimiter's bytes they are; nil for those of the input.
    private mutating func passed(_ range: Range<Int>, held: Int? = nil) throws(MultipartError) -> Event? {
        guard !range.isEmpty else { return nil }
        guard let part = open.last, !part.isMultipart else {
            try ignore(range.count)
            return nil
        }
        part.encodedSize += range.count
        guard part.encodedSize <= limits.maxPartSize else { throw .partTooLarge(limit: limits.maxPartSize) }
        return held.map { .held(range, level: $0) } ?? .data(range)
    }

    mutating func ignore(_ count: Int) throws(MultipartError) {
        ignored += count
        guard ignored <= limits.maxIgnoredSize else { throw .tooMuchIgnored(limit: limits.maxIgnoredSize) }
    }

    /// A delimiter of this level has come: what it ends has ended.
    private mutating func reached(_ level: Int) throws(MultipartError) {
        let top = levels.count - 1
        if level == top {
            endsDue = isInData ? 1 : 0
        } else {
            // A part that has parts ends behind its own closing delimiter.
            guard level == top - 1, levels[top].isClosed else { throw .truncated }
            levels.removeLast()
            endsDue = 1
        }
        state = .tail(level: level, isPadded: false)
    }
}
