/// The second listener, for operators.
struct AdminConfiguration: Sendable {
    /// A numeric address or `localhost`.
    var host = "127.0.0.1"
    /// 0 takes a free one.
    var port: UInt16 = 9443
    /// A socket that was handed over, instead of the two.
    var handedOver: HandedOverSocket?
    /// What every request but those for health has to bring as bearer token; nil on loopback alone.
    var token: Secret?

    /// Whether only this machine reaches it. Then it speaks plaintext.
    var isLoopback: Bool {
        handedOver?.isLocal ?? signaling.isLoopback(host)
    }

    /// As it stands in a URL.
    var hostInURL: String { host.contains(":") ? "[\(host)]" : host }
}
