internal import CNghttp2

/// The functions that nghttp2 calls, each a thin step to the session's method of the same event.
///
/// They run inside `nghttp2_session_mem_recv` (receiving) or `nghttp2_session_mem_send` (sending); `user` is the session,
/// which outlives the call.
enum HTTP2Callbacks {
    static let failure = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

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
            unsafe session(user) {
                let headers = unsafe UnsafeRawPointer(frame.unsafelyUnwrapped).load(as: nghttp2_headers.self)
                return unsafe $0.headersBegin(
                    stream: headers.hd.stream_id, isRequest: headers.cat == NGHTTP2_HCAT_REQUEST)
            }
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
            unsafe session(user) { unsafe $0.frameReceived(UnsafeRawPointer(frame.unsafelyUnwrapped)) }
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
        unsafe nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks) { _, _, data, length, user in
            unsafe session(user) {
                unsafe $0.extensionReceived(UnsafeRawBufferPointer(start: data, count: length))
                return 0
            }
        }
        unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, header, user in
            unsafe session(user) {
                let status = unsafe $0.priorityUpdated(onStream: header.unsafelyUnwrapped.pointee.stream_id)
                // All is done: nghttp2 has nothing to tell of it.
                return status == 0 ? NGHTTP2_ERR_CANCEL.rawValue : status
            }
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            unsafe session(user) {
                $0.streamClosed(stream, HTTP2ErrorCode(rawValue: code))
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

    /// How much of a response's body goes into the next DATA frame. The bytes follow in `sendData`.
    static let readBody: nghttp2_data_source_read_callback = { _, _, _, length, flags, source, user in
        unsafe session(user) { session in
            unsafe exchange(source) { unsafe session.readBody(of: $0, atMost: length, flags: flags.unsafelyUnwrapped) }
        }
    }
}

// Not methods: a closure that becomes a C function captures nothing, not even a metatype.

@inline(__always)
private func session<Result>(_ user: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Result) -> Result {
    unsafe Unmanaged<HTTP2Session>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef { body($0) }
}

@inline(__always)
private func exchange<Result>(
    _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ body: (Exchange) -> Result
) -> Result {
    let pointer = unsafe source.unsafelyUnwrapped.pointee.ptr.unsafelyUnwrapped
    return unsafe Unmanaged<Exchange>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0) }
}
