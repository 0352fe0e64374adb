internal import CLinux

/// A socket that listens: bound by us, or handed over by whoever started the process.
public final class ListeningSocket: Sendable {
    let socket: Socket
    /// Where it listens; with the port that the kernel chose when 0 was asked for.
    public let address: SocketAddress
    /// The descriptor stands in the loops of several threads, one of which is woken for a connection.
    let isShared: Bool
    private let file: SocketFile?

    private init(_ socket: consuming Socket, isShared: Bool, file: SocketFile? = nil) throws(Errno) {
        address = try socket.localAddress()
        self.socket = socket
        self.isShared = isShared
        self.file = file
    }

    deinit { file?.unlink() }

    /// Binds an address and listens: for TCP one socket for each loop, among which the kernel spreads the connections; for
    /// a Unix address one that the loops share.
    ///
    /// The first binds without SO_REUSEPORT, so that an address in use is an error, also when it is another process of the
    /// same user that uses it; then it lets the others in.
    ///
    /// - Parameters:
    ///   - count: the number of loops.
    ///   - backlog: connections that wait to be accepted; the kernel's `somaxconn` bounds it.
    ///   - unsent: for TCP, what the kernel accepts ahead of the network, in bytes (TCP_NOTSENT_LOWAT).
    ///   - dualStack: an IPv6 address takes IPv4 too, where it is the unspecified one.
    /// - Throws: `Errno` of the call that failed, such as EADDRINUSE or EACCES.
    public static func bind(
        _ address: SocketAddress, count: Int, backlog: Int32 = 4096, unsent: Int32 = 128 * 1024, dualStack: Bool = true
    ) throws(Errno) -> [ListeningSocket] {
        guard !address.isUnix else { return [try bindUnix(address, backlog: backlog, isShared: count > 1)] }
        let first = try bound(address, dualStack: dualStack, reusePort: false)
        try first.setTCPOptions(unsent: unsent)
        try first.listen(backlog)
        // Only now that it listens: two that are bound alone can share a port by SO_REUSEADDR, and fail in listen(2).
        try first.setOption(SOL_SOCKET, SO_REUSEPORT, 1)
        let actual = try first.localAddress()
        var sockets = [try ListeningSocket(first, isShared: false)]
        for _ in 1..<max(count, 1) {
            let next = try bound(actual, dualStack: dualStack, reusePort: true)
            try next.setTCPOptions(unsent: unsent)
            try next.listen(backlog)
            sockets.append(try ListeningSocket(next, isShared: false))
        }
        return sockets
    }

    /// Takes over a descriptor that listens already, as systemd and others hand one over; the loops share it.
    ///
    /// - Parameter unsent: for TCP, as in ``bind(_:count:backlog:unsent:dualStack:)``.
    /// - Throws: `Errno`, and the descriptor stays the caller's: EINVAL when it does not listen, ENOTSOCK when it is no
    ///   socket, EBADF when it is closed.
    public static func adopt(_ descriptor: Int32, unsent: Int32 = 128 * 1024) throws(Errno) -> ListeningSocket {
        let flags = try checked("fcntl") { helio_get_flags(descriptor) }
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        _ = try checked("getsockopt") {
            unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length)
        }
        guard isListening != 0 else { throw Errno(EINVAL, in: "adopt") }
        _ = try checked("fcntl") { helio_set_flags(descriptor, flags | O_NONBLOCK) }
        _ = try checked("fcntl") { helio_set_close_on_exec(descriptor) }
        let adopted = try ListeningSocket(Socket(descriptor: descriptor), isShared: true)
        if adopted.address.port != nil { try adopted.socket.setTCPOptions(unsent: unsent) }
        return adopted
    }

    /// The descriptors that systemd hands over (sd_listen_fds(3): LISTEN_PID and LISTEN_FDS); empty when it hands none.
    public static var handedOver: [Int32] {
        guard let process = unsafe getenv("LISTEN_PID"), let count = unsafe getenv("LISTEN_FDS"),
            unsafe Int32(String(cString: process)) == getpid(), let count = unsafe Int32(String(cString: count)),
            (1...1024).contains(count)
        else { return [] }
        return Array(3..<3 + count)
    }

    private static func bound(
        _ address: SocketAddress, dualStack: Bool, reusePort: Bool
    ) throws(Errno) -> Socket {
        let socket = try Socket(family: address.family)
        try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        if reusePort { try socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.isIPv6 { try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, dualStack ? 0 : 1) }
        try socket.bind(address)
        return socket
    }

    private static func bindUnix(
        _ address: SocketAddress, backlog: Int32, isShared: Bool
    ) throws(Errno) -> ListeningSocket {
        let socket = try Socket(family: AF_UNIX)
        do {
            try socket.bind(address)
        } catch {
            // A path stays behind when a process dies. Someone who still listens on it would take the connection; a file
            // that is no socket is not ours to remove, and refuses connections too.
            guard error.isAddressInUse, let file = SocketFile(address), isAbandoned(address) else { throw error }
            file.unlink()
            try socket.bind(address)
        }
        let file = SocketFile(address)
        do {
            try socket.listen(backlog)
            return try ListeningSocket(socket, isShared: isShared, file: file)
        } catch {
            file?.unlink()
            throw error
        }
    }

    private static func isAbandoned(_ address: SocketAddress) -> Bool {
        guard let probe = try? Socket(family: AF_UNIX) else { return false }
        let status = unsafe address.withSockaddr { unsafe helio_connect(probe.descriptor, $0, $1) }
        return status < 0 && helio_errno() == ECONNREFUSED
    }
}

/// A Unix socket in the file system. Only the very one is removed, not what another process has put in its place.
private struct SocketFile {
    private let path: String
    private let device: UInt64
    private let inode: UInt64

    /// nil when the path is not that of a socket, or the address has none.
    init?(_ address: SocketAddress) {
        guard let path = address.fileSystemPath else { return nil }
        var device: UInt64 = 0
        var inode: UInt64 = 0
        guard unsafe helio_socket_file(path, &device, &inode) == 0 else { return nil }
        self.path = path
        self.device = device
        self.inode = inode
    }

    func unlink() {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        guard unsafe helio_socket_file(path, &device, &inode) == 0, device == self.device, inode == self.inode else {
            return
        }
        _ = unsafe CLinux.unlink(path)
    }
}

extension Socket {
    fileprivate borrowing func bind(_ address: SocketAddress) throws(Errno) {
        let descriptor = descriptor
        _ = try checked("bind") { unsafe address.withSockaddr { unsafe helio_bind(descriptor, $0, $1) } }
    }

    fileprivate borrowing func listen(_ backlog: Int32) throws(Errno) {
        let descriptor = descriptor
        _ = try checked("listen") { CLinux.listen(descriptor, backlog) }
    }
}
