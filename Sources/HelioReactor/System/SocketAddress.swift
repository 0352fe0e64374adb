internal import CLinux

/// Where a socket is bound or connected: an IPv4, IPv6 or Unix address.
@safe public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of a `sockaddr`, as long as it needs.
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// An address and a port.
    ///
    /// - Parameter host: a numeric IPv4 or IPv6 address (an IPv6 scope as `%eth0`); not a name.
    public init?(host: String, port: UInt16) {
        guard !host.utf8.contains(0) else { return nil }
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0, let first = unsafe list else { return nil }
        defer { unsafe freeaddrinfo(first) }
        unsafe self.init(first.pointee.ai_addr, first.pointee.ai_addrlen)
    }

    /// A Unix socket in the file system; a leading `@` names one in the abstract space (unix(7)).
    ///
    /// - Returns: nil when the path or the abstract name is empty, or longer than 107 bytes, or has a NUL in it.
    public init?(unixPath path: String) {
        let name = Array(path.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        guard name.count > (isAbstract ? 1 : 0), name.count <= 107, !name.contains(0) else { return nil }
        let family = UInt16(AF_UNIX)
        bytes =
            [UInt8(family & 0xff), UInt8(family >> 8)]
            + (isAbstract ? [0] + name.dropFirst() : name + [0])
    }

    init(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        unsafe bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(length)))
    }

    /// The address that a call such as getsockname(2) writes.
    static func read(
        _ call: StaticString, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(Errno) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
        }
        guard result >= 0 else { throw Errno.last(call.description) }
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe SocketAddress($0, length) }
        }
    }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { address in
                unsafe body(address.baseAddress.unsafelyUnwrapped, socklen_t(bytes.count))
            }
        }
    }

    var family: Int32 { bytes.count >= 2 ? Int32(bytes[0]) | Int32(bytes[1]) << 8 : AF_UNSPEC }

    public var isIPv6: Bool { family == AF_INET6 }
    public var isUnix: Bool { family == AF_UNIX }

    /// The port; nil for a Unix socket.
    public var port: UInt16? {
        guard family == AF_INET || family == AF_INET6, bytes.count >= 4 else { return nil }
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// The same address with another port; a Unix address as it is.
    public func with(port: UInt16) -> SocketAddress {
        guard self.port != nil else { return self }
        var changed = bytes
        changed[2] = UInt8(port >> 8)
        changed[3] = UInt8(port & 0xff)
        return SocketAddress(bytes: changed)
    }

    /// The numeric host, or the path of a Unix socket (an abstract one with a leading `@`, an unnamed one empty).
    public var host: String {
        switch family {
        case AF_INET, AF_INET6:
            return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
                unsafe buffer.initialize(repeating: 0)
                let text = unsafe buffer.baseAddress.unsafelyUnwrapped
                let status = unsafe withSockaddr { address, length in
                    unsafe getnameinfo(address, length, text, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
                }
                return status == 0 ? unsafe String(cString: text) : "?"
            }
        case AF_UNIX:
            let name = bytes.dropFirst(2)
            if name.first == 0 { return name.count > 1 ? "@" + String(decoding: name.dropFirst(), as: UTF8.self) : "" }
            return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        default:
            return ""
        }
    }

    /// The path to remove when a listener on it closes.
    var fileSystemPath: String? {
        guard isUnix, bytes.count > 2, bytes[2] != 0 else { return nil }
        return host
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        switch family {
        case AF_INET: return bytes.count >= 8 && bytes[4] == 127
        case AF_INET6:
            guard bytes.count >= 24 else { return false }
            let address = bytes[8..<24]
            if address.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) { return bytes[20] == 127 }
            return address.dropLast().allSatisfy { $0 == 0 } && address.last == 1
        default: return true
        }
    }

    /// `127.0.0.1:80`, `[::1]:80` or `unix:/run/it.sock`.
    public var description: String {
        guard let port else { return "unix:\(host)" }
        return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
