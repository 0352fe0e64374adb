import SignalingAuth
import SignalingCore

/// Who may come in, and which relays they are given.
struct AccessConfiguration: Sendable {
    /// With the keys that stand in files. Nil in development mode: nobody is asked.
    var verifier: TokenVerifier?
    /// Where others come from.
    var keySource: KeySetSource?
    /// What fetches those.
    var remoteKeys: RemoteKeySet?
    /// Origins of browsers beside the service's own, each as a browser writes it.
    var origins: Set<String> = []
    /// Whether clients that cannot set fields may send their token as `access_token` of a URL.
    var takesTokensInURLs = false
    /// The first is for clients that name no region.
    var regions: [TurnRegion] = []

    /// Whether tokens can be looked at.
    var isReady: Bool { remoteKeys.map { $0.keys != nil } ?? true }

    /// Whose a token is.
    func identity(_ token: [UInt8], unixMilliseconds: Int64) async -> Result<Identity, TokenRefusal> {
        guard let verifier else { return .success(.development) }
        guard let remoteKeys else { return await verifier.identity(token, unixMilliseconds: unixMilliseconds) }
        let first = await verifier.adding(remoteKeys.keys ?? []).identity(token, unixMilliseconds: unixMilliseconds)
        guard case .failure(let refusal) = first, refusal.problem == .tokenKey else { return first }
        let mayDiffer = await remoteKeys.lookAgain()
        guard let keys = remoteKeys.keys else {
            return .failure(TokenRefusal(.keysUnavailable, "the keys of tokens are not there yet"))
        }
        return mayDiffer
            ? await verifier.adding(keys).identity(token, unixMilliseconds: unixMilliseconds) : first
    }
}
