import Glibc

/// The addresses of this machine's interfaces.
enum LocalAddresses {
    /// Those at which others on its networks reach it: numeric, those of IPv4 first. Left out are addresses of IPv6 that are good on one
    /// link only, as no URL can have the link.
    static var reachable: [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [(family: Int32, text: String)] = []
        var next = unsafe list
        while let entry = unsafe next?.pointee {
            unsafe next = entry.ifa_next
            let flags = unsafe entry.ifa_flags
            guard flags & UInt32(IFF_UP) != 0, flags & UInt32(IFF_LOOPBACK) == 0,
                let address = unsafe entry.ifa_addr
            else { continue }
            // The family is a socket address's first member.
            let family = unsafe Int32(UnsafeRawPointer(address).load(as: sa_family_t.self))
            guard family == AF_INET || family == AF_INET6, let text = unsafe text(address, family) else { continue }
            if !text.hasPrefix("fe80:"), !text.contains("%") { found.append((family, text)) }
        }
        return found.filter { $0.family == AF_INET }.map(\.text) + found.filter { $0.family == AF_INET6 }.map(\.text)
    }

    /// Whether there is IPv6 at all.
    static var hasIPv6: Bool { unsafe access("/proc/net/if_inet6", F_OK) == 0 }

    private static func text(_ address: UnsafePointer<sockaddr>, _ family: Int32) -> String? {
        let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = unsafe getnameinfo(
            address, socklen_t(size), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
