import HelioHTTP
import HeliographTesting
import Testing

@Suite("Observers of exchanges")
struct ObserverTests {
    private final class Observer: ExchangeObserver {
        var log: [String] = []
        var onStart: (Exchange, Status) -> Void = { _, _ in }
        func responseStarts(_ exchange: Exchange, _ status: Status) {
            log.append("starts \(status)")
            onStart(exchange, status)
        }
        func exchangeEnded(_ exchange: Exchange, _ reason: CloseReason) {
            log.append("ended \(reason) \(exchange.responseStatus?.description ?? "-") \(exchange.sentBytes)")
        }
    }

    /// Sends every byte twice, and an end mark.
    private final class Doubler: ContentEncoder {
        func encode(_ bytes: RawSpan, isLast: Bool, _ emit: (RawSpan) -> Void) {
            emit(bytes)
            emit(bytes)
            if isLast { unsafe emit([UInt8(ascii: ".")].span.bytes) }
        }
    }

    private func get(_ handler: any Handler, _ method: String = "GET") -> TestClient.Response {
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request(method, "/")
        server.exchange(with: client)
        return client[stream]
    }

    @Test("It may add to, change and remove from the head, and hears of the end with status and bytes")
    func head() {
        let observer = Observer()
        observer.onStart = { exchange, _ in
            exchange.addHeader("x-added", "1")
            exchange.setHeader("content-type", "text/html")
            exchange.removeHeader("x-secret")
            #expect(exchange.responseHeaders["content-length"] == "5")
        }
        let response = get(
            RecordingHandler {
                $0.observe(by: observer)
                $0.addHeader("x-secret", "s")
                $0.respond(.ok, contentType: "text/plain", "hello")
            })
        #expect(response["x-added"] == "1")
        #expect(response["content-type"] == "text/html")
        #expect(response["x-secret"] == nil)
        #expect(observer.log == ["starts 200", "ended finished 200 5"])
    }

    @Test("An encoder changes a whole body, and its length is announced")
    func encodesWhole() {
        let observer = Observer()
        observer.onStart = { exchange, _ in exchange.encode(with: Doubler()) }
        let response = get(
            RecordingHandler {
                $0.observe(by: observer)
                $0.respond(.ok, contentType: "text/plain", "ab")
            })
        #expect(response.text == "abab.")
        #expect(response["content-length"] == "5")
    }

    @Test("An encoder changes a body as it is written")
    func encodesStreamed() {
        let observer = Observer()
        observer.onStart = { exchange, _ in exchange.encode(with: Doubler()) }
        let response = get(
            RecordingHandler {
                $0.observe(by: observer)
                $0.start(.ok, contentLength: 4)
                $0.write("ab")
                $0.write("cd")
                $0.finish()
            })
        #expect(response.text == "ababcdcd.")
        #expect(response["content-length"] == nil)
        #expect(response.isComplete)
    }

    @Test("A HEAD is not encoded")
    func headIsNotEncoded() {
        let observer = Observer()
        observer.onStart = { exchange, _ in exchange.encode(with: Doubler()) }
        let response = get(
            RecordingHandler {
                $0.observe(by: observer)
                $0.respond(.ok, contentType: "text/plain", "ab")
            }, "HEAD")
        #expect(response.body.isEmpty)
        #expect(response.isComplete)
    }

    @Test("An exchange that is used again is not observed again")
    func recycled() {
        let observer = Observer()
        var requests = 0
        let handler = RecordingHandler {
            requests += 1
            if requests == 1 { $0.observe(by: observer) }
            $0.respond(.ok)
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        for _ in 0..<2 {
            client.request("GET", "/")
            server.exchange(with: client)
        }
        #expect(requests == 2)
        #expect(observer.log.count == 2)
    }
}
