internal import CNghttp2

/// What nghttp2 tells while it takes the peer's bytes. Methods that answer a number answer 0, or
/// `HTTP2Callbacks.failure` to stop the connection (after ``fail(_:limit:)`` has said why).
extension HTTP2Session {
    func headersBegin(stream: Int32, isRequest: Bool) -> Int32 {
        if isRequest, case .final = shutdown {
            refuse(stream)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        guard isRequest else {
            trailersBegin(stream)
            return 0
        }
        let reference = resources.exchanges.make(receiver: handler, handlerIdentity)
        enter(reference, stream: stream)
        reference.with { exchange in
            unsafe incoming = Unmanaged.passUnretained(exchange)
            unsafe incomingFields = Unmanaged.passUnretained(exchange.requestFields)
            unsafe nghttp2_session_set_stream_user_data(raw, stream, Unmanaged.passUnretained(exchange).toOpaque())
            if !earlyPriorities.isEmpty { applyEarlyPriority(to: exchange) }
        }
        return 0
    }

    /// The exchange of a stream that begins joins those that are open.
    @inline(__always)
    func enter(_ reference: ExchangeReference, stream: Int32) {
        reference.with { exchange in
            exchange.codec = self
            exchange.carriedBy = .http2
            exchange.streamID = stream
            exchange.slot = open.count
        }
        open.append(reference)
        resources.shared.counters.openStreams += 1
    }

    private func trailersBegin(_ stream: Int32) {
        unsafe incoming = nil
        withExchange(stream) { exchange in
            guard !exchange.isClosed else { return }
            let fields = HeaderBlock()
            exchange.trailerFields = fields
            exchange.headerListSize = 0
            unsafe incoming = Unmanaged.passUnretained(exchange)
            unsafe incomingFields = Unmanaged.passUnretained(fields)
        }
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
                    if unsafe isCookie(name) { exchange.hasCookieField() }
                }
                return 0
            }
        }
    }

    @inline(__always)
    private func isCookie(_ name: UnsafeRawBufferPointer) -> Bool {
        let cookie: StaticString = "cookie"
        return unsafe name.count == 6 && memcmp(name.baseAddress.unsafelyUnwrapped, cookie.utf8Start, 6) == 0
    }

    /// The decoder must go on, or the connection's compression state is lost; but not for ever.
    private func fieldsExceed(_ exchange: Exchange, _ excess: Exchange.State) -> Int32 {
        exchange.state.insert(excess)
        guard exchange.headerListSize > 4 * limits.maxHeaderListSize else { return 0 }
        fail(.enhanceYourCalm, limit: .headerListSize)
        return HTTP2Callbacks.failure
    }

    func frameReceived(_ frame: UnsafeRawPointer) -> Int32 {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let incoming = unsafe incoming else { return 0 }
            unsafe self.incoming = nil
            unsafe incoming._withUnsafeGuaranteedRef { headReceived($0, endsStream: endsStream) }
        case NGHTTP2_DATA.rawValue where endsStream:
            withExchange(header.stream_id) { $0.receivedEnd() }
        case NGHTTP2_RST_STREAM.rawValue where header.stream_id % 2 == 0:
            withExchange(header.stream_id) { _ in pushRefused() }
        case NGHTTP2_SETTINGS.rawValue:
            settingsReceived(isAck: header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0)
        case NGHTTP2_PING.rawValue where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
            unsafe pingReturned(frame + MemoryLayout<nghttp2_frame_hd>.size)
        case NGHTTP2_GOAWAY.rawValue:
            unsafe goAwayReceived(frame)
        default: break
        }
        return 0
    }

    /// nghttp2 refuses the frame, and has seen to its stream or the connection.
    func frameRejected(_ frame: UnsafeRawPointer, _ error: Int32) {
        let type = unsafe UInt32(frame.load(as: nghttp2_frame_hd.self).type)
        guard type == NGHTTP2_HEADERS.rawValue else { return }
        unsafe incoming = nil
        let isRequest = unsafe frame.load(as: nghttp2_headers.self).cat == NGHTTP2_HCAT_REQUEST
        let isFull = open.count - pushes >= limits.maxConcurrentStreams
        if isRequest, isFull, error == NGHTTP2_ERR_REFUSED_STREAM.rawValue || error == NGHTTP2_ERR_PROTO.rawValue {
            tripped(.concurrentStreams)
        }
    }

    func dataReceived(stream: Int32, _ bytes: UnsafeRawBufferPointer) {
        withExchange(stream) {
            heldInput += bytes.count
            unsafe $0.received(bytes, now: now)
        }
    }

    func streamClosed(_ stream: Int32, _ code: HTTP2ErrorCode) {
        guard let raw = unsafe raw, let user = unsafe nghttp2_session_get_stream_user_data(raw, stream) else { return }
        unsafe Unmanaged<Exchange>.fromOpaque(user)._withUnsafeGuaranteedRef { unsafe streamClosed($0, code, user) }
    }

    private func streamClosed(_ exchange: Exchange, _ code: HTTP2ErrorCode, _ user: UnsafeMutableRawPointer) {
        if unsafe incoming?.toOpaque() == user { unsafe incoming = nil }
        // What the handler has not taken is never taken now: the connection's window gets it back.
        if !exchange.state.contains(.closed) { heldInput -= exchange.inbound.count }
        release(exchange)
        let isComplete =
            exchange.state.contains(.responseSent) && (code == .noError || exchange.state.contains(.requestEnded))
        if !exchange.state.contains(.closed) { exchange.closeReason = isComplete ? .finished : .reset(code) }
        exchange.codec = nil
        moveToEnded(exchange)
    }

    // MARK: Inside

    private func headReceived(_ exchange: Exchange, endsStream: Bool) {
        if !exchange.state.isDisjoint(with: [.headTooLarge, .tooManyFields]) {
            let limit: LimitName = exchange.state.contains(.headTooLarge) ? .headerListSize : .headerCount
            tripped(limit)
            if endsStream { exchange.state.insert(.requestEnded) }
            exchange.abandon(.limit(limit), status: .requestHeaderFieldsTooLarge)
            return
        }
        if Int(exchange.targetSlice.length) > limits.maxTargetLength {
            tripped(.targetLength)
            if endsStream { exchange.state.insert(.requestEnded) }
            exchange.abandon(.limit(.targetLength), status: .uriTooLong)
            return
        }
        if exchange.trailerFields == nil {
            if exchange.state.contains(.cookieInPieces) { exchange.requestFields.joinCookies() }
            exchange.state.insert(.delivered)
            resources.shared.counters.requests += 1
            exchange.deliverRequest(hasBody: !endsStream, now: now)
        }
        if endsStream { exchange.receivedEnd() }
    }

    func withExchange(_ stream: Int32, _ body: (Exchange) -> Void) {
        guard let raw = unsafe raw, let user = unsafe nghttp2_session_get_stream_user_data(raw, stream) else { return }
        unsafe Unmanaged<Exchange>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) }
    }

    private func moveToEnded(_ exchange: Exchange) {
        let slot = exchange.slot
        exchange.slot = -1
        ended.append(open[slot])
        let last = open.removeLast()
        if slot < open.count {
            open[slot] = last
            last.with { $0.slot = slot }
        }
        resources.shared.counters.openStreams -= 1
        if exchange.streamID % 2 == 0 { pushes -= 1 }
        if open.isEmpty { idleSince = now }
    }
}

extension Exchange {
    fileprivate func hasCookieField() {
        state.insert(state.contains(.cookie) ? .cookieInPieces : .cookie)
    }

    /// RFC 9113 section 8.3.1; nghttp2 has checked that each comes once, in front, and is known.
    fileprivate func setPseudoHeader(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, keptIn fields: HeaderBlock
    ) {
        switch unsafe name[1] {
        case UInt8(ascii: "m"): unsafe requestMethod = Method(bytes: value)
        case UInt8(ascii: "s"): unsafe schemeSlice = fields.keep(value)
        case UInt8(ascii: "a"): unsafe authoritySlice = fields.keep(value)
        case UInt8(ascii: "p") where name.count == 9: unsafe protocolSlice = fields.keep(value)
        case UInt8(ascii: "p"):
            unsafe targetSlice = fields.keep(value)
            pathLength = unsafe value.firstIndex(of: UInt8(ascii: "?")) ?? value.count
        default: break
        }
    }
}
