internal import CLinux
internal import Testing

@testable internal import HelioReactor

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", 80, "127.0.0.1:80"), ("0.0.0.0", 0, "0.0.0.0:0"), ("::1", 443, "[::1]:443"),
        ("2001:db8:0:0:0:0:0:1", 65_535, "[2001:db8::1]:65535"), ("::ffff:10.1.2.3", 1, "[::ffff:10.1.2.3]:1"),
    ])
    func readsAndPrintsAddresses(host: String, port: UInt16, printed: String) throws {
        let address = try #require(SocketAddress(host: host, port: port))
        #expect(address.description == printed)
        #expect(address.port == port)
        #expect(address.isIPv6 == host.contains(":"))
        #expect(!address.isUnix)
        #expect(SocketAddress(host: address.host, port: port) == address)
    }

    @Test(arguments: [
        "", "localhost", "example.org", "1.2.3.4.5", "256.0.0.1", "::1::", "[::1]", "127.0.0.1\0.example",
    ])
    func refusesWhatIsNoNumericAddress(host: String) { #expect(SocketAddress(host: host, port: 1) == nil) }

    @Test func changesThePortAlone() throws {
        let address = try #require(SocketAddress(host: "::1", port: 1)).with(port: 0xabcd)
        #expect(address.description == "[::1]:43981")
        let unix = try #require(SocketAddress(unixPath: "/run/it.sock"))
        #expect(unix.with(port: 5) == unix)
    }

    @Test func readsUnixPathsAndAbstractNames() throws {
        let path = try #require(SocketAddress(unixPath: "/run/it.sock"))
        #expect(path.description == "unix:/run/it.sock" && path.isUnix && path.port == nil)
        #expect(path.fileSystemPath == "/run/it.sock")
        let name = try #require(SocketAddress(unixPath: "@it"))
        #expect(name.description == "unix:@it" && name.fileSystemPath == nil)
    }

    @Test func refusesPathsThatTheKernelCannotHold() {
        #expect(SocketAddress(unixPath: "") == nil)
        #expect(SocketAddress(unixPath: "@") == nil)
        #expect(SocketAddress(unixPath: "/a\0b") == nil)
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 107)) != nil)
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 108)) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("128.0.0.1", false), ("::1", true), ("::", false), ("::2", false),
        ("::ffff:127.0.0.1", true), ("::ffff:10.0.0.1", false), ("1::1", false),
    ])
    func knowsTheLoopback(host: String, isLoopback: Bool) throws {
        #expect(try #require(SocketAddress(host: host, port: 1)).isLoopback == isLoopback)
    }

    @Test func errorsNameTheCallAndTheReason() {
        #expect(Errno(EADDRINUSE, in: "bind").description == "bind: Address already in use")
        #expect(Errno(EACCES, in: "open").reason == "Permission denied")
        #expect(Errno(ETIMEDOUT, in: "connect").isTimeout)
        #expect([EMFILE, ENFILE, ENOBUFS, ENOMEM].allSatisfy { Errno($0, in: "accept4").isOutOfDescriptors })
    }
}
