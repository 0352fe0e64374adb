internal import CNghttp2

/// What nghttp2 tells while it takes the server's bytes. Methods that answer a number answer 0, or
/// `HTTP2Callbacks.failure` to stop the connection (after ``fail(_:limit:)`` has said why).
extension HTTP2ClientSession {
    func headersBegin(_ frame: UnsafeRawPointer) -> Int32 {
        headerBlockStart = now
        unsafe incoming = nil
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        if UInt32(header.type) == NGHTTP2_PUSH_PROMISE.rawValue {
            return promiseBegins(stream: unsafe frame.load(as: nghttp2_push_promise.self).promised_stream_id)
        }
        withExchange(header.stream_id) { exchange in
            guard !exchange.isClosed else { return }
            exchange.headerListSize = 0
            let fields: HeaderBlock
            if exchange.state.contains(.responded) {
                fields = HeaderBlock()
                exchange.trailerFields = fields
            } else {
                fields = exchange.responseFields
                fields.removeAll()
                exchange.statusCode = 0
            }
            unsafe incoming = Unmanaged.passUnretained(exchange)
            unsafe incomingFields = Unmanaged.passUnretained(fields)
        }
        return 0
    }

    private func promiseBegins(stream: Int32) -> Int32 {
        let exchange = resources.shared.blank(receiver: resources.shared.nobody)
        exchange.codec = self
        exchange.carriedBy = .http2
        exchange.streamID = stream
        exchange.state.insert([.promised, .requestFinished, .requestSent])
        unsafe incoming = Unmanaged.passUnretained(exchange)
        unsafe incomingFields = Unmanaged.passUnretained(exchange.requestFields)
        promised += 1
        add(exchange)
        unsafe nghttp2_session_set_stream_user_data(raw, stream, Unmanaged.passUnretained(exchange).toOpaque())
        return 0
    }

    func field(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> Int32 {
        guard let incoming = unsafe incoming, let incomingFields = unsafe incomingFields else { return 0 }
        return unsafe incoming._withUnsafeGuaranteedRef { exchange in
            unsafe incomingFields._withUnsafeGuaranteedRef { fields in
                exchange.headerListSize += name.count + value.count + 32
                let isTooLong = exchange.headerListSize > limits.maxHeaderListSize
                if isTooLong || fields.count >= limits.maxHeaderCount {
                    return fieldsExceed(exchange, isTooLong ? .headTooLarge : .tooManyFields)
                }
                // nghttp2 lets no pseudo-header field through in trailers (RFC 9113 section 8.1).
                if unsafe name[0] == UInt8(ascii: ":") {
                    unsafe exchange.setPseudoHeader(name, value, keptIn: fields)
                } else {
                    unsafe fields.append(name: name, value: value)
                }
                return 0
            }
        }
    }

    /// The decoder must go on, or the connection's compression state is lost; but not for ever.
    private func fieldsExceed(_ exchange: ClientExchange, _ excess: ClientExchange.State) -> Int32 {
        exchange.state.insert(excess)
        guard exchange.headerListSize > 4 * limits.maxHeaderListSize else { return 0 }
        fail(.enhanceYourCalm, limit: .headerListSize)
        return HTTP2Callbacks.failure
    }

    func frameReceived(_ frame: UnsafeRawPointer) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            headerBlockStart = nil
            guard let incoming = unsafe incoming else { return }
            unsafe self.incoming = nil
            unsafe incoming._withUnsafeGuaranteedRef { headReceived($0, endsStream: endsStream) }
        case NGHTTP2_PUSH_PROMISE.rawValue:
            headerBlockStart = nil
            guard let incoming = unsafe incoming else { return }
            unsafe self.incoming = nil
            unsafe incoming._withUnsafeGuaranteedRef { promiseReceived($0, on: header.stream_id) }
        case NGHTTP2_DATA.rawValue where endsStream:
            withExchange(header.stream_id) { $0.receivedEnd() }
        case NGHTTP2_SETTINGS.rawValue where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0:
            settingsReceived()
        case NGHTTP2_RST_STREAM.rawValue:
            withExchange(header.stream_id) { $0.state.insert(.resetByPeer) }
        case NGHTTP2_GOAWAY.rawValue:
            hasGoneAway = true
        default: break
        }
    }

    /// nghttp2 refuses the frame, and has seen to its stream or the connection.
    func frameRejected(_ frame: UnsafeRawPointer, _ error: Int32) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        if UInt32(header.type) == NGHTTP2_HEADERS.rawValue || UInt32(header.type) == NGHTTP2_PUSH_PROMISE.rawValue {
            // The rest of the block is skipped, and its end is not told.
            headerBlockStart = nil
            unsafe incoming = nil
        }
        let text = unsafe nghttp2_strerror(error)
        complaint = unsafe text.map { unsafe String(cString: $0) } ?? complaint
    }

    func complained(_ text: UnsafeRawBufferPointer) { complaint = unsafe String(decoding: text, as: UTF8.self) }

    func dataReceived(stream: Int32, _ bytes: UnsafeRawBufferPointer) {
        withExchange(stream) {
            heldInput += bytes.count
            unsafe $0.received(bytes, now: now)
        }
    }

    func streamClosed(_ stream: Int32, _ code: HTTP2ErrorCode) {
        guard let raw = unsafe raw, let user = unsafe nghttp2_session_get_stream_user_data(raw, stream) else { return }
        if unsafe incoming?.toOpaque() == user {
            unsafe incoming = nil
            headerBlockStart = nil
        }
        unsafe Unmanaged<ClientExchange>.fromOpaque(user)._withUnsafeGuaranteedRef { exchange in
            // What the handler has not taken is no longer the connection's: its window gets it back.
            if !exchange.isClosed {
                heldInput -= exchange.inbound.count
                settle(exchange, code)
            }
            release(exchange)
            exchange.codec = nil
            moveToEnded(exchange)
        }
    }

    /// Finds out why a stream is over, for an exchange that we have not ended ourselves.
    private func settle(_ exchange: ClientExchange, _ code: HTTP2ErrorCode) {
        if exchange.state.contains(.responseEnded), code == .noError || exchange.state.contains(.requestSent) {
            exchange.failure = nil
            completedExchanges += 1
        } else if code == .refusedStream {
            exchange.state.insert(.unprocessed)
            exchange.failure = .refused(code)
        } else if exchange.state.contains(.resetByPeer) {
            exchange.failure = .reset(code)
        } else if code == .noError {
            exchange.failure = .connectionLost
        } else {
            exchange.failure = .malformed(complaint.isEmpty ? "\(code)" : complaint)
        }
    }

    // MARK: Inside

    private func headReceived(_ exchange: ClientExchange, endsStream: Bool) {
        if !exchange.state.isDisjoint(with: [.headTooLarge, .tooManyFields]) {
            exceeded(exchange.state.contains(.headTooLarge) ? .headerListSize : .headerCount, exchange)
            return
        }
        if !exchange.state.contains(.responded) {
            if exchange.protocolSlice.isPresent || exchange.requestMethod == .connect, exchange.statusCode / 100 == 2 {
                exchange.state.insert(.tunnel)
            }
            guard exchange.receivedHead(now: now) else { return exceeded(.informational, exchange) }
        }
        if endsStream, !exchange.isClosed { exchange.receivedEnd() }
    }

    private func exceeded(_ limit: LimitName, _ exchange: ClientExchange) {
        resources.shared.counters.trip(limit)
        exchange.abandon(.limit(limit), .cancel)
    }

    private func promiseReceived(_ exchange: ClientExchange, on stream: Int32) {
        var handler: (any ClientHandler)?
        if exchange.state.isDisjoint(with: [.headTooLarge, .tooManyFields]) {
            withExchange(stream) { parent in
                guard !parent.isClosed else { return }
                handler = parent.receiver.pushed(parent, exchange)
            }
        }
        guard !exchange.isClosed else { return }
        if let handler { exchange.receiver = handler } else { exchange.reset(.cancel) }
    }

    private func settingsReceived() {
        isPrefaceReceived = true
        let allowed = unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        allowedStreams = Int(min(allowed, 1 << 30))
        markFull()
        settingsChanged = true
    }

    /// Whether the server takes an extended CONNECT (RFC 8441).
    public var opensTunnels: Bool? {
        guard isPrefaceReceived, let raw = unsafe raw else { return nil }
        return unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
    }

    func withExchange(_ stream: Int32, _ body: (ClientExchange) -> Void) {
        guard let raw = unsafe raw, let user = unsafe nghttp2_session_get_stream_user_data(raw, stream) else { return }
        unsafe Unmanaged<ClientExchange>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) }
    }

    private func moveToEnded(_ exchange: ClientExchange) {
        let slot = exchange.slot
        exchange.slot = -1
        ended.append(open[slot])
        let last = open.removeLast()
        if slot < open.count {
            open[slot] = last
            last.with { $0.slot = slot }
        }
        if exchange.state.contains(.promised) { promised -= 1 }
        resources.shared.counters.openStreams -= 1
        if open.isEmpty { idleSince = now }
    }
}

extension ClientExchange {
    /// RFC 9113 section 8.3; nghttp2 has checked that each comes once, in front, is known, and that a status is a number.
    fileprivate func setPseudoHeader(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, keptIn fields: HeaderBlock
    ) {
        switch unsafe name[1] {
        case UInt8(ascii: "s") where name.count == 7:
            statusCode = unsafe value.reduce(0) { $0 &* 10 &+ UInt16($1 &- 48) }
        case UInt8(ascii: "s"): unsafe schemeSlice = fields.keep(value)
        case UInt8(ascii: "m"):
            unsafe requestMethod = Method(bytes: value)
            unsafe methodSlice = fields.keep(value)
        case UInt8(ascii: "a"): unsafe authoritySlice = fields.keep(value)
        case UInt8(ascii: "p") where name.count == 5: unsafe targetSlice = fields.keep(value)
        default: break
        }
    }
}
