internal import CNghttp2

/// What exchanges ask of their session.
extension HTTP2Session {
    func submitHead(_ exchange: Exchange, status: Status, endsStream: Bool) {
        guard let raw = unsafe raw else { return }
        if exchange.state.contains(.expectsContinue) { askForBody(exchange) }
        let fields = exchange.responseFields
        let scratch = unsafe fill(from: fields, status: status)
        exchange.sendProgress = 0
        if exchange.state.contains(.tunnel) { scheduleTunnel(exchange) }
        if endsStream || exchange.state.contains(.bodiless) {
            exchange.state.insert(.responseFinished)
            unsafe nghttp2_submit_response(raw, exchange.streamID, scratch, fields.count + 1, nil)
        } else {
            var source = unsafe nghttp2_data_source()
            unsafe source.ptr = Unmanaged.passUnretained(exchange).toOpaque()
            var provider = unsafe nghttp2_data_provider(source: source, read_callback: HTTP2Callbacks.readBody)
            unsafe nghttp2_submit_response(raw, exchange.streamID, scratch, fields.count + 1, &provider)
        }
        requestDrain()
    }

    /// A response that begins while its handler takes the body: a peer that waits for 100 would wait for the response's end.
    private func askForBody(_ exchange: Exchange) {
        exchange.state.remove(.expectsContinue)
        guard exchange.isTakingBody, !exchange.state.contains(.responseFinished) else { return }
        submitInformational(exchange, status: .continue, HeaderBlock())
    }

    func submitInformational(_ exchange: Exchange, status: Status, _ fields: HeaderBlock) {
        guard let raw = unsafe raw else { return }
        // Copied: the block goes before the stream does.
        let scratch = unsafe fill(from: fields, status: status, copying: true)
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        unsafe _ = nghttp2_submit_headers(raw, none, exchange.streamID, nil, scratch, fields.count + 1, nil)
        requestDrain()
    }

    func answer(_ exchange: Exchange, _ status: Status) {
        exchange.statusCode = status.rawValue
        exchange.responseFields.removeAll()
        exchange.responseFields.append(known: "content-length", value: 0)
        exchange.state.insert(.responseStarted)
        submitHead(exchange, status: status, endsStream: true)
    }

    func submitTrailers(_ exchange: Exchange, _ fields: HeaderBlock) {
        guard let raw = unsafe raw else { return }
        let scratch = unsafe fill(from: fields, status: nil)
        unsafe nghttp2_submit_trailer(raw, exchange.streamID, scratch, fields.count)
    }

    func bodyAvailable(_ exchange: Exchange) {
        if exchange.queue.isEmpty { exchange.sendProgress = 0 }
        guard exchange.state.contains(.starved), let raw = unsafe raw else { return }
        exchange.state.remove(.starved)
        exchange.sendProgress = 0
        unsafe nghttp2_session_resume_data(raw, exchange.streamID)
        requestDrain()
    }

    func queued(_ exchange: Exchange, _ count: Int) -> Bool {
        exchange.countedOutput += count
        queuedOutput += count
        // Nothing was there for the peer to take before.
        if exchange.queue.count == count { exchange.sendProgress = 0 }
        guard queuedOutput > limits.maxQueuedOutput else { return true }
        tripped(.queuedOutput)
        resetOnOurAccount(exchange.streamID, .enhanceYourCalm)
        release(exchange)
        exchange.close(.limit(.queuedOutput))
        return false
    }

    /// What an exchange had queued no longer counts.
    func release(_ exchange: Exchange) {
        queuedOutput -= exchange.countedOutput
        exchange.countedOutput = 0
    }

    func consumed(_ exchange: Exchange, _ count: Int) {
        guard let raw = unsafe raw else { return }
        heldInput -= count
        unsafe nghttp2_session_consume_stream(raw, exchange.streamID, count)
        if !isBusy { settleOutput() }
    }

    func reset(_ exchange: Exchange, _ code: HTTP2ErrorCode, forFaultOfPeer: Bool) {
        if forFaultOfPeer {
            submitReset(exchange.streamID, code)
        } else {
            resetOnOurAccount(exchange.streamID, code)
        }
    }

    /// A stream that we do not begin, as the last GOAWAY is on its way.
    func refuse(_ stream: Int32) { resetOnOurAccount(stream, .refusedStream) }

    /// A reset that does not count against `inducedResetRate`.
    func resetOnOurAccount(_ stream: Int32, _ code: HTTP2ErrorCode) {
        ownResets.append(stream)
        submitReset(stream, code)
    }

    private func submitReset(_ stream: Int32, _ code: HTTP2ErrorCode) {
        guard let raw = unsafe raw else { return }
        unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
        requestDrain()
    }

    func tripped(_ limit: LimitName) { resources.shared.counters.trip(limit) }

    /// Lays the fields out for nghttp2. It copies the status alone: the block stays as it is until the stream is closed, and of
    /// a closed stream's frames nothing is read any more.
    ///
    /// - Parameter copying: the block does not stay.
    private func fill(
        from fields: HeaderBlock, status: Status?, copying: Bool = false
    ) -> UnsafeMutablePointer<nghttp2_nv> {
        let scratch = unsafe resources.fieldScratch(fields.count + 1)
        var next = 0
        if let status {
            let code = status.rawValue
            unsafe resources.statusDigits[0] = UInt8(truncatingIfNeeded: code / 100) + 48
            unsafe resources.statusDigits[1] = UInt8(truncatingIfNeeded: code / 10 % 10) + 48
            unsafe resources.statusDigits[2] = UInt8(truncatingIfNeeded: code % 10) + 48
            let name: StaticString = ":status"
            unsafe scratch[0] = nghttp2_nv(
                name: UnsafeMutablePointer(mutating: name.utf8Start), value: resources.statusDigits, namelen: 7,
                valuelen: 3, flags: Self.nameStays)
            next = 1
        }
        for index in 0..<fields.count {
            let name = unsafe fields.bytes(fields.nameSlice(index))
            let value = unsafe fields.bytes(fields.valueSlice(index))
            unsafe scratch[next] = nghttp2_nv(
                name: Self.mutable(name), value: Self.mutable(value), namelen: name.count, valuelen: value.count,
                flags: copying ? 0 : Self.nameStays | Self.valueStays)
            next += 1
        }
        return unsafe scratch.baseAddress.unsafelyUnwrapped
    }

    private static let nameStays = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
    private static let valueStays = UInt8(NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)

    /// nghttp2's type is not const, but it only reads.
    static func mutable(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutablePointer(
            mutating: bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
    }
}
