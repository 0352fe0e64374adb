/// What a client comes back with: its session, and who it was when the service last knew. It is signed, and the service keeps
/// nothing of it; so it is good after a restart too.
package struct Ticket: Sendable, Hashable {
    let session: SessionID
    let epoch: UInt32
    /// In milliseconds since 1970.
    let expires: Int64
    /// What the session may do, in the words of whoever let it in.
    let identity: [UInt8]

    private static let version: UInt8 = 1
    private static let fixedSize = 1 + SessionID.size + 4 + 8

    /// Two parts in base64url: the ticket and its signature.
    func text(_ signer: any TicketSigner) -> String {
        var payload = [Self.version]
        payload += session.bytes
        payload += bigEndian(epoch)
        payload += bigEndian(UInt64(bitPattern: expires))
        payload += identity
        return Base64URL.encode(payload) + "." + Base64URL.encode(signer.signature(of: payload))
    }

    init(session: SessionID, epoch: UInt32, expires: Int64, identity: [UInt8]) {
        self.session = session
        self.epoch = epoch
        self.expires = expires
        self.identity = identity
    }

    /// Nil unless it was signed by the service.
    init?(_ text: [UInt8], _ signer: any TicketSigner) {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64URL.decode(parts[0]), let signature = Base64URL.decode(parts[1]),
            signer.isValid(signature, of: payload), payload.count >= Self.fixedSize, payload[0] == Self.version,
            let session = SessionID(bytes: payload[1..<1 + SessionID.size])
        else { return nil }
        var rest = payload.dropFirst(1 + SessionID.size)
        self.session = session
        epoch = UInt32(truncatingIfNeeded: integer(rest.prefix(4)))
        rest = rest.dropFirst(4)
        expires = Int64(bitPattern: integer(rest.prefix(8)))
        identity = Array(rest.dropFirst(8))
    }
}

func bigEndian(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// What big-endian bytes stand for, at most eight.
func integer(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
