internal import CNghttp2

/// An HTTP/2 client in memory: requests in, bytes out, and back. Its protocol is nghttp2's own.
///
/// It has no socket; what it wants to send is taken by ``output()``, what it gets is given to ``receive(_:)``. Window
/// updates are automatic unless turned off, when ``consume(stream:_:)`` opens the windows. One thread at a time.
@safe public final class TestClient {
    /// What has come for one request.
    public struct Response: Sendable {
        public fileprivate(set) var status: Int?
        /// The responses of a status 1xx that came before, each with its fields.
        public fileprivate(set) var informational: [(status: Int, fields: [(name: String, value: String)])] = []
        public fileprivate(set) var fields: [(name: String, value: String)] = []
        public fileprivate(set) var body: [UInt8] = []
        public fileprivate(set) var trailers: [(name: String, value: String)] = []
        /// END_STREAM has come.
        public fileprivate(set) var isComplete = false
        /// The stream is closed, with this code (0: in order).
        public fileprivate(set) var closeCode: UInt32?
        /// RST_STREAM has come, with this code.
        public fileprivate(set) var resetCode: UInt32?

        public var text: String { String(decoding: body, as: UTF8.self) }

        /// Whether the final head has come whole; fields after it are trailers.
        fileprivate var hasHead = false

        fileprivate mutating func take(_ name: String, _ value: String) {
            if name == ":status" {
                let code = Int(value) ?? 0
                if code < 200 { informational.append((code, [])) } else { status = code }
            } else if hasHead {
                trailers.append((name, value))
            } else if status == nil, !informational.isEmpty {
                informational[informational.count - 1].fields.append((name, value))
            } else {
                fields.append((name, value))
            }
        }

        /// The value of the first field of that name.
        public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    /// The GOAWAY frames that have come.
    public fileprivate(set) var goaways: [(lastStream: Int32, code: UInt32)] = []
    /// The ids and values of the server's SETTINGS.
    public fileprivate(set) var serverSettings: [Int32: UInt32] = [:]
    public fileprivate(set) var pongs: [[UInt8]] = []
    /// What the server has promised to push; the response of each is that of its stream.
    public fileprivate(set) var promises: [Promise] = []

    /// A request that the server makes on the client's behalf.
    public struct Promise: Sendable {
        /// The stream of the request that brought it about.
        public let parent: Int32
        /// The pushed stream.
        public let stream: Int32
        /// The request's fields, pseudo-header fields among them.
        public fileprivate(set) var fields: [(name: String, value: String)] = []

        /// The value of the first field of that name.
        public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    fileprivate var responses: [Int32: Response] = [:]
    fileprivate var uploads: [Int32: Upload] = [:]
    private var raw: OpaquePointer?

    fileprivate struct Upload {
        var bytes: [UInt8] = []
        var sent = 0
        var isFinished = false
        var trailers: [(String, String)] = []
        var isDeferred = false
    }

    /// - Parameters:
    ///   - streamWindow: SETTINGS_INITIAL_WINDOW_SIZE: what the server may send on a stream before the window opens again.
    ///   - connectionWindow: the same for all streams together; at least 65,535.
    ///   - automaticWindowUpdates: open windows as bytes arrive.
    public init(
        streamWindow: UInt32 = 65_535, connectionWindow: Int32 = 65_535, automaticWindowUpdates: Bool = true
    ) {
        var callbacks: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe ClientCallbacks.set(callbacks.unsafelyUnwrapped)
        var options: OpaquePointer?
        unsafe nghttp2_option_new(&options)
        unsafe nghttp2_option_set_no_auto_window_update(options, automaticWindowUpdates ? 0 : 1)
        let user = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe nghttp2_session_client_new2(&raw, callbacks, user, options)
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: streamWindow)
        ]
        unsafe nghttp2_submit_settings(raw, 0, settings, settings.count)
        unsafe nghttp2_session_set_local_window_size(raw, 0, 0, connectionWindow)
    }

    deinit { unsafe nghttp2_session_del(raw) }

    /// Asks for something.
    ///
    /// - Parameters:
    ///   - body: the request's body, or nil for none.
    ///   - isOpen: the body goes on by ``send(_:on:finished:trailers:)``.
    /// - Returns: the stream, or a negative number where nghttp2 refuses.
    @discardableResult
    public func request(
        _ method: String = "GET", _ path: String, _ fields: [(String, String)] = [], body: [UInt8]? = nil,
        isOpen: Bool = false
    ) -> Int32 {
        let all =
            [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)] + fields
        let stream = unsafe withFields(all) { pointer, count in
            guard body != nil || isOpen else {
                return unsafe nghttp2_submit_request(raw, nil, pointer, count, nil, nil)
            }
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.read_callback = ClientCallbacks.readBody
            return unsafe nghttp2_submit_request(raw, nil, pointer, count, &provider, nil)
        }
        responses[stream] = Response()
        if body != nil || isOpen { uploads[stream] = Upload(bytes: body ?? [], isFinished: !isOpen) }
        return stream
    }

    /// Goes on with a request's body.
    public func send(_ bytes: [UInt8], on stream: Int32, finished: Bool = false, trailers: [(String, String)] = []) {
        guard var upload = uploads[stream] else { return }
        upload.bytes += bytes
        upload.isFinished = finished || !trailers.isEmpty
        upload.trailers = trailers
        let wasDeferred = upload.isDeferred
        upload.isDeferred = false
        uploads[stream] = upload
        if wasDeferred { unsafe nghttp2_session_resume_data(raw, stream) }
    }

    /// Bytes of a request's body that the server has not let it send.
    public func unsent(on stream: Int32) -> Int { uploads[stream].map { $0.bytes.count - $0.sent } ?? 0 }

    public func reset(_ stream: Int32, code: UInt32 = 8) {
        unsafe nghttp2_submit_rst_stream(raw, 0, stream, code)
    }

    public func ping(_ data: [UInt8]) {
        guard data.count == 8 else { return }
        unsafe nghttp2_submit_ping(raw, 0, data)
    }

    /// Opens the stream's and the connection's window by what has come. Only without automatic window updates.
    public func consume(stream: Int32, _ count: Int) { unsafe nghttp2_session_consume(raw, stream, count) }

    public subscript(stream: Int32) -> Response { responses[stream] ?? Response() }

    /// What is to be sent to the server.
    public func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var span: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(raw, &span)
            guard count > 0, let span = unsafe span else { return bytes }
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: span, count: count))
        }
    }

    /// Takes what the server has sent.
    ///
    /// - Returns: false when the bytes are no HTTP/2.
    @discardableResult
    public func receive(_ bytes: [UInt8]) -> Bool {
        unsafe nghttp2_session_mem_recv(raw, bytes, bytes.count) == bytes.count
    }

    private func withFields(
        _ fields: [(String, String)], _ body: (UnsafePointer<nghttp2_nv>, Int) -> Int32
    ) -> Int32 {
        var text: [UInt8] = []
        for (name, value) in fields { text += Array(name.utf8) + Array(value.utf8) }
        return unsafe text.withUnsafeMutableBufferPointer { text in
            var offset = 0
            var entries: [nghttp2_nv] = unsafe []
            for (name, value) in fields {
                let (nameLength, valueLength) = (name.utf8.count, value.utf8.count)
                let base = unsafe text.baseAddress.unsafelyUnwrapped + offset
                unsafe entries.append(
                    nghttp2_nv(
                        name: base, value: base + nameLength, namelen: nameLength, valuelen: valueLength, flags: 0))
                offset += nameLength + valueLength
            }
            return unsafe entries.withUnsafeBufferPointer { entries in
                unsafe body(entries.baseAddress.unsafelyUnwrapped, entries.count)
            }
        }
    }

    fileprivate func submitTrailers(_ stream: Int32, _ trailers: [(String, String)]) {
        _ = unsafe withFields(trailers) { pointer, count in unsafe nghttp2_submit_trailer(raw, stream, pointer, count) }
    }
}

/// What nghttp2 calls; `user` is the client.
private enum ClientCallbacks {
    static func set(_ callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, user in
            let name = unsafe String(decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self)
            let value = unsafe String(decoding: UnsafeBufferPointer(start: value, count: valueLength), as: UTF8.self)
            unsafe client(user) { client in
                let header = unsafe UnsafeRawPointer(frame.unsafelyUnwrapped).load(as: nghttp2_frame_hd.self)
                if header.type == UInt8(NGHTTP2_PUSH_PROMISE.rawValue) {
                    client.promises[client.promises.count - 1].fields.append((name, value))
                } else {
                    client.responses[header.stream_id, default: .init()].take(name, value)
                }
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            let frame = unsafe UnsafeRawPointer(frame.unsafelyUnwrapped)
            guard unsafe frame.load(as: nghttp2_frame_hd.self).type == UInt8(NGHTTP2_PUSH_PROMISE.rawValue) else {
                return 0
            }
            let promise = unsafe frame.load(as: nghttp2_push_promise.self)
            unsafe client(user) {
                unsafe $0.promises.append(
                    TestClient.Promise(parent: promise.hd.stream_id, stream: promise.promised_stream_id))
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, stream, data, length, user in
            unsafe client(user) {
                unsafe $0.responses[stream, default: .init()].body.append(
                    contentsOf: UnsafeBufferPointer(start: data, count: length))
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            unsafe client(user) { unsafe received(UnsafeRawPointer(frame.unsafelyUnwrapped), $0) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, code, user in
            unsafe client(user) { $0.responses[stream]?.closeCode = code }
            return 0
        }
    }

    static let readBody: nghttp2_data_source_read_callback = { _, stream, buffer, length, flags, _, user in
        unsafe client(user) { client in
            guard var upload = client.uploads[stream] else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
            let count = min(length, upload.bytes.count - upload.sent)
            if count == 0, !upload.isFinished {
                client.uploads[stream]?.isDeferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
            unsafe upload.bytes[upload.sent..<upload.sent + count].withUnsafeBufferPointer {
                if let base = $0.baseAddress { unsafe buffer.unsafelyUnwrapped.update(from: base, count: count) }
            }
            upload.sent += count
            client.uploads[stream] = upload
            if upload.isFinished, upload.sent == upload.bytes.count {
                unsafe flags.unsafelyUnwrapped.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
                if !upload.trailers.isEmpty {
                    unsafe flags.unsafelyUnwrapped.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                    client.submitTrailers(stream, upload.trailers)
                }
            }
            return count
        }
    }
}

// Not methods: a closure that becomes a C function captures nothing, not even a metatype.

private func received(_ frame: UnsafeRawPointer, _ client: TestClient) {
    let header = unsafe frame.load(as: nghttp2_frame_hd.self)
    let stream = header.stream_id
    switch UInt32(header.type) {
    case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
        if client.responses[stream]?.status != nil { client.responses[stream]?.hasHead = true }
        if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { client.responses[stream]?.isComplete = true }
    case NGHTTP2_RST_STREAM.rawValue:
        client.responses[stream]?.resetCode = unsafe frame.load(as: nghttp2_rst_stream.self).error_code
    case NGHTTP2_GOAWAY.rawValue:
        let goaway = unsafe frame.load(as: nghttp2_goaway.self)
        unsafe client.goaways.append((goaway.last_stream_id, goaway.error_code))
    case NGHTTP2_PING.rawValue where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
        let data = unsafe UnsafeRawBufferPointer(start: frame + MemoryLayout<nghttp2_frame_hd>.size, count: 8)
        unsafe client.pongs.append(Array(data))
    case NGHTTP2_SETTINGS.rawValue:
        let settings = unsafe frame.load(as: nghttp2_settings.self)
        for index in unsafe 0..<settings.niv {
            let entry = unsafe settings.iv[index]
            client.serverSettings[entry.settings_id] = entry.value
        }
    default: break
    }
}

private func client<Result>(_ user: UnsafeMutableRawPointer?, _ body: (TestClient) -> Result) -> Result {
    unsafe body(Unmanaged<TestClient>.fromOpaque(user.unsafelyUnwrapped).takeUnretainedValue())
}
