extension ClientExchange {
    /// Adds a copy of the bytes to the request's body.
    ///
    /// - Returns: true to go on; false when the queue is over its high-water mark (the bytes are queued all the same: stop until
    ///   ``ClientHandler/drained(_:)``), or the request takes no more, as it is finished or the exchange has ended.
    @discardableResult
    public func write(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe write(copying: $0) }
    }

    /// Adds a text, encoded as UTF-8, to the request's body; see ``write(_:)-(RawSpan)``.
    @discardableResult
    public func write(_ text: String) -> Bool {
        unsafe withBytes(text) { unsafe write(copying: $0) }
    }

    /// Adds an array to the request's body, without a copy; see ``write(_:)-(RawSpan)``.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        guard canWrite else { return false }
        queue.append(bytes)
        return wrote(bytes.count)
    }

    /// Ends the request's body.
    @discardableResult
    public func finish() -> Bool {
        guard canWrite else { return false }
        state.insert(.requestFinished)
        codec?.bodyAvailable(self)
        return true
    }

    /// Ends the request's body with trailers (RFC 9110 section 6.5). Names are in lower case.
    @discardableResult
    public func finish(trailers: [(name: String, value: String)]) -> Bool {
        guard canWrite else { return false }
        let block = HeaderBlock()
        for (name, value) in trailers { block.append(name: name, value: value) }
        if block.count > 0 { requestTrailers = block }
        return finish()
    }

    /// Ends the exchange at once, by RST_STREAM with this code over HTTP/2. The handler's `closed` is called with
    /// ``ClientError/cancelled`` before this returns.
    public func reset(_ code: HTTP2ErrorCode = .cancel) { abandon(.cancelled, code) }

    /// Whether nothing of it has reached the application of the server for sure, or can have if `isUnprocessed`: then it may be
    /// sent again, on another connection.
    package func canBeSentAgain(isUnprocessed: Bool) -> Bool {
        guard !isClosed, !state.contains(.promised), attempts <= resources.limits.maxRetries,
            state.isDisjoint(with: [.responded, .tunnel]), informationalCount == 0
        else { return false }
        guard bodyBytesSent == 0 || wholeBody != nil else { return false }
        return isUnprocessed || (requestMethod.isIdempotent && attempts <= 1)
    }

    /// Ends an exchange that no session has. The handler is told before this returns.
    package func fail(_ error: ClientError) { close(error) }

    /// When it has to have found a connection, if it waits from now on.
    package func queueDeadline(now: UInt64, timeout: UInt64) -> UInt64 {
        queuedUntil = min(deadline, now &+ timeout)
        return queuedUntil
    }

    /// The limit that it has crossed while it waited for a connection.
    package func expiredInQueue(now: UInt64) -> LimitName? {
        guard now >= queuedUntil else { return nil }
        return now >= deadline ? .requestTimeout : .queueTimeout
    }

    /// When it has to have found a connection.
    package var latestStart: UInt64 { queuedUntil }

    /// Takes the body as it was given, after a first attempt that the server has not looked at.
    func rewind() {
        codec = nil
        slot = -1
        streamID = 0
        countedOutput = 0
        sendProgress = 0
        statusCode = 0
        headerListSize = 0
        state.subtract([.starved, .requestSent, .resetByPeer, .unprocessed, .headTooLarge, .tooManyFields])
        responseFields.removeAll()
        guard let wholeBody, bodyBytesSent > 0 else { return }
        bodyBytesSent = 0
        queue.removeAll()
        queue.append(wholeBody)
    }

    /// Ends the exchange for both sides.
    func abandon(_ error: ClientError, _ code: HTTP2ErrorCode) {
        guard !isClosed else { return }
        codec?.reset(self, code)
        close(error)
    }
}

// MARK: - Inside

extension ClientExchange {
    private func write(copying bytes: UnsafeRawBufferPointer) -> Bool {
        guard canWrite else { return false }
        unsafe queue.append(copying: bytes)
        return wrote(bytes.count)
    }

    private var canWrite: Bool { state.isDisjoint(with: [.closed, .requestFinished]) }

    private func wrote(_ count: Int) -> Bool {
        if let codec {
            guard codec.queued(self, count) else { return false }
            codec.bodyAvailable(self)
        }
        guard queue.count > resources.limits.requestHighWaterMark else { return true }
        state.insert(.overHighWater)
        return false
    }

    /// Called for those that stand on a list, when nothing of the codec's runs.
    func becameDrained() {
        state.subtract([.overHighWater, .drainListed])
        waiters?.drained()
        if !isClosed { receiver.drained(self) }
    }

    /// Whether the request has a body, or may have.
    var sendsBody: Bool { !(state.contains(.requestFinished) && queue.isEmpty && requestTrailers == nil) }
}

extension Method {
    /// Whether asking twice is as good as once (RFC 9110 section 9.2.2).
    var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        default: false
        }
    }
}
