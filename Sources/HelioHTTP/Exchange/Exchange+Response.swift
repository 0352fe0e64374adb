extension Exchange {
    /// Adds a field to the response's head. Before ``respond(_:contentType:_:)-(_,_,String)`` or ``start(_:contentType:contentLength:)``.
    ///
    /// CR, LF and NUL in the value become spaces. Over HTTP/2 connection-specific fields (`connection`,
    /// `transfer-encoding`, …) are errors of the caller (RFC 9113 section 8.2.2).
    ///
    /// - Precondition: the response has not begun; `name` is a field name in lower case.
    public func addHeader(_ name: String, _ value: String) {
        guard !isClosed else { return }
        precondition(!state.contains(.headSettled), "the head of this response has been sent")
        responseFields.append(name: name, value: value)
    }

    /// Adds a field whose value is these bytes; see ``addHeader(_:_:)-(_,String)``. Makes no string.
    public func addHeader(_ name: String, _ value: RawSpan) {
        guard !isClosed else { return }
        precondition(!state.contains(.headSettled), "the head of this response has been sent")
        unsafe value.withUnsafeBytes { unsafe responseFields.append(name: name, bytes: $0) }
    }

    /// Sends a response of a status 1xx ahead of the final one, such as 103 with `link` fields (RFC 8297). 100 is not the
    /// handler's affair: it is sent when the body of a request that expects it is taken.
    ///
    /// - Precondition: the status is from 102 to 199; names are field names in lower case.
    /// - Returns: false when the exchange has ended, has a response already, or is over HTTP/1.0, and nothing was sent.
    @discardableResult
    public func sendInformational(_ status: Status, headers: [(name: String, value: String)] = []) -> Bool {
        precondition((102...199).contains(status.rawValue), "\(status) is not an informational status of the handler's")
        guard !isClosed, !isResponseStarted, version != .http10 else { return false }
        let fields = HeaderBlock()
        for (name, value) in headers { fields.append(name: name, value: value) }
        codec?.submitInformational(self, status: status, fields)
        return true
    }

    /// Answers with no content.
    ///
    /// - Returns: false when the exchange has ended, and nothing was sent. So do all methods here.
    @discardableResult
    public func respond(_ status: Status) -> Bool {
        guard begin(status) else { return false }
        if !status.forbidsContent { responseFields.append(known: "content-length", value: 0) }
        settleHead(status)
        if encoder != nil { respondEncoded(status, []) } else { finishBegun(status) }
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
        settleHead(status)
        if encoder != nil {
            respondEncoded(status, bytes)
            return true
        }
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
        settleHead(status)
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
        writtenBytes += bytes.count
        if encoder != nil { return unsafe bytes.withUnsafeBytes { unsafe writeEncoded($0, isLast: false) } }
        queue.append(bytes)
        return wrote(bytes.count)
    }

    /// Ends the response's body.
    @discardableResult
    public func finish() -> Bool {
        guard !isClosed, !state.contains(.responseFinished) else { return false }
        precondition(isResponseStarted, "finish() ends a response that start() began")
        if encoder != nil {
            unsafe writeEncoded(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
            guard !isClosed else { return false }
        }
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
        settleHead(status)
        if encoder != nil {
            unsafe respondEncoded(status, Array(bytes))
            return true
        }
        if !state.contains(.bodiless) { unsafe queue.append(copying: bytes) }
        finishBegun(status)
        return true
    }

    private func write(copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard canWrite else { return false }
        writtenBytes += bytes.count
        if encoder != nil { return unsafe writeEncoded(bytes, isLast: false) }
        unsafe queue.append(copying: bytes)
        return wrote(bytes.count)
    }

    func begin(_ status: Status) -> Bool {
        guard !isClosed else { return false }
        precondition(!isResponseStarted, "this exchange has a response already")
        precondition(!status.isInformational || isTunnel, "\(status) is not a final status")
        state.insert(.responseStarted)
        statusCode = status.rawValue
        if isTunnel { return true }
        if requestMethod == .head || status.forbidsContent { state.insert(.bodiless) }
        return true
    }

    func describe(_ status: Status, _ contentType: String, _ length: Int) {
        guard !status.forbidsContent else { return }
        responseFields.append(known: "content-type", value: contentType)
        responseFields.append(known: "content-length", value: length)
    }

    /// Lets those who watch have their say in the head, which then stands.
    @inline(__always)
    func settleHead(_ status: Status) {
        if !observers.isEmpty {
            for index in observers.indices { observers[index].responseStarts(self, status) }
        }
        state.insert(.headSettled)
    }

    func finishBegun(_ status: Status) {
        state.insert(.responseFinished)
        codec?.submitHead(self, status: status, endsStream: queue.isEmpty)
    }

    private var canWrite: Bool {
        guard !isClosed, !state.contains(.responseFinished) else { return false }
        precondition(isResponseStarted, "write() goes to a response that start() began")
        return true
    }

    func wrote(_ count: Int) -> Bool {
        guard let codec, codec.queued(self, count) else { return false }
        codec.bodyAvailable(self)
        guard queue.count > codec.limits.responseHighWaterMark else { return true }
        state.insert(.overHighWater)
        return false
    }

    /// The codec has room again, after a write had answered false. Not from within its serializing.
    func becameDrained() {
        state.subtract([.overHighWater, .drainListed])
        waiters?.drained()
        if producer != nil { pull() } else { receiver.drained(self) }
    }

    /// Asks the producer for more, until it is done or the queue is full.
    func pull() {
        while let next = producer, !isClosed, !state.contains(.overHighWater) {
            let before = writtenBytes
            if !next(self) {
                finish()
            } else if writtenBytes == before {
                return  // It had nothing now.
            }
        }
    }
}
