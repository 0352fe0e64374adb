import Glibc
import HeliographTesting
import Testing

@testable import Heliograph

extension LiveTests {
    /// Wrappers that need a loop, over real connections.
    @Suite struct WrapperTests {
        /// The lines that a log has after some requests to a server.
        private func lines(
            _ format: AccessLog.Format, _ use: (LiveServer) throws -> Void
        ) async throws -> [String] {
            let path = "/tmp/heliograph-access-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
            defer { unsafe unlink(path) }
            let sink = try LogSink(.file(path))
            let live = try LiveServer.start { loop in
                let router = Router(on: loop) { routes in
                    routes.get("/hello") { $0.respond(.ok, contentType: "text/plain", "Hello, World!") }
                    routes.get("/slow") { exchange in
                        try await loop.sleep(for: .milliseconds(50))
                        exchange.respond(.ok, contentType: "text/plain", "slow")
                    }
                    routes.post("/small") { exchange in
                        exchange.collectBody(upTo: 1) { exchange, _ in exchange.respond(.noContent) }
                    }
                    routes.get("/never") { _ in }
                }
                return AccessLog(format, to: sink, on: loop, wrapping: RequestID(wrapping: router))
            }
            try use(live)
            await live.server.stop(within: .zero)
            sink.close()
            return String(decoding: try FileContents.read(path), as: UTF8.self).split(separator: "\n").map(String.init)
        }

        @Test func eachExchangeIsALineOfTheCombinedFormat() async throws {
            let lines = try await lines(.combined) { live in
                let client = try live.connect()
                #expect(try client.get("/hello?a=\"b\"").status == 200)
                #expect(try client.get("/nothing").status == 404)
                #expect(try client.get("/slow").status == 200)
            }
            let pattern =
                #/127\.0\.0\.1 - - \[../.../....:..:..:.. \+0000\] "(.*)" (\d+) (\d+) "-" "-" (\d+\.\d{6}) "[0-9a-f]{32}"/#
            let found = try lines.map { try #require(try pattern.wholeMatch(in: $0)) }
            #expect(
                found.map { String($0.1) } == [
                    #"GET /hello?a=\x22b\x22 HTTP/2.0"#, "GET /nothing HTTP/2.0", "GET /slow HTTP/2.0",
                ])
            #expect(found.map { String($0.2) } == ["200", "404", "200"])
            #expect(found.map { String($0.3) } == ["13", "0", "4"])
            let durations = try found.map { try #require(Double($0.4)) }
            #expect(durations[0] < 0.05 && durations[2] >= 0.05 && durations[2] < 5)
        }

        @Test func theLinesOfJSONSayHowAnExchangeHasEnded() async throws {
            let lines = try await lines(.json) { live in
                let client = try live.connect()
                try client.handshake()
                let large = client.http.request("POST", "/small", [("user-agent", "a\"b")], body: [1, 2, 3])
                #expect(try client.response(large).status == 413)
                let never = client.http.request("GET", "/never")
                try client.flush()
                client.http.reset(never)
                #expect(try client.get("/hello").status == 200)
            }
            try #require(lines.count == 3)
            let head = #""method":"POST","target":"/small","protocol":"HTTP/2.0","status":413,"bytes":0"#
            #expect(lines[0].contains(head))
            #expect(lines[0].contains(#""user_agent":"a\"b""#))
            #expect(lines[0].hasSuffix(#""end":"limit body_size"}"#))
            #expect(lines[1].contains(#""target":"/never","protocol":"HTTP/2.0","status":null,"#))
            #expect(lines[1].hasSuffix(#""end":"reset 8"}"#))
            #expect(lines[2].contains(#""status":200,"bytes":13,"#))
            #expect(lines[2].hasSuffix(#""end":"finished"}"#))
        }

        @Test func aTimeoutAnswersForAHandlerThatDoesNot() async throws {
            let live = try LiveServer.start { loop in
                let router = Router(on: loop) { routes in
                    routes.get("/never") { _ in }
                    routes.get("/begun") { exchange in exchange.start(.ok) }
                    routes.get("/late") { exchange in
                        // Cancelled by then; what it still says is refused.
                        try? await loop.sleep(for: .seconds(30))
                        exchange.respond(.ok)
                    }
                    routes.get("/quick") { exchange in exchange.respond(.noContent) }
                }
                return Timeout(.milliseconds(20), answering: .gatewayTimeout, on: loop, wrapping: router)
            }
            let client = try live.connect()
            #expect(try client.get("/quick").status == 204)
            #expect(try client.get("/never").status == 504)
            #expect(try client.get("/late").status == 504)
            let begun = try client.get("/begun")
            #expect(begun.status == 200 && begun.closeCode == HTTP2ErrorCode.cancel.rawValue)
            #expect(try client.get("/quick").status == 204)
            let snapshot = try await live.snapshot()
            #expect(snapshot.http.limitsTripped == [.exchangeTimeout: 3])
            await live.server.stop(within: .zero)
        }
    }
}
