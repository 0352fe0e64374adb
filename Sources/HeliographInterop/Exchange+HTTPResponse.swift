public import HTTPTypes
public import HelioHTTP

/// Responses in the types of swift-http-types. A value that is not UTF-8 is repaired (U+FFFD); `indexingStrategy` has no
/// effect.
extension Exchange {
    /// Answers with this head and body.
    ///
    /// `content-length` is the body's own. The head's is sent where there is no content to count: in an answer to HEAD, and
    /// with 304 (RFC 9110 section 8.6).
    ///
    /// ```swift
    /// let response = HTTPResponse(status: .created, headerFields: [.location: "/jobs/7", .contentType: "text/plain"])
    /// try exchange.respond(response, bytes: Array("queued".utf8))
    /// ```
    ///
    /// - Returns: false when the exchange has ended, and nothing was sent.
    /// - Throws: ``MessageError`` for a head that cannot be sent; then nothing was.
    /// - Precondition: the response has not begun.
    @discardableResult
    public func respond(_ response: HTTPResponse, bytes: [UInt8] = []) throws(MessageError) -> Bool {
        let status = try Self.finalStatus(of: response)
        let keepsLength = response.headerFields.contains(.contentLength) && (method == .head || status == .notModified)
        try addFields(response.headerFields) { $0 != .contentLength || keepsLength }
        let length = keepsLength || status.forbidsContent ? nil : bytes.count
        guard start(status, contentLength: length) else { return false }
        if !bytes.isEmpty { write(bytes) }
        finish()
        return true
    }

    /// Sends the head; the body follows by `write` and ends by `finish`. `content-length`, if the head has it, is the
    /// caller's word for the body's length.
    ///
    /// - Returns: false when the exchange has ended, and nothing was sent.
    /// - Throws: ``MessageError`` for a head that cannot be sent; then nothing was.
    /// - Precondition: the response has not begun.
    @discardableResult
    public func start(_ response: HTTPResponse) throws(MessageError) -> Bool {
        let status = try Self.finalStatus(of: response)
        try addFields(response.headerFields) { _ in true }
        return start(status)
    }

    /// Ends the response's body with trailers (RFC 9110 section 6.5).
    ///
    /// ```swift
    /// try exchange.finish(trailers: [.eTag: "\"v7\""])
    /// ```
    ///
    /// - Returns: false when the exchange has ended, and nothing was sent.
    /// - Throws: ``MessageError`` for a field that is no trailer; then the body has not ended.
    /// - Precondition: the response has begun.
    @discardableResult
    public func finish(trailers: HTTPFields) throws(MessageError) -> Bool {
        for field in trailers {
            try Self.check(field)
            guard !Self.notTrailers.contains(field.name) else { throw .notATrailer(field.name.canonicalName) }
        }
        return finish(trailers: trailers.map { (name: $0.name.canonicalName, value: $0.value) })
    }

    private static func finalStatus(of response: HTTPResponse) throws(MessageError) -> Status {
        guard let status = Status(response.status.code), !status.isInformational else {
            throw .notFinal(status: response.status.code)
        }
        return status
    }

    /// Adds all fields or, when it throws, none.
    private func addFields(_ fields: HTTPFields, where isSent: (HTTPField.Name) -> Bool) throws(MessageError) {
        for field in fields { try Self.check(field) }
        for field in fields where isSent(field.name) { addHeader(field.name.canonicalName, field.value) }
    }

    private static func check(_ field: HTTPField) throws(MessageError) {
        guard !connectionFields.contains(field.name.canonicalName) else {
            throw .connectionField(field.name.canonicalName)
        }
    }

    /// RFC 9113 section 8.2.2. `te` is a request's field alone.
    private static let connectionFields: Set<String> = [
        "connection", "proxy-connection", "keep-alive", "te", "transfer-encoding", "upgrade",
    ]

    /// RFC 9110 section 6.5.1: what frames or describes the content comes before it.
    private static let notTrailers: Set<HTTPField.Name> = [
        .contentLength, .contentEncoding, .contentType, .contentRange, .trailer,
    ]
}
