internal import CLinux

/// A descriptor of a socket, closed once by its owner. All sockets are nonblocking and close on exec.
public struct Socket: ~Copyable, Sendable {
    /// The descriptor. It stays the socket's.
    public let descriptor: Int32

    /// Takes over a descriptor.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    init(family: Int32) throws(Errno) {
        descriptor = try checked("socket") { helio_stream_socket(family) }
    }

    deinit { close(descriptor) }

    /// What a read or a write has come to.
    public enum Transfer: Equatable, Sendable {
        /// So many bytes, at least one.
        case bytes(Int)
        /// The socket has none, or takes none, now (EAGAIN).
        case wouldBlock
        /// The peer has closed its side.
        case end
        case failed(Errno)
    }

    /// recv(2) once.
    @inline(__always)
    public borrowing func receive(into region: UnsafeMutableRawBufferPointer) -> Transfer {
        while true {
            let count = unsafe recv(descriptor, region.baseAddress, region.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            if let outcome = Self.outcome("recv") { return outcome }
        }
    }

    /// send(2) once, without SIGPIPE.
    @inline(__always)
    public borrowing func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = unsafe CLinux.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if let outcome = Self.outcome("send") { return outcome }
        }
    }

    /// Says that nothing more is sent; what was sent is delivered (shutdown(2)).
    public borrowing func shutdownOutput() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Has the peer told by RST, when the socket is closed, that the connection breaks off; what is unsent is dropped (SO_LINGER
    /// without a time, socket(7)).
    public borrowing func breakOffOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    private static func outcome(_ call: String) -> Transfer? {
        let code = helio_errno()
        if code == EINTR { return nil }
        return code == EAGAIN || code == EWOULDBLOCK ? .wouldBlock : .failed(Errno(code, in: call))
    }
}

// MARK: - Options

extension Socket {
    borrowing func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(Errno) {
        var value = value
        _ = try checked("setsockopt") {
            unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    borrowing func option(_ level: Int32, _ name: Int32) throws(Errno) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try checked("getsockopt") { unsafe getsockopt(descriptor, level, name, &value, &length) }
        return value
    }

    /// What is waiting to be reported (SO_ERROR); nil when nothing is.
    borrowing func pendingError(_ call: String) -> Errno? {
        guard let code = try? option(SOL_SOCKET, SO_ERROR) else { return Errno(EBADF, in: call) }
        return code == 0 ? nil : Errno(code, in: call)
    }

    /// For TCP: no delay for small writes, and no more than `unsent` bytes accepted ahead of the network, so that what is
    /// urgent is not queued in the kernel behind what is not. Accepted sockets inherit both from their listener.
    borrowing func setTCPOptions(unsent: Int32) throws(Errno) {
        try setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        try setOption(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, unsent)
    }

    /// Binds a socket that is to be connected. Its port, where it is left to the kernel, is chosen when it connects: else the
    /// ports of an address would be used up by its first 28,000 connections, whoever they are to (ip(7)).
    borrowing func bind(from local: SocketAddress) throws(Errno) {
        if local.port == 0 { try setOption(Int32(IPPROTO_IP), Int32(IP_BIND_ADDRESS_NO_PORT), 1) }
        let descriptor = descriptor
        _ = try checked("bind") { unsafe local.withSockaddr { unsafe helio_bind(descriptor, $0, $1) } }
    }

    /// Where the socket is bound (getsockname(2)).
    public borrowing func localAddress() throws(Errno) -> SocketAddress {
        let descriptor = descriptor
        return try unsafe SocketAddress.read("getsockname") { unsafe helio_getsockname(descriptor, $0, $1) }
    }

    /// Where the peer is (getpeername(2)).
    public borrowing func peerAddress() throws(Errno) -> SocketAddress {
        let descriptor = descriptor
        return try unsafe SocketAddress.read("getpeername") { unsafe helio_getpeername(descriptor, $0, $1) }
    }
}
