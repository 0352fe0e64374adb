import SignalingAuth
import SignalingCore

/// Who may come in, and which relays they are given.
struct AccessConfiguration: Sendable {
    /// Nil in development mode: nobody is asked.
    var verifier: TokenVerifier?
    /// Origins of browsers beside the service's own, each as a browser writes it.
    var origins: Set<String> = []
    /// The first is for clients that name no region.
    var regions: [TurnRegion] = []
}
