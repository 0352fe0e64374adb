internal import COpenSSL

/// One TLS connection as bytes in, bytes out, over OpenSSL's `SSL*`.
///
/// It sees no descriptor and no clock. Ciphertext comes in by ``receive(_:now:deliver:)`` in any cut; what the protocol itself
/// has to say waits in ``pendingOutput``; plaintext goes out by ``seal(_:into:)``. Belongs to the thread of its ``TLSRecordIO``.
///
/// ```swift
/// let engine = TLSEngine(server: context, io: io)
/// try engine.receive(ciphertext, now: now) { plaintext in session.receive(plaintext, now: now) }
/// ```
@safe public final class TLSEngine {
    /// The `SSL*`; nil once freed.
    private(set) var raw: OpaquePointer?
    let io: TLSRecordIO
    let context: TLSContext
    private var pending: [UInt8] = []
    /// When `keyUpdates` last went down, in nanoseconds.
    private var keyUpdateTime: UInt64 = 0
    /// KeyUpdates that the peer has sent and time has not forgiven.
    private var keyUpdates: Int32 = 0
    private var hasFailed = false
    private var hasClosed = false
    private var handshakeIsComplete = false
    private var peerIsClosed = false

    private init(_ context: TLSContext, _ io: TLSRecordIO) {
        self.context = context
        self.io = io
        guard let ssl = unsafe SSL_new(context.raw) else { fatalError("out of memory") }
        unsafe raw = ssl
        unsafe io.attach(to: ssl)
    }

    /// The server's side; it begins with what the client sends.
    public convenience init(server context: TLSContext, io: TLSRecordIO) {
        self.init(context, io)
        unsafe SSL_set_accept_state(raw)
    }

    /// The client's side; it begins with ``start()``.
    ///
    /// - Parameters:
    ///   - context: of a client.
    ///   - io: what the loop's engines share.
    ///   - serverName: the DNS name (sent by SNI, RFC 6066, 3) or the IP address that the server's certificate must carry. Nil
    ///     sends none, and checks only that the certificate leads to a trusted authority.
    ///   - session: of an earlier connection to the same server, to resume.
    public convenience init(
        client context: TLSContext, io: TLSRecordIO, serverName: String?, session: TLSSession? = nil
    ) {
        self.init(context, io)
        unsafe SSL_set_connect_state(raw)
        if let serverName, !serverName.isEmpty { setServerName(serverName) }
        if let session { unsafe SSL_set_session(raw, session.raw) }
    }

    deinit { release() }

    /// Frees what it holds now, pending output too. From then on it takes and gives nothing. Not from within its own calls but
    /// for `deliver`.
    public func free() {
        release()
        unsafe raw = nil
        pending = []
    }

    private func release() {
        guard let ssl = unsafe raw else { return }
        // Else a connection that ends without close_notify, as many do, takes its ticket with it.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }

    // MARK: Receiving

    /// Starts a client's handshake: its first message is pending output then.
    ///
    /// - Throws: ``TLSError/peer(_:)`` with OpenSSL's reason when it cannot make the message.
    public func start() throws(TLSError) {
        guard let ssl = unsafe raw, !hasFailed else { throw .closed }
        unsafe enter(UnsafeRawBufferPointer(start: nil, count: 0))
        let outcome = unsafe handshake(ssl)
        unsafe _ = leave()
        if case .failed(let code) = outcome { try fail(code, firstByte: 0) }
    }

    /// Takes ciphertext, drives the handshake, and gives out plaintext.
    ///
    /// - Parameters:
    ///   - ciphertext: in any cut. All of it is taken; read within the call.
    ///   - now: of a monotonic clock, in nanoseconds.
    ///   - deliver: gets plaintext, that of many records in one call, at most ``TLSRecordIO/scratchSize`` bytes; valid within the
    ///     call. It may seal, close and free; it must not feed this engine or another of the same ``TLSRecordIO``.
    /// - Throws: ``TLSError/peer(_:)``; the alert for it is pending output, and what came before the fault was delivered.
    public func receive(
        _ ciphertext: UnsafeRawBufferPointer, now: UInt64, deliver: (UnsafeRawBufferPointer) -> Void
    ) throws(TLSError) {
        precondition(!io.isReceiving, "plaintext is being delivered from the shared buffer: receive after it")
        guard unsafe raw != nil, !hasFailed, !peerIsClosed else { return }
        io.isReceiving = true
        defer { io.isReceiving = false }
        forgiveKeyUpdates(now)
        let firstByte = unsafe ciphertext.first ?? 0
        var rest = unsafe ciphertext
        while let ssl = unsafe raw {
            unsafe enter(rest)
            var filled = 0
            let outcome = unsafe handshakeIsComplete ? read(ssl, &filled) : handshake(ssl)
            unsafe rest = leave()
            if filled > 0 { unsafe deliver(UnsafeRawBufferPointer(rebasing: io.scratch[..<filled])) }
            switch outcome {
            case .more: continue
            case .drained: return
            case .closed:
                peerIsClosed = true
                return
            case .failed(let code): try fail(code, firstByte: firstByte)
            }
        }
    }

    private enum Outcome { case more, drained, closed, failed(UInt) }

    private func handshake(_ ssl: OpaquePointer) -> Outcome {
        OpenSSLErrors.clear()
        let status = unsafe SSL_do_handshake(ssl)
        guard status == 1 else { return unsafe explain(ssl, status) }
        handshakeIsComplete = true
        return .more
    }

    /// Fills the scratch buffer with the plaintext of whole records, until the next might not fit or the input is used up.
    private func read(_ ssl: OpaquePointer, _ filled: inout Int) -> Outcome {
        let scratch = unsafe io.scratch
        OpenSSLErrors.clear()
        repeat {
            var count = 0
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[filled...])
            let status = unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &count)
            guard status == 1 else { return unsafe explain(ssl, status) }
            filled += count
            // The read that would say "want more" is spared: it costs as much as a record.
            if unsafe io.state.pointee.inputLeft == 0, unsafe SSL_pending(ssl) == 0 { return .drained }
        } while scratch.count - filled >= Self.largestPlaintext
        return .more
    }

    private func explain(_ ssl: OpaquePointer, _ status: Int32) -> Outcome {
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ: .drained
        case SSL_ERROR_ZERO_RETURN: .closed
        default: .failed(OpenSSLErrors.takeFirst())
        }
    }

    private func fail(_ code: UInt, firstByte: UInt8) throws(TLSError) {
        hasFailed = true
        if keyUpdates > context.keyUpdateLimit.burst {
            sendCloseNotify()
            throw .peer(.tooManyKeyUpdates)
        }
        let result = unsafe SSL_get_verify_result(raw)
        throw .peer(OpenSSLErrors.peerFault(code, verifyResult: result, firstByte: firstByte))
    }

    private func forgiveKeyUpdates(_ now: UInt64) {
        guard keyUpdates > 0 else {
            keyUpdateTime = now
            return
        }
        let second: UInt64 = 1_000_000_000
        let rate = UInt64(context.keyUpdateLimit.perSecond)
        guard rate > 0, now > keyUpdateTime else { return }
        let forgiven = (now - keyUpdateTime) / (second / min(rate, second))
        guard forgiven > 0 else { return }
        keyUpdates -= Int32(min(forgiven, UInt64(keyUpdates)))
        keyUpdateTime = now
    }

    // MARK: Sending

    /// Bytes of handshake messages, tickets, KeyUpdates and alerts that wait to be sent. After the handshake nearly always 0.
    public var pendingOutput: Int { pending.count }

    /// Moves pending output to `region`, as much as fits, and returns its size in bytes.
    public func takeOutput(into region: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(pending.count, region.count)
        guard count > 0 else { return 0 }
        unsafe UnsafeMutableRawBufferPointer(rebasing: region[..<count]).copyBytes(from: pending.prefix(count))
        if count == pending.count { pending = [] } else { pending.removeFirst(count) }
        return count
    }

    /// Seals plaintext in as few records as fit, straight into `region`, after any pending output.
    ///
    /// - Parameters:
    ///   - plaintext: any bytes; none just moves pending output.
    ///   - region: at least ``sealedSize(_:)`` bytes.
    /// - Returns: the bytes written.
    /// - Throws: ``TLSError/closed`` after ``close()``, ``free()`` or a fault.
    /// - Precondition: the handshake is complete.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer, into region: UnsafeMutableRawBufferPointer
    ) throws(TLSError) -> Int {
        precondition(region.count >= sealedSize(plaintext.count), "the region must hold sealedSize bytes")
        guard let ssl = unsafe raw, !hasFailed, !hasClosed else { throw .closed }
        precondition(handshakeIsComplete, "plaintext is sealed after the handshake")
        let start = unsafe pending.isEmpty ? 0 : takeOutput(into: region)
        guard unsafe !plaintext.isEmpty, let base = region.baseAddress else { return start }
        let state = unsafe io.state
        unsafe state.pointee.output = base + start
        unsafe state.pointee.outputRoom = region.count - start
        OpenSSLErrors.clear()
        var count = 0
        let status = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count)
        let end = unsafe state.pointee.output ?? base
        unsafe state.pointee.output = nil
        unsafe state.pointee.outputRoom = 0
        if unsafe !state.pointee.spill.isEmpty { unsafe swap(&state.pointee.spill, &pending) }
        guard status == 1 else {
            ERR_clear_error()
            hasFailed = true
            throw .closed
        }
        return unsafe end - base
    }

    /// An upper bound of what ``seal(_:into:)`` writes for so many bytes of plaintext, pending output included.
    public func sealedSize(_ plaintextCount: Int) -> Int {
        let records = (plaintextCount + Self.largestPlaintext - 1) / Self.largestPlaintext
        return pending.count + plaintextCount + records * Self.largestOverhead
    }

    /// Plaintext in one record (RFC 8446, 5.1).
    private static let largestPlaintext = 16_384
    /// Header, explicit nonce, padding and authentication of one record: 22 bytes with TLS 1.3, 29 with TLS 1.2 and AES-GCM, at
    /// most 85 with the CBC suites that a configuration might allow.
    private static let largestOverhead = 96

    /// Says close_notify (RFC 8446, 6.1): it is pending output then. Nothing can be sealed after it; what the peer still sends is
    /// received. Nothing happens before the handshake is complete.
    public func close() {
        guard handshakeIsComplete, !hasFailed, !hasClosed else { return }
        hasClosed = true
        sendCloseNotify()
    }

    private func sendCloseNotify() {
        guard let ssl = unsafe raw else { return }
        unsafe enter(UnsafeRawBufferPointer(start: nil, count: 0))
        OpenSSLErrors.clear()
        if unsafe SSL_shutdown(ssl) < 0 { ERR_clear_error() }
        unsafe _ = leave()
    }

    // MARK: Lending buffers for one call into OpenSSL

    private func enter(_ ciphertext: UnsafeRawBufferPointer) {
        let state = unsafe io.state
        unsafe state.pointee.input = ciphertext.baseAddress
        unsafe state.pointee.inputLeft = ciphertext.count
        unsafe state.pointee.updates = 0
        unsafe state.pointee.updatesAllowed = context.keyUpdateLimit.burst - keyUpdates
        unsafe swap(&state.pointee.spill, &pending)
    }

    /// Returns the ciphertext that was not read.
    private func leave() -> UnsafeRawBufferPointer {
        let state = unsafe io.state
        unsafe swap(&state.pointee.spill, &pending)
        unsafe keyUpdates += state.pointee.updates
        let rest = unsafe UnsafeRawBufferPointer(start: state.pointee.input, count: state.pointee.inputLeft)
        unsafe state.pointee.input = nil
        unsafe state.pointee.inputLeft = 0
        return unsafe rest
    }

    // MARK: What was agreed

    /// Whether plaintext may be sealed.
    public var isHandshakeComplete: Bool { handshakeIsComplete }

    /// Whether close_notify came: the peer sends nothing more.
    public var isPeerClosed: Bool { peerIsClosed }
}
