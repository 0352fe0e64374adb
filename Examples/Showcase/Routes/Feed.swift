import Heliograph
import Synchronization

/// One message to many: `/feed` is a WebSocket, or a stream of server-sent events for others who GET it. What a WebSocket
/// sends, or a POST brings, goes to all of them on all loops, encoded once.
func addFeed(to router: Routes, _ context: RouteContext) {
    let feed = LoopFeed(on: context.loop, of: context.feeds)
    router.get("/feed") { exchange in
        if exchange.requestedProtocol == "websocket" {
            exchange.acceptWebSocket(handler: feed)
        } else {
            exchange.hand(to: feed.readers)
        }
    }
    router.on(.post, "/feed") { exchange in exchange.hand(to: FeedPost(feed)) }
}

/// The feeds of all loops. Its lock is taken once by each loop, and once for each message.
final class Feeds: Sendable {
    private let all = Mutex<[LoopFeed]>([])

    fileprivate func add(_ feed: LoopFeed) { all.withLock { $0.append(feed) } }

    /// A message to all subscribers of all loops.
    fileprivate func publish(_ text: [UInt8]) {
        let message = FeedMessage(
            frame: PreparedWebSocketMessage(String(decoding: text, as: UTF8.self)),
            event: Array("data: ".utf8) + text + Array("\n\n".utf8))
        for feed in all.withLock({ $0 }) { feed.loop.execute { feed.deliver(message) } }
    }
}

/// A message in the two forms in which subscribers get it.
private struct FeedMessage: Sendable {
    let frame: PreparedWebSocketMessage
    let event: [UInt8]
}

/// The subscribers of one loop. All but `loop` is touched by the loop's thread alone. A subscriber that does not keep up misses
/// what is published until it has read what it was sent.
private final class LoopFeed: WebSocketHandler, @unchecked Sendable {
    let loop: EventLoop
    private(set) lazy var readers = EventReaders(self)
    private let feeds: Feeds
    private var sockets: [ObjectIdentifier: WebSocket] = [:]
    private var streams: [ObjectIdentifier: Exchange] = [:]
    private var behind: Set<ObjectIdentifier> = []

    /// Messages are of one line, and at most of so many bytes.
    static let maxSize = 64 * 1024

    init(on loop: EventLoop, of feeds: Feeds) {
        self.loop = loop
        self.feeds = feeds
        feeds.add(self)
    }

    /// - Returns: false when it is no message of a feed.
    func publish(_ text: [UInt8]) -> Bool {
        guard text.count <= Self.maxSize, !text.contains(0x0A), !text.contains(0x0D),
            String(validating: text, as: UTF8.self) != nil
        else { return false }
        feeds.publish(text)
        return true
    }

    func deliver(_ message: FeedMessage) {
        for (id, socket) in sockets where !behind.contains(id) {
            if !socket.send(message.frame) { behind.insert(id) }
        }
        for (id, stream) in streams where !behind.contains(id) {
            if !stream.write(message.event) { behind.insert(id) }
        }
    }

    func add(_ stream: Exchange) { streams[ObjectIdentifier(stream)] = stream }

    func remove(_ stream: Exchange) {
        streams[ObjectIdentifier(stream)] = nil
        behind.remove(ObjectIdentifier(stream))
    }

    func caughtUp(_ subscriber: AnyObject) { behind.remove(ObjectIdentifier(subscriber)) }

    // MARK: WebSockets

    func opened(_ webSocket: WebSocket) { sockets[ObjectIdentifier(webSocket)] = webSocket }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        if !publish(unsafe message.withUnsafeBytes { unsafe Array($0) }) {
            webSocket.close(.unsupportedData, reason: "a message is a line of text of at most \(Self.maxSize) bytes")
        }
    }

    func drained(_ webSocket: WebSocket) { caughtUp(webSocket) }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        sockets[ObjectIdentifier(webSocket)] = nil
        behind.remove(ObjectIdentifier(webSocket))
    }
}

/// Those who read server-sent events; one for all exchanges of a loop.
private final class EventReaders: Handler {
    private unowned let feed: LoopFeed

    init(_ feed: LoopFeed) { self.feed = feed }

    func request(_ exchange: Exchange) {
        exchange.addHeader("cache-control", "no-store")
        exchange.start(.ok, contentType: "text/event-stream")
        exchange.write(": welcome\n\n")
        feed.add(exchange)
    }

    func drained(_ exchange: Exchange) { feed.caughtUp(exchange) }

    func closed(_ exchange: Exchange, _ reason: CloseReason) { feed.remove(exchange) }
}

/// A message that comes by POST.
private final class FeedPost: Handler {
    private let feed: LoopFeed
    private var text: [UInt8] = []

    init(_ feed: LoopFeed) { self.feed = feed }

    func request(_ exchange: Exchange) {}

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        guard text.count <= LoopFeed.maxSize else { return }
        unsafe chunk.withUnsafeBytes { unsafe text.append(contentsOf: $0) }
    }

    func end(_ exchange: Exchange) { exchange.respond(feed.publish(text) ? .accepted : .badRequest) }
}
