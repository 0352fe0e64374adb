import ArgumentParser
import Heliograph

/// One message to many.
struct FeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed",
        abstract: "Messages that a server passes on to all its subscribers: an operation is one that one of them got.",
        discussion: """
            --connections subscribers wait; --rate messages a second are published: by one of the WebSockets, or by POST where
            the subscribers read server-sent events. The time counts from when the message was due.
            """)
    @Argument(help: "Where to: https or http.") var url: String
    @Option(name: .shortAndLong, help: "Bytes of a message, at least 20.") var size = 128
    @Flag(help: "Subscribe to server-sent events; WebSockets without it.") var events = false
    @OptionGroup var options: LoadOptions

    func validate() throws {
        guard (20...1 << 20).contains(size) else { throw ValidationError("--size is from 20 to 1048576") }
        guard options.rate != nil else { throw ValidationError("--rate is missing: messages a second") }
        guard options.processes == 1 else { throw ValidationError("a feed is read by one process") }
    }

    func run() async throws {
        let request = try ClientRequest(.get, url)
        try options.check(request)
        let (size, events) = (size, events)
        try await LoadRun(options).run(perConnection: 1, spare: 1) { bench in
            let feed = Feed(bench, size: size, subscribers: bench.connections, request)
            for _ in 0..<bench.connections {
                if events { EventReader(feed).open() } else { open(request, FeedReader(feed), bench) }
            }
        }
    }
}

/// What the subscribers of one feed share. Publishing begins when all have subscribed.
final class Feed {
    let bench: LoadRun.Bench
    let request: ClientRequest
    private let size: Int
    private var missing: Int
    private var publisher: WebSocket?

    init(_ bench: LoadRun.Bench, size: Int, subscribers: Int, _ request: ClientRequest) {
        self.bench = bench
        self.size = size
        self.request = request
        missing = subscribers
    }

    /// - Parameter publisher: what to publish by; POST without it.
    func subscribed(_ publisher: WebSocket?) {
        self.publisher = self.publisher ?? publisher
        missing -= 1
        guard missing == 0 else { return }
        bench.recorder.begin()
        publish()
        bench.schedule.start()
    }

    /// The message says when it was due.
    func received(_ digits: [UInt8]) {
        let due = digits.reduce(0 as UInt64) { $0 &* 10 &+ UInt64($1 &- UInt8(ascii: "0")) }
        bench.recorder.succeeded(since: due, bytes: size, version: publisher == nil ? "events" : "WebSocket")
    }

    static let digits = 20

    private func publish() {
        guard !bench.recorder.isOver else { return }
        bench.schedule.next { [self] due in
            let digits = "\(due)"
            let text = String(repeating: "0", count: Self.digits - digits.count) + digits
            let message = text + String(repeating: "x", count: size - Self.digits)
            if let publisher { publisher.send(message) } else { post(message) }
            publish()
        }
    }

    private func post(_ message: String) {
        var request = request
        request.method = .post
        request.body = Array(message.utf8)
        do {
            _ = try bench.pool.send(request, to: PostedMessage(bench.recorder))
        } catch {
            bench.recorder.failed("\(error)")
        }
    }
}

private final class PostedMessage: ClientHandler {
    private let recorder: Recorder

    init(_ recorder: Recorder) { self.recorder = recorder }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if error != nil || !(200..<300).contains(exchange.status) {
            recorder.failed(error.map { "\($0)" } ?? "publishing was answered by \(exchange.status)")
        }
    }
}

private final class FeedReader: WebSocketHandler {
    private let feed: Feed

    init(_ feed: Feed) { self.feed = feed }

    func opened(_ webSocket: WebSocket) { feed.subscribed(webSocket) }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        guard message.byteCount >= Feed.digits else { return feed.bench.recorder.failed("a message is too short") }
        feed.received(message.withUnsafeBytes { Array($0.prefix(Feed.digits)) })
    }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        feed.bench.recorder.failed("closed with \(code)")
    }
}

/// Reads a stream of events, whose messages stand in one `data` line each.
private final class EventReader: ClientHandler {
    private let feed: Feed
    private var line: [UInt8] = []

    init(_ feed: Feed) { self.feed = feed }

    func open() {
        var request = feed.request
        request.headers.append(("accept", "text/event-stream"))
        do {
            _ = try feed.bench.pool.send(request, to: self)
        } catch {
            feed.bench.recorder.giveUp("\(error)")
        }
    }

    func response(_ exchange: ClientExchange) {
        guard exchange.status == 200 else { return feed.bench.recorder.giveUp("status \(exchange.status)") }
        feed.subscribed(nil)
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) {
        chunk.withUnsafeBytes { bytes in
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    line.append(byte)
                    continue
                }
                if line.starts(with: "data: ".utf8) { feed.received(Array(line.dropFirst(6).prefix(Feed.digits))) }
                line.removeAll(keepingCapacity: true)
            }
        }
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        feed.bench.recorder.failed(error.map { "\($0)" } ?? "the stream of events has ended")
    }
}
