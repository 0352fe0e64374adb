internal import HelioCompression
public import HelioHTTP

/// Compresses the responses of another handler by gzip or deflate, as the client takes them (RFC 9110 section 8.4). One for each
/// loop.
///
/// ```swift
/// let server = Server { loop in ResponseCompression(wrapping: MyHandler()) }
/// ```
///
/// What is compressed: content of types that gain (``HelioHTTP/MediaType/gainsFromCompression``), not below a size, streamed as
/// it is written. What the handler has written reaches the peer as soon as that has taken everything before it, so that events and
/// progress are not kept back. Left as it is: what is encoded already, ranges, content of `cache-control: no-transform`, content
/// with a digest of its own. `vary` says that the content depends on `accept-encoding`; a strong entity tag becomes a
/// weak one.
///
/// A page that holds a secret beside text that its attacker chooses betrays the secret by its compressed size (the BREACH
/// attack): wrap only handlers of which that is not true.
public final class ResponseCompression: Handler, ExchangeObserver {
    /// How it compresses.
    public struct Options: Sendable {
        /// 1 (fastest) to 9 (smallest).
        public var level = 5
        /// Content that is known to be smaller stays as it is. In bytes.
        public var minimumSize = 1024
        /// Responses of one loop that are compressed at once; others stay as they are. One takes 284 KiB while it lasts.
        public var maxConcurrent = 128

        public init() {}
    }

    private let next: any Handler
    private let options: Options
    private let gzip: DeflaterPool
    private let deflate: DeflaterPool
    /// The last value of `accept-encoding` and what was chosen by it: clients do not send many.
    private var lastAccepted = ""
    private var lastCoding: Coding?

    /// - Precondition: the options' level is from 1 to 9.
    public init(_ options: Options = Options(), wrapping next: any Handler) {
        precondition((1...9).contains(options.level), "a compression level is 1 to 9")
        self.next = next
        self.options = options
        gzip = DeflaterPool(.gzip, level: options.level)
        deflate = DeflaterPool(.deflate, level: options.level)
    }

    public func request(_ exchange: Exchange) {
        exchange.observe(by: self)
        exchange.hand(to: next)
    }

    public func responseStarts(_ exchange: Exchange, _ status: Status) {
        guard gains(exchange, status) else { return }
        addVary(exchange)
        guard let coding = coding(for: exchange) else { return }
        let pool = coding == .gzip ? gzip : deflate
        guard gzip.inUse + deflate.inUse < options.maxConcurrent else { return }
        exchange.addHeader("content-encoding", coding.rawValue)
        exchange.removeHeader("accept-ranges")
        if let tag = exchange.responseHeaders["etag"], tag.hasPrefix("\"") { exchange.setHeader("etag", "W/" + tag) }
        if exchange.method == .head {
            exchange.removeHeader("content-length")
        } else {
            exchange.encode(with: CompressingEncoder(pool))
        }
    }

    /// Whether the content is one to be compressed for those who take it so.
    private func gains(_ exchange: Exchange, _ status: Status) -> Bool {
        let fields = exchange.responseHeaders
        guard !status.forbidsContent, status != .partialContent, exchange.method != .connect else { return false }
        guard fields.withValue(of: "content-type", { MediaType.gainsFromCompression($0) }) == true else { return false }
        guard !fields.has("content-encoding"), !fields.has("content-range"), !fields.has("content-digest"),
            !fields.has("digest")
        else { return false }
        if let length = fields["content-length"].flatMap({ Int($0) }), length < options.minimumSize { return false }
        return !fields.values(of: "cache-control").contains { $0.lowercased().contains("no-transform") }
    }

    private func addVary(_ exchange: Exchange) {
        let named = exchange.responseHeaders.values(of: "vary")
        if named.contains(where: { $0 == "*" || $0.lowercased().contains("accept-encoding") }) { return }
        exchange.addHeader("vary", "accept-encoding")
    }

    private enum Coding: String {
        case gzip, deflate
    }

    private func coding(for exchange: Exchange) -> Coding? {
        guard exchange.headers.has("accept-encoding") else { return nil }
        if exchange.headers.equals("accept-encoding", lastAccepted) { return lastCoding }
        let values = exchange.headers.values(of: "accept-encoding")
        let coding = AcceptEncoding(exchange.headers)?.best(of: ["gzip", "deflate"]).flatMap(Coding.init)
        // Several fields are one list: the first alone says nothing.
        if values.count == 1 {
            lastAccepted = values[0]
            lastCoding = coding
        }
        return coding
    }
}
