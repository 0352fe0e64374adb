extension Exchange {
    /// Begins a response of parts, which are written one after the other as the peer takes them.
    ///
    /// ```swift
    /// let parts = exchange.respond(.ok, multipart: .mixed)
    /// parts.beginPart(contentType: .plainText)
    /// parts.write("Hello")
    /// parts.beginPart(contentType: .png, disposition: .attachment(filename: "cat.png"), encoding: .base64)
    /// parts.write(read("cat.png"))
    /// parts.finish()
    /// ```
    ///
    /// - Parameters:
    ///   - type: a multipart type; its boundary is added.
    ///   - boundary: which no data may hold; nil for a random one.
    /// - Precondition: the exchange has no response yet.
    public func respond(_ status: Status, multipart type: MediaType, boundary: String? = nil) -> MultipartWriter {
        let writer = MultipartWriter(self, MultipartSerializer(type, boundary: boundary))
        addHeader(MIMEVersion.fieldName, MIMEVersion.current.description)
        start(status, contentType: writer.contentType.description)
        return writer
    }
}

/// Writes the parts of a response; see ``Exchange/respond(_:multipart:boundary:)``. Used on the exchange's loop.
///
/// Its methods answer as ``Exchange/write(_:)-(RawSpan)`` does: false to stop until the exchange is drained, or for good.
public final class MultipartWriter {
    private let exchange: Exchange
    private var serializer: MultipartSerializer

    init(_ exchange: Exchange, _ serializer: MultipartSerializer) {
        self.exchange = exchange
        self.serializer = serializer
    }

    /// The type of the response, with its boundary.
    public var contentType: MediaType { serializer.contentType }

    /// Begins a part, and ends the one before; see ``MultipartSerializer/beginPart(contentType:disposition:encoding:fields:_:)``.
    @discardableResult
    public func beginPart(
        contentType: MediaType? = nil, disposition: ContentDisposition? = nil, encoding: TransferEncoding = .binary,
        fields: [(name: String, value: String)] = []
    ) -> Bool {
        emitting { serializer, emit in
            serializer.beginPart(
                contentType: contentType, disposition: disposition, encoding: encoding, fields: fields, emit)
        }
    }

    /// Begins a part that consists of those that follow, until ``endMultipart()``.
    @discardableResult
    public func beginMultipart(_ type: MediaType = .mixed, disposition: ContentDisposition? = nil) -> Bool {
        emitting { $0.beginMultipart(type, disposition: disposition, $1) }
    }

    @discardableResult
    public func endMultipart() -> Bool { emitting { $0.endMultipart($1) } }

    /// Adds a copy of the bytes to the open part.
    @discardableResult
    public func write(_ bytes: RawSpan) -> Bool {
        if serializer.passesData { return exchange.write(bytes) }
        var goesOn = true
        serializer.write(bytes) { goesOn = exchange.write($0) }
        return goesOn
    }

    /// Adds a text in UTF-8 to the open part.
    @discardableResult
    public func write(_ text: String) -> Bool { unsafe withBytes(text) { unsafe write($0.bytes) } }

    /// Adds an array to the open part, without a copy unless it is encoded.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        unsafe serializer.passesData ? exchange.write(bytes) : write(bytes.span.bytes)
    }

    /// Adds to the open part and waits until the exchange's queue is below its high-water mark.
    ///
    /// - Throws: `closed`, as ``Exchange/send(_:)-([UInt8])``.
    nonisolated(nonsending) public func send(_ bytes: [UInt8]) async throws(ExchangeError) {
        if !write(bytes) { try await exchange.waitForDrain() }
    }

    /// Ends the last part and the response.
    @discardableResult
    public func finish() -> Bool {
        emitting { $0.finish($1) }
        return exchange.finish()
    }

    @discardableResult
    private func emitting(_ body: (inout MultipartSerializer, (RawSpan) -> Void) -> Void) -> Bool {
        var goesOn = true
        body(&serializer) { goesOn = exchange.write($0) }
        return goesOn
    }
}
