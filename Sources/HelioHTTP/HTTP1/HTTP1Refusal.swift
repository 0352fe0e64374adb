/// A request that is not served: the peer is told a status, and the connection ends, as where the next request would begin is
/// not known any more (RFC 9112 section 9.6).
struct HTTP1Refusal: Error, Hashable {
    let status: Status
    /// The limit that was crossed, where it was one.
    var limit: LimitName?

    /// Against the grammar, or of a shape by which requests are smuggled.
    static let malformed = HTTP1Refusal(status: .badRequest)
    static let targetTooLong = HTTP1Refusal(status: .uriTooLong, limit: .targetLength)
    static let fieldsTooLarge = HTTP1Refusal(status: .requestHeaderFieldsTooLarge, limit: .headerListSize)
    static let tooManyFields = HTTP1Refusal(status: .requestHeaderFieldsTooLarge, limit: .headerCount)
    static let extensionsTooLong = HTTP1Refusal(status: .badRequest, limit: .chunkExtensions)
    /// A length that no counter holds.
    static let contentTooLarge = HTTP1Refusal(status: .contentTooLarge)
    static let expectationUnknown = HTTP1Refusal(status: .expectationFailed)
    static let codingUnknown = HTTP1Refusal(status: .notImplemented)
    static let methodTooLong = HTTP1Refusal(status: .notImplemented)
    static let versionUnknown = HTTP1Refusal(status: .httpVersionNotSupported)
}
