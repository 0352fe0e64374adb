extension Exchange {
    /// Adds a field to the response's head. Before ``respond(_:contentType:_:)-(_,_,String)`` or ``start(_:contentType:contentLength:)``.
    ///
    /// CR, LF and NUL in the value become spaces. Over HTTP/2 connection-specific fields (`connection`,
    /// `transfer-encoding`, …) are errors of the caller (RFC 9113 section 8.2.2).
    ///
    /// - Precondition: the response has not begun; `name` is a field name in lower case.
    public func addHeader(_ name: String, _ value: String) {
        guard !isClosed else { return }
        precondition(!isResponseStarted, "the head of this response has been sent")
        responseFields.append(name: name, value: value)
    }

    /// Answers with no content.
    ///
    /// - Returns: false when the exchange has ended, and nothing was sent. So do all methods here.
    @discardableResult
    public func respond(_ status: Status) -> Bool {
        guard begin(status) else { return false }
        if !status.forbidsContent { responseFields.append(known: "content-length", value: 0) }
        finishBegun(status)
        return true
    }

    /// Answers with a text, encoded as UTF-8.
    @discardableResult
    public func respond(_ status: Status, contentType: String, _ text: String) -> Bool {
        unsafe withBytes(text) { unsafe respond(status, contentType, copying: $0) }
    }

    /// Answers with a copy of the bytes of a span.
    @discardableResult
    public func respond(_ status: Status, contentType: String, _ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe respond(status, contentType, copying: $0) }
    }

    /// Answers with an array, which is not copied.
    @discardableResult
    public func respond(_ status: Status, contentType: String, bytes: [UInt8]) -> Bool {
        guard begin(status) else { return false }
        describe(status, contentType, bytes.count)
        if !state.contains(.bodiless) { queue.append(bytes) }
        finishBegun(status)
        return true
    }

    /// Sends the head; the body follows by `write` and ends by ``finish()``.
    ///
    /// - Parameters:
    ///   - contentType: the `content-type`, or nil for none.
    ///   - contentLength: the body's length in bytes, or nil when it is not known yet.
    @discardableResult
    public func start(_ status: Status, contentType: String? = nil, contentLength: Int? = nil) -> Bool {
        precondition(contentLength ?? 0 >= 0, "a content length is not negative")
        guard begin(status) else { return false }
        if let contentType { responseFields.append(known: "content-type", value: contentType) }
        if let contentLength { responseFields.append(known: "content-length", value: contentLength) }
        codec?.submitHead(self, status: status, endsStream: false)
        return true
    }

    /// Answers with a body that is pulled: `next` is called whenever the queue is below the low-water mark, writes what
    /// it has, and answers whether there is more; after false the response is finished. One that has nothing now writes
    /// nothing and answers true, and is not called again before ``resumePulling()``.
    @discardableResult
    public func respond(
        _ status: Status, contentType: String, contentLength: Int? = nil, pulling next: @escaping (Exchange) -> Bool
    ) -> Bool {
        guard start(status, contentType: contentType, contentLength: contentLength) else { return false }
        guard !state.contains(.responseFinished) else { return true }
        producer = next
        pull()
        return true
    }

    /// Calls the producer of a pulled response again, which had nothing when it was last called.
    public func resumePulling() { pull() }

    /// Adds a copy of the bytes to the response's body.
    ///
    /// - Returns: true to go on; false when the queue is over its high-water mark (the bytes are queued all the same:
    ///   stop until ``Handler/drained(_:)``), or the response takes no more: the exchange has ended, or it has no body
    ///   (HEAD, 204, 304).
    @discardableResult
    public func write(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe write(copying: $0) }
    }

    /// Adds a text, encoded as UTF-8, to the response's body; see ``write(_:)-(RawSpan)``.
    @discardableResult
    public func write(_ text: String) -> Bool {
        unsafe withBytes(text) { unsafe write(copying: $0) }
    }

    /// Adds an array to the response's body, without a copy; see ``write(_:)-(RawSpan)``.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        guard canWrite else { return false }
        queue.append(bytes)
        return wrote(bytes.count)
    }

    /// Ends the response's body.
    @discardableResult
    public func finish() -> Bool {
        guard !isClosed, !state.contains(.responseFinished) else { return false }
        precondition(isResponseStarted, "finish() ends a response that start() began")
        state.insert(.responseFinished)
        producer = nil
        codec?.bodyAvailable(self)
        return true
    }

    /// Ends the response's body with trailers (RFC 9110 section 6.5). Names are in lower case.
    @discardableResult
    public func finish(trailers: [(name: String, value: String)]) -> Bool {
        guard !isClosed, !state.contains(.responseFinished) else { return false }
        let block = HeaderBlock()
        for (name, value) in trailers { block.append(name: name, value: value) }
        if block.count > 0 { responseTrailers = block }
        return finish()
    }

    /// Ends the exchange at once: RST_STREAM with this code. The handler's `closed` is called before this returns.
    public func reset(_ code: HTTP2ErrorCode = .cancel) {
        guard !isClosed else { return }
        codec?.reset(self, code, forFaultOfPeer: false)
        close(.reset(code))
    }
}

// MARK: - Inside

extension Exchange {
    private func respond(_ status: Status, _ contentType: String, copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard begin(status) else { return false }
        describe(status, contentType, bytes.count)
        if !state.contains(.bodiless) { unsafe queue.append(copying: bytes) }
        finishBegun(status)
        return true
    }

    private func write(copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard canWrite else { return false }
        unsafe queue.append(copying: bytes)
        return wrote(bytes.count)
    }

    private func begin(_ status: Status) -> Bool {
        guard !isClosed else { return false }
        precondition(!isResponseStarted, "this exchange has a response already")
        precondition(!status.isInformational, "\(status) is not a final status")
        state.insert(.responseStarted)
        if requestMethod == .head || status.forbidsContent { state.insert(.bodiless) }
        return true
    }

    private func describe(_ status: Status, _ contentType: String, _ length: Int) {
        guard !status.forbidsContent else { return }
        responseFields.append(known: "content-type", value: contentType)
        responseFields.append(known: "content-length", value: length)
    }

    private func finishBegun(_ status: Status) {
        state.insert(.responseFinished)
        codec?.submitHead(self, status: status, endsStream: queue.isEmpty)
    }

    private var canWrite: Bool {
        guard !isClosed, !state.contains(.responseFinished) else { return false }
        precondition(isResponseStarted, "write() goes to a response that start() began")
        return true
    }

    private func wrote(_ count: Int) -> Bool {
        guard let codec, codec.queued(self, count) else { return false }
        codec.bodyAvailable(self)
        guard queue.count > codec.limits.responseHighWaterMark else { return true }
        state.insert(.overHighWater)
        return false
    }

    /// Asks the producer for more, until it is done or the queue is full.
    func pull() {
        while let next = producer, !isClosed, !state.contains(.overHighWater) {
            let before = queue.count
            if !next(self) {
                finish()
            } else if queue.count == before {
                return  // It had nothing now.
            }
        }
    }
}
