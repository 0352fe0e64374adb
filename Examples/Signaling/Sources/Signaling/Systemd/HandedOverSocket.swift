import Glibc
import Heliograph

/// A listening socket that the service manager has opened (systemd.socket(5)): it goes before the host and the port.
struct HandedOverSocket: Hashable, Sendable {
    let descriptor: Int32
    /// `FileDescriptorName=` of the unit; the unit's own name where it says none.
    let name: String
    /// Whether only this machine reaches it.
    let isLocal: Bool

    /// The name of the listener for operators. All others are for clients.
    static let adminName = "admin"

    var isAdmin: Bool { name == Self.adminName }

    /// Those that this process was started with (sd_listen_fds_with_names(3)).
    static func all(environment: [String: String]) -> [HandedOverSocket] {
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        return ListeningSocket.handedOver.enumerated().map { index, descriptor in
            HandedOverSocket(
                descriptor: descriptor, name: index < names.count ? String(names[index]) : "unknown",
                isLocal: isLocal(descriptor))
        }
    }

    private static func isLocal(_ descriptor: Int32) -> Bool {
        var address = [UInt8](repeating: 0, count: 128)
        var length = socklen_t(address.count)
        let status = unsafe address.withUnsafeMutableBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { address in
                unsafe getsockname(descriptor, address.baseAddress, &length)
            }
        }
        guard status == 0 else { return false }
        switch Int32(address[0]) | Int32(address[1]) << 8 {
        case AF_UNIX: return true
        case AF_INET: return address[4] == 127
        case AF_INET6: return address[8..<23].allSatisfy { $0 == 0 } && address[23] == 1
        default: return false
        }
    }
}
