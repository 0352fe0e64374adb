internal import CNghttp2

/// The memory of all nghttp2 sessions of one loop: free lists by size class behind `nghttp2_mem`.
///
/// nghttp2 allocates about ten small blocks for each stream; a free list answers in a few instructions what malloc
/// answers in a hundred. The allocator also lends one block as the frame buffer of every server session of the loop
/// (see ``lendFrameBuffer(while:)``), which saves 16 KiB for each connection.
///
/// Belongs to one thread. It must outlive every session made with it.
@safe final class HTTP2Allocator {
    /// What `nghttp2_mem.mem_user_data` points to: plain memory, so that an allocation touches no reference count.
    @unsafe struct State {
        /// Heads of the free lists, one for each size class; a free block's first word is the next one.
        var free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        var freeCounts: UnsafeMutablePointer<Int>
        var frameBuffer: UnsafeMutableRawPointer
        var lendsFrameBuffer = false
        /// Blocks handed out and not yet returned; the lent frame buffer does not count.
        var live = 0
    }

    let memory: UnsafeMutablePointer<nghttp2_mem>
    private let state: UnsafeMutablePointer<State>

    /// Size classes are 32 bytes to 4 KiB by powers of two; what is larger goes to malloc.
    private static let classCount = 8
    /// A free list holds at most this many bytes; the rest goes back to malloc.
    private static let keptBytesPerClass = 1 << 20
    /// What nghttp2 1.52 asks for as a session's outbound frame buffer: `NGHTTP2_FRAMEBUF_CHUNKLEN`.
    static let frameBufferSize = 16_394

    init() {
        unsafe state = .allocate(capacity: 1)
        let free = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: Self.classCount)
        unsafe free.initialize(repeating: nil, count: Self.classCount)
        let counts = UnsafeMutablePointer<Int>.allocate(capacity: Self.classCount)
        unsafe counts.initialize(repeating: 0, count: Self.classCount)
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.frameBufferSize, alignment: 16)
        unsafe state.initialize(to: State(free: free, freeCounts: counts, frameBuffer: buffer))
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(
            to: nghttp2_mem(
                mem_user_data: state,
                malloc: { size, user in unsafe HTTP2Allocator.allocate(size, user) },
                free: { block, user in unsafe HTTP2Allocator.free(block, user) },
                calloc: { count, size, user in unsafe HTTP2Allocator.allocateZeroed(count, size, user) },
                realloc: { block, size, user in unsafe HTTP2Allocator.reallocate(block, size, user) }))
    }

    deinit {
        unsafe precondition(state.pointee.live == 0, "an HTTP/2 session outlives the allocator of its loop")
        for index in 0..<Self.classCount {
            while let block = unsafe state.pointee.free[index] {
                unsafe state.pointee.free[index] = block.load(as: UnsafeMutableRawPointer?.self)
                unsafe PrefixedBlock.release(block)
            }
        }
        unsafe state.pointee.free.deallocate()
        unsafe state.pointee.freeCounts.deallocate()
        unsafe state.pointee.frameBuffer.deallocate()
        unsafe state.deallocate()
        unsafe memory.deallocate()
    }

    /// Blocks handed out and not yet returned.
    var liveBlocks: Int { unsafe state.pointee.live }

    /// Runs `body` (a call of `nghttp2_session_server_new3` and nothing else) with the shared frame buffer on offer.
    ///
    /// Every server session of the loop then serializes its frames in the same block. That is sound because:
    /// - the block is lent only while a server session is made, never by size alone: a peer's header value of 16,353
    ///   bytes asks for as many bytes, and holds a function pointer;
    /// - a span that `nghttp2_session_mem_send` returns is copied whole before anything else runs;
    /// - the send-data callback never answers `NGHTTP2_ERR_WOULDBLOCK`, so no frame stays half sent in the block;
    /// - nothing of the user's runs inside `mem_send`: what the callbacks have to say is delivered after the drain.
    func lendFrameBuffer<Result>(while body: () -> Result) -> Result {
        #if HELIOGRAPH_SANITIZE
            return body()
        #else
            unsafe state.pointee.lendsFrameBuffer = true
            defer { unsafe state.pointee.lendsFrameBuffer = false }
            return body()
        #endif
    }
}

// MARK: - The C side

extension HTTP2Allocator {
    private static func allocate(_ size: Int, _ user: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        let state = unsafe user.unsafelyUnwrapped.assumingMemoryBound(to: State.self)
        let index = sizeClass(size)
        if index < classCount, let block = unsafe state.pointee.free[index] {
            unsafe state.pointee.free[index] = block.load(as: UnsafeMutableRawPointer?.self)
            unsafe state.pointee.freeCounts[index] -= 1
            unsafe state.pointee.live += 1
            return unsafe block
        }
        #if HELIOGRAPH_SANITIZE
            let room = size
        #else
            let room = index < classCount ? 32 << index : size
        #endif
        guard let block = unsafe PrefixedBlock.make(room: room) else { return nil }
        unsafe state.pointee.live += 1
        return unsafe block
    }

    private static func free(_ block: UnsafeMutableRawPointer?, _ user: UnsafeMutableRawPointer?) {
        let state = unsafe user.unsafelyUnwrapped.assumingMemoryBound(to: State.self)
        guard let block = unsafe block, unsafe block != state.pointee.frameBuffer else { return }
        unsafe state.pointee.live -= 1
        #if HELIOGRAPH_SANITIZE
            unsafe PrefixedBlock.release(block)
        #else
            let room = unsafe PrefixedBlock.room(block)
            let index = sizeClass(room)
            guard index < classCount, unsafe state.pointee.freeCounts[index] << (index + 5) < keptBytesPerClass else {
                unsafe PrefixedBlock.release(block)
                return
            }
            unsafe block.storeBytes(of: state.pointee.free[index], as: UnsafeMutableRawPointer?.self)
            unsafe state.pointee.free[index] = block
            unsafe state.pointee.freeCounts[index] += 1
        #endif
    }

    private static func allocateZeroed(
        _ count: Int, _ size: Int, _ user: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, let block = unsafe allocate(bytes, user) else { return nil }
        unsafe memset(block, 0, bytes)
        return unsafe block
    }

    private static func reallocate(
        _ block: UnsafeMutableRawPointer?, _ size: Int, _ user: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        let state = unsafe user.unsafelyUnwrapped.assumingMemoryBound(to: State.self)
        guard let block = unsafe block else {
            if unsafe state.pointee.lendsFrameBuffer && size == frameBufferSize {
                return unsafe state.pointee.frameBuffer
            }
            return unsafe allocate(size, user)
        }
        let lent = unsafe block == state.pointee.frameBuffer
        let room = unsafe lent ? frameBufferSize : PrefixedBlock.room(block)
        if size <= room { return unsafe block }
        guard let grown = unsafe allocate(size, user) else { return nil }
        unsafe grown.copyMemory(from: block, byteCount: room)
        unsafe free(block, user)
        return unsafe grown
    }

    /// The class whose blocks hold `size` bytes; `classCount` or more: none.
    private static func sizeClass(_ size: Int) -> Int {
        size <= 32 ? 0 : Int.bitWidth - (size - 1).leadingZeroBitCount - 5
    }
}

/// A block of malloc's with a prefix in front of what is handed out: the room behind it, and alignment to 16 bytes.
private enum PrefixedBlock {
    static let prefix = 16

    static func make(room: Int) -> UnsafeMutableRawPointer? {
        let (bytes, overflow) = room.addingReportingOverflow(prefix)
        guard !overflow, let start = unsafe malloc(bytes) else { return nil }
        unsafe start.storeBytes(of: room, as: Int.self)
        return unsafe start + prefix
    }

    static func room(_ block: UnsafeMutableRawPointer) -> Int { unsafe (block - prefix).load(as: Int.self) }

    static func release(_ block: UnsafeMutableRawPointer) { unsafe free(block - prefix) }
}
