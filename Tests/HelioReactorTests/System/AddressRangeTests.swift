import Testing

@testable import HelioReactor

@Suite("Networks of addresses")
struct AddressRangeTests {
    @Test(
        "A network holds the addresses that begin as it does",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false), ("192.0.2.128/25", "192.0.2.129", true),
            ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true), ("2001:db8::/33", "2001:db8:7fff::", true),
            ("2001:db8::/33", "2001:db8:8000::", false), ("::1", "::1", true), ("::1", "::2", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("::/0", "::ffff:127.0.0.1", false),
        ])
    func contains(range: String, host: String, isIn: Bool) throws {
        let address = try #require(SocketAddress(host: host, port: 80))
        #expect(try #require(AddressRange(range)).contains(address) == isIn)
    }

    @Test("Unix sockets are a range of their own")
    func unix() throws {
        let path = try #require(SocketAddress(unixPath: "/run/x"))
        #expect(AddressRange.unix.contains(path))
        #expect(AddressRange("unix:") == .unix)
        #expect(try !#require(AddressRange("0.0.0.0/0")).contains(path))
        #expect(try !AddressRange.unix.contains(#require(SocketAddress(host: "127.0.0.1", port: 1))))
    }

    @Test(
        "What is no network is refused",
        arguments: [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.1/8", "::/129",
            "localhost", "10.0.0", "0x7f.1", "1.2.3.4.5", "::1%lo", "2001:db8::1/64", "10.0.0.0/0008", "10.0.0.0 /8",
        ])
    func mistakes(text: String) { #expect(AddressRange(text) == nil) }

    @Test("A network is written as it is read", arguments: ["10.0.0.0/8", "2001:db8::/32", "::1/128", "unix:"])
    func description(text: String) { #expect(AddressRange(text)?.description == text) }

    @Test("An address is made of its bytes, and gives them back")
    func octets() throws {
        let four = try #require(SocketAddress(octets: [192, 0, 2, 7], port: 8080))
        #expect(four.description == "192.0.2.7:8080" && four.octets == [192, 0, 2, 7])
        #expect(four == SocketAddress(host: "192.0.2.7", port: 8080))
        let bytes: [UInt8] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
        let sixteen = try #require(SocketAddress(octets: bytes, port: 443))
        #expect(sixteen.description == "[2001:db8::1]:443" && sixteen.octets == bytes)
        #expect(sixteen == SocketAddress(host: "2001:db8::1", port: 443))
        #expect(SocketAddress(octets: [1, 2, 3], port: 1) == nil)
    }
}
