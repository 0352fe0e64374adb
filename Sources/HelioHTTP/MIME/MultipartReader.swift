/// What answers a request with a multipart body: it gets the parts as they come, on the loop.
///
/// The handler that gets the request calls ``Exchange/readParts(by:limits:)``. To hold the peer back, pause the body; to have a
/// part's data go to a file, give the part a ``PartSink`` in `partBegan`.
///
/// ```swift
/// final class Upload: MultipartHandler {
///     private var size = 0
///     func partData(_ exchange: Exchange, _ part: MultipartPart, _ data: RawSpan) { size += data.byteCount }
///     func partsEnded(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "\(size) bytes") }
/// }
/// exchange.readParts(by: Upload())
/// ```
public protocol MultipartHandler: AnyObject {
    /// A part's fields have come; its data, if any, follows. A part that has parts is followed by them.
    func partBegan(_ exchange: Exchange, _ part: MultipartPart)
    /// Data of the part, decoded; the span is valid for the call.
    func partData(_ exchange: Exchange, _ part: MultipartPart, _ data: RawSpan)
    /// The part is complete; if it has a sink, what that was given is settled, or its `failure` says why not.
    func partEnded(_ exchange: Exchange, _ part: MultipartPart)
    /// The body is complete: a response is due.
    func partsEnded(_ exchange: Exchange)
    /// The body is not as it has to be. A handler that does not begin a response here has one given: the error's status and a
    /// line of text that says why.
    func partsFailed(_ exchange: Exchange, _ error: MultipartError)
    /// See ``Handler/drained(_:)``.
    func drained(_ exchange: Exchange)
    /// See ``Handler/closed(_:_:)``.
    func closed(_ exchange: Exchange, _ reason: CloseReason)
}

extension MultipartHandler {
    public func partBegan(_ exchange: Exchange, _ part: MultipartPart) {}
    public func partData(_ exchange: Exchange, _ part: MultipartPart, _ data: RawSpan) {}
    public func partEnded(_ exchange: Exchange, _ part: MultipartPart) {}
    public func partsFailed(_ exchange: Exchange, _ error: MultipartError) {}
    public func drained(_ exchange: Exchange) {}
    public func closed(_ exchange: Exchange, _ reason: CloseReason) {}
}

extension Exchange {
    /// Has the request's body taken apart: `handler` gets its parts, and the exchange's other events, from here on. Call it
    /// in the handler's `request`, or later if ``pauseBody()`` was called there.
    ///
    /// - Returns: false when the request is refused at once (415: not multipart; 400: no boundary; 413: announced to be too
    ///   large), which `handler` was told by `partsFailed`.
    @discardableResult
    public func readParts(by handler: any MultipartHandler, limits: MultipartLimits = MultipartLimits()) -> Bool {
        guard !isClosed else { return false }
        let reader = MultipartReader(handler)
        self.handler = reader
        do {
            reader.parser = try MultipartParser(contentType: try multipartType(limits), limits: limits)
        } catch {
            reader.fail(self, error)
            return false
        }
        resumeBody()
        return true
    }

    /// The type of a request that may be read in parts.
    func multipartType(_ limits: MultipartLimits) throws(MultipartError) -> MediaType {
        guard let text = requestFields["content-type"] else { throw .notMultipart }
        let type: MediaType
        do { type = try MediaType(parsing: text) } catch { throw .field("content-type", error) }
        guard type.isMultipart else { throw .notMultipart }
        if let version = requestFields[MIMEVersion.fieldName] {
            guard let version = try? MIMEVersion(parsing: version), version == .current else {
                throw .unsupportedVersion
            }
        }
        if let text = requestFields["content-length"], let length = Int(text), length > limits.maxTotalSize {
            throw .tooLarge(limit: limits.maxTotalSize)
        }
        return type
    }

    /// Answers a body that is refused with the error's status and a line of text that says why, and counts the limit that it
    /// has crossed. Once a response has begun, the exchange is reset.
    public func refuse(_ error: MultipartError) {
        if let limit = error.limitName { codec?.tripped(limit) }
        guard !isClosed else { return }
        if isResponseStarted {
            reset(.cancel)
        } else {
            respond(error.status, contentType: "text/plain; charset=utf-8", "\(error)\n")
        }
    }
}

/// Stands between an exchange and what handles its parts.
private final class MultipartReader: Handler, MultipartConsumer {
    private let receiver: any MultipartHandler
    var parser: MultipartParser?
    /// The exchange, while one of its events is handled here.
    private var current: Exchange?
    /// The sink of the open part takes no more now.
    private var waitsForSink = false
    /// The part whose sink settles what it was given.
    private var settling: MultipartPart?
    private var hasFailed = false

    init(_ receiver: any MultipartHandler) { self.receiver = receiver }

    func request(_ exchange: Exchange) {}

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard let parser, !hasFailed else { return }
        current = exchange
        defer { current = nil }
        do {
            let taken = try parser.receive(chunk, for: self)
            // The rest comes again when the body goes on.
            if !exchange.isClosed, exchange.isBodyPaused { exchange.pushBack(chunk.extracting(droppingFirst: taken)) }
        } catch {
            fail(exchange, error)
        }
    }

    func end(_ exchange: Exchange) {
        guard let parser, !hasFailed else { return }
        do {
            try parser.finish()
            receiver.partsEnded(exchange)
        } catch {
            fail(exchange, error)
        }
    }

    func drained(_ exchange: Exchange) { receiver.drained(exchange) }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        abandonSinks()
        parser = nil
        receiver.closed(exchange, reason)
    }

    /// The receiver may answer in its own words.
    func fail(_ exchange: Exchange, _ error: MultipartError) {
        hasFailed = true
        abandonSinks()
        parser = nil
        receiver.partsFailed(exchange, error)
        exchange.refuse(error)
    }

    private func abandonSinks() {
        settling = nil
        for part in parser?.openParts ?? [] { part.sink?.abandon() }
    }
}

// MARK: - From the parser

extension MultipartReader {
    func partBegan(_ part: MultipartPart) {
        guard let exchange = current else { return }
        receiver.partBegan(exchange, part)
        part.sink?.attach { [weak exchange, weak self] in
            if let exchange, let self { resume(exchange) }
        }
        pauseIfAsked(exchange)
    }

    func partData(_ part: MultipartPart, _ data: RawSpan) {
        guard let exchange = current else { return }
        if let sink = part.sink {
            if !sink.write(data) { wait(exchange) }
        } else {
            receiver.partData(exchange, part, data)
        }
        pauseIfAsked(exchange)
    }

    func partEnded(_ part: MultipartPart) {
        guard let exchange = current else { return }
        if let sink = part.sink, !sink.finish() {
            settling = part
            wait(exchange)
        } else {
            receiver.partEnded(exchange, part)
        }
        pauseIfAsked(exchange)
    }

    private func wait(_ exchange: Exchange) {
        waitsForSink = true
        exchange.pauseBody()
    }

    /// A sink can go on.
    private func resume(_ exchange: Exchange) {
        guard waitsForSink, !exchange.isClosed else { return }
        waitsForSink = false
        if let part = settling {
            settling = nil
            receiver.partEnded(exchange, part)
        }
        exchange.resumeBody()
    }

    private func pauseIfAsked(_ exchange: Exchange) {
        if exchange.isBodyPaused || exchange.isClosed { parser?.pause() }
    }
}
