import Testing

@testable import HelioHTTP

@Suite("The queue of a body")
struct BodyQueueTests {
    private func append(_ bytes: [UInt8], to queue: inout BodyQueue) {
        unsafe bytes.withUnsafeBytes { unsafe queue.append(copying: $0) }
    }

    private func read(_ count: Int, from queue: inout BodyQueue) -> [UInt8] {
        unsafe Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress { unsafe queue.read(count, into: UnsafeMutableRawPointer(base)) }
            initialized = count
        }
    }

    @Test(
        "Bytes come out in the order in which they went in, whatever mix of ways is used",
        arguments: 0..<10 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = BodyQueue()
        defer { queue.deallocate() }
        var model: [UInt8] = []
        var next: UInt8 = 0
        var isRight = true
        for _ in 0..<600 {
            let size = Int.random(in: 0..<3, using: &random) == 0 ? 5000 : 20
            let bytes = (0..<Int.random(in: 0...size, using: &random)).map { _ -> UInt8 in
                next &+= 1
                return next
            }
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<5:
                queue.append(bytes)
                model += bytes
            case 5..<12:
                append(bytes, to: &queue)
                model += bytes
            case 12..<17:
                let count = min(model.count, bytes.count * 2)
                isRight = isRight && read(count, from: &queue) == Array(model.prefix(count))
                model.removeFirst(count)
            case 17..<19:
                let chunk = queue.popFirst()
                isRight =
                    isRight && (chunk == nil) == model.isEmpty
                    && (chunk ?? []) == Array(model.prefix(chunk?.count ?? 0))
                model.removeFirst(chunk?.count ?? 0)
            default:
                if Int.random(in: 0..<10, using: &random) == 0 {
                    queue.removeAll()
                    model.removeAll()
                }
            }
            isRight = isRight && queue.count == model.count && queue.isEmpty == model.isEmpty
        }
        #expect(isRight, "seed \(seed)")
        let rest = read(model.count, from: &queue)
        #expect(rest == model, "seed \(seed)")
    }

    @Test("Small writes are gathered, arrays are handed through")
    func gathering() {
        var queue = BodyQueue()
        defer { queue.deallocate() }
        for byte in UInt8(0)..<10 { append([byte], to: &queue) }
        queue.append([100, 101])
        append([102], to: &queue)
        var chunks: [[UInt8]] = []
        while let chunk = queue.popFirst() { chunks.append(chunk) }
        #expect(chunks == [Array(0..<10), [100, 101], [102]])
    }

    @Test("Gathered segments stay of a size that can be handed over one by one")
    func segmentSize() {
        var queue = BodyQueue()
        defer { queue.deallocate() }
        for _ in 0..<100 { append([UInt8](repeating: 1, count: 1000), to: &queue) }
        var sizes: [Int] = []
        while let chunk = queue.popFirst() { sizes.append(chunk.count) }
        #expect(sizes.reduce(0, +) == 100_000)
        #expect(sizes.max() == 16 * 1024)
    }
}
