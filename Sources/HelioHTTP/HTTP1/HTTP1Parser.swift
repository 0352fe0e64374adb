internal import CNghttp2

/// Reads requests of HTTP/1.1 and HTTP/1.0 (RFC 9112) from bytes in any cut, one event at a time.
///
/// ```
/// requestLine -> fields -+-> content ----------------------------------+-> end
///                        +-> chunkSize <-> chunk, chunkEnd -> trailers -+
///                        +---------------------------------------------+
/// ```
///
/// It keeps no bytes: a line that is not whole yet stays with the caller, who gives it again with what follows. It is stricter
/// than the RFC lets a server be, as each leniency is a way to make two servers on one connection disagree: lines end in CRLF
/// alone, no line is folded, nothing that frames a body may be said twice.
struct HTTP1Parser {
    enum Event {
        /// What remains of the bytes is not enough for another event.
        case needsMore
        /// The head is whole: ``head`` and the block have it.
        case head
        /// That many bytes, right before the position, are body.
        case content(Int)
        /// Trailers follow, for a block of their own.
        case trailersBegin
        /// The request is complete.
        case end
    }

    private enum State {
        case requestLine
        case fields
        case content(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case lastChunk
        case trailers
        case end
    }

    struct Bounds {
        let targetLength, headerListSize, headerCount, chunkExtensions: Int

        init(_ limits: Limits) {
            targetLength = limits.maxTargetLength
            headerListSize = limits.maxHeaderListSize
            headerCount = limits.maxHeaderCount
            chunkExtensions = limits.maxChunkExtensions
        }
    }

    let bounds: Bounds
    var head = HTTP1Head()
    private var state = State.requestLine
    /// Bytes of the line that is not whole, in which there is no LF.
    private var searched = 0
    private var hasSkippedLine = false
    /// Of the fields or trailers so far.
    var listSize = 0
    var lineCount = 0
    /// Of this body's chunks.
    var extensionsLeft = 0

    init(_ limits: Limits) { bounds = Bounds(limits) }

    /// Whether nothing of the next request has been read.
    var isBetweenRequests: Bool { if case .requestLine = state { true } else { false } }

    /// After ``Event/end``: the next bytes are another request.
    mutating func startNext() {
        head = HTTP1Head()
        state = .requestLine
        hasSkippedLine = false
        listSize = 0
        lineCount = 0
    }

    /// Before a request: whether it begins at the position. One empty line in front is passed over (RFC 9112 section 2.2).
    mutating func requestBegins(in bytes: UnsafeRawBufferPointer, at position: inout Int) -> Bool {
        while position < bytes.count {
            guard !hasSkippedLine, unsafe bytes[position] == UInt8(ascii: "\r") else { return true }
            guard position + 1 < bytes.count else { return false }
            guard unsafe bytes[position + 1] == UInt8(ascii: "\n") else { return true }
            hasSkippedLine = true
            position += 2
        }
        return false
    }

    /// The next event; the position moves behind what it is made of.
    ///
    /// - Parameters:
    ///   - fields: where fields and trailers go.
    ///   - room: how much body is wanted at once, at least 1.
    mutating func next(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, into fields: HeaderBlock, atMost room: Int = Int.max
    ) throws(HTTP1Refusal) -> Event {
        while true {
            switch state {
            case .requestLine:
                let longest = bounds.targetLength + Self.longestMethod + Self.versionLength
                let line = try unsafe line(in: bytes, at: &position, atMost: longest, else: .targetTooLong)
                guard let line = unsafe line else { return .needsMore }
                try unsafe requestLine(line, into: fields)
                state = .fields
            case .fields:
                guard try unsafe fieldLines(in: bytes, at: &position, into: fields) else { return .needsMore }
                try finishHead()
                return .head
            case .content(let left):
                return unsafe content(left, in: bytes, at: &position, atMost: room)
            case .chunkSize:
                let longest = Self.longestChunkSize + extensionsLeft
                let line = try unsafe line(in: bytes, at: &position, atMost: longest, else: .extensionsTooLong)
                guard let line = unsafe line else { return .needsMore }
                let size = try unsafe chunkSize(line)
                state = size == 0 ? .lastChunk : .chunk(left: size)
            case .chunk(let left):
                return unsafe content(left, in: bytes, at: &position, atMost: room, isChunk: true)
            case .chunkEnd:
                // RFC 9112 section 7.1: CRLF follows the data, and nothing else.
                guard try unsafe line(in: bytes, at: &position, atMost: 0, else: .malformed) != nil else {
                    return .needsMore
                }
                state = .chunkSize
            case .lastChunk:
                guard position < bytes.count else { return .needsMore }
                listSize = 0
                lineCount = 0
                state = .trailers
                if unsafe bytes[position] != UInt8(ascii: "\r") { return .trailersBegin }
            case .trailers:
                guard try unsafe fieldLines(in: bytes, at: &position, into: fields) else { return .needsMore }
                state = .end
            case .end:
                return .end
            }
        }
    }

    var isInTrailers: Bool { if case .trailers = state { true } else { false } }

    // MARK: Lines

    /// The next line without its CRLF, or nil when it is not whole. What is too long is refused by the same measure whether it
    /// is whole or not, so that the cut of the bytes changes nothing.
    private mutating func line(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, atMost longest: Int, else refusal: HTTP1Refusal
    ) throws(HTTP1Refusal) -> UnsafeRawBufferPointer? {
        let available = bytes.count - position
        let end = min(available, longest + 2)
        guard end > searched else { return nil }
        let base = unsafe bytes.baseAddress.unsafelyUnwrapped + position
        guard let found = unsafe memchr(base + searched, 10, end - searched) else {
            guard available < longest + 2 else { throw refusal }
            searched = end
            return nil
        }
        searched = 0
        let length = unsafe UnsafeRawPointer(found) - base
        position += length + 1
        // RFC 9112 section 2.2 lets a server take a bare LF; section 11.2 tells what comes of such leniency.
        let line = unsafe UnsafeRawBufferPointer(start: base, count: length)
        guard unsafe line.last == UInt8(ascii: "\r") else { throw .malformed }
        return unsafe UnsafeRawBufferPointer(rebasing: line.dropLast())
    }

    /// Takes field lines up to the empty one. False: more are to come.
    private mutating func fieldLines(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, into fields: HeaderBlock
    ) throws(HTTP1Refusal) -> Bool {
        while true {
            let longest = bounds.headerListSize - listSize
            let line = try unsafe line(in: bytes, at: &position, atMost: longest, else: .fieldsTooLarge)
            guard let line = unsafe line else { return false }
            if unsafe line.isEmpty { return true }
            try unsafe field(line, into: fields)
        }
    }

    // MARK: Framing

    /// RFC 9112 section 6.3. Both framings at once, and chunks of a client that cannot know them, are refused.
    private mutating func finishHead() throws(HTTP1Refusal) {
        let flags = head.flags
        // RFC 9112 section 3.2: a request of HTTP/1.1 without `host` is refused.
        if head.version == .http11, !flags.contains(.hasHost) { throw .malformed }
        let hasCoding = !flags.isDisjoint(with: [.isChunked, .hasUnknownCoding])
        if hasCoding {
            // Section 6.1: one of both is a request within a request. HTTP/1.0 has no transfer codings.
            guard head.contentLength == nil, head.version == .http11 else { throw .malformed }
            guard !flags.contains(.hasUnknownCoding) else { throw .codingUnknown }
        }
        if head.method == .connect, hasCoding || head.contentLength != nil {
            // RFC 9110 section 9.3.6: its request has no content, and what follows is the tunnel's.
            throw .malformed
        }
        // RFC 9110 section 7.8: HTTP/1.0 cannot upgrade. A body would have to be read to its end before the other protocol
        // begins: a request that has one is served as it is.
        if !flags.contains(.upgrade) || head.version != .http11 || head.hasBody { head.protocolName = .init() }
        if hasCoding {
            extensionsLeft = bounds.chunkExtensions
            state = .chunkSize
        } else if let length = head.contentLength, length > 0 {
            state = .content(left: length)
        } else {
            state = .end
        }
    }

    private mutating func content(
        _ left: Int, in bytes: UnsafeRawBufferPointer, at position: inout Int, atMost room: Int, isChunk: Bool = false
    ) -> Event {
        let count = min(left, bytes.count - position, room)
        guard count > 0 else { return .needsMore }
        position += count
        if count < left {
            state = isChunk ? .chunk(left: left - count) : .content(left: left - count)
        } else {
            state = isChunk ? .chunkEnd : .end
        }
        return .content(count)
    }

    /// The body's bytes that are still to come, where its length was announced.
    var contentLeft: Int? {
        switch state {
        case .content(let left): left
        case .end: 0
        default: nil
        }
    }

    static let longestMethod = 64
    /// Two spaces and `HTTP/1.1`.
    static let versionLength = 10
    /// Hexadecimal digits of a chunk's size: 2^60 and more are no sizes.
    static let longestChunkSize = 15
}
