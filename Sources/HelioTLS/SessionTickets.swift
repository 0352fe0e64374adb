internal import COpenSSL

/// The keys of stateless session tickets (RFC 5077; RFC 8446, 4.6.1): the server keeps nothing for a client that may return.
///
/// The current key seals new tickets; previous ones still open theirs. Nodes that serve the same names share keys by
/// ``exportKeys()`` and ``importKeys(_:)``, so that a client resumes on any of them. Keys are worth as much as the private key
/// while tickets sealed with them are in use: rotate them, and keep exports secret.
///
/// ```swift
/// let tickets = SessionTickets()
/// tickets.rotate(now: 1_780_000_000)  // each hour, say
/// ```
///
/// For any thread: the keys are behind a lock.
@safe public final class SessionTickets: @unchecked Sendable {
    /// How many keys are kept at most; the oldest go first.
    public static let maximumKeys = 16

    /// How long a ticket can be used, and so a retired key, in seconds.
    public let lifetime: Int64
    private let lock: UnsafeMutableRawPointer
    private let keys: UnsafeMutablePointer<[Entry]>

    private struct Entry {
        var key: TicketKey
        /// Seconds since 1970; not set for the current key, and for those imported.
        var retired: Int64?
    }

    /// Makes a random key.
    ///
    /// - Parameter lifetime: of a ticket, and of a key once it is retired, in seconds: 1 to 604,800 (RFC 8446, 4.6.1).
    public init(lifetime: Int64 = 7_200) {
        self.lifetime = min(max(lifetime, 1), 604_800)
        guard let lock = unsafe CRYPTO_THREAD_lock_new() else { fatalError("out of memory") }
        unsafe self.lock = lock
        unsafe keys = .allocate(capacity: 1)
        unsafe keys.initialize(to: [Entry(key: .random(), retired: nil)])
    }

    deinit {
        unsafe keys.deinitialize(count: 1)
        unsafe keys.deallocate()
        unsafe CRYPTO_THREAD_lock_free(lock)
    }

    /// Puts a new random key to use. The one before opens its tickets for ``lifetime`` more seconds.
    ///
    /// - Parameter now: seconds since 1970, or of any clock that all rotations use.
    public func rotate(now: Int64) {
        let fresh = Entry(key: .random(), retired: nil)
        write { entries in
            for index in entries.indices where entries[index].retired == nil { entries[index].retired = now }
            entries.removeAll { now - ($0.retired ?? now) >= lifetime }
            entries.insert(fresh, at: 0)
            entries.removeLast(max(0, entries.count - Self.maximumKeys))
        }
    }

    /// All keys, the current one first: 80 bytes each (name, AES-256 key, HMAC key). Secret.
    public func exportKeys() -> [UInt8] {
        read { $0.flatMap(\.key.bytes) }
    }

    /// Replaces all keys by those of another node or another run; the first becomes the current one.
    ///
    /// - Parameter bytes: of ``exportKeys()``; at most ``maximumKeys`` keys.
    /// - Throws: ``TLSConfigurationFault/ticketKeySize(_:)``.
    public func importKeys(_ bytes: [UInt8], source: String = "memory") throws(TLSError) {
        let count = bytes.count / TicketKey.size
        guard count > 0, bytes.count % TicketKey.size == 0, count <= Self.maximumKeys else {
            throw .configuration(.ticketKeySize(bytes.count), source: source)
        }
        let imported = (0..<count).map { index in
            let start = index * TicketKey.size
            return Entry(key: TicketKey(bytes: Array(bytes[start..<start + TicketKey.size])), retired: nil)
        }
        write { $0 = imported }
    }

    private func read<Result>(_ body: ([Entry]) -> Result) -> Result {
        unsafe CRYPTO_THREAD_read_lock(lock)
        defer { unsafe CRYPTO_THREAD_unlock(lock) }
        return unsafe body(keys.pointee)
    }

    private func write(_ body: (inout [Entry]) -> Void) {
        unsafe CRYPTO_THREAD_write_lock(lock)
        defer { unsafe CRYPTO_THREAD_unlock(lock) }
        unsafe body(&keys.pointee)
    }

    // MARK: What OpenSSL calls

    /// `SSL_CTX_set_tlsext_ticket_key_evp_cb`: 1 go on, 2 go on and renew, 0 no such key (a full handshake), -1 failure.
    static let callback:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
            Int32
        ) -> Int32 = { ssl, name, vector, cipher, mac, isSealing in
            guard let name = unsafe name, let vector = unsafe vector else { return -1 }
            return unsafe withContext(of: ssl) { context in
                guard let tickets = context.tickets else { return 0 }
                return unsafe isSealing == 1
                    ? tickets.seal(name, vector, cipher, mac) : tickets.open(name, vector, cipher, mac)
            }
        }

    private func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        guard let key = read({ $0.first?.key }), unsafe RAND_bytes(vector, EVP_MAX_IV_LENGTH) == 1 else { return -1 }
        unsafe key.copyName(to: name)
        return unsafe key.prepare(cipher: cipher, mac: mac, vector: vector, sealing: true) ? 1 : -1
    }

    private func open(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?
    ) -> Int32 {
        let found = read { entries in
            entries.firstIndex { unsafe $0.key.isNamed(name) }.map { (key: entries[$0].key, isCurrent: $0 == 0) }
        }
        guard let found else { return 0 }
        guard unsafe found.key.prepare(cipher: cipher, mac: mac, vector: vector, sealing: false) else { return -1 }
        return found.isCurrent ? 1 : 2
    }
}
