import Foundation
import Glibc
import HeliographTesting
import Testing

@testable import HelioReactor
@testable import Heliograph

extension LiveTests {
    /// Static files over real connections, in plaintext and without a router but where one matters.
    @Suite struct FileResponderTests {
        private let site: Site

        init() throws { site = try Site() }

        private func serve(
            isSecure: Bool = false, limits: Limits = Limits(), _ change: (inout FileOptions) -> Void = { _ in },
            _ body: (LiveServer, LiveClient) async throws -> Void
        ) async throws {
            var options = FileOptions()
            change(&options)
            let root = try FileRoot(site.root, options: options)
            try await withServer(isSecure: isSecure, { $0.limits = limits }) { loop in
                let files = FileResponder(root, on: loop)
                return Router(on: loop) { routes in
                    routes.on(nil, "/files/{path...}", files)
                    routes.get("/chosen") { exchange in files.respond(exchange, path: exchange.query ?? "") }
                    routes.otherwise(files)
                }
            } _: { live in
                try await body(live, live.connect())
            }
        }

        private func get(
            _ client: LiveClient, _ path: String, _ fields: [(String, String)] = [], method: String = "GET"
        ) throws -> TestClient.Response {
            try client.response(client.http.request(method, path, fields))
        }

        @Test(arguments: [false, true]) func aFileIsServedWithAllThatIsKnownOfIt(isSecure: Bool) async throws {
            try site.write("css/site.css", "body {}")
            try await serve(isSecure: isSecure) {
                $0.cacheControl = "max-age=60"
            } _: { _, client in
                let response = try get(client, "/files/css/site.css")
                #expect(response.status == 200)
                #expect(response["content-type"] == "text/css; charset=utf-8")
                #expect(response["content-length"] == "7")
                #expect(response["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT")
                #expect(response["etag"]?.hasPrefix("\"") == true)
                #expect(response["cache-control"] == "max-age=60")
                #expect(response["accept-ranges"] == "bytes")
                #expect(response["vary"] == nil && response["content-encoding"] == nil)
                #expect(response.text == "body {}")
                #expect(try get(client, "/css/site.css").text == "body {}")
                #expect(try get(client, "/chosen?css/site.css").text == "body {}")
                let head = try get(client, "/files/css/site.css", method: "HEAD")
                #expect(head.fields.map(\.value) == response.fields.map(\.value))
                #expect(head.body.isEmpty)
            }
        }

        @Test(arguments: [0, 1, 16_384, 16_385, 1_000_000]) func anySizeIsWhole(size: Int) async throws {
            try site.write("a", pattern(size))
            try await serve { _, client in
                for _ in 0..<2 {
                    let response = try get(client, "/a")
                    #expect(response.body == pattern(size) && response["content-length"] == "\(size)")
                }
            }
        }

        @Test func otherMethodsAreTold() async throws {
            try site.write("a", "text")
            try await serve { _, client in
                let post = try get(client, "/files/a", method: "POST")
                #expect(post.status == 405 && post["allow"] == "GET, HEAD, OPTIONS")
                let options = try get(client, "/files/a", method: "OPTIONS")
                #expect(options.status == 204 && options["allow"] == "GET, HEAD, OPTIONS")
            }
        }

        @Test func aDirectoryIsItsIndexBehindASlash() async throws {
            try site.write("index.html", "top")
            try site.write("docs/index.html", "docs")
            try site.write("empty/a.txt", "a")
            try await serve { _, client in
                #expect(try get(client, "/").text == "top")
                #expect(try get(client, "/files/").text == "top")
                #expect(try get(client, "/docs/")["content-type"] == "text/html; charset=utf-8")
                let redirect = try get(client, "/files/docs?x=1")
                #expect(redirect.status == 301 && redirect["location"] == "./docs/?x=1")
                #expect(try get(client, "/chosen?docs").status == 301)
                #expect(try get(client, "/empty/").status == 404)
                #expect(try get(client, "/docs/index.html/").status == 404)
            }
        }

        @Test(arguments: [
            ("/../secret", 400), ("/%2e%2e/secret", 400), ("/files/..%2fsecret", 400), ("/files/%2e%2e%2fsecret", 400),
            ("/a%00", 400), ("/a%5c..%5cb", 400), ("/%zz", 400), ("/.git/config", 404), ("//a", 404),
            ("/files//a", 404),
            ("/out/secret", 404), ("/outfile", 404), ("/absolute", 404), ("/pipe", 404), ("/socket", 404),
            ("/none", 404),
            ("/a/b", 404), ("/inside", 200), ("/a", 200), ("/a?../../secret", 200), ("/loop", 404),
            ("/" + String(repeating: "x", count: 300), 404), ("/" + String(repeating: "x/", count: 2500), 404),
        ])
        func nothingOutsideOfTheRootIsReached(path: String, status: Int) async throws {
            try site.write("a", "inside")
            try site.write("../secret", "secret")
            try site.write(".git/config", "secret")
            try site.link("inside", to: "a")
            try site.link("out", to: "..")
            try site.link("outfile", to: "../secret")
            try site.link("absolute", to: site.root + "/a")
            try site.link("loop", to: "loop")
            unsafe #expect(mkfifo(site.root + "/pipe", 0o600) == 0)
            unsafe #expect(mknod(site.root + "/socket", S_IFSOCK | 0o600, 0) == 0)
            try await serve { _, client in
                for _ in 0..<2 {
                    let response = try get(client, path)
                    #expect(response.status == status)
                    #expect(!response.text.contains("secret"))
                }
            }
        }

        @Test func linksAreFollowedAsThePolicySays() async throws {
            try site.write("a", "inside")
            try site.write("../secret", "outside")
            try site.link("inside", to: "a")
            try site.link("out", to: "../secret")
            try await serve {
                $0.links = .never
            } _: { _, client in
                let link = try get(client, "/inside")
                #expect(link.status == 404)
                #expect(try get(client, "/a").status == 200)
            }
            try await serve {
                $0.links = .anywhere
            } _: { _, client in
                let link = try get(client, "/inside")
                #expect(link.text == "inside")
                #expect(try get(client, "/out").text == "outside")
            }
        }

        @Test func conditionsAreHonoured() async throws {
            try site.write("a", "text")
            try await serve {
                $0.cacheControl = "no-cache"
            } _: { _, client in
                let tag = try #require(try get(client, "/a")["etag"])
                let date = "Tue, 14 Nov 2023 22:13:20 GMT"
                let unmodified = try get(client, "/a", [("if-none-match", tag)])
                #expect(unmodified.status == 304 && unmodified.body.isEmpty)
                #expect(unmodified["etag"] == tag && unmodified["cache-control"] == "no-cache")
                #expect(unmodified["content-type"] == nil && unmodified["content-length"] == nil)
                #expect(try get(client, "/a", [("if-modified-since", date)]).status == 304)
                #expect(try get(client, "/a", [("if-none-match", "\"x\""), ("if-modified-since", date)]).status == 200)
                #expect(try get(client, "/a", [("if-match", "\"x\"")]).status == 412)
                #expect(try get(client, "/a", [("if-match", tag)]).status == 200)
                let before = "Tue, 14 Nov 2023 22:13:19 GMT"
                #expect(try get(client, "/a", [("if-unmodified-since", before)]).status == 412)
                #expect(try get(client, "/a", [("if-none-match", tag), ("range", "bytes=0-1")]).status == 304)
            }
        }

        /// Small files come from memory, large ones from the file.
        @Test(arguments: [1000, 100_000]) func rangesAreHonoured(size: Int) async throws {
            let bytes = pattern(size)
            try site.write("a.bin", bytes)
            try await serve { _, client in
                let tag = try #require(try get(client, "/a.bin")["etag"])
                for (field, range) in [("bytes=0-0", 0..<1), ("bytes=10-", 10..<size), ("bytes=-7", size - 7..<size)] {
                    let part = try get(client, "/a.bin", [("range", field)])
                    #expect(part.status == 206 && part.body == Array(bytes[range]))
                    #expect(part["content-range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
                    #expect(part["content-type"] == "application/octet-stream" && part["etag"] == tag)
                }
                let beyond = try get(client, "/a.bin", [("range", "bytes=\(size)-")])
                #expect(beyond.status == 416 && beyond["content-range"] == "bytes */\(size)")
                #expect(try get(client, "/a.bin", [("range", "bytes=9-3")]).body == bytes)
                #expect(try get(client, "/a.bin", [("range", "bytes=0-3")], method: "HEAD").status == 200)
                #expect(try get(client, "/a.bin", [("range", "bytes=0-3"), ("if-range", tag)]).status == 206)
                #expect(try get(client, "/a.bin", [("range", "bytes=0-3"), ("if-range", "\"x\"")]).body == bytes)
            }
        }

        @Test(arguments: [1000, 100_000]) func severalRangesAreAMultipart(size: Int) async throws {
            let bytes = pattern(size)
            try site.write("a.txt", bytes)
            try await serve { _, client in
                let response = try get(client, "/a.txt", [("range", "bytes=500-599,0-9,-10")])
                #expect(response.status == 206 && response["content-range"] == nil)
                let type = try MediaType(parsing: try #require(response["content-type"]))
                #expect(type.essence == "multipart/byteranges")
                let boundary = try #require(type["boundary"])
                var expected: [UInt8] = []
                for range in [500..<600, 0..<10, size - 10..<size] {
                    let head = """
                        \(expected.isEmpty ? "" : "\r\n")--\(boundary)\r\ncontent-type: text/plain; charset=utf-8\r\n\
                        content-range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)\r\n\r\n
                        """
                    expected += Array(head.utf8) + bytes[range]
                }
                expected += Array("\r\n--\(boundary)--\r\n".utf8)
                #expect(response.body == expected)
                #expect(response["content-length"] == "\(expected.count)")
            }
        }

        @Test func moreRangesThanAreAllowedAreTheWholeFileAndCounted() async throws {
            try site.write("a", pattern(5000))
            try await serve {
                $0.maxRanges = 3
            } _: { live, client in
                let three = try get(client, "/a", [("range", "bytes=0-0,1000-1000,2000-2000")])
                #expect(three.status == 206)
                #expect(try get(client, "/a", [("range", "bytes=0-0,1000-1000,2000-2000,3000-3000")]).status == 200)
                let snapshot = try await live.snapshot()
                #expect(snapshot.http.limitsTripped == [.byteRanges: 1])
            }
        }

        @Test func aCompressedSiblingIsServedToWhoTakesIt() async throws {
            try site.write("a.js", "plain")
            try site.write("a.js.br", "brotli")
            try site.write("a.js.gz", "gzip")
            try site.write("old.js", "plain")
            try site.write("old.js.gz", "stale", time: Site.time - 1)
            try await serve { _, client in
                var tags: Set<String> = []
                for (accept, text) in [
                    ("", "plain"), ("gzip", "gzip"), ("br", "brotli"), ("gzip, br", "brotli"),
                    ("br;q=0.5, gzip", "gzip"), ("br;q=0, *", "gzip"), ("identity", "plain"), ("zstd", "plain"),
                    ("gzip;q=0.1, identity;q=0.5", "plain"), ("nonsense;;", "plain"),
                ] {
                    let response = try get(client, "/a.js", accept.isEmpty ? [] : [("accept-encoding", accept)])
                    #expect(response.text == text, "\(accept)")
                    let codings = ["brotli": "br", "gzip": "gzip"]
                    #expect(response["content-encoding"] == codings[text])
                    #expect(response["content-type"] == "text/javascript; charset=utf-8")
                    #expect(response["vary"] == "accept-encoding")
                    tags.insert(response["etag"] ?? "")
                }
                #expect(tags.count == 3)
                let stale = try get(client, "/old.js", [("accept-encoding", "gzip")])
                #expect(stale.text == "plain" && stale["vary"] == nil)
            }
        }

        @Test func aFileThatHasJustChangedHasAWeakTag() async throws {
            try site.write("a", "text", time: Int(time(nil)))
            try site.write("future", "text", time: Int(time(nil)) + 10_000)
            try await serve { _, client in
                let young = try get(client, "/a")
                #expect(young["etag"]?.hasPrefix("W/") == true)
                #expect(try get(client, "/a", [("if-none-match", young["etag"] ?? "")]).status == 304)
                let ahead = try get(client, "/future")
                let now = HTTPDate(secondsSince1970: Int64(time(nil)))
                let text = try #require(ahead["last-modified"])
                let date = try #require(HTTPDate(parsing: text, now: now))
                #expect(ahead["etag"]?.hasPrefix("W/") == true && date <= now)
            }
        }

        @Test func aFileThatMayNotBeReadIsForbidden() async throws {
            guard geteuid() != 0 else { return }
            try site.write("a", "text")
            unsafe chmod(site.root + "/a", 0)
            try await serve { _, client in
                let response = try get(client, "/a")
                #expect(response.status == 403)
            }
        }
    }
}
