import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph

/// How much is taken at once: what is sealed ahead of the socket is what an urgent stream has to wait for.
@Suite struct FlushTests {
    /// The sizes of the flushes that bring a response to a client whose windows are wide open.
    private func flushes(of path: String) throws -> (sizes: [Int], body: [UInt8]) {
        let peer = try MemoryPeer(handler: RecordingHandler(), window: 16 << 20)
        let stream = peer.client.request("GET", path)
        try peer.exchange(stoppingWhen: { peer.core.openStreams == 1 })
        var sizes: [Int] = []
        while peer.core.wantsDrain {
            let bytes = peer.drainOnce()
            sizes.append(bytes.count)
            peer.clientTakes(bytes)
        }
        let (isComplete, count) = (peer.client[stream].isComplete, peer.client[stream].body.count)
        #expect(isComplete, "\(count) bytes have come")
        return (sizes, peer.client[stream].body)
    }

    @Test func aLargeResponseIsSealedInFlushesOfLimitedSize() throws {
        let (sizes, body) = try flushes(of: "/whole")
        let isWhole = body == pattern(1 << 20)
        #expect(isWhole)
        #expect(sizes.count == 5)
        // A record adds 22 bytes to each 16 KiB.
        #expect(try #require(sizes.max()) <= LoopResources.flushSize + 17 * 22)
        #expect(try #require(sizes.max()) > LoopResources.flushSize - 17 * 1024)
    }

    @Test func aPulledResponseIsPulledOnlyAsItIsSent() throws {
        let (sizes, body) = try flushes(of: "/big")
        #expect(body.count == 3 << 20)
        // The high-water mark, and the block that crosses it.
        #expect(try #require(sizes.max()) <= (64 + 16 + 1) * 1024)
    }
}
