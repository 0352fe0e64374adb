/// The closing handshake (RFC 6455 section 7) and the other ends:
///
///     open ──close()──▶ closing ──peer's close──▶ ending ──the stream's end──▶ over
///      └─────peer's close, a fault, the stream's end──────▲        (closeTimeout in closing and ending: a reset)
extension WebSocket {
    /// Says that we close. Messages that the peer has sent meanwhile are not taken any more; `closed` comes when the peer has
    /// answered, or when ``WebSocketOptions/closeTimeout`` has passed.
    ///
    /// - Parameters:
    ///   - code: one that may be sent (``WebSocketCloseCode/isSendable``).
    ///   - reason: at most 123 bytes of UTF-8; the rest is cut off.
    public func close(_ code: WebSocketCloseCode = .normal, reason: String = "") {
        precondition(code.isSendable, "\(code) is not a code that a close frame may have")
        guard case .open = phase else { return }
        phase = .closing
        sendClose(code, reason)
        dropInput()
        resources.arm(self, after: closeTimeout)
        // The peer's answer is waited for.
        if flags.contains(.paused) { resume() }
    }

    /// The peer's close frame has come.
    func peerClosed(_ code: WebSocketCloseCode, _ reason: String) {
        // Section 5.5.1: the answer names the same code.
        if case .open = phase { sendClose(code == .noStatus ? nil : code, "") }
        end(code, reason, wasClean: true)
        // Section 7.1.1: the server ends the connection first.
        if role == .server { _ = transport?.finish() }
        awaitEnd()
    }

    /// A fault of the peer's: it is told, and no more is read of it (section 7.1.7).
    func fail(_ fault: WebSocketFault) {
        if let limit = fault.limit { transport?.tripped(limit) }
        if case .open = phase { sendClose(fault.closeCode, "") }
        end(fault.closeCode, fault.description, wasClean: false)
        _ = transport?.finish()
        awaitEnd()
    }

    /// Tells the handler.
    func end(_ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        phase = .ending
        closeCode = code
        closeReason = reason
        if wasClean { flags.insert(.clean) }
        pendingPong = nil
        dropInput()
        let last = handler
        handler = resources.nobody
        last.closed(self, code, reason, wasClean: wasClean)
    }

    /// What the peer still sends is thrown away, and its end is waited for, but not for ever.
    private func awaitEnd() {
        guard let transport, case .ending = phase else { return }
        resources.arm(self, after: closeTimeout)
        if flags.contains(.paused) {
            flags.remove(.paused)
            transport.resumeBody()
        }
    }

    /// The stream is over, or is not waited for any more.
    func release() {
        guard transport != nil else { return }
        phase = .over
        transport = nil
        resources.remove(self)
    }

    private func dropInput() {
        if let buffer {
            resources.giveBack(buffer)
            self.buffer = nil
        }
        // In the closing phase the peer's close frame may be what is being put together.
        if let control, case .ending = phase {
            resources.giveBack(control)
            self.control = nil
        }
    }

    private func sendClose(_ code: WebSocketCloseCode?, _ reason: String) {
        guard let code else {
            let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            _ = unsafe sendFrame(.close, isFinal: true, isCompressed: false, nothing)
            return
        }
        var payload = [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)]
        for character in reason.unicodeScalars {
            let encoded = UTF8.encode(character).map(Array.init) ?? []
            guard payload.count + encoded.count <= 125 else { break }
            payload += encoded
        }
        _ = unsafe payload.withUnsafeBytes { unsafe sendFrame(.close, isFinal: true, isCompressed: false, $0) }
    }
}

/// Time: pings, and the ends of those who do not answer.
extension WebSocket {
    func deadlinePassed(now: UInt64) {
        switch phase {
        case .open: probe()
        case .closing:
            transport?.tripped(.webSocketCloseTimeout)
            let stream = transport
            end(.abnormal, "", wasClean: false)
            release()
            stream?.reset(.cancel)
        case .ending:
            transport?.tripped(.webSocketCloseTimeout)
            let stream = transport
            release()
            stream?.reset(.cancel)
        case .over: break
        }
    }

    private func probe() {
        if flags.contains(.heard) {
            flags.subtract([.heard, .probing])
            resources.arm(self, after: pingInterval)
        } else if flags.contains(.probing) {
            transport?.tripped(.webSocketPongTimeout)
            let stream = transport
            end(.abnormal, "", wasClean: false)
            release()
            stream?.reset(.cancel)
        } else if flags.contains(.paused) {
            // Who is not read from cannot be heard.
            resources.arm(self, after: pingInterval)
        } else {
            flags.insert(.probing)
            ping()
            resources.arm(self, after: pongTimeout)
        }
    }
}
