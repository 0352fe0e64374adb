import Heliograph
import SignalingAuth

/// Where an issuer publishes the public keys of its tokens, and the bounds of reading them.
struct KeySetSource: Sendable, Hashable {
    /// `https://…`, or `http://…` on loopback.
    let url: String
    /// The least time between two fetches; also how long keys are fresh at least, and the first pause after a failure.
    var interval = Duration.seconds(10)
    /// How long keys are fresh at most, and when the answer does not say.
    var maxAge = Duration.seconds(3600)
    /// Of one fetch.
    var timeout = Duration.seconds(10)
    /// The longest pause after failures.
    var maxPause = Duration.seconds(300)
    /// Of an answer, in bytes.
    var size = 256 << 10
    /// Keys of one set.
    var keys = 100

    /// Whether a setting names a URL and not a file.
    static func isURL(_ text: String) -> Bool { text.hasPrefix("https://") || text.hasPrefix("http://") }

    /// Whether keys may be had from there: what comes in plaintext can be changed on its way.
    static func isGoodURL(_ text: String) -> Bool {
        guard let request = try? ClientRequest(.get, text) else { return false }
        guard request.scheme == "http" else { return true }
        let host =
            request.authority.first == "["
            ? request.authority.dropFirst().prefix { $0 != "]" } : request.authority.prefix { $0 != ":" }
        // A name may begin as an address does.
        return host == "localhost" || SocketAddress(host: String(host), port: 0) != nil && isLoopback(String(host))
    }

    /// How long keys are fresh, by the fields of the answer that they came in (RFC 9111 section 4.2), within the bounds.
    func freshness(cacheControl: String?, age: String?) -> Duration {
        var seconds: Int?
        for directive in (cacheControl ?? "").split(separator: ",") {
            let words = directive.split(separator: "=", maxSplits: 1).map { $0.filter { !" \t\"".contains($0) } }
            switch words.first?.lowercased() {
            case "no-store", "no-cache": seconds = 0
            case "max-age" where words.count == 2: seconds = seconds ?? Int(words[1]).map { max(0, min($0, 1 << 31)) }
            default: break
            }
        }
        guard let seconds else { return max(interval, maxAge) }
        let elapsed = age.flatMap { Int($0) } ?? 0
        return max(interval, min(.seconds(seconds - min(max(elapsed, 0), 1 << 31)), maxAge))
    }
}

/// Why keys could not be had.
struct KeySetFailure: Error, CustomStringConvertible {
    let description: String
}
