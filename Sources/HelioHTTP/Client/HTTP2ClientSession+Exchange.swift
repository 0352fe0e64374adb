internal import CNghttp2

/// What exchanges ask of their session, and how they begin.
extension HTTP2ClientSession {
    func submitSettings() {
        guard let raw = unsafe raw else { return }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let settings = [
            (NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue, options.acceptsPush ? 1 : 0),
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue, options.acceptsPush ? limits.maxPushedStreams : 0),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue, limits.streamWindow),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue, limits.maxHeaderListSize),
            (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue, 1),
        ].map { nghttp2_settings_entry(settings_id: Int32($0.0), value: UInt32(clamping: $0.1)) }
        let status = unsafe nghttp2_submit_settings(raw, none, settings, settings.count)
        precondition(status == 0, "`ClientLimits.streamWindow` is at most 2^31-1")
        unsafe nghttp2_session_set_local_window_size(raw, none, 0, Int32(clamping: resources.connectionWindow))
    }

    public func open(_ exchange: ClientExchange) -> Bool {
        guard !isExhausted, let raw = unsafe raw else { return false }
        let (scratch, count) = unsafe fill(from: exchange)
        let user = unsafe Unmanaged.passUnretained(exchange).toOpaque()
        let stream: Int32
        if exchange.sendsBody {
            var source = unsafe nghttp2_data_source()
            unsafe source.ptr = user
            var provider = unsafe nghttp2_data_provider(source: source, read_callback: HTTP2ClientCallbacks.readBody)
            stream = unsafe nghttp2_submit_request(raw, nil, scratch, count, &provider, user)
        } else {
            stream = unsafe nghttp2_submit_request(raw, nil, scratch, count, nil, user)
        }
        // RFC 9113 section 5.1.1: a connection that has used up its identifiers takes no more.
        guard stream > 0 else {
            isStopping = true
            return false
        }
        exchange.codec = self
        exchange.carriedBy = .http2
        exchange.streamID = stream
        exchange.attempts += 1
        exchange.sendProgress = 0
        soonestDeadline = min(soonestDeadline, exchange.deadline)
        add(exchange)
        markFull()
        requestDrain()
        return true
    }

    func add(_ exchange: ClientExchange) {
        exchange.slot = open.count
        open.append(HeldReference(exchange))
        resources.shared.counters.openStreams += 1
    }

    func bodyAvailable(_ exchange: ClientExchange) {
        guard exchange.state.contains(.starved), let raw = unsafe raw else { return }
        exchange.state.remove(.starved)
        exchange.sendProgress = 0
        unsafe nghttp2_session_resume_data(raw, exchange.streamID)
        requestDrain()
    }

    func queued(_ exchange: ClientExchange, _ count: Int) -> Bool {
        exchange.countedOutput += count
        queuedOutput += count
        guard queuedOutput > limits.maxQueuedOutput else { return true }
        resources.shared.counters.trip(.queuedOutput)
        release(exchange)
        exchange.abandon(.limit(.queuedOutput), .cancel)
        return false
    }

    /// What an exchange had queued no longer counts.
    func release(_ exchange: ClientExchange) {
        queuedOutput -= exchange.countedOutput
        exchange.countedOutput = 0
    }

    func consumed(_ exchange: ClientExchange, _ count: Int) {
        guard let raw = unsafe raw else { return }
        heldInput -= count
        unsafe nghttp2_session_consume_stream(raw, exchange.streamID, count)
        if !isBusy { settleOutput() }
    }

    /// Opens the connection's window by all that is not held by paused handlers, once that is half of what they leave.
    func openConnectionWindow() {
        guard let raw = unsafe raw else { return }
        let used = unsafe Int(nghttp2_session_get_effective_recv_data_length(raw))
        let due = used - heldInput
        guard due > 0, due >= resources.connectionWindow - used else { return }
        unsafe nghttp2_submit_window_update(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: due))
    }

    func reset(_ exchange: ClientExchange, _ code: HTTP2ErrorCode) { reset(exchange.streamID, code) }

    func reset(_ stream: Int32, _ code: HTTP2ErrorCode) {
        guard let raw = unsafe raw else { return }
        unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
        requestDrain()
    }

    func submitTrailers(_ exchange: ClientExchange, _ fields: HeaderBlock) {
        guard let raw = unsafe raw else { return }
        let scratch = unsafe resources.fieldScratch(fields.count)
        for index in 0..<fields.count { unsafe scratch[index] = entry(fields, index) }
        unsafe nghttp2_submit_trailer(raw, exchange.streamID, scratch.baseAddress, fields.count)
    }

    // MARK: Laying fields out

    /// Nothing is copied: the block stays as it is until the stream is closed, and of a closed stream's frames nothing is read
    /// any more.
    private func fill(from exchange: ClientExchange) -> (UnsafeMutablePointer<nghttp2_nv>, Int) {
        let fields = exchange.requestFields
        let scratch = unsafe resources.fieldScratch(fields.count + 5)
        var next = 0
        func put(_ name: StaticString, _ slice: HeaderBlock.Slice) {
            let value = unsafe fields.bytes(slice)
            unsafe scratch[next] = nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start), value: Self.mutable(value),
                namelen: name.utf8CodeUnitCount, valuelen: value.count, flags: Self.stays)
            next += 1
        }
        put(":method", exchange.methodSlice)
        // RFC 9113 section 8.5: a CONNECT names no more than the authority; an extended one (RFC 8441) all.
        if exchange.requestMethod != .connect || exchange.protocolSlice.isPresent {
            put(":scheme", exchange.schemeSlice)
            put(":path", exchange.targetSlice)
        }
        put(":authority", exchange.authoritySlice)
        if exchange.protocolSlice.isPresent { put(":protocol", exchange.protocolSlice) }
        let isWebSocket = exchange.protocolSlice.isPresent
        for index in 0..<fields.count {
            // RFC 8441 section 5: there is no key over HTTP/2.
            if isWebSocket, fields.slice(fields.nameSlice(index), equals: "sec-websocket-key") { continue }
            unsafe scratch[next] = entry(fields, index)
            next += 1
        }
        return unsafe (scratch.baseAddress.unsafelyUnwrapped, next)
    }

    private func entry(_ fields: HeaderBlock, _ index: Int) -> nghttp2_nv {
        let name = unsafe fields.bytes(fields.nameSlice(index))
        let value = unsafe fields.bytes(fields.valueSlice(index))
        return unsafe nghttp2_nv(
            name: Self.mutable(name), value: Self.mutable(value), namelen: name.count, valuelen: value.count,
            flags: Self.stays)
    }

    private static let stays = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)

    /// nghttp2's type is not const, but it only reads.
    private static func mutable(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutablePointer(
            mutating: bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
    }
}
