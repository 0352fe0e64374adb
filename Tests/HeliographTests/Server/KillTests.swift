import CMalloc
import Foundation
import HelioTLS
import HeliographTesting
import Synchronization
import Testing

@testable import Heliograph
@testable import HelioReactor

/// Clients that go in the middle of anything leave nothing behind. In a process of its own, as all descriptors and all memory
/// are counted.
@Suite struct KillTests {
    @Test func clientsThatDieInTheMiddleOfAnythingLeaveNothingBehind() async {
        await #expect(processExitsWith: .success) {
            let (configuration, log) = try LiveServer.configuration(threads: 2) {
                $0.limits.handshakeTimeout = .milliseconds(400)
                $0.limits.prefaceTimeout = .milliseconds(400)
                $0.limits.headerTimeout = .milliseconds(400)
                $0.limits.bodyTimeout = .milliseconds(400)
                $0.limits.sendTimeout = .milliseconds(400)
                $0.limits.idleTimeout = .milliseconds(400)
            }
            let live = try LiveServer(Server(configuration) { Victims($0) }, log)
            // Once for what is made with the first use, then what is counted must not grow.
            var memory: [Int] = []
            var descriptors: [Int] = []
            for round in 0..<3 {
                try await Massacre(live, seed: UInt64(round)).run()
                let quiet = try await live.settled {
                    $0.connections.open == 0 && $0.http.openStreams == 0 && $0.timers <= 1
                }
                for snapshot in await live.server.snapshot() {
                    #expect(snapshot.connections.open == 0)
                    #expect(snapshot.http.openStreams == 0)
                    #expect(snapshot.nghttp2Blocks == 0)
                    #expect(snapshot.timers == 1, "the one that reports metrics")
                    #expect(snapshot.descriptors == 1, "the listener")
                }
                #expect(quiet != nil)
                #expect(Victims.alive.load(ordering: .relaxed) == 0, "what handlers kept for each exchange")
                descriptors.append(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count)
                memory.append(Int(helio_heap_in_use()))
            }
            #expect(descriptors[1] == descriptors[0] && descriptors[2] == descriptors[0], "\(descriptors)")
            // The pools of exchanges and of nghttp2's blocks fill up to their bounds; leaks are AddressSanitizer's to find.
            #expect(memory[2] - memory[1] < 2 << 20, "\(memory)")
            let all = await live.server.snapshot()
            #expect(all.reduce(0) { $0 + $1.connections.accepted } == 3 * Massacre.count)
            // Who stayed silent was ended by the timeout of what it was in the middle of.
            let tripped = all.map { $0.connections.limitsTripped.merging($0.http.limitsTripped) { $0 + $1 } }
                .reduce(into: Set<LimitName>()) { $0.formUnion($1.keys) }
            let expected: Set<LimitName> = [
                .handshakeTimeout, .prefaceTimeout, .headerTimeout, .bodyTimeout, .sendTimeout, .idleTimeout,
            ]
            #expect(tripped == expected)
            await live.server.stop(within: .zero)
        }
    }
}

/// Opens many connections, brings each into some state and ends it in some way.
private struct Massacre {
    enum State: CaseIterable {
        case helloCut, handshakeDone, prefaceCut, ready, headersCut, uploading, unsent, sleeping, streaming
    }
    enum Death: CaseIterable { case reset, finished, silent }

    static let eachWay = 8
    static var count: Int { State.allCases.count * Death.allCases.count * eachWay }

    private let live: LiveServer
    private let seed: UInt64

    init(_ live: LiveServer, seed: UInt64) {
        self.live = live
        self.seed = seed
    }

    func run() async throws {
        var generator = SeededGenerator(seed: seed)
        var clients: [(client: LiveClient, death: Death)] = []
        for state in State.allCases {
            for death in Death.allCases {
                for _ in 0..<Self.eachWay { clients.append((try bring(to: state, &generator), death)) }
            }
        }
        try await Task.sleep(for: .milliseconds(20))
        clients.shuffle(using: &generator)
        for (client, death) in clients {
            switch death {
            case .reset: client.kill()
            case .finished: client.close()
            case .silent: break
            }
        }
        // The silent ones stay open, and say nothing more; their timeouts end them.
        let quiet = try await live.settled { $0.connections.open == 0 }
        #expect(quiet != nil)
        for (client, _) in clients { client.close() }
    }

    private func bring(to state: State, _ generator: inout SeededGenerator) throws -> LiveClient {
        let client = try live.connect(window: 1 << 24, receiveBuffer: state == .unsent ? 4096 : nil)
        switch state {
        case .helloCut: client.sendRaw(cut(try client.output(), &generator))
        case .handshakeDone, .prefaceCut:
            client.speaksHTTP = false
            try client.run { $0.tls?.isHandshakeComplete == true }
            guard state == .prefaceCut, let tls = client.tls else { break }
            client.sendRaw(try tls.sealed(cut(client.http.output(), &generator)))
        case .ready: try client.handshake()
        case .headersCut:
            try client.handshake()
            client.http.request("GET", "/big", [("x-filler", String(repeating: "f", count: 500))])
            client.speaksHTTP = false
            guard let tls = client.tls else { break }
            client.sendRaw(try tls.sealed(cut(client.http.output(), &generator)))
        case .uploading:
            try client.handshake()
            let stream = client.http.request("POST", "/upload", isOpen: true)
            client.http.send(pattern(5_000), on: stream)
        case .unsent:
            try client.handshake()
            client.http.request("GET", "/big")
        case .sleeping:
            try client.handshake()
            for _ in 0..<3 { client.http.request("GET", "/sleep") }
        case .streaming:
            try client.handshake()
            client.http.request("GET", "/events")
        }
        if state == .helloCut {
            try client.run(reading: false, speaking: false) { _ in false }
        } else {
            try client.flush()
        }
        return client
    }

    private func cut(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        Array(bytes.prefix(Int.random(in: 1..<max(2, bytes.count), using: &generator)))
    }
}

/// Keeps an object for each exchange, and counts those that live.
private final class Victims: Handler {
    static let alive = Atomic(0)
    private let loop: EventLoop
    private let sleeper: AsyncHandler

    init(_ loop: EventLoop) {
        self.loop = loop
        sleeper = AsyncHandler(loop: loop) { exchange in
            let kept = Kept()
            try await loop.sleep(for: .milliseconds(500))
            exchange.respond(.ok)
            withExtendedLifetime(kept) {}
        }
    }

    func request(_ exchange: Exchange) {
        switch exchange.path {
        case "/sleep": exchange.hand(to: sleeper)
        case "/events": exchange.hand(to: Events(loop))
        default: exchange.hand(to: Upload())
        }
    }

    class Kept {
        init() { alive.add(1, ordering: .relaxed) }
        deinit { alive.subtract(1, ordering: .relaxed) }
    }

    /// Takes an upload, or gives 16 MiB.
    private final class Upload: Kept, Handler {
        private let block = pattern(16 * 1024)

        func request(_ exchange: Exchange) {
            guard exchange.pathIs("/big") else { return }
            var left = 1024
            exchange.respond(.ok, contentType: "a/b") { [block] exchange in
                while left > 0 {
                    left -= 1
                    if !exchange.write(block) { break }
                }
                return left > 0
            }
        }

        func end(_ exchange: Exchange) { if !exchange.isResponseStarted { exchange.respond(.ok) } }
    }

    /// Server-sent events, as fast as is polite.
    private final class Events: Kept, Handler {
        private var timer: LoopTimer?
        private let loop: EventLoop

        init(_ loop: EventLoop) { self.loop = loop }

        func request(_ exchange: Exchange) {
            exchange.start(.ok, contentType: "text/event-stream")
            let timer = LoopTimer(on: loop) { [self] in
                if exchange.write("data: " + String(repeating: "e", count: 60_000) + "\n\n") {
                    self.timer?.schedule(after: .milliseconds(5))
                }
            }
            self.timer = timer
            timer.schedule(after: .milliseconds(5))
        }

        func drained(_ exchange: Exchange) { timer?.schedule(after: .milliseconds(5)) }

        func closed(_ exchange: Exchange, _ reason: CloseReason) {
            timer?.cancel()
            timer = nil
        }
    }
}
