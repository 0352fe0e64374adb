import Testing

@testable import Heliograph

@Suite("Headers of the PROXY protocol")
struct ProxyHeaderTests {
    /// What comes of some bytes, given in pieces of `cut`; `taken` counts all of them.
    private func parse(_ bytes: [UInt8], cut: Int = .max, limit: Int = 4096) -> ProxyHeaderParser.Step {
        var parser = ProxyHeaderParser(limit: limit)
        var done = 0
        while done < bytes.count {
            let piece = Array(bytes[done..<done + min(cut, bytes.count - done)])
            let step = unsafe piece.withUnsafeBytes { unsafe parser.take($0) }
            switch step {
            case .incomplete: done += piece.count
            case .header(let header, let taken): return .header(header, taken: done + taken)
            case .failed: return step
            }
        }
        return .incomplete
    }

    private func header(_ bytes: [UInt8]) throws -> ProxyHeader {
        guard case .header(let header, let taken) = parse(bytes) else {
            Issue.record("\(parse(bytes))")
            throw ProxyHeaderError.missing
        }
        #expect(taken == bytes.count)
        return header
    }

    // MARK: Version 1

    @Test(
        "A line says both addresses",
        arguments: [
            ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443", "192.0.2.1:56324", "198.51.100.2:443"),
            ("PROXY TCP4 255.255.255.255 0.0.0.0 65535 9", "255.255.255.255:65535", "0.0.0.0:9"),
            ("PROXY TCP6 2001:db8::1 ::1 1 0", "[2001:db8::1]:1", "[::1]:0"),
        ])
    func line(text: String, source: String, destination: String) throws {
        let header = try header(ProxyBytes.line(text))
        #expect(header.version == 1 && !header.isLocal)
        #expect(header.source?.description == source && header.destination?.description == destination)
    }

    @Test(
        "A line of an unknown family says no address",
        arguments: ["PROXY UNKNOWN", "PROXY UNKNOWN ffff::1 what ever"])
    func unknown(text: String) throws {
        let header = try header(ProxyBytes.line(text))
        #expect(header.source == nil && header.destination == nil && header.version == 1)
    }

    @Test(
        "A line that is not as it has to be is refused",
        arguments: [
            "PROXY TCP4 192.0.2.1 198.51.100.2 56324", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1",
            "PROXY TCP4  192.0.2.1 198.51.100.2 56324 443", "PROXY TCP5 192.0.2.1 198.51.100.2 56324 443",
            "PROXY TCP4 192.0.2 198.51.100.2 56324 443", "PROXY TCP4 192.0.2.01 198.51.100.2 56324 443",
            "PROXY TCP4 ::1 ::1 56324 443", "PROXY TCP6 192.0.2.1 198.51.100.2 56324 443",
            "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443", "PROXY TCP4 192.0.2.1 198.51.100.2 056 443",
            "PROXY TCP4 192.0.2.1 198.51.100.2 +56 443", "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443",
            "PROXY TCP4 192.0.2.1 198.51.100.2  443", "PROXY tcp4 192.0.2.1 198.51.100.2 56324 443", "PROXY ",
            "PROXY TCP6 ::1%lo ::1 1 1",
        ])
    func malformedLine(text: String) {
        guard case .failed(.malformed) = parse(ProxyBytes.line(text)) else {
            Issue.record("\(parse(ProxyBytes.line(text)))")
            return
        }
    }

    @Test("A line ends with CRLF, within 107 bytes")
    func lineEnd() {
        guard case .failed(.malformed) = parse(Array("PROXY UNKNOWN\n".utf8)) else { return _ = Issue.record() }
        let longest = Array("PROXY UNKNOWN ".utf8) + Array(repeating: UInt8(ascii: "x"), count: 91)
        guard case .header(_, 107) = parse(longest + [13, 10]) else { return _ = Issue.record() }
        #expect(parse(longest + [UInt8(ascii: "x"), 13, 10]) == .failed(.tooLong))
        #expect(parse(longest + [UInt8](repeating: 0, count: 5000)) == .failed(.tooLong))
    }

    // MARK: Version 2

    @Test("A binary header says both addresses, of either family")
    func binary() throws {
        let four = try header(ProxyBytes.binary())
        #expect(four.version == 2 && !four.isLocal && four.tls == nil)
        #expect(four.source?.description == "192.0.2.1:56324" && four.destination?.description == "198.51.100.2:443")
        let six = try header(ProxyBytes.binary(family: 0x21, addresses: ProxyBytes.ipv6))
        #expect(six.source?.description == "[2001:db8::1]:56324" && six.destination?.description == "[2001:db8::2]:443")
    }

    @Test("A Unix socket has a path, an abstract name, or none")
    func unix() throws {
        func padded(_ text: [UInt8]) -> [UInt8] { text + [UInt8](repeating: 0, count: 108 - text.count) }
        let path = padded(Array("/run/a".utf8))
        let header = try header(
            ProxyBytes.binary(family: 0x31, addresses: path + padded([0] + Array("b".utf8))))
        #expect(header.source?.description == "unix:/run/a" && header.destination?.description == "unix:@b")
        let nameless = try self.header(ProxyBytes.binary(family: 0x31, addresses: padded([]) + padded([])))
        #expect(nameless.source == nil)
        // 108 bytes without an end: longer than an address of this side can be.
        let full = [UInt8](repeating: UInt8(ascii: "/"), count: 108)
        #expect(try self.header(ProxyBytes.binary(family: 0x31, addresses: full + full)).source == nil)
    }

    @Test("A proxy that speaks for itself, or of what is not known, says no address")
    func local() throws {
        let local = try header(ProxyBytes.binary(command: 0x20, family: 0, addresses: []))
        #expect(local.isLocal && local.source == nil)
        // What follows a LOCAL is skipped, whatever it is.
        #expect(try header(ProxyBytes.binary(command: 0x20, family: 0x11, addresses: [1, 2, 3])).isLocal)
        let unspecified = try header(ProxyBytes.binary(family: 0, addresses: []))
        #expect(!unspecified.isLocal && unspecified.source == nil)
        #expect(try header(ProxyBytes.binary(family: 0x12)).source == nil)
    }

    @Test("Fields say what was negotiated with the client")
    func fields() throws {
        let header = try header(
            ProxyBytes.binary(fields: [
                (0x01, Array("h2".utf8)), (0x02, Array("example.org".utf8)), (0x04, [0, 0, 0]), (0x05, [1, 2, 3]),
                (0xea, [9]), (0x30, Array("ns".utf8)), (0x20, ProxyBytes.tls(verified: true)),
            ]))
        #expect(header.applicationProtocol == "h2" && header.authority == "example.org")
        #expect(header.uniqueID == [1, 2, 3])
        let tls = try #require(header.tls)
        #expect(tls.isUsed && tls.hasClientCertificate && tls.isClientVerified)
        #expect(tls.version == "TLSv1.3" && tls.cipher == "TLS_AES_128_GCM_SHA256" && tls.commonName == "alice")
    }

    @Test("A certificate that was not verified, or that is not there, is not taken for one that was")
    func verification() throws {
        let failed = try header(ProxyBytes.binary(fields: [(0x20, ProxyBytes.tls(verified: false))]))
        #expect(failed.tls?.hasClientCertificate == true && failed.tls?.isClientVerified == false)
        let none = try header(ProxyBytes.binary(fields: [(0x20, ProxyBytes.tls(verified: true, flags: 0x01))]))
        #expect(none.tls?.isUsed == true && none.tls?.isClientVerified == false)
    }

    @Test("The checksum is looked at")
    func checksum() throws {
        // The check value of CRC-32C: of "123456789" it is E3069283.
        let check = ProxyFields(Array("123456789".utf8), from: 0).checksum(without: 0..<0)
        #expect(check == 0xe306_9283)
        var bytes = ProxyBytes.binary(fields: [(0x02, Array("a".utf8)), (0x03, [0, 0, 0, 0])])
        let place = bytes.count - 4..<bytes.count
        let sum = ProxyFields(bytes, from: 0).checksum(without: place)
        for (index, offset) in place.enumerated() { bytes[offset] = UInt8(sum >> UInt32(24 - 8 * index) & 255) }
        #expect(try header(bytes).authority == "a")
        bytes[20] ^= 1
        #expect(parse(bytes) == .failed(.checksum))
    }

    @Test(
        "A binary header that is not as it has to be is refused",
        arguments: [
            ProxyBytes.binary(command: 0x11), ProxyBytes.binary(command: 0x22), ProxyBytes.binary(command: 0x2f),
            ProxyBytes.binary(family: 0x41), ProxyBytes.binary(family: 0x13),
            ProxyBytes.binary(addresses: Array(ProxyBytes.ipv4.dropLast())),
            ProxyBytes.binary(family: 0x21), ProxyBytes.binary(family: 0x31),
            ProxyBytes.binary(addresses: ProxyBytes.ipv4 + [0x02]),
            ProxyBytes.binary(addresses: ProxyBytes.ipv4 + [0x02, 0]),
            ProxyBytes.binary(addresses: ProxyBytes.ipv4 + [0x02, 0, 1]),
            ProxyBytes.binary(addresses: ProxyBytes.ipv4 + [0x02, 0xff, 0xff, 1]),
            ProxyBytes.binary(fields: [(0x03, [1, 2, 3])]), ProxyBytes.binary(fields: [(0x20, [1, 0, 0, 0])]),
            ProxyBytes.binary(fields: [(0x20, [1, 0, 0, 0, 0, 0x21, 0, 9])]),
            ProxyBytes.binary(fields: [(0x05, [UInt8](repeating: 1, count: 129))]),
        ])
    func malformedBinary(bytes: [UInt8]) {
        guard case .failed(.malformed) = parse(bytes) else { return _ = Issue.record("\(parse(bytes))") }
    }

    @Test("A binary header is bounded, and refused when its length is known")
    func bound() {
        let fits = ProxyBytes.binary(fields: [(0x04, [UInt8](repeating: 0, count: 85))])
        guard case .header = parse(fits, limit: 100) else { return _ = Issue.record() }
        let over = ProxyBytes.binary(fields: [(0x04, [UInt8](repeating: 0, count: 86))])
        #expect(parse(over, limit: 100) == .failed(.tooLong))
        #expect(parse(Array(over[..<16]), limit: 100) == .failed(.tooLong))
    }

    // MARK: Both

    private static let examples: [[UInt8]] = [
        ProxyBytes.line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"), ProxyBytes.line("PROXY UNKNOWN"),
        ProxyBytes.binary(), ProxyBytes.binary(command: 0x20, family: 0, addresses: []),
        ProxyBytes.binary(
            family: 0x21, addresses: ProxyBytes.ipv6, fields: [(0x20, ProxyBytes.tls(verified: true)), (0x02, [65])]),
    ]

    @Test("A header is the same in any cut, and what follows is left", arguments: examples)
    func cuts(bytes: [UInt8]) throws {
        let whole = parse(bytes)
        for cut in 1...bytes.count { #expect(parse(bytes + [0x16, 0x0a, 0x50], cut: cut) == whole) }
        for end in 0..<bytes.count { #expect(parse(Array(bytes[..<end])) == .incomplete) }
    }

    @Test(
        "What begins as no header does is refused at once",
        arguments: ["G", "\u{16}", "PROXZ", "PRI * HTTP/2.0", "\r\n\r\nGET", "\n", "proxy ", "\r\n\r\n\0\r\nQUIT\r"])
    func missing(text: String) {
        let bytes = Array(text.utf8)
        #expect(parse(bytes) == .failed(.missing))
        #expect(parse(bytes, cut: 1) == .failed(.missing))
    }

    @Test("Damage of any kind is an error, or another header", arguments: 0..<20)
    func damage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bytes = Self.examples[Int.random(in: 0..<Self.examples.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let whole = parse(bytes)
            #expect(parse(bytes, cut: 1) == whole)
        }
    }
}
