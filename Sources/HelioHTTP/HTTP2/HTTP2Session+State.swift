internal import CNghttp2

/// What there is to see of a session from outside.
extension HTTP2Session {
    var state: HTTP2ConnectionState? {
        guard let raw = unsafe raw else { return nil }
        return unsafe HTTP2ConnectionState(
            openStreams: open.count - pushes,
            openPushes: pushes,
            sendWindow: Int(nghttp2_session_get_remote_window_size(raw)),
            receiveWindow: Int(nghttp2_session_get_local_window_size(raw)),
            receiveWindowSize: Int(nghttp2_session_get_effective_local_window_size(raw)),
            heldBytes: heldInput,
            queuedBytes: queuedOutput,
            queuedFrames: nghttp2_session_get_outbound_queue_size(raw),
            lastStream: nghttp2_session_get_last_proc_stream_id(raw),
            nextPushedStream: Int32(truncatingIfNeeded: nghttp2_session_get_next_stream_id(raw)),
            decoderTableSize: nghttp2_session_get_hd_inflate_dynamic_table_size(raw),
            encoderTableSize: nghttp2_session_get_hd_deflate_dynamic_table_size(raw),
            unansweredPings: pings.count,
            unacknowledgedSettings: unacknowledgedSettings,
            isLeaving: isLeaving)
    }

    func state(of exchange: Exchange) -> HTTP2StreamState? {
        guard let raw = unsafe raw, let stream = unsafe nghttp2_session_find_stream(raw, exchange.streamID) else {
            return nil
        }
        return unsafe HTTP2StreamState(
            phase: HTTP2StreamState.Phase(nghttp2_stream_get_state(stream)),
            sendWindow: Int(nghttp2_session_get_stream_remote_window_size(raw, exchange.streamID)),
            receiveWindow: Int(nghttp2_session_get_stream_local_window_size(raw, exchange.streamID)),
            queuedBytes: exchange.queue.count,
            priority: exchange.priority)
    }

    /// No further stream is taken.
    var isLeaving: Bool {
        if case .final = shutdown { return true }
        return failure != nil
    }
}

extension HTTP2StreamState.Phase {
    fileprivate init(_ state: nghttp2_stream_proto_state) {
        switch state {
        case NGHTTP2_STREAM_STATE_OPEN: self = .open
        case NGHTTP2_STREAM_STATE_RESERVED_LOCAL, NGHTTP2_STREAM_STATE_RESERVED_REMOTE: self = .reserved
        case NGHTTP2_STREAM_STATE_HALF_CLOSED_LOCAL: self = .halfClosedLocal
        case NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE: self = .halfClosedRemote
        case NGHTTP2_STREAM_STATE_CLOSED: self = .closed
        default: self = .idle
        }
    }
}
