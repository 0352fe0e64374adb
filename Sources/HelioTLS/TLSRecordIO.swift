internal import COpenSSL

/// What the TLS engines of one loop share: a pair of BIOs that moves ciphertext between OpenSSL and the buffers lent for one
/// call, and a scratch buffer for plaintext.
///
/// A connection so owns its `SSL*` and no buffer. Belongs to one thread. Its engines hold it.
@safe public final class TLSRecordIO {
    /// How much plaintext one delivery holds at most, in bytes.
    public static let scratchSize = 64 * 1024

    let state: UnsafeMutablePointer<State>
    let scratch: UnsafeMutableRawBufferPointer
    let reader: OpaquePointer
    let writer: OpaquePointer
    private let readMethod: OpaquePointer
    private let writeMethod: OpaquePointer
    /// An engine is delivering from the scratch buffer.
    var isReceiving = false

    /// What the BIO callbacks see, and nothing else. Lent buffers are set for the length of one call into OpenSSL.
    @unsafe struct State {
        /// Ciphertext still to be read.
        var input: UnsafeRawPointer?
        var inputLeft = 0
        /// Where ciphertext goes; past `outputRoom` it goes to `spill`.
        var output: UnsafeMutableRawPointer?
        var outputRoom = 0
        /// The engine's pending output, for the length of one call.
        var spill: [UInt8] = []
        /// KeyUpdates and refused renegotiations that this call has met, and how many it may meet.
        var updates: Int32 = 0
        var updatesAllowed = Int32.max

        var isFlooded: Bool { unsafe updates > updatesAllowed }
    }

    public init() {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
        unsafe scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        unsafe readMethod = Self.required(BIO_meth_new(type, "heliograph reader"))
        unsafe writeMethod = Self.required(BIO_meth_new(type, "heliograph writer"))
        unsafe BIO_meth_set_read_ex(readMethod, Self.read)
        unsafe BIO_meth_set_ctrl(readMethod, Self.control)
        unsafe BIO_meth_set_write_ex(writeMethod, Self.write)
        unsafe BIO_meth_set_ctrl(writeMethod, Self.control)
        unsafe reader = Self.required(BIO_new(readMethod))
        unsafe writer = Self.required(BIO_new(writeMethod))
        unsafe [reader, writer].forEach {
            unsafe BIO_set_data($0, state)
            unsafe BIO_set_init($0, 1)
        }
    }

    deinit {
        unsafe BIO_free(reader)
        unsafe BIO_free(writer)
        unsafe BIO_meth_free(readMethod)
        unsafe BIO_meth_free(writeMethod)
        unsafe scratch.deallocate()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Gives `ssl` the pair. It takes a reference to each, and drops them in `SSL_free`.
    func attach(to ssl: OpaquePointer) {
        unsafe BIO_up_ref(reader)
        unsafe BIO_up_ref(writer)
        unsafe SSL_set_bio(ssl, reader, writer)
    }

    private static func required(_ pointer: OpaquePointer?) -> OpaquePointer {
        guard let pointer = unsafe pointer else { fatalError("out of memory") }
        return unsafe pointer
    }

    // MARK: What OpenSSL calls

    // The retry flag is looked at after a failed read alone, so a read that succeeds leaves it.
    private static let read:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int, UnsafeMutablePointer<Int>?) -> Int32 = {
            bio, buffer, size, count in
            let state = unsafe recordState(bio)
            guard unsafe state.pointee.inputLeft > 0, unsafe !state.pointee.isFlooded,
                let input = unsafe state.pointee.input, let buffer = unsafe buffer
            else {
                if unsafe state.pointee.isFlooded {
                    unsafe BIO_clear_flags(bio, BIO_FLAGS_SHOULD_RETRY | BIO_FLAGS_READ)
                } else {
                    unsafe BIO_set_flags(bio, BIO_FLAGS_SHOULD_RETRY | BIO_FLAGS_READ)
                }
                return 0
            }
            let taken = unsafe min(size, state.pointee.inputLeft)
            unsafe UnsafeMutableRawPointer(buffer).copyMemory(from: input, byteCount: taken)
            unsafe state.pointee.input = input + taken
            unsafe state.pointee.inputLeft -= taken
            unsafe count?.pointee = taken
            return 1
        }

    private static let write:
        @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int, UnsafeMutablePointer<Int>?) -> Int32 = {
            bio, bytes, size, count in
            let state = unsafe recordState(bio)
            guard let bytes = unsafe bytes else { return 0 }
            if let output = unsafe state.pointee.output, unsafe size <= state.pointee.outputRoom {
                unsafe output.copyMemory(from: bytes, byteCount: size)
                unsafe state.pointee.output = output + size
                unsafe state.pointee.outputRoom -= size
            } else {
                // What comes after a piece that did not fit must not overtake it.
                unsafe state.pointee.outputRoom = 0
                unsafe state.pointee.spill.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size))
            }
            unsafe count?.pointee = size
            return 1
        }

    private static let control: @convention(c) (OpaquePointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int = {
        _, command, _, _ in
        command == BIO_CTRL_FLUSH ? 1 : 0
    }

    /// Counts what a peer may send without end after the handshake: KeyUpdates (RFC 8446, 4.6.3) and, before TLS 1.3,
    /// attempts to renegotiate, each of which OpenSSL answers with a no_renegotiation alert.
    static let observe:
        @convention(c) (
            Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
        ) -> Void = { isWrite, _, type, bytes, count, ssl, _ in
            guard type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT, count >= 2, let bytes = unsafe bytes else {
                return
            }
            let isCounted =
                type == SSL3_RT_HANDSHAKE
                ? isWrite == 0 && Int32(unsafe bytes.load(as: UInt8.self)) == SSL3_MT_KEY_UPDATE
                : isWrite == 1 && Int32(unsafe bytes.load(fromByteOffset: 1, as: UInt8.self)) == SSL_AD_NO_RENEGOTIATION
            guard isCounted, let reader = unsafe SSL_get_rbio(ssl) else { return }
            unsafe recordState(reader).pointee.updates += 1
        }
}

// Not a method: a closure that becomes a C function captures nothing, not even a metatype.
@inline(__always)
private func recordState(_ bio: OpaquePointer?) -> UnsafeMutablePointer<TLSRecordIO.State> {
    unsafe BIO_get_data(bio).unsafelyUnwrapped.assumingMemoryBound(to: TLSRecordIO.State.self)
}
