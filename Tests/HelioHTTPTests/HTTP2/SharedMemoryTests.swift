import HelioHTTP
import HeliographTesting
import Testing

/// Sessions of one loop share an allocator and one frame buffer: none may see another's bytes.
@Suite("HTTP/2 sessions that share memory")
struct SharedMemoryTests {
    private static let sessionCount = 12

    /// A value that fills `count` bytes and names its session and stream in each of them.
    private static func value(_ seed: Int, _ count: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        return String(decoding: (0..<count).map { letters[($0 &* 7 &+ seed) % 26] }, as: UTF8.self)
    }

    /// Gives each session one turn after the other, a drain at a time, until all are silent.
    ///
    /// - Parameter room: what one drain may write. Small: header blocks are cut between HEADERS and CONTINUATION.
    private func interleave(_ pairs: [(server: MemorySession, client: TestClient)], room: Int) {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { unsafe region.deallocate() }
        var isActive = true
        while isActive {
            isActive = false
            for (server, client) in pairs {
                let sent = client.output()
                server.receive(sent, cut: 5000)
                isActive = isActive || !sent.isEmpty
            }
            for (server, client) in pairs where server.session.wantsDrain {
                let count = unsafe server.session.drain(into: region, now: server.clock.now)
                client.receive(unsafe Array(region[..<count]))
                isActive = true
            }
        }
    }

    @Test("A value of 16,353 bytes takes no session's frame buffer")
    func valueOfFrameBufferSize() {
        // nghttp2 keeps such a value in a block of 16,394 bytes, the size of the frame buffer, with a function's address
        // in front: were it handed the shared one, frames would be written over it.
        let resources = HTTP2Resources(limits: limits { $0.maxHeaderListSize = 128 * 1024 })
        var seen: [String: Int] = [:]
        var kept: [Exchange] = []
        let handler = RecordingHandler { exchange in
            for index in 0..<3 {
                if let value = exchange.headers["x-\(index)"] { seen[value, default: 0] += 1 }
            }
            kept.append(exchange)
        }
        let pairs = (0..<Self.sessionCount).map { _ in
            (server: MemorySession(handler: handler, resources: resources), client: TestClient())
        }
        var streams: [[Int32]] = Array(repeating: [], count: pairs.count)
        for round in 0..<3 {
            for (index, pair) in pairs.enumerated() {
                let fields = (0..<3).map { ("x-\($0)", Self.value(index + round + $0, 16_353)) }
                streams[index].append(pair.client.request("GET", "/\(index)", fields))
            }
            interleave(pairs, room: 40_000)
            for exchange in kept { exchange.respond(.ok, contentType: "text/plain", exchange.headers["x-0"] ?? "") }
            kept.removeAll()
            interleave(pairs, room: 40_000)
        }
        #expect(seen.values.reduce(0, +) == Self.sessionCount * 9)
        #expect(seen.count == Self.sessionCount + 4)
        for (index, pair) in pairs.enumerated() {
            for (round, stream) in streams[index].enumerated() {
                #expect(pair.client[stream].text == Self.value(index + round, 16_353))
            }
        }
        for pair in pairs { pair.server.close() }
        #expect(resources.liveBlocks == 0)
    }

    @Test(
        "Sessions drained in turns, with header blocks over frames, keep their own bytes", arguments: [33_000, 50_000])
    func interleavedDrains(room: Int) {
        let resources = HTTP2Resources(limits: Limits())
        let handler = RecordingHandler { exchange in
            let seed = Int(exchange.path.dropFirst()) ?? 0
            for index in 0..<4 { exchange.addHeader("x-\(index)", Self.value(seed + index, 12_000)) }
            exchange.respond(.ok, contentType: "text/plain", Self.value(seed, 70_000))
        }
        let pairs = (0..<Self.sessionCount).map { _ in
            (server: MemorySession(handler: handler, resources: resources), client: TestClient())
        }
        let streams = pairs.enumerated().map { index, pair in
            (0..<4).map { pair.client.request("GET", "/\(index * 4 + $0)") }
        }
        interleave(pairs, room: room)
        for (index, pair) in pairs.enumerated() {
            for (offset, stream) in streams[index].enumerated() {
                let (response, seed) = (pair.client[stream], index * 4 + offset)
                #expect(response.isComplete)
                #expect(response.text == Self.value(seed, 70_000))
                for field in 0..<4 { #expect(response["x-\(field)"] == Self.value(seed + field, 12_000)) }
            }
        }
        for pair in pairs { pair.server.close() }
        #expect(resources.liveBlocks == 0)
    }

    @Test("Promises with header blocks over frames keep their own bytes", arguments: [33_000, 50_000])
    func promises(room: Int) {
        let resources = HTTP2Resources(limits: Limits())
        let handler = RecordingHandler { exchange in
            let seed = Int(exchange.path.dropFirst()) ?? 0
            if exchange.isPushed {
                exchange.addHeader("x-0", exchange.headers["x-0"] ?? "")
                exchange.respond(.ok, contentType: "text/plain", Self.value(seed, 40_000))
            } else {
                exchange.start(.ok)
                // The second value makes a block of the size of the frame buffer.
                for size in [12_000, 16_353] {
                    let fields = (0..<3).map { ("x-\($0)", Self.value(seed + $0, size)) }
                    exchange.push("/\(seed + 100)", headers: fields)
                }
                exchange.finish()
            }
        }
        let pairs = (0..<Self.sessionCount).map { _ in
            (server: MemorySession(handler: handler, resources: resources), client: TestClient())
        }
        for (index, pair) in pairs.enumerated() {
            for offset in 0..<3 { pair.client.request("GET", "/\(index * 3 + offset)") }
        }
        interleave(pairs, room: room)
        for (index, pair) in pairs.enumerated() {
            #expect(pair.client.promises.count == 6)
            for (number, promise) in pair.client.promises.enumerated() {
                let (seed, size) = (index * 3 + number / 2, number % 2 == 0 ? 12_000 : 16_353)
                for field in 0..<3 { #expect(promise["x-\(field)"] == Self.value(seed + field, size)) }
                let response = pair.client[promise.stream]
                #expect(response["x-0"] == Self.value(seed, size))
                #expect(response.text == Self.value(seed + 100, 40_000))
            }
        }
        for pair in pairs { pair.server.close() }
        #expect(resources.liveBlocks == 0)
    }

    @Test("No handler runs while nghttp2 serializes: each may drain another session of the loop")
    func noUserCodeInsideSend() {
        let resources = HTTP2Resources(limits: limits { $0.responseHighWaterMark = 20_000 })
        let other = MemorySession(handler: HelioHTTPTests.hello(), resources: resources)
        let otherClient = TestClient()
        var served: [Int32] = []
        // Draining another session overwrites the shared buffer: a frame being made of it would be damaged.
        let disturb = {
            served.append(otherClient.request("GET", "/"))
            other.exchange(with: otherClient)
        }
        var pulls = 0
        let handler = RecordingHandler { exchange in
            disturb()
            exchange.respond(.ok, contentType: "text/plain") { exchange in
                disturb()
                pulls += 1
                exchange.write([UInt8](repeating: UInt8(pulls), count: 15_000))
                return pulls < 20
            }
        }
        handler.onDrained = { _ in disturb() }
        handler.onClosed = { _ in disturb() }
        let server = MemorySession(handler: handler, resources: resources)
        let client = TestClient()
        let stream = client.request("GET", "/")
        server.exchange(with: client)
        let body = client[stream].body
        #expect(body.count == 300_000)
        #expect(body == (1...20).flatMap { [UInt8](repeating: UInt8($0), count: 15_000) })
        #expect(handler.closed == [.finished])
        #expect(served.count >= 22)
        for stream in served { #expect(otherClient[stream].text == "Hello, World!") }
        server.close()
        other.close()
        #expect(resources.liveBlocks == 0)
    }

    @Test("Connections that end in the middle leave no block behind")
    func abruptEnds() {
        let resources = HTTP2Resources(limits: Limits())
        let handler = RecordingHandler {
            $0.respond(.ok, contentType: "a/b", bytes: [UInt8](repeating: 1, count: 200_000))
        }
        let script =
            FrameBuilder.preface + FrameBuilder.settings() + FrameBuilder.request(stream: 1)
            + FrameBuilder.request(stream: 3, method: "POST", [("x", Self.value(1, 5000))], endsStream: false)
            + FrameBuilder.data(stream: 3, [1, 2, 3]) + FrameBuilder.ping()
        for length in stride(from: 0, through: script.count, by: 37) {
            let server = MemorySession(handler: handler, resources: resources)
            server.receive(Array(script[..<length]))
            if length % 2 == 0 { _ = server.output() }
            server.close()
            #expect(resources.liveBlocks == 0)
        }
        #expect(resources.shared.counterSnapshot().openStreams == 0)
    }
}
