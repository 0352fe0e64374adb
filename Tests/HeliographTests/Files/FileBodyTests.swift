import CLinux
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
        /// More than what sockets and windows take on their way.
        private static let large = pattern(3_000_000)

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

        @Test(
            arguments: [(0, nil), (0, 5), (100_000, nil), (65_536, 65_536), (199_999, 1), (200_000, nil), (7, 0)]
                as [(Int, Int?)])
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
            try site.write("file", Self.large)
            try await serve { live, _ in
                let client = try live.connect(window: 100_000_000, receiveBuffer: 8192)
                client.http.request("GET", "/")
                try client.flush()
                _ = try await live.settled { $0.http.requests == 1 }
                #expect(site.openFiles == 1)
                client.kill()
                // The first client, which never asks, is still there.
                _ = try #require(try await live.settled { $0.connections.open <= 1 })
                #expect(site.openFiles == 0)
            }
        }

        /// Asks for a large file, changes it when some of it has come, and takes the rest.
        private func whileSending(_ change: (String) throws -> Void) async throws -> TestClient.Response {
            var response: TestClient.Response?
            let path = try site.write("file", Self.large)
            try await serve { live, client in
                let stream = client.http.request("GET", "/")
                try client.run { $0.http[stream].body.count > 100_000 }
                #expect(client.http[stream].body.count < 2_500_000)
                try change(path)
                response = try client.response(stream)
            }
            #expect(site.openFiles == 0)
            return try #require(response)
        }

        @Test func oneThatIsCutShortMeanwhileResetsItsStream() async throws {
            let response = try await whileSending { unsafe #expect(truncate($0, 1_500_000) == 0) }
            #expect(response.resetCode == HTTP2ErrorCode.internalError.rawValue)
            #expect(!response.isComplete && response.body == Array(Self.large.prefix(response.body.count)))
        }

        @Test func oneThatIsOverwrittenMeanwhileResetsItsStream() async throws {
            let response = try await whileSending { path in
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                try handle.seek(toOffset: 2_900_000)
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
            #expect(response.isComplete && response.body == Self.large)
        }

        @Test func oneThatIsReplacedMeanwhileIsSentAsItWas() async throws {
            let response = try await whileSending { path in
                try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path), options: .atomic)
            }
            #expect(response.isComplete && response.body == Self.large)
        }

        // MARK: Over HTTP/1.1, where the kernel moves the bytes

        /// Asks over a blocking socket.
        private func plainSocket(_ live: LiveServer, _ request: String) throws -> Int32 {
            let address = try live.address
            let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
            var size: Int32 = 65_536
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            let status = unsafe address.withSockaddr { unsafe Glibc.connect(descriptor, $0, $1) }
            try #require(status == 0)
            let bytes = Array(request.utf8)
            try #require(unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
            return descriptor
        }

        /// All that comes up to the end of the connection; bodies only.
        private func readToEnd(_ descriptor: Int32, atMost limit: Int = Int.max) -> [UInt8] {
            var all: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 65_536)
            while all.count < limit {
                let count = unsafe recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else { break }
                all += piece[..<count]
            }
            return all
        }

        private func body(_ response: [UInt8]) -> [UInt8] {
            let end = Array("\r\n\r\n".utf8)
            let start = response.indices.first { response[$0...].starts(with: end) }
            return start.map { Array(response[($0 + 4)...]) } ?? []
        }

        private static let last = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

        @Test(arguments: [0, 1, 32_767, 32_768, 300_000, 5_000_000]) func plaintextIsSentByTheKernel(size: Int)
            async throws
        {
            let bytes = pattern(size)
            try site.write("file", bytes)
            _ = try site.chill("file")
            try await serve { live, _ in
                for _ in 0..<2 {
                    let descriptor = try plainSocket(live, Self.last)
                    #expect(body(readToEnd(descriptor)) == bytes)
                    close(descriptor)
                }
            }
            #expect(site.openFiles == 0)
        }

        @Test func pipelinedFilesComeOneAfterTheOther() async throws {
            let bytes = pattern(1_000_000)
            try site.write("file", bytes)
            try await serve { live, _ in
                let descriptor = try plainSocket(live, "GET / HTTP/1.1\r\nHost: h\r\n\r\n" + Self.last)
                let all = readToEnd(descriptor)
                #expect(all.suffix(bytes.count).elementsEqual(bytes))
                #expect(body(all).starts(with: bytes))
                close(descriptor)
            }
        }

        @Test func aPeerThatGoesInTheMiddleIsNoSignal() async throws {
            try site.write("file", Self.large)
            try await serve { live, _ in
                for _ in 0..<5 {
                    let descriptor = try plainSocket(live, Self.last)
                    #expect(!readToEnd(descriptor, atMost: 100_000).isEmpty)
                    var linger = linger(l_onoff: 1, l_linger: 0)
                    unsafe setsockopt(
                        descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
                    close(descriptor)
                }
                // The first client, which never asks, is still there.
                _ = try #require(try await live.settled { $0.connections.open <= 1 })
                #expect(site.openFiles == 0)
            }
        }

        @Test func oneThatIsCutShortMeanwhileEndsTheConnectionShortOfItsLength() async throws {
            let path = try site.write("file", Self.large)
            try await serve { live, _ in
                let descriptor = try plainSocket(live, Self.last)
                var all = readToEnd(descriptor, atMost: 100_000)
                unsafe #expect(truncate(path, 2_500_000) == 0)
                all += readToEnd(descriptor)
                #expect(body(all).count < 3_000_000)
                #expect(Self.large.starts(with: body(all)))
                close(descriptor)
            }
        }

        @Test func oneThatIsOverwrittenMeanwhileEndsTheConnectionShortOfItsLength() async throws {
            let path = try site.write("file", Self.large)
            try await serve { live, _ in
                let descriptor = try plainSocket(live, Self.last)
                var all = readToEnd(descriptor, atMost: 100_000)
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
                try handle.write(contentsOf: Data([1, 2, 3]))
                try handle.close()
                all += readToEnd(descriptor)
                #expect(body(all).count < 3_000_000)
                close(descriptor)
            }
        }
    }
}
