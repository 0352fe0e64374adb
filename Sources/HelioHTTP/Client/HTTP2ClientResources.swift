internal import CNghttp2

/// What all HTTP/2 client sessions of one loop share beside ``HTTPClientResources``: nghttp2's callbacks and options, the
/// allocator and scratch memory.
///
/// Belongs to one thread; it outlives its sessions, as each holds it. The shared frame buffer of server sessions is not for
/// these: each has its own.
@safe public final class HTTP2ClientResources {
    /// What sessions of other versions share too.
    public let shared: HTTPClientResources
    let allocator = HTTP2Allocator()
    let callbacks: OpaquePointer
    let options: OpaquePointer
    /// The window that a connection has: RFC 9113 section 6.9.2 lets none be smaller at its start.
    let connectionWindow: Int
    /// A scratch array for the fields of one frame; nghttp2 copies what it is given.
    private(set) var fields: UnsafeMutableBufferPointer<nghttp2_nv>
    /// Where a drain writes; behind a pointer, as the send-data callback writes in the middle of `mem_send`.
    let output: UnsafeMutablePointer<HTTP2Resources.OutputCursor>

    public init(_ shared: HTTPClientResources) {
        self.shared = shared
        connectionWindow = min(max(shared.limits.connectionWindow, 65_535), Int(Int32.max))
        unsafe callbacks = HTTP2ClientCallbacks.make()
        unsafe options = Self.makeOptions(shared.limits)
        unsafe fields = .allocate(capacity: 64)
        unsafe output = .allocate(capacity: 1)
        unsafe output.initialize(to: .init(base: UnsafeMutableRawPointer(output), count: 0, capacity: 0))
    }

    deinit {
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        unsafe fields.deallocate()
        unsafe output.deallocate()
    }

    /// Room for `count` fields.
    func fieldScratch(_ count: Int) -> UnsafeMutableBufferPointer<nghttp2_nv> {
        if unsafe fields.count < count {
            unsafe fields.deallocate()
            unsafe fields = .allocate(capacity: count * 2)
        }
        return unsafe fields
    }

    /// Blocks that nghttp2 holds now, over all sessions.
    public var liveBlocks: Int { allocator.liveBlocks }

    private static func makeOptions(_ limits: ClientLimits) -> OpaquePointer {
        var made: OpaquePointer?
        precondition(unsafe nghttp2_option_new(&made) == 0, "out of memory")
        let options = unsafe made.unsafelyUnwrapped
        // Windows open as handlers consume, not as bytes arrive.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // A closed stream's memory goes at once.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        // CONTINUATION frames and answers that wait are counted by us.
        unsafe nghttp2_option_set_max_continuations(options, Int.max)
        unsafe nghttp2_option_set_max_outbound_ack(options, Int.max)
        unsafe nghttp2_option_set_max_reserved_remote_streams(options, UInt32(clamping: limits.maxPushedStreams))
        return unsafe options
    }
}
