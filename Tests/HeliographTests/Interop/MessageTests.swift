import HTTPTypes
import HelioHTTP
import HeliographInterop
import HeliographTesting
import Testing

/// Answers each request by a closure.
private final class Answering: Handler {
    private let onRequest: (Exchange) -> Void
    private let onEnd: (Exchange) -> Void

    init(onRequest: @escaping (Exchange) -> Void = { _ in }, onEnd: @escaping (Exchange) -> Void = { _ in }) {
        self.onRequest = onRequest
        self.onEnd = onEnd
    }

    func request(_ exchange: Exchange) { onRequest(exchange) }
    func end(_ exchange: Exchange) { onEnd(exchange) }
}

@Suite("Messages in the types of swift-http-types")
struct MessageTests {
    /// What a client gets when each request is answered by `answer`.
    private func response(
        _ method: String = "GET", _ path: String = "/", _ fields: [(String, String)] = [],
        answer: @escaping (Exchange) -> Void
    ) -> TestClient.Response {
        let server = MemorySession(handler: Answering(onRequest: answer))
        defer { server.close() }
        let client = TestClient()
        let stream = client.request(method, path, fields)
        server.exchange(with: client)
        return client[stream]
    }

    private func fields(_ response: TestClient.Response, _ name: String) -> [String] {
        response.fields.filter { $0.name == name }.map(\.value)
    }

    @Test("A request keeps its method, scheme, authority, path and fields in their order")
    func request() {
        var request: HTTPRequest?
        _ = response("QUERY", "/a%20b?c=d", [("accept", "x"), ("x-one", "1"), ("accept", "y")]) { exchange in
            request = exchange.httpRequest
            exchange.respond(.ok)
        }
        #expect(request?.method == HTTPRequest.Method("QUERY"))
        #expect(request?.scheme == "https")
        #expect(request?.authority == "localhost")
        #expect(request?.path == "/a%20b?c=d")
        #expect(request?.headerFields.map(\.name.canonicalName) == ["accept", "x-one", "accept"])
        #expect(request?.headerFields[values: .accept] == ["x", "y"])
    }

    @Test("A CONNECT has no path and no scheme")
    func connect() {
        var request: HTTPRequest?
        let server = MemorySession(
            handler: Answering { exchange in
                request = HTTPRequest(exchange)
                exchange.respond(.ok)
            })
        defer { server.close() }
        server.receive(FrameBuilder.preface + FrameBuilder.settings())
        server.receive(
            FrameBuilder.headers(
                stream: 1, [(":method", "CONNECT"), (":authority", "example.org:443")]))
        #expect(request?.method == .connect)
        #expect(request?.authority == "example.org:443")
        #expect(request?.path == nil)
        #expect(request?.scheme == nil)
    }

    @Test("A value that is not UTF-8 keeps its bytes")
    func bytesOfValues() throws {
        var request: HTTPRequest?
        let server = MemorySession(
            handler: Answering { exchange in
                request = HTTPRequest(exchange)
                exchange.respond(.ok)
            })
        defer { server.close() }
        server.receive(FrameBuilder.preface + FrameBuilder.settings())
        // GET https / by HPACK's static table, then a literal field without indexing whose value is Latin-1.
        let block: [UInt8] = [0x82, 0x87, 0x84, 0x41, 1, 0x61, 0x00, 3] + Array("x-a".utf8) + [3, 0x63, 0xe9, 0x64]
        server.receive(FrameBuilder.frame(type: 1, flags: 5, stream: 1, block))
        let field = try #require(request?.headerFields.first { $0.name.canonicalName == "x-a" })
        #expect(unsafe field.withUnsafeBytesOfValue { unsafe Array($0) } == [0x63, 0xe9, 0x64])
    }

    @Test("A response has the status and fields of its head, and the length of its body")
    func respond() {
        let response = response { exchange in
            let head = HTTPResponse(
                status: .created,
                headerFields: [.contentType: "text/plain", .contentLength: "99", .setCookie: "a=1", .setCookie: "b=2"])
            #expect((try? exchange.respond(head, bytes: Array("queued".utf8))) == true)
        }
        #expect(response.status == 201)
        #expect(response.text == "queued")
        #expect(response.isComplete)
        #expect(fields(response, "content-type") == ["text/plain"])
        #expect(fields(response, "content-length") == ["6"])
        #expect(fields(response, "set-cookie") == ["a=1", "b=2"])
    }

    @Test(
        "A length is the head's where there is no content to count, and absent from 204",
        arguments: [("HEAD", 200, "99"), ("GET", 304, "99"), ("GET", 204, nil), ("GET", 200, "0")])
    func lengthWithoutContent(method: String, status: Int, length: String?) {
        let response = response(method) { exchange in
            let head = HTTPResponse(status: .init(code: status), headerFields: [.contentLength: "99"])
            #expect(throws: Never.self) { try exchange.respond(head) }
        }
        #expect(response.status == status)
        #expect(response.isComplete)
        #expect(response.body.isEmpty)
        #expect(fields(response, "content-length") == (length.map { [$0] } ?? []))
    }

    @Test("Trailers come and go as fields")
    func trailers() {
        var received: HTTPFields?
        let handler = Answering { exchange in
            #expect(exchange.httpTrailers == nil)
            let head = HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"])
            #expect(throws: Never.self) { try exchange.start(head) }
        } onEnd: { exchange in
            received = exchange.httpTrailers
            exchange.write("body")
            #expect(throws: Never.self) { try exchange.finish(trailers: [.eTag: "\"v7\""]) }
        }
        let server = MemorySession(handler: handler)
        defer { server.close() }
        let client = TestClient()
        let stream = client.request("POST", "/", isOpen: true)
        server.exchange(with: client)
        client.send([1], on: stream, trailers: [("x-checksum", "7")])
        server.exchange(with: client)
        #expect(received?.map { "\($0)" } == ["x-checksum: 7"])
        #expect(client[stream].text == "body")
        #expect(client[stream].trailers.map(\.name) == ["etag"])
        #expect(client[stream].trailers.map(\.value) == ["\"v7\""])
        #expect(client[stream].isComplete)
    }

    @Test(
        "A field of a connection is refused, and the exchange can be answered otherwise",
        arguments: ["connection", "Keep-Alive", "proxy-connection", "Transfer-Encoding", "upgrade", "te"])
    func connectionFields(name: String) throws {
        let name = try #require(HTTPField.Name(name))
        let response = response { exchange in
            let head = HTTPResponse(status: .ok, headerFields: [.server: "it", name: "x"])
            let refusal = MessageError.connectionField(name.canonicalName)
            #expect(throws: refusal) { try exchange.respond(head) }
            #expect(throws: refusal) { try exchange.start(head) }
            exchange.start(.badGateway)
            #expect(throws: refusal) { try exchange.finish(trailers: [name: "x"]) }
            exchange.finish()
        }
        #expect(response.status == 502)
        #expect(response.fields.map(\.name) == [])
        #expect(response.isComplete)
    }

    @Test("A field that frames the body is no trailer")
    func framingTrailers() {
        let response = response { exchange in
            exchange.start(.ok)
            #expect(throws: MessageError.notATrailer("content-length")) {
                try exchange.finish(trailers: [.eTag: "1", .contentLength: "1"])
            }
            exchange.finish()
        }
        #expect(response.isComplete)
        #expect(response.trailers.isEmpty)
    }

    @Test("A status that is not final is refused", arguments: [0, 99, 100, 103, 199])
    func notFinal(status: Int) {
        let response = response { exchange in
            let head = HTTPResponse(status: .init(code: status))
            #expect(throws: MessageError.notFinal(status: status)) { try exchange.respond(head) }
            exchange.respond(.ok)
        }
        #expect(response.status == 200)
    }

    @Test("After its end an exchange takes no answer")
    func afterTheEnd() throws {
        var kept: Exchange?
        let server = MemorySession(handler: Answering { kept = $0 })
        let client = TestClient()
        client.request("GET", "/")
        server.exchange(with: client)
        server.close()
        #expect(try kept?.respond(HTTPResponse(status: .ok)) == false)
        #expect(try kept?.finish(trailers: [.eTag: "1"]) == false)
    }
}
