import Foundation
import Glibc
import HeliographTesting
import Testing

@testable import HelioReactor
@testable import Heliograph

extension LiveTests {
    /// A descriptor's range as a response, over a real connection.
    @Suite struct FileBodyTests {
        private let site: Site
        private let pool = Shared<BlockingPool?>(nil)

        init() throws { site = try Site() }

        private func serve(
            offset: Int = 0, length: Int? = nil, _ body: (LiveServer, LiveClient) async throws -> Void
        ) async throws {
            let path = site.root + "/file"
            let pool = pool
            try await withServer(isSecure: false) { loop in
                pool.change { $0 = loop.blockingPool }
                return ClosureHandler { exchange in
                    guard let file = try? File(reading: path) else { return _ = exchange.respond(.notFound) }
                    exchange.respond(.ok, contentType: "a/b", file: file, offset: offset, length: length)
                }
            } _: { live in
                try await body(live, live.connect())
            }
        }

        @Test(arguments: [(0, nil), (0, 5), (100_000, nil), (65_536, 65_536), (199_999, 1), (200_000, nil), (7, 0)] as [(Int, Int?)])
        func aRangeIsSent(offset: Int, length: Int?) async throws {
            let bytes = pattern(200_000)
            try site.write("file", bytes)
            try await serve(offset: offset, length: length) { _, client in
                let response = try client.get("/")
                let expected = Array(bytes[offset..<(length.map { offset + $0 } ?? bytes.count)])
                #expect(response["content-length"] == "\(expected.count)")
                #expect(response.body == expected)
                #expect(response.isComplete)
            }
            #expect(site.openFiles == 0)
        }

        @Test(arguments: [(200_001, nil), (0, 200_001), (Int.max, nil), (1, Int.max)] as [(Int, Int?)])
        func aRangeThatIsNotThereIsAnsweredBy500(offset: Int, length: Int?) async throws {
            try site.write("file", pattern(200_000))
            try await serve(offset: offset, length: length) { _, client in
                let response = try client.get("/")
                #expect(response.status == 500)
            }
        }

        @Test func whatIsNoRegularFileIsAnsweredBy500() async throws {
            unsafe #expect(mkfifo(site.root + "/file", 0o600) == 0)
            try await serve { _, client in
                let response = try client.get("/")
                #expect(response.status == 500)
            }
            #expect(site.openFiles == 0)
        }

        @Test func aFileThatIsNotInMemoryIsReadByTheBlockingPool() async throws {
            let bytes = pattern(3_000_000)
            try site.write("file", bytes)
            guard try site.chill("file") else { return }
            try await serve { [pool] _, client in
                let response = try client.get("/")
                #expect(response.body == bytes)
                let pool = try #require(pool.value)
                #expect(pool.threads > 0)
            }
        }

        @Test func aReaderThatStopsLeavesNothingInMemoryAndTheFileClosesWhenItGoes() async throws {
            try site.write("file", pattern(8_000_000))
            try await serve { live, _ in
                let client = try live.connect(window: 100_000_000, receiveBuffer: 8192)
                client.http.request("GET", "/")
                try client.flush()
                _ = try await live.settled { $0.http.requests == 1 }
                #expect(site.openFiles == 1)
                client.kill()
                _ = try #require(try await live.settled { $0.connections.open == 0 })
                #expect(site.openFiles == 0)
            }
        }

        /// Asks for a large file, changes it when some of it has come, and takes the rest.
        private func whileSending(_ change: (String) throws -> Void) async throws -> TestClient.Response {
            var response: TestClient.Response?
            let path = try site.write("file", pattern(8_000_000))
            try await serve { live, client in
                let stream = client.http.request("GET", "/")
                try client.run { $0.http[stream].body.count > 100_000 }
                #expect(client.http[stream].body.count < 7_000_000)
                try change(path)
                response = try client.response(stream)
            }
            #expect(site.openFiles == 0)
            return try #require(response)
        }

        @Test func oneThatIsCutShortMeanwhileResetsItsStream() async throws {
            let response = try await whileSending { unsafe #expect(truncate($0, 4_000_000) == 0) }
            #expect(response.resetCode == HTTP2ErrorCode.internalError.rawValue)
            #expect(!response.isComplete && response.body == Array(pattern(8_000_000).prefix(response.body.count)))
        }

        @Test func oneThatIsOverwrittenMeanwhileResetsItsStream() async throws {
            let response = try await whileSending { path in
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                try handle.seek(toOffset: 7_900_000)
                try handle.write(contentsOf: Data([1, 2, 3]))
                try handle.close()
            }
            #expect(response.resetCode == HTTP2ErrorCode.internalError.rawValue)
            #expect(!response.isComplete)
        }

        @Test func oneThatGrowsMeanwhileIsSentAsItWas() async throws {
            let response = try await whileSending { path in
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data([1, 2, 3]))
                try handle.close()
            }
            #expect(response.isComplete && response.body == pattern(8_000_000))
        }

        @Test func oneThatIsReplacedMeanwhileIsSentAsItWas() async throws {
            let response = try await whileSending { path in
                try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path), options: .atomic)
            }
            #expect(response.isComplete && response.body == pattern(8_000_000))
        }
    }
}
