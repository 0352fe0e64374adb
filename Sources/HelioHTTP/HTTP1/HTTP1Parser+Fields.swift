/// Field lines (RFC 9112 section 5), of heads and of trailers.
extension HTTP1Parser {
    mutating func field(_ line: UnsafeRawBufferPointer, into fields: HeaderBlock) throws(HTTP1Refusal) {
        // A line that begins with a blank would continue the one before (obs-fold, section 5.2), or hide in front of the
        // first (section 2.2): a blank is no tchar. Nor is one before the colon (section 5.1).
        var nameLength = 0
        while nameLength < line.count, unsafe HTTP1Characters.isToken(line[nameLength]) { nameLength += 1 }
        guard nameLength > 0, nameLength < line.count, unsafe line[nameLength] == UInt8(ascii: ":") else {
            throw .malformed
        }
        var start = nameLength + 1
        var end = line.count
        while start < end, unsafe HTTP1Characters.isBlank(line[start]) { start += 1 }
        while end > start, unsafe HTTP1Characters.isBlank(line[end - 1]) { end -= 1 }
        let name = unsafe UnsafeRawBufferPointer(rebasing: line[..<nameLength])
        let value = unsafe UnsafeRawBufferPointer(rebasing: line[start..<end])
        guard unsafe HTTP1Characters.areFieldValue(value) else { throw .malformed }
        // As over HTTP/2 (RFC 9113 section 6.5.2), unless a line has more blanks in it than that allows for.
        let size = max(name.count + value.count + 32, line.count)
        guard size <= bounds.headerListSize - listSize else { throw .fieldsTooLarge }
        guard lineCount < bounds.headerCount else { throw .tooManyFields }
        listSize += size
        lineCount += 1
        if isInTrailers {
            if unsafe !Self.isOfHeadOnly(name) { unsafe fields.append(lowercasing: name, value: value) }
        } else if try unsafe !takes(name, value, fields) {
            unsafe fields.append(lowercasing: name, value: value)
        }
    }

    /// Acts on the fields that concern the connection or the framing. Those of the connection alone do not reach the handler, as
    /// there are none of them over HTTP/2 (RFC 9113 section 8.2.2).
    ///
    /// - Returns: whether that was all there is to it.
    private mutating func takes(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ fields: HeaderBlock
    ) throws(HTTP1Refusal) -> Bool {
        switch name.count {
        case 4 where unsafe HTTP1Characters.equal(name, "host"):
            try unsafe host(value, fields)
        case 6 where unsafe HTTP1Characters.equal(name, "expect"):
            // RFC 9110 section 10.1.1: not for HTTP/1.0; there is one expectation.
            guard head.version == .http11 else { return true }
            guard unsafe HTTP1Characters.equal(value, "100-continue") else { throw .expectationUnknown }
            return false
        case 7 where unsafe HTTP1Characters.equal(name, "upgrade"):
            unsafe upgrade(value, fields)
        case 10 where unsafe HTTP1Characters.equal(name, "connection"):
            unsafe connection(value)
        case 10: return unsafe HTTP1Characters.equal(name, "keep-alive")
        case 14 where unsafe HTTP1Characters.equal(name, "content-length"):
            try unsafe contentLength(value)
            return false
        case 16: return unsafe HTTP1Characters.equal(name, "proxy-connection")
        case 17 where unsafe HTTP1Characters.equal(name, "transfer-encoding"):
            try unsafe transferEncoding(value)
        default: return false
        }
        return true
    }

    /// RFC 9112 section 3.2: one, and a valid one.
    private mutating func host(_ value: UnsafeRawBufferPointer, _ fields: HeaderBlock) throws(HTTP1Refusal) {
        guard !head.flags.contains(.hasHost), unsafe HTTP1Characters.areAuthority(value) else { throw .malformed }
        head.flags.insert(.hasHost)
        if !head.flags.contains(.hasAuthority) { head.authority = unsafe fields.keep(value) }
    }

    /// RFC 9112 section 6.2. A second one is refused, equal or not: who forwards may have read the other.
    private mutating func contentLength(_ value: UnsafeRawBufferPointer) throws(HTTP1Refusal) {
        guard head.contentLength == nil, unsafe !value.isEmpty else { throw .malformed }
        guard unsafe value.allSatisfy(HTTP1Characters.isDigit) else { throw .malformed }
        // Section 6.3: no overflow.
        guard let length = unsafe HTTP1Characters.number(value) else { throw .contentTooLarge }
        head.contentLength = length
    }

    /// RFC 9112 section 6.1: `chunked` is the one coding here, and it is the last and comes once (section 7.1).
    private mutating func transferEncoding(_ value: UnsafeRawBufferPointer) throws(HTTP1Refusal) {
        try unsafe forEachElement(of: value) { (element) throws(HTTP1Refusal) in
            guard !head.flags.contains(.isChunked), unsafe !element.isEmpty else { throw .malformed }
            guard unsafe element.allSatisfy(HTTP1Characters.isToken) else { throw .malformed }
            head.flags.insert(unsafe HTTP1Characters.equal(element, "chunked") ? .isChunked : .hasUnknownCoding)
        }
    }

    /// RFC 9110 section 7.6.1.
    private mutating func connection(_ value: UnsafeRawBufferPointer) {
        unsafe forEachElement(of: value) { element in
            if unsafe HTTP1Characters.equal(element, "close") {
                head.flags.insert(.close)
            } else if unsafe HTTP1Characters.equal(element, "keep-alive") {
                head.flags.insert(.keepAlive)
            } else if unsafe HTTP1Characters.equal(element, "upgrade") {
                head.flags.insert(.upgrade)
            }
        }
    }

    /// RFC 9110 section 7.8: the first protocol asked for. `h2c` is passed over (RFC 9113 section 3.1).
    private mutating func upgrade(_ value: UnsafeRawBufferPointer, _ fields: HeaderBlock) {
        unsafe forEachElement(of: value) { element in
            guard !head.protocolName.isPresent, unsafe !element.isEmpty, unsafe !HTTP1Characters.equal(element, "h2c")
            else { return }
            head.protocolName = unsafe fields.keep(lowercasing: element)
        }
    }

    /// Fields that mean nothing behind a body, or that a server would have acted upon in front of it: framing, routing,
    /// authentication, controls, the content's format (RFC 9110 section 6.5.1). They are dropped.
    private static func isOfHeadOnly(_ name: UnsafeRawBufferPointer) -> Bool {
        headOnly.contains { unsafe HTTP1Characters.equal(name, $0) }
    }

    private static let headOnly: [StaticString] = [
        "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
        "content-type", "cookie", "expect", "host", "keep-alive", "max-forwards", "pragma", "proxy-authorization",
        "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade",
    ]
}

/// The elements of a comma-separated list (RFC 9110 section 5.6.1), without the blanks around them; empty ones too.
private func forEachElement<Failure>(
    of value: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
) throws(Failure) {
    var start = 0
    while true {
        var end = start
        while end < value.count, unsafe value[end] != UInt8(ascii: ",") { end += 1 }
        var first = start
        var last = end
        while first < last, unsafe HTTP1Characters.isBlank(value[first]) { first += 1 }
        while last > first, unsafe HTTP1Characters.isBlank(value[last - 1]) { last -= 1 }
        try unsafe body(UnsafeRawBufferPointer(rebasing: value[first..<last]))
        guard end < value.count else { return }
        start = end + 1
    }
}
