import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph

/// Bytes arrive as the network cuts them. Whatever the cut, the handler is told the same and the client gets the same.
@Suite struct CutTests {
    /// What a run comes to.
    private struct Outcome: Equatable {
        var events: [String]
        var bodies: [Int32: [UInt8]]
        var answers: [String]
    }

    private func run(isSecure: Bool, cut: (Int) -> Int) throws -> Outcome {
        let handler = RecordingHandler()
        let peer = try MemoryPeer(handler: handler, isSecure: isSecure)
        let client = peer.client
        let streams = [
            client.request("GET", "/hello?a=1", [("x-long", String(repeating: "v", count: 300))]),
            client.request("POST", "/echo", body: pattern(700)),
            client.request("POST", "/echo", isOpen: true),
        ]
        client.send(pattern(100), on: streams[2], trailers: [("x-sum", "17")])
        try peer.exchange(cut: cut)
        return Outcome(
            events: handler.events, bodies: handler.bodies,
            answers: streams.map { "\(client[$0].status ?? 0) \(client[$0].isComplete) \(client[$0].body)" })
    }

    @Test(arguments: [true, false]) func everyEventIsTheSameOneByteAtATime(isSecure: Bool) throws {
        let whole = try run(isSecure: isSecure) { $0 }
        #expect(whole.events.contains("5 end 17"))
        #expect(whole.answers[1].hasPrefix("200 true"))
        #expect(try run(isSecure: isSecure) { _ in 1 } == whole)
    }

    @Test(arguments: [true, false]) func everyEventIsTheSameInRandomCuts(isSecure: Bool) throws {
        let whole = try run(isSecure: isSecure) { $0 }
        for seed in 1...20 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let cut = try run(isSecure: isSecure) { Int.random(in: 1...max(1, min($0, 400)), using: &generator) }
            #expect(cut == whole, "seed \(seed)")
        }
    }

    /// Each position is the place of a single cut, from the first byte of the ClientHello on.
    @Test func everyEventIsTheSameWithOneCutAtAnyPlace() throws {
        let whole = try run(isSecure: true) { $0 }
        var longest = 0
        _ = try run(isSecure: true) {
            longest = max(longest, $0)
            return $0
        }
        for place in stride(from: 1, to: longest, by: 3) {
            let cut = try run(isSecure: true) { $0 > place ? place : $0 }
            guard cut != whole else { continue }
            Issue.record("cut at \(place) of \(longest)")
            return
        }
    }
}
