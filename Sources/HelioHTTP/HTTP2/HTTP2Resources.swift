internal import CNghttp2

/// What all HTTP/2 sessions of one loop share beside ``HTTPResources``: nghttp2's callbacks and options, the allocator and
/// scratch memory.
///
/// Belongs to one thread; it outlives its sessions, as each holds it.
@safe public final class HTTP2Resources {
    /// What sessions of other versions share too.
    public let shared: HTTPResources
    let limits: Limits
    let nanoseconds: LimitNanoseconds
    let rates: LimitRates
    /// The window that a connection has: RFC 9113 section 6.9.2 lets none be smaller at its start.
    let connectionWindow: Int
    let allocator = HTTP2Allocator()
    let exchanges: ExchangePool
    let callbacks: OpaquePointer
    let options: OpaquePointer
    /// A scratch array for the fields of one frame; nghttp2 copies what it is given.
    private(set) var fields: UnsafeMutableBufferPointer<nghttp2_nv>
    /// Where a drain writes; behind a pointer, as the send-data callback writes in the middle of `mem_send`.
    let output: UnsafeMutablePointer<OutputCursor>
    /// The three digits of the status being submitted.
    let statusDigits: UnsafeMutablePointer<UInt8>

    @unsafe struct OutputCursor {
        var base: UnsafeMutableRawPointer
        var count: Int
        var capacity: Int
        var room: Int { unsafe capacity - count }
    }

    /// - Parameter limits: the bounds of every session made with these resources.
    public convenience init(limits: Limits) { self.init(HTTPResources(limits: limits)) }

    /// - Parameter shared: what is shared with the loop's sessions of other versions.
    public init(_ shared: HTTPResources) {
        self.shared = shared
        limits = shared.limits
        nanoseconds = shared.nanoseconds
        rates = shared.rates
        exchanges = shared.exchanges
        connectionWindow = min(max(limits.connectionWindow, 65_535), Int(Int32.max))
        unsafe callbacks = HTTP2Callbacks.make()
        unsafe options = HTTP2Resources.makeOptions(limits)
        unsafe fields = .allocate(capacity: 64)
        unsafe statusDigits = .allocate(capacity: 3)
        unsafe output = .allocate(capacity: 1)
        unsafe output.initialize(to: OutputCursor(base: UnsafeMutableRawPointer(output), count: 0, capacity: 0))
    }

    deinit {
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        unsafe fields.deallocate()
        unsafe statusDigits.deallocate()
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

    /// Blocks that nghttp2 holds now, over all sessions. Loop thread.
    public var liveBlocks: Int { allocator.liveBlocks }

    private static func makeOptions(_ limits: Limits) -> OpaquePointer {
        var made: OpaquePointer?
        precondition(unsafe nghttp2_option_new(&made) == 0, "out of memory")
        let options = unsafe made.unsafelyUnwrapped
        // Windows open as handlers consume, not as bytes arrive.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // A closed stream's memory goes at once.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        // Resets are counted by us: nghttp2's limiter reads the real clock and answers INTERNAL_ERROR.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, UInt64.max, UInt64.max)
        // So are CONTINUATION frames: nghttp2 counts one again for each piece that its header comes in.
        unsafe nghttp2_option_set_max_continuations(options, Int.max)
        // And the answers that wait: 1,000 of them would end a connection that `controlFrameRate` allows 2,000 at once.
        unsafe nghttp2_option_set_max_outbound_ack(options, Int.max)
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(options, max(0, limits.encoderTableSize))
        unsafe nghttp2_option_set_user_recv_extension_type(options, UInt8(NGHTTP2_PRIORITY_UPDATE.rawValue))
        return unsafe options
    }
}
