import Logging

/// Keeps out of the log what is not an operator's to read. Messages are written by this program and hold none of it; values of
/// peers stand in metadata alone, and their keys say what they are.
struct LogRedaction {
    let showsAddresses: Bool

    /// Where a client is. The addresses that the service itself listens at are under `address`.
    static let addresses: Set<String> = ["peer", "remote", "client", "forwarded"]
    /// What is shown to nobody, whatever is configured.
    static let secrets: Set<String> = [
        "authorization", "body", "candidate", "candidates", "password", "sdp", "secret", "ticket", "token",
    ]

    func text(_ key: String, _ value: Logger.MetadataValue) -> String {
        if Self.secrets.contains(key) || !showsAddresses && Self.addresses.contains(key) { return "[redacted]" }
        switch value {
        case .string(let text): return text
        case .stringConvertible(let value): return "\(value)"
        case .array(let values): return values.map { text(key, $0) }.joined(separator: ",")
        case .dictionary(let values):
            let fields = values.sorted { $0.key < $1.key }
            return fields.map { "\($0.key)=\(text($0.key, $0.value))" }.joined(separator: ",")
        }
    }
}
