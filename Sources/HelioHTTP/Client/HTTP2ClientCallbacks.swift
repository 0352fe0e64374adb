internal import CNghttp2

/// The functions that nghttp2 calls, each a thin step to the client session's method of the same event.
///
/// They run inside `nghttp2_session_mem_recv` (receiving) or `nghttp2_session_mem_send` (sending); `user` is the session,
/// which outlives the call.
enum HTTP2ClientCallbacks {
    /// Callbacks for all sessions; freed by `nghttp2_session_callbacks_del`.
    static func make() -> OpaquePointer {
        var made: OpaquePointer?
        precondition(unsafe nghttp2_session_callbacks_new(&made) == 0, "out of memory")
        let callbacks = unsafe made.unsafelyUnwrapped
        unsafe setReceiving(callbacks)
        unsafe setSending(callbacks)
        return unsafe callbacks
    }

    private static func setReceiving(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            unsafe session(user) { unsafe $0.headersBegin(UnsafeRawPointer(frame.unsafelyUnwrapped)) }
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameLength, value, length, _, user in
            unsafe session(user) {
                unsafe $0.field(
                    name: UnsafeRawBufferPointer(start: name, count: nameLength),
                    value: UnsafeRawBufferPointer(start: value, count: length))
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            unsafe session(user) {
                unsafe $0.frameReceived(UnsafeRawPointer(frame.unsafelyUnwrapped))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, frame, error, user in
            unsafe session(user) {
                unsafe $0.frameRejected(UnsafeRawPointer(frame.unsafelyUnwrapped), error)
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, data, length, user in
            unsafe session(user) {
                unsafe $0.dataReceived(stream: stream, UnsafeRawBufferPointer(start: data, count: length))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            unsafe session(user) {
                $0.streamClosed(stream, HTTP2ErrorCode(rawValue: code))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_error_callback2(callbacks) { _, _, text, length, user in
            unsafe session(user) {
                unsafe $0.complained(UnsafeRawBufferPointer(start: text, count: length))
                return 0
            }
        }
    }

    private static func setSending(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, _, header, length, source, user in
            unsafe session(user) { session in
                unsafe exchange(source) {
                    unsafe session.sendData(header.unsafelyUnwrapped, of: $0, length: length)
                }
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            unsafe session(user) {
                unsafe $0.frameSent(UnsafeRawPointer(frame.unsafelyUnwrapped))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, user in
            unsafe session(user) {
                unsafe $0.frameNotSent(UnsafeRawPointer(frame.unsafelyUnwrapped))
                return 0
            }
        }
    }

    /// How much of a request's body goes into the next DATA frame. The bytes follow in `sendData`.
    static let readBody: nghttp2_data_source_read_callback = { _, _, _, length, flags, source, user in
        unsafe session(user) { session in
            unsafe exchange(source) { unsafe session.readBody(of: $0, atMost: length, flags: flags.unsafelyUnwrapped) }
        }
    }
}

// Not methods: a closure that becomes a C function captures nothing, not even a metatype.

@inline(__always)
private func session<Result>(_ user: UnsafeMutableRawPointer?, _ body: (HTTP2ClientSession) -> Result) -> Result {
    unsafe Unmanaged<HTTP2ClientSession>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef { body($0) }
}

@inline(__always)
private func exchange<Result>(
    _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ body: (ClientExchange) -> Result
) -> Result {
    let pointer = unsafe source.unsafelyUnwrapped.pointee.ptr.unsafelyUnwrapped
    return unsafe Unmanaged<ClientExchange>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0) }
}
