internal import CNghttp2

/// Why a server's bytes are no response of HTTP/1.1, or more of one than is taken.
enum HTTP1ResponseFault: Error {
    case malformed(String)
    case limit(LimitName)

    var error: ClientError {
        switch self {
        case .malformed(let what): .malformed(what)
        case .limit(let name): .limit(name)
        }
    }
}

/// Reads responses of HTTP/1.1 and HTTP/1.0 (RFC 9112) from bytes in any cut, one event at a time.
///
/// ```
/// statusLine -> fields -+-> content, untilClose, tunnel ---------------+-> end
///                       +-> chunkSize <-> chunk, chunkEnd -> trailers -+
///                       +-> (1xx) statusLine
/// ```
///
/// It keeps no bytes: a line that is not whole yet stays with the caller, who gives it again with what follows. Lines end in CRLF
/// alone, no line is folded, and nothing that frames a body may be said twice: who reads such a response otherwise finds another
/// one behind it (RFC 9112 section 11.1).
struct HTTP1ResponseParser {
    enum Event {
        /// What remains of the bytes is not enough for another event.
        case needsMore
        /// The head is whole, be it one of a status 1xx, which another follows.
        case head
        /// That many bytes, right before the position, are body, or a tunnel's.
        case content(Int)
        /// Trailers follow, for a block of their own.
        case trailersBegin
        /// The response is complete.
        case end
    }

    private enum State {
        case statusLine, fields, content(left: Int), untilClose, tunnel
        case chunkSize, chunk(left: Int), chunkEnd, lastChunk, trailers, end
    }

    private let headerListSize, headerCount, chunkExtensions: Int
    private var state = State.statusLine
    /// Bytes of the line that is not whole, in which there is no LF.
    private var searched = 0
    private var listSize = 0
    private var lineCount = 0
    private var extensionsLeft = 0
    private var isInTrailers = false
    // What the head says.
    private(set) var status: UInt16 = 0
    private(set) var version = HTTPVersion.http11
    private var contentLength: Int?
    private var isChunked = false
    private var closes = false
    private var keepsAlive = false
    private var upgrades = false

    // What was asked.
    private var method = Method.get
    private var wantsUpgrade = false

    init(_ limits: ClientLimits) {
        headerListSize = limits.maxHeaderListSize
        headerCount = limits.maxHeaderCount
        chunkExtensions = limits.maxChunkExtensions
    }

    /// The next bytes are the response to a request.
    mutating func start(for method: Method, wantsUpgrade: Bool) {
        self.method = method
        self.wantsUpgrade = wantsUpgrade
        state = .statusLine
        startHead()
    }

    private mutating func startHead() {
        searched = 0
        listSize = 0
        lineCount = 0
        isInTrailers = false
        status = 0
        contentLength = nil
        isChunked = false
        closes = false
        keepsAlive = false
        upgrades = false
    }

    /// Whether the connection outlives the response (RFC 9112 section 9.3).
    var persists: Bool {
        if case .untilClose = state { return false }
        return !closes && (version == .http11 || keepsAlive)
    }

    var isTunnel: Bool { if case .tunnel = state { true } else { false } }

    /// Whether the end of the connection is that of the body (section 6.3, the last rule).
    var endsWithConnection: Bool { if case .untilClose = state { true } else { false } }

    /// The next event; the position moves behind what it is made of.
    ///
    /// - Parameter room: how much body is wanted at once, at least 1.
    mutating func next(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, into fields: HeaderBlock, atMost room: Int
    ) throws(HTTP1ResponseFault) -> Event {
        while true {
            switch state {
            case .statusLine:
                let longest = Self.longestStatusLine
                guard let line = try unsafe line(in: bytes, at: &position, atMost: longest, .headerListSize) else {
                    return .needsMore
                }
                startHead()
                try unsafe statusLine(line)
                state = .fields
            case .fields:
                guard try unsafe fieldLines(in: bytes, at: &position, into: fields) else { return .needsMore }
                try finishHead()
                return .head
            case .content(let left):
                let event = unsafe content(left, in: bytes, at: &position, atMost: room)
                if case .content(let count) = event { state = count < left ? .content(left: left - count) : .end }
                return event
            case .untilClose, .tunnel:
                return unsafe content(Int.max, in: bytes, at: &position, atMost: room)
            case .chunkSize:
                let longest = Self.longestChunkSize + extensionsLeft
                guard let line = try unsafe line(in: bytes, at: &position, atMost: longest, .chunkExtensions) else {
                    return .needsMore
                }
                let size = try unsafe chunkSize(line)
                state = size == 0 ? .lastChunk : .chunk(left: size)
            case .chunk(let left):
                let event = unsafe content(left, in: bytes, at: &position, atMost: room)
                if case .content(let count) = event { state = count < left ? .chunk(left: left - count) : .chunkEnd }
                return event
            case .chunkEnd:
                guard try unsafe line(in: bytes, at: &position, atMost: 0, nil) != nil else { return .needsMore }
                state = .chunkSize
            case .lastChunk:
                guard position < bytes.count else { return .needsMore }
                listSize = 0
                lineCount = 0
                isInTrailers = true
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

    // MARK: Lines

    /// The next line without its CRLF, or nil when it is not whole. What is too long is refused by the same measure whether it
    /// is whole or not, so that the cut of the bytes changes nothing.
    private mutating func line(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, atMost longest: Int, _ limit: LimitName?
    ) throws(HTTP1ResponseFault) -> UnsafeRawBufferPointer? {
        let available = bytes.count - position
        let end = min(available, longest + 2)
        guard end > searched else { return nil }
        let base = unsafe bytes.baseAddress.unsafelyUnwrapped + position
        guard let found = unsafe memchr(base + searched, 10, end - searched) else {
            guard available < longest + 2 else {
                throw limit.map { .limit($0) } ?? .malformed("a chunk does not end where it should")
            }
            searched = end
            return nil
        }
        searched = 0
        let length = unsafe UnsafeRawPointer(found) - base
        position += length + 1
        let line = unsafe UnsafeRawBufferPointer(start: base, count: length)
        guard unsafe line.last == UInt8(ascii: "\r") else { throw .malformed("a line ends without CR") }
        return unsafe UnsafeRawBufferPointer(rebasing: line.dropLast())
    }

    /// `HTTP-version SP status-code SP [ reason-phrase ]` (section 4). Servers that leave the last space out are many.
    private mutating func statusLine(_ line: UnsafeRawBufferPointer) throws(HTTP1ResponseFault) {
        guard line.count >= 12, unsafe line.starts(with: "HTTP/1.".utf8), unsafe HTTP1Characters.isDigit(line[7]),
            unsafe line[8] == UInt8(ascii: " ")
        else { throw .malformed("it begins with no status line of HTTP/1.1") }
        version = unsafe line[7] == UInt8(ascii: "0") ? .http10 : .http11
        guard let code = unsafe HTTP1Characters.number(UnsafeRawBufferPointer(rebasing: line[9..<12])), code >= 100,
            unsafe line.count == 12 || line[12] == UInt8(ascii: " "),
            unsafe HTTP1Characters.areFieldValue(UnsafeRawBufferPointer(rebasing: line[12...]))
        else { throw .malformed("its status line has no status of three digits") }
        status = UInt16(code)
    }

    /// Takes field lines up to the empty one. False: more are to come.
    private mutating func fieldLines(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, into fields: HeaderBlock
    ) throws(HTTP1ResponseFault) -> Bool {
        while true {
            let longest = headerListSize - listSize
            guard let line = try unsafe line(in: bytes, at: &position, atMost: longest, .headerListSize) else {
                return false
            }
            if unsafe line.isEmpty { return true }
            try unsafe field(line, into: fields)
        }
    }

    private mutating func field(
        _ line: UnsafeRawBufferPointer, into fields: HeaderBlock
    ) throws(HTTP1ResponseFault) {
        var nameLength = 0
        while nameLength < line.count, unsafe HTTP1Characters.isToken(line[nameLength]) { nameLength += 1 }
        guard nameLength > 0, nameLength < line.count, unsafe line[nameLength] == UInt8(ascii: ":") else {
            throw .malformed("a field line has no name with a colon right behind")
        }
        var start = nameLength + 1
        var end = line.count
        while start < end, unsafe HTTP1Characters.isBlank(line[start]) { start += 1 }
        while end > start, unsafe HTTP1Characters.isBlank(line[end - 1]) { end -= 1 }
        let name = unsafe UnsafeRawBufferPointer(rebasing: line[..<nameLength])
        let value = unsafe UnsafeRawBufferPointer(rebasing: line[start..<end])
        guard unsafe HTTP1Characters.areFieldValue(value) else { throw .malformed("a field value has a control in it") }
        let size = max(name.count + value.count + 32, line.count)
        guard size <= headerListSize - listSize else { throw .limit(.headerListSize) }
        guard lineCount < headerCount else { throw .limit(.headerCount) }
        listSize += size
        lineCount += 1
        if isInTrailers {
            // RFC 9110 section 6.5.1: what frames the message comes too late.
            if unsafe !isFraming(name) { unsafe fields.append(lowercasing: name, value: value) }
        } else if try unsafe !takes(name, value) {
            unsafe fields.append(lowercasing: name, value: value)
        }
    }

    private func isFraming(_ name: UnsafeRawBufferPointer) -> Bool {
        unsafe HTTP1Characters.equal(name, "content-length") || HTTP1Characters.equal(name, "transfer-encoding")
    }

    /// Acts on the fields that concern the connection or the framing; those of the connection alone do not reach the handler.
    private mutating func takes(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(HTTP1ResponseFault) -> Bool {
        switch name.count {
        case 7 where unsafe HTTP1Characters.equal(name, "upgrade"):
            upgrades = true
        case 10 where unsafe HTTP1Characters.equal(name, "connection"):
            for element in unsafe String(decoding: value, as: UTF8.self).lowercased().split(separator: ",") {
                switch element.filter({ $0 != " " && $0 != "\t" }) {
                case "close": closes = true
                case "keep-alive": keepsAlive = true
                default: break
                }
            }
        case 10: return unsafe HTTP1Characters.equal(name, "keep-alive")
        case 14 where unsafe HTTP1Characters.equal(name, "content-length"):
            guard contentLength == nil, let length = unsafe HTTP1Characters.number(value) else {
                throw .malformed("content-length is no number, or comes twice")
            }
            contentLength = length
            return false
        case 17 where unsafe HTTP1Characters.equal(name, "transfer-encoding"):
            guard !isChunked, unsafe HTTP1Characters.equal(value, "chunked") else {
                throw .malformed("its transfer coding is not chunked, once")
            }
            isChunked = true
        default: return false
        }
        return true
    }

    // MARK: Framing

    /// RFC 9112 section 6.3.
    private mutating func finishHead() throws(HTTP1ResponseFault) {
        if isChunked, contentLength != nil || version == .http10 {
            throw .malformed("it has both a transfer coding and a length, or a coding that HTTP/1.0 has not")
        }
        if status == 101 {
            guard wantsUpgrade, upgrades else { throw .malformed("it changes the protocol, which was not asked for") }
            state = .tunnel
        } else if status < 200 {
            state = .statusLine
        } else if method == .connect, !wantsUpgrade, status < 300 {
            state = .tunnel
        } else if method == .head || status == 204 || status == 304 {
            state = .end
        } else if isChunked {
            extensionsLeft = chunkExtensions
            state = .chunkSize
        } else if let contentLength {
            state = contentLength > 0 ? .content(left: contentLength) : .end
        } else {
            state = .untilClose
        }
    }

    private func content(
        _ left: Int, in bytes: UnsafeRawBufferPointer, at position: inout Int, atMost room: Int
    ) -> Event {
        let count = min(left, bytes.count - position, room)
        guard count > 0 else { return .needsMore }
        position += count
        return .content(count)
    }

    /// `chunk-size [ chunk-ext ]` (section 7.1). Extensions are passed over.
    private mutating func chunkSize(_ line: UnsafeRawBufferPointer) throws(HTTP1ResponseFault) -> Int {
        var size = 0
        var digits = 0
        while digits < line.count, let digit = unsafe HTTP1Characters.hexDigit(line[digits]) {
            guard digits < Self.longestChunkSize else { throw .malformed("a chunk has no size") }
            size = size << 4 | digit
            digits += 1
        }
        guard digits > 0 else { throw .malformed("a chunk has no size") }
        guard digits < line.count else { return size }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: line[digits...])
        guard unsafe rest[0] == UInt8(ascii: ";") || HTTP1Characters.isBlank(rest[0]),
            unsafe HTTP1Characters.areFieldValue(rest)
        else { throw .malformed("a chunk's size is followed by something else") }
        extensionsLeft -= rest.count
        guard extensionsLeft >= 0 else { throw .limit(.chunkExtensions) }
        return size
    }

    /// With a reason of any sensible length.
    private static let longestStatusLine = 1024
    private static let longestChunkSize = 15
}
