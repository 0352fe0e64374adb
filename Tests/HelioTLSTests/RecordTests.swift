import COpenSSL
import Testing

@testable import HelioTLS

@Suite("Records")
struct RecordTests {
    @Test("A handshake and what follows may come one byte at a time", arguments: [TLSVersion.tls12, .tls13])
    func byteByByte(version: TLSVersion) throws {
        let pair = try TLSPair(client: { $0.versions = version...version })
        try pair.client.start()
        while pair.client.pendingOutput + pair.server.pendingOutput > 0 {
            for byte in pair.client.takeAllOutput() { pair.toServer([byte]) }
            for byte in pair.server.takeAllOutput() { pair.toClient([byte]) }
        }
        try #require(pair.isEstablished)
        for byte in try pair.client.sealed(bytes("one byte at a time")) { pair.toServer([byte]) }
        #expect(pair.serverReceived == bytes("one byte at a time"))
        #expect(pair.serverError == nil && pair.clientError == nil)
    }

    @Test("A record cut at any position gives the same plaintext")
    func everyCut() throws {
        let pair = try TLSPair().connect()
        let plaintext = bytes("cut me")
        let length = plaintext.count + 22
        for cut in 0...length {
            let record = try pair.client.sealed(plaintext)
            try #require(record.count == length)
            pair.serverReceived = []
            pair.toServer(Array(record[..<cut]))
            #expect(pair.serverReceived.isEmpty == (cut < length))
            pair.toServer(Array(record[cut...]))
            #expect(pair.serverReceived == plaintext, "cut at \(cut)")
        }
    }

    @Test("Records in random cuts give the same plaintext", arguments: 1...20)
    func randomCuts(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let pair = try TLSPair().connect()
        let plaintext = pattern(100_000)
        var ciphertext: [UInt8] = []
        var sent = 0
        while sent < plaintext.count {
            let count = min(Int.random(in: 1...30_000, using: &random), plaintext.count - sent)
            ciphertext += try pair.client.sealed(Array(plaintext[sent..<sent + count]))
            sent += count
        }
        var start = 0
        while start < ciphertext.count {
            let count = min(Int.random(in: 1...20_000, using: &random), ciphertext.count - start)
            pair.toServer(Array(ciphertext[start..<start + count]))
            start += count
        }
        #expect(pair.serverReceived == plaintext)
        #expect(pair.serverError == nil)
    }

    @Test("Many small records in one receive are one delivery")
    func coalesced() throws {
        let pair = try TLSPair().connect()
        var ciphertext: [UInt8] = []
        for index in 0..<200 { ciphertext += try pair.client.sealed([UInt8(index)]) }
        pair.toServer(ciphertext)
        #expect(pair.serverReceived == (0..<200).map { UInt8($0) })
        #expect(pair.serverDeliveries == 1)
    }

    @Test("Plaintext beyond the scratch buffer comes in deliveries that fit it")
    func largeReceive() throws {
        let pair = try TLSPair().connect()
        let plaintext = pattern(300_000)
        var largest = 0
        var received: [UInt8] = []
        try pair.server.take(try pair.client.sealed(plaintext)) {
            largest = max(largest, $0.count)
            received += $0
        }
        #expect(received == plaintext)
        #expect(largest <= TLSRecordIO.scratchSize)
    }

    @Test("Plaintext is sealed in as few records as fit, within the bound", arguments: [TLSVersion.tls12, .tls13])
    func sealedSize(version: TLSVersion) throws {
        let pair = try TLSPair(client: { $0.versions = version...version }).connect()
        let overhead = version == .tls12 ? 29 : 22
        for (count, records) in [(1, 1), (16_384, 1), (16_385, 2), (262_144, 16), (262_145, 17)] {
            let sealed = try pair.server.sealed(pattern(count))
            #expect(sealed.count == count + records * overhead)
            #expect(sealed.count <= pair.server.sealedSize(count))
            pair.toClient(sealed)
        }
        #expect(pair.clientReceived.count == 1 + 16_384 + 16_385 + 262_144 + 262_145)
    }

    @Test("Pending output goes out ahead of what is sealed, and part by part")
    func pendingFirst() throws {
        let pair = try TLSPair()
        try pair.client.start()
        pair.toServer(pair.client.takeAllOutput())
        pair.toClient(pair.server.takeAllOutput())
        // The client's Finished waits; its first request follows in the same buffer.
        #expect(pair.client.isHandshakeComplete)
        #expect(pair.client.pendingOutput > 0)
        pair.toServer(try pair.client.sealed(bytes("with the handshake")))
        #expect(pair.client.pendingOutput == 0)
        #expect(pair.serverReceived == bytes("with the handshake"))

        let ticket = pair.server.pendingOutput
        try #require(ticket > 20)
        var taken: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 7)
        while pair.server.pendingOutput > 0 {
            let count = unsafe part.withUnsafeMutableBytes { unsafe pair.server.takeOutput(into: $0) }
            taken += part[..<count]
        }
        #expect(taken.count == ticket)
        pair.toClient(taken)
        #expect(pair.client.session != nil)
    }

    @Test("A changed byte fails the connection with an alert, after what came before it")
    func tampered() throws {
        let pair = try TLSPair().connect()
        var ciphertext = try pair.client.sealed(bytes("good"))
        let good = ciphertext.count
        ciphertext += try pair.client.sealed(bytes("bad"))
        ciphertext[good + 7] ^= 1
        pair.toServer(ciphertext)
        #expect(pair.serverReceived == bytes("good"))
        #expect(pair.serverError == .peer(.violation("decryption failed or bad record mac")))
        pair.pump()
        #expect(pair.clientError == .peer(.alert("bad record mac")))
        #expect(throws: TLSError.closed) { try pair.server.sealed(bytes("more")) }
    }

    @Test("Whoever takes plaintext may seal, close and free")
    func reentrance() throws {
        let pair = try TLSPair().connect()
        var ciphertext = try pair.client.sealed(pattern(200_000))
        var deliveries = 0
        try pair.server.take(ciphertext) { received in
            deliveries += 1
            if let answer = try? pair.server.sealed(Array(received.prefix(3))) { pair.toClientLater += answer }
        }
        #expect(deliveries > 1)
        pair.toClient(pair.toClientLater)
        #expect(pair.clientReceived.count == 3 * deliveries)

        ciphertext = try pair.client.sealed(pattern(200_000))
        deliveries = 0
        try pair.server.take(ciphertext) { _ in
            deliveries += 1
            pair.server.close()
            pair.server.free()
        }
        #expect(deliveries == 1)
        #expect(pair.server.pendingOutput == 0)
        #expect(throws: TLSError.closed) { try pair.server.sealed([1]) }
    }

    @Test("Engines that share one TLSRecordIO do not disturb each other, whatever one of them meets")
    func interleaved() throws {
        var random = SeededGenerator(state: 7)
        let identity = try Identity.localhost.get()
        let server = try TLSContext(server: TLSConfiguration(certificates: [identity.certificate]), now: testTime)
        let client = try TLSContext(
            client: TLSClientConfiguration(trust: .authorities(identity.chain)), now: testTime)
        let io = TLSRecordIO()
        let pairs = (0..<40).map { _ in TLSPair(client: client, server: server, io: io) }
        for pair in pairs { try pair.client.start() }
        // Handshakes in turns, a few bytes each.
        while let pair = pairs.filter({ $0.client.pendingOutput + $0.server.pendingOutput > 0 })
            .randomElement(using: &random)
        {
            pair.toServer(pair.client.takeAllOutput())
            pair.toClient(pair.server.takeAllOutput())
        }
        var expected = [[UInt8]](repeating: [], count: pairs.count)
        var queued = [[UInt8]](repeating: [], count: pairs.count)
        for round in 0..<2_000 {
            let index = Int.random(in: 0..<pairs.count, using: &random)
            if round == 1_000 { pairs[0].toServer(queued[0] + pattern(50)) }
            if index == 0, round >= 1_000 { continue }
            let plaintext = pattern(Int.random(in: 1...3_000, using: &random))
            expected[index] += plaintext
            queued[index] += try pairs[index].client.sealed(plaintext)
            let cut = Int.random(in: 0...queued[index].count, using: &random)
            pairs[index].toServer(Array(queued[index][..<cut]))
            queued[index].removeFirst(cut)
        }
        #expect(pairs[0].serverError != nil)
        for index in 1..<pairs.count {
            pairs[index].toServer(queued[index])
            #expect(pairs[index].serverError == nil)
            #expect(pairs[index].serverReceived == expected[index])
        }
    }
}
