import FuzzSupport

@testable import HelioTLS

/// A client whose bytes are changed on their way to the server. Whatever is done to them, the server gets what the client has
/// said, up to a point, and nothing else.
struct Conversation {
    private let server: Server
    private let client: TLSEngine
    private var said: [UInt8] = []
    private var heard: [UInt8] = []
    /// What the server has said.
    private var answered: [UInt8] = []
    private var isIntact = true

    init(_ contexts: TLSTarget.Contexts) {
        server = Server(contexts.server)
        client = TLSEngine(client: contexts.client, io: TLSRecordIO(), serverName: "localhost")
    }

    mutating func run(_ choices: inout Choices) {
        let seed = choices.byte()
        var cuts = Cuts(seed)
        try? client.start()
        var later: [UInt8] = []
        for _ in 0..<40 where !choices.isAtEnd {
            let operation = choices.number(below: 10)
            var bytes = later + client.output()
            later = []
            switch operation {
            case 0: if client.isHandshakeComplete { bytes += say(&choices) }
            case 1: if choices.byte() == 5 { client.close(); bytes += client.output() }
            case 2: damage(&bytes, &choices)
            case 3: isIntact = false; bytes += choices.counted()
            case 4: server.advance(UInt64(choices.byte()) * 100)
            case 6: swap(&later, &bytes)
            case 7: if choices.byte() == 6 { server.engine.close() }
            case 8: if choices.byte() == 7 { server.engine.free() }
            default: break
            }
            for piece in cuts.pieces(of: bytes) { server.receive(piece) }
            answer(choices.byte() & 1 != 0)
            check(said.starts(with: server.plaintext), "the server heard what the client has not said")
        }
        if isIntact { check(!server.hasFailed, "it fails with nothing changed") }
    }

    private mutating func say(_ choices: inout Choices) -> [UInt8] {
        let size = choices.byte()
        let bytes = [UInt8](repeating: choices.byte(), count: size == 9 ? 40_000 : Int(size))
        guard let sealed = client.sealed(bytes) else { return [] }
        said += bytes
        return sealed
    }

    private mutating func damage(_ bytes: inout [UInt8], _ choices: inout Choices) {
        guard !bytes.isEmpty else { return }
        isIntact = false
        let place = (Int(choices.byte()) << 8 | Int(choices.byte())) % bytes.count
        switch choices.number(below: 5) {
        case 0: bytes[place] = choices.byte()
        case 1: bytes[place] ^= 1 << (choices.byte() & 7)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int(choices.byte())))
        case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 200)], at: place)
        default: bytes.insert(contentsOf: choices.counted(), at: place)
        }
    }

    /// Carries the server's bytes back, and some plaintext with them.
    private mutating func answer(_ withPlaintext: Bool) {
        var bytes: [UInt8] = []
        if withPlaintext, server.engine.isHandshakeComplete, let sealed = server.engine.sealed([1, 2, 3]) {
            answered += [1, 2, 3]
            bytes = sealed
        }
        bytes += server.engine.output()
        guard !bytes.isEmpty else { return }
        withExactCopy(of: bytes) { bytes in
            try? client.receive(bytes, now: server.now) { heard += $0 }
        }
        check(answered.starts(with: heard), "the client heard what the server has not said")
    }
}
