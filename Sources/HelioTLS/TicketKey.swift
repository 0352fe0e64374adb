internal import COpenSSL

/// One key of session tickets: a name that the ticket carries, an AES-256 key and an HMAC key (RFC 5077, 4).
struct TicketKey: Equatable, Sendable {
    /// Bytes of an exported key.
    static let size = 80

    /// Name (16 bytes), AES key (32), HMAC key (32).
    let bytes: [UInt8]

    static func random() -> TicketKey {
        var bytes = [UInt8](repeating: 0, count: size)
        guard unsafe RAND_bytes(&bytes, Int32(size)) == 1 else { fatalError("no random numbers") }
        return TicketKey(bytes: bytes)
    }

    /// Whether a ticket with this name (16 bytes) was made with this key.
    func isNamed(_ name: UnsafePointer<UInt8>) -> Bool {
        for index in 0..<16 where unsafe name[index] != bytes[index] { return false }
        return true
    }

    func copyName(to name: UnsafeMutablePointer<UInt8>) {
        for index in 0..<16 { unsafe name[index] = bytes[index] }
    }

    /// Sets up sealing or opening of one ticket: AES-256-CBC and HMAC-SHA256.
    func prepare(
        cipher: OpaquePointer?, mac: OpaquePointer?, vector: UnsafeMutablePointer<UInt8>, sealing: Bool
    ) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { key in
            guard let base = key.baseAddress else { return false }
            return unsafe helio_mac_set_sha256(mac, base + 48, 32) == 1
                && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nil, base + 16, vector, sealing ? 1 : 0) == 1
        }
    }
}
