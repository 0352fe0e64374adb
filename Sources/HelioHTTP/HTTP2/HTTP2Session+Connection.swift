internal import CNghttp2

/// The connection as a whole: settings, shutdown and time.
extension HTTP2Session {
    func submitSettings(_ options: SessionOptions) {
        guard let raw = unsafe raw else { return }
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let settings = [
            (NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue, limits.maxConcurrentStreams),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue, limits.streamWindow),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue, limits.maxHeaderListSize),
            // RFC 9218 section 2.1: the old tree of priorities is not followed.
            (NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue, 1),
            (NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue, options.allowsConnectProtocol ? 1 : 0),
            (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue, limits.headerTableSize),
        ]
        .filter { $0.0 != NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue || $0.1 != Self.defaultTableSize }
        .map { nghttp2_settings_entry(settings_id: Int32($0.0), value: UInt32(clamping: $0.1)) }
        let status = unsafe nghttp2_submit_settings(raw, none, settings, settings.count)
        precondition(status == 0, "`Limits.streamWindow` is at most 2^31-1")
        unacknowledgedSettings += 1
        unsafe nghttp2_session_set_local_window_size(raw, none, 0, Int32(clamping: receiveWindow))
    }

    /// What a peer takes for granted (RFC 9113 section 6.5.2), in bytes.
    private static let defaultTableSize = 4096

    /// Says goodbye in two steps (RFC 9113 section 6.8): a GOAWAY that still admits every stream, then, when a PING has
    /// come back or ``shutdownRoundTrip`` has passed, the last one. Open streams finish.
    public func beginShutdown(now: UInt64) {
        guard let raw = unsafe raw, case .none = shutdown else { return }
        self.now = now
        shutdown = .announced(at: now)
        unsafe nghttp2_submit_shutdown_notice(raw)
        unsafe Self.shutdownPing.withUnsafeBufferPointer { data in
            unsafe _ = nghttp2_submit_ping(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), data.baseAddress)
        }
        requestDrain()
    }

    /// The second step of ``beginShutdown(now:)``.
    func finishShutdown() {
        guard case .announced = shutdown else { return }
        goAwayNow()
    }

    static let shutdownPing = Array("helioend".utf8)
    /// How long the second GOAWAY waits for the PING; in nanoseconds.
    static let shutdownRoundTrip: UInt64 = 1_000_000_000

    /// The last GOAWAY at once. Until nghttp2 has sent it, new streams are refused in ``headersBegin(stream:isRequest:)``:
    /// it names the last stream of this moment, and a client may send again what lies beyond.
    func goAwayNow() {
        guard let raw = unsafe raw else { return }
        shutdown = .final
        let last = unsafe nghttp2_session_get_last_proc_stream_id(raw)
        unsafe nghttp2_submit_goaway(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, 0, nil, 0)
        requestDrain()
    }

    /// Opens the connection's window by all that is not held by paused handlers, once that is half of what they leave.
    ///
    /// nghttp2's own rule is half of the whole window: with more than half of it held, what others consume would never be
    /// given back, and a few paused streams would stop all.
    func openConnectionWindow() {
        guard let raw = unsafe raw else { return }
        let used = unsafe Int(nghttp2_session_get_effective_recv_data_length(raw))
        let due = used - heldInput
        guard due > 0, due >= receiveWindow - used else { return }
        unsafe nghttp2_submit_window_update(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: due))
    }
}
