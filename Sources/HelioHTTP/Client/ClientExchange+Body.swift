extension ClientExchange {
    /// Stops the body's events. What the server still sends is kept, at most one stream window of it
    /// (`ClientLimits.streamWindow`), and the server is not let send more until the handler goes on.
    public func pauseBody() { state.insert(.paused) }

    /// Goes on with the body's events: first what was kept, in calls of the handler's `body` from here.
    public func resumeBody() {
        guard state.contains(.paused), !isClosed else { return }
        state.remove(.paused)
        bodyProgress = 0
        while state.isDisjoint(with: [.paused, .pulled]), !isClosed, let chunk = inbound.popFirst() {
            codec?.consumed(self, chunk.count)
            unsafe chunk.withUnsafeBytes { receiver.body(self, unsafe $0.bytes) }
        }
        deliverEndIfDue()
        if state.contains(.lingering), state.contains(.endDelivered) { close(nil) }
    }

    /// Stops the body's events for good: it is taken by ``nextChunk()`` and what is built on it.
    public func pullBody() { state.insert(.pulled) }

    /// For how long the server may send nothing of a body that the handler is ready to take; nil for as long as it likes.
    public func setBodyTimeout(_ timeout: Duration?) {
        bodyTimeout = timeout.map(LimitNanoseconds.nanoseconds) ?? UInt64.max
    }
}

// MARK: - From the codec

extension ClientExchange {
    /// The codec has a head whole: a final one, or one of a status 1xx, which another follows.
    ///
    /// - Returns: false when there have been too many of the latter.
    func receivedHead(now: UInt64) -> Bool {
        if statusCode >= 200 || state.contains(.tunnel) {
            state.insert(.responded)
            bodyProgress = now
            waiters?.headChanged()
            receiver.response(self)
            return true
        }
        informationalCount += 1
        guard informationalCount <= resources.limits.maxInformational else { return false }
        if let status = Status(Int(statusCode)) { receiver.informational(self, status, responseFields) }
        return true
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
            receiver.body(self, unsafe bytes.bytes)
        }
    }

    /// The codec has seen the end of the response.
    func receivedEnd() {
        state.insert(.responseEnded)
        waiters?.bodyChanged()
        deliverEndIfDue()
    }

    private func deliverEndIfDue() {
        guard state.isSuperset(of: [.responseEnded, .responded]),
            state.isDisjoint(with: [.endDelivered, .paused, .closed, .pulled]), inbound.isEmpty
        else { return }
        state.insert(.endDelivered)
        receiver.end(self)
    }

    /// The stream is over, and no codec has it any more. A handler that has paused takes what is left before it is told.
    func streamEnded(_ error: ClientError?) {
        if error == nil, !isClosed, state.contains(.paused), !state.contains(.endDelivered) {
            state.insert(.lingering)
        } else {
            close(error)
        }
    }

    /// Ends the exchange for its handler: nothing that it does reaches the server any more.
    func close(_ error: ClientError?) {
        guard !state.contains(.closed) else { return }
        failure = error
        state.insert(.closed)
        queue.removeAll()
        let kept = inbound.count
        if kept > 0, error != nil { inbound.removeAll() }
        if kept > 0 { codec?.consumed(self, kept) }
        waiters?.closed()
        receiver.closed(self, error)
    }
}
