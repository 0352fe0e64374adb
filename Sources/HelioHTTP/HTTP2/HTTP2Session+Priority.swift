internal import CNghttp2

/// The order in which responses are served (RFC 9218).
///
/// nghttp2 keeps the streams in order and reads the request's `priority` field. PRIORITY_UPDATE is ours: nghttp2 1.52 keeps a
/// stream for one that comes before its request, and goes on using it when it has been freed.
extension HTTP2Session {
    /// A PRIORITY_UPDATE that came before its request.
    struct EarlyPriority {
        let stream: Int32
        let priority: Priority
    }

    /// The program's word: what the peer says of the stream from now on counts for nothing.
    func prioritize(_ exchange: Exchange, _ priority: Priority) {
        exchange.prioritySignal = priority.packed
        schedule(exchange.streamID, priority)
    }

    /// A tunnel has no end to wait for: unless the peer says otherwise, it shares the connection.
    func scheduleTunnel(_ exchange: Exchange) {
        guard exchange.prioritySignal == Exchange.noPriority, !exchange.requestFields.has("priority") else { return }
        prioritize(exchange, Priority(incremental: true))
    }

    /// A piece of the frame's payload.
    func extensionReceived(_ bytes: UnsafeRawBufferPointer) {
        // A longer one is no priority that anyone would send; that it is too long is all that is kept of it.
        guard extensionPayload.count <= Self.longestUpdate else { return }
        unsafe extensionPayload.append(contentsOf: bytes)
    }

    /// All of it has come (section 7.1).
    func priorityUpdated(onStream stream: Int32) -> Int32 {
        let payload = extensionPayload
        extensionPayload.removeAll(keepingCapacity: true)
        guard stream == 0 else { return refuseUpdate(.protocolError) }
        guard payload.count >= 4 else { return refuseUpdate(.frameSizeError) }
        let target = Int32(payload[..<4].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff)
        guard target != 0, !isIdlePush(target) else { return refuseUpdate(.protocolError) }
        guard payload.count <= Self.longestUpdate,
            let priority = unsafe payload[4...].withUnsafeBytes({ unsafe Priority(bytes: $0) })
        else { return 0 }
        var isOpen = false
        withExchange(target) { exchange in
            isOpen = true
            if !exchange.state.contains(.prioritized) { prioritize(exchange, priority) }
        }
        guard !isOpen, let raw = unsafe raw, target % 2 == 1,
            unsafe target > nghttp2_session_get_last_proc_stream_id(raw)
        else { return 0 }
        return keepEarly(EarlyPriority(stream: target, priority: priority))
    }

    private func keepEarly(_ early: EarlyPriority) -> Int32 {
        earlyPriorities.removeAll { $0.stream == early.stream }
        guard earlyPriorities.count + open.count - pushes < limits.maxConcurrentStreams else {
            return refuseUpdate(.protocolError, limit: .earlyPriorities)
        }
        earlyPriorities.append(early)
        return 0
    }

    /// A stream begins: the frame that came before it holds, also over the request's own field (section 7).
    func applyEarlyPriority(to exchange: Exchange) {
        let early = earlyPriorities.first { $0.stream == exchange.streamID }
        // Streams of lower numbers come no more.
        earlyPriorities.removeAll { $0.stream <= exchange.streamID }
        if let early { prioritize(exchange, early.priority) }
    }

    private func refuseUpdate(_ code: HTTP2ErrorCode, limit: LimitName? = nil) -> Int32 {
        fail(code, limit: limit)
        return HTTP2Callbacks.failure
    }

    private func isIdlePush(_ stream: Int32) -> Bool {
        guard let raw = unsafe raw, stream % 2 == 0 else { return false }
        return unsafe UInt32(stream) >= nghttp2_session_get_next_stream_id(raw)
    }

    /// From now on nghttp2 does not look at the request's own field.
    private func schedule(_ stream: Int32, _ priority: Priority) {
        guard let raw = unsafe raw else { return }
        var wanted = nghttp2_extpri(urgency: UInt32(priority.urgency), inc: priority.isIncremental ? 1 : 0)
        unsafe nghttp2_session_change_extpri_stream_priority(raw, stream, &wanted, 1)
    }

    /// Bytes of a payload: the stream's number and the value.
    private static let longestUpdate = 4 + 256
}
