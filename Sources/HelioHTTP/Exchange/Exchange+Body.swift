/// Gathers a request's body into one array, up to a limit.
struct BodyCollector {
    var bytes: [UInt8] = []
    let limit: Int
    let done: (Exchange, [UInt8]) -> Void
}

extension Exchange {
    /// Stops the body's events. What the peer still sends is kept, at most one stream window of it
    /// (`Limits.streamWindow`), and the peer is not let send more until the handler goes on.
    public func pauseBody() { state.insert(.paused) }

    /// Goes on with the body's events: first what was kept, in calls of the handler's `body` from here.
    public func resumeBody() {
        guard state.contains(.paused), !isClosed else { return }
        state.remove(.paused)
        bodyProgress = 0
        sendContinueIfDue()
        while state.isDisjoint(with: [.paused, .pulled]), !isClosed, let chunk = takeInbound() {
            unsafe chunk.withUnsafeBytes { unsafe deliver($0) }
        }
        deliverEndIfDue()
    }

    /// The handler takes no body now.
    var isBodyPaused: Bool { state.contains(.paused) }

    /// In a handler's `body` that has paused it: these bytes, the end of the chunk, come again in front of what follows.
    func pushBack(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe returned = Array($0) }
    }

    /// The next of what is kept of the body; the peer may send as much more.
    func takeInbound() -> [UInt8]? {
        if !returned.isEmpty {
            defer { returned = [] }
            return returned
        }
        guard let chunk = inbound.popFirst() else { return nil }
        // The end of the exchange has given back all that was still here.
        if !isClosed { codec?.consumed(self, chunk.count) }
        return chunk
    }

    /// Gathers the whole body and calls `done` with it, on the loop.
    ///
    /// A body over `limit` bytes is answered with 413 and `done` is not called; the handler's `closed` is. Call it in the
    /// handler's `request`, or later if ``pauseBody()`` was called there; the body's events then do not reach the handler.
    public func collectBody(upTo limit: Int, _ done: @escaping (_ exchange: Exchange, _ body: [UInt8]) -> Void) {
        guard !isClosed else { return }
        precondition(collector == nil, "the body is being collected already")
        if let text = requestFields["content-length"], let length = Int(text), length > limit {
            refuseBody()
            return
        }
        collector = BodyCollector(limit: limit, done: done)
        resumeBody()
    }

    /// For how long the peer may send nothing of a body that the handler is ready to take; nil for as long as it likes.
    /// A time below ``HTTP2Session/shortestTimeout`` may be noticed only after that.
    public func setBodyTimeout(_ timeout: Duration?) {
        bodyTimeout = timeout.map(LimitNanoseconds.nanoseconds) ?? UInt64.max
    }
}

extension Exchange {
    /// Ends the exchange over its handler's head, because the program's own `limit` is crossed: the handler's `closed` is called,
    /// what it still sends is refused, and the peer gets `status`, or a reset once a response has begun.
    public func abandon(for limit: LimitName, answering status: Status) {
        guard !isClosed else { return }
        codec?.tripped(limit)
        abandon(.limit(limit), status: status, isFaultOfPeer: false)
    }
}

// MARK: - From the codec

extension Exchange {
    /// The codec has the head whole.
    ///
    /// - Parameter hasBody: more of the request follows.
    func deliverRequest(hasBody: Bool, now: UInt64) {
        state.insert(.delivered)
        bodyProgress = now
        headTime = now
        if hasBody, requestFields.isContinueExpected { state.insert(.expectsContinue) }
        receiver.request(self)
        if state.isDisjoint(with: [.paused, .pulled]) { sendContinueIfDue() }
    }

    /// Asks the peer for the body that it holds back, now that the handler takes it.
    func sendContinueIfDue() {
        guard state.contains(.expectsContinue) else { return }
        state.remove(.expectsContinue)
        guard !isClosed, !isResponseStarted else { return }
        codec?.submitInformational(self, status: .continue, HeaderBlock())
    }

    /// The codec has `bytes` of the body, valid for the call.
    func received(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        bodyProgress = now
        if isClosed {
            codec?.consumed(self, bytes.count)
        } else if !state.isDisjoint(with: [.paused, .pulled]) {
            unsafe inbound.append(copying: bytes)
            waiters?.bodyChanged()
        } else {
            codec?.consumed(self, bytes.count)
            unsafe deliver(bytes)
        }
    }

    /// The codec has seen the end of the request.
    func receivedEnd() {
        state.insert(.requestEnded)
        waiters?.bodyChanged()
        deliverEndIfDue()
    }

    private func deliver(_ bytes: UnsafeRawBufferPointer) {
        guard collector != nil else {
            unsafe receiver.body(self, bytes.bytes)
            return
        }
        unsafe collector?.bytes.append(contentsOf: bytes)
        if let collected = collector?.bytes.count, let limit = collector?.limit, collected > limit { refuseBody() }
    }

    private func deliverEndIfDue() {
        guard state.isSuperset(of: [.requestEnded, .delivered]),
            state.isDisjoint(with: [.endDelivered, .paused, .closed, .pulled]), inbound.isEmpty, returned.isEmpty
        else { return }
        state.insert(.endDelivered)
        if let collector {
            self.collector = nil
            collector.done(self, collector.bytes)
        } else {
            receiver.end(self)
        }
    }

    private func refuseBody() {
        codec?.tripped(.bodySize)
        abandon(.limit(.bodySize), status: .contentTooLarge)
    }

    /// Ends the exchange for its handler, and for the peer by a status, or by a reset once a response has begun.
    func abandon(_ reason: CloseReason, status: Status, isFaultOfPeer: Bool = true) {
        let started = isResponseStarted
        if !started { statusCode = status.rawValue }
        close(reason)
        if started {
            codec?.reset(self, .cancel, forFaultOfPeer: isFaultOfPeer)
        } else {
            codec?.answer(self, status)
        }
    }

    /// Ends the exchange for its handler: nothing that it does reaches the peer any more.
    func close(_ reason: CloseReason) {
        guard !state.contains(.closed) else { return }
        closeReason = reason
        state.insert(.closed)
        collector = nil
        producer = nil
        source = nil
        queue.removeAll()
        let kept = inbound.count
        if kept > 0, !state.contains(.requestEnded) { inbound.removeAll() }
        if kept > 0 { codec?.consumed(self, kept) }
        waiters?.closed()
        encoder = nil
        guard state.contains(.delivered) else { return }
        receiver.closed(self, reason)
        for index in observers.indices.reversed() { observers[index].exchangeEnded(self, reason) }
    }
}
