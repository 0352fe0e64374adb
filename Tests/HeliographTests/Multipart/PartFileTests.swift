import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

@Suite("Parts saved to temporary files")
struct PartFileTests {
    private static let fields = [("content-type", "multipart/form-data; boundary=b")]

    private static func body(_ parts: [(name: String, filename: String?, data: [UInt8])]) -> [UInt8] {
        var body: [UInt8] = []
        for part in parts {
            let disposition = ContentDisposition.formData(name: part.name, filename: part.filename)
            body += Array("--b\r\ncontent-disposition: \(disposition)\r\n\r\n".utf8) + part.data + Array("\r\n".utf8)
        }
        return body + Array("--b--\r\n".utf8)
    }

    private static func data(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) } }

    /// Saves each file and answers with what it then finds in it.
    private final class Saver: MultipartHandler {
        let loop: EventLoop
        let pool: BlockingPool
        let directory: String?
        private var lines: [String] = []

        init(loop: EventLoop, pool: BlockingPool, directory: String?) {
            self.loop = loop
            self.pool = pool
            self.directory = directory
        }

        func partBegan(_ exchange: Exchange, _ part: MultipartPart) {
            if part.filename != nil { part.sink = PartFile(in: directory, by: pool, on: loop) }
        }

        func partEnded(_ exchange: Exchange, _ part: MultipartPart) {
            guard let sink = part.sink as? PartFile else { return lines.append("\(part.name ?? "") in memory") }
            guard let file = sink.file else { return lines.append("\(part.name ?? "") failed \(sink.failure != nil)") }
            let isWhole =
                (try? file.read(part.size + 1, at: 0)).map {
                    $0 == PartFileTests.data(part.size) && sink.size == $0.count
                }
            lines.append("\(part.name ?? "") \(part.size) \(isWhole == true)")
        }

        func partsEnded(_ exchange: Exchange) {
            exchange.respond(.ok, contentType: "text/plain", lines.joined(separator: "\n"))
        }
    }

    private func save(
        _ body: [UInt8], directory: String? = nil, pool: BlockingPool = BlockingPool(threads: 2)
    ) async throws -> String {
        var text = ""
        let handler: @Sendable (EventLoop) -> any Handler = { loop in
            ClosureHandler { $0.readParts(by: Saver(loop: loop, pool: pool, directory: directory)) }
        }
        try await withServer(makeHandler: handler) { live in
            let client = try live.connect()
            let stream = client.http.request("POST", "/", Self.fields, body: body)
            text = try client.response(stream).text
        }
        return text
    }

    @Test("Files of any size are whole, in order with fields", arguments: [0, 1, 100_000, 3_000_000])
    func saves(size: Int) async throws {
        let body = Self.body([
            ("field", nil, [65]), ("file", "a.bin", Self.data(size)), ("other", "b.bin", Self.data(10)),
        ])
        #expect(try await save(body) == "field in memory\nfile \(size) true\nother 10 true")
    }

    @Test("A file that cannot be made fails, and the rest of the request comes")
    func missingDirectory() async throws {
        let body = Self.body([("file", "a.bin", Self.data(500_000)), ("field", nil, [65])])
        #expect(try await save(body, directory: "/nowhere/at/all") == "file failed true\nfield in memory")
    }

    @Test("A pool that takes no more work fails the file")
    func stoppedPool() async throws {
        let pool = BlockingPool()
        pool.stop()
        let body = Self.body([("file", "a.bin", Self.data(10)), ("field", nil, [65])])
        #expect(try await save(body, pool: pool) == "file failed true\nfield in memory")
    }

    @Test("An async handler saves what is over its bound, and keeps the rest in memory")
    func savesAsync() async throws {
        let pool = BlockingPool(threads: 2)
        let sizes = [0, 1000, 1001, 400_000]
        let body = Self.body(sizes.map { ("p\($0)", "f", Self.data($0)) })
        try await withAsyncServer({ exchange in
            var lines: [String] = []
            for try await part in exchange.parts() {
                var inspected = 0
                let saved = try await part.save(keeping: 1000, by: pool) { inspected += $0.count }
                switch saved {
                case .memory(let bytes): lines.append("memory \(bytes.count) \(bytes == Self.data(inspected))")
                case .file(let file, let size):
                    let bytes = try await pool.run { try file.read(size + 1, at: 0) }
                    lines.append("file \(size) \(bytes == Self.data(inspected))")
                }
            }
            exchange.respond(.ok, contentType: "text/plain", lines.joined(separator: "\n"))
        }) { live in
            let client = try live.connect()
            let stream = client.http.request("POST", "/", Self.fields, body: body)
            #expect(
                try client.response(stream).text == "memory 0 true\nmemory 1000 true\nfile 1001 true\nfile 400000 true")
        }
        pool.stop()
    }

    @Test("An async handler that lets a multipart error through answers as it says")
    func refusesAsync() async throws {
        try await withAsyncServer({ exchange in
            for try await part in exchange.parts() { _ = try await part.collect(upTo: 10) }
            exchange.respond(.noContent)
        }) { live in
            let client = try live.connect()
            let bad = client.http.request("POST", "/", Self.fields, body: Array("--bad".utf8))
            let large = client.http.request("POST", "/", Self.fields, body: Self.body([("a", nil, Self.data(11))]))
            let other = client.http.request("POST", "/", [("content-type", "text/plain")], body: [65])
            #expect(try [bad, large, other].map { try client.response($0).status } == [400, 413, 415])
            #expect(client.http[large].text == "a part is over 10 bytes\n")
            #expect(live.log.lines.filter { $0.contains("threw") }.isEmpty)
        }
    }
}
