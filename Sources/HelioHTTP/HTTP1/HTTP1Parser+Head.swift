internal import CNghttp2

/// The request line (RFC 9112 section 3).
extension HTTP1Parser {
    /// `method SP request-target SP HTTP-version`, with one space each.
    mutating func requestLine(_ line: UnsafeRawBufferPointer, into fields: HeaderBlock) throws(HTTP1Refusal) {
        var end = 0
        while end < line.count, unsafe HTTP1Characters.isToken(line[end]) { end += 1 }
        guard end > 0, end < line.count, unsafe line[end] == UInt8(ascii: " ") else { throw .malformed }
        // RFC 9112 section 3: a method longer than any that is known is 501.
        guard end <= Self.longestMethod else { throw .methodTooLong }
        head.method = unsafe Method(bytes: UnsafeRawBufferPointer(rebasing: line[..<end]))
        let targetStart = end + 1
        guard let last = unsafe line.lastIndex(of: UInt8(ascii: " ")), last > targetStart else {
            throw .malformed
        }
        try unsafe version(UnsafeRawBufferPointer(rebasing: line[(last + 1)...]))
        let target = unsafe UnsafeRawBufferPointer(rebasing: line[targetStart..<last])
        guard target.count <= bounds.targetLength else { throw .targetTooLong }
        guard unsafe HTTP1Characters.areTarget(target) else { throw .malformed }
        try unsafe self.target(target, into: fields)
    }

    /// RFC 9112 section 2.3; a later minor version is spoken to as 1.1 (RFC 9110 section 2.5).
    private mutating func version(_ text: UnsafeRawBufferPointer) throws(HTTP1Refusal) {
        let name: StaticString = "HTTP/"
        let isVersion =
            unsafe text.count == 8 && memcmp(text.baseAddress.unsafelyUnwrapped, name.utf8Start, 5) == 0
            && HTTP1Characters.isDigit(text[5]) && text[6] == UInt8(ascii: ".") && HTTP1Characters.isDigit(text[7])
        guard isVersion else { throw .malformed }
        guard unsafe text[5] == UInt8(ascii: "1") else { throw .versionUnknown }
        head.version = unsafe text[7] == UInt8(ascii: "0") ? .http10 : .http11
    }

    /// The four forms of RFC 9112 section 3.2.
    private mutating func target(_ text: UnsafeRawBufferPointer, into fields: HeaderBlock) throws(HTTP1Refusal) {
        if head.method == .connect {
            // authority-form, and CONNECT has no other.
            guard unsafe HTTP1Characters.areAuthority(text, needsPort: true) else { throw .malformed }
            head.authority = unsafe fields.keep(text)
            head.flags.insert(.hasAuthority)
            return
        }
        if unsafe text[0] == UInt8(ascii: "/") {
            head.target = unsafe fields.keep(text)
            head.pathLength = unsafe text.firstIndex(of: UInt8(ascii: "?")) ?? text.count
        } else if unsafe text.count == 1 && text[0] == UInt8(ascii: "*") {
            guard head.method == .options else { throw .malformed }
            head.target = unsafe fields.keep(text)
            head.pathLength = 1
        } else {
            try unsafe absoluteForm(text, into: fields)
        }
    }

    /// `http://authority/path`: the authority is that of the target, whatever `host` says (RFC 9112 section 3.2.2). The
    /// exchange's scheme stays that of the connection.
    private mutating func absoluteForm(_ text: UnsafeRawBufferPointer, into fields: HeaderBlock) throws(HTTP1Refusal) {
        guard let colon = unsafe text.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed }
        let scheme = unsafe UnsafeRawBufferPointer(rebasing: text[..<colon])
        guard unsafe HTTP1Characters.equal(scheme, "http") || HTTP1Characters.equal(scheme, "https"),
            unsafe text[colon...].starts(with: "://".utf8)
        else { throw .malformed }
        let start = colon + 3
        var end = start
        while end < text.count, unsafe text[end] != UInt8(ascii: "/"), unsafe text[end] != UInt8(ascii: "?") {
            end += 1
        }
        let authority = unsafe UnsafeRawBufferPointer(rebasing: text[start..<end])
        // RFC 9110 section 4.2: no host is an error, and so is what a user name may hide.
        guard unsafe !authority.isEmpty, unsafe HTTP1Characters.areAuthority(authority) else { throw .malformed }
        head.authority = unsafe fields.keep(authority)
        head.flags.insert(.hasAuthority)
        let rest = unsafe UnsafeRawBufferPointer(rebasing: text[end...])
        if unsafe rest.first == UInt8(ascii: "/") {
            head.target = unsafe fields.keep(rest)
            head.pathLength = unsafe rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.count
            return
        }
        // RFC 9112 section 3.2.1: an empty path is sent as `/`; that of OPTIONS as `*` (section 3.2.4).
        let isForServer = unsafe rest.isEmpty && head.method == .options
        head.target = isForServer ? fields.keep("*") : fields.keep("/")
        head.pathLength = 1
        // Kept right behind it.
        head.target.length += unsafe fields.keep(rest).length
    }
}
