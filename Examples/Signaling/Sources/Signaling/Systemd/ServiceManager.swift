import Glibc

/// Tells the service manager how the service is (sd_notify(3)); does nothing where none listens. Any thread.
struct ServiceManager: Sendable {
    /// A path, or `@name` in the abstract space.
    private let socket: String?
    /// How often it wants a sign of life; nil when it does not.
    let watchdog: Duration?

    init(environment: [String: String]) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForOther = environment["WATCHDOG_PID"].map { Int32($0) != getpid() } ?? false
        let interval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { Duration.microseconds($0) }
        watchdog = isForOther ? nil : interval.flatMap { $0 > .zero ? $0 : nil }
    }

    func ready(_ status: String) { send(["READY=1", "STATUS=\(status)"]) }

    /// To be followed by ``ready(_:)``.
    func reloading() {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        send(["RELOADING=1", "MONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)", "STATUS=reading again"])
    }

    func stopping(_ status: String) { send(["STOPPING=1", "STATUS=\(status)"]) }

    func isAlive() { send(["WATCHDOG=1"]) }

    /// Nothing can be done about a failure, and the service does not depend on it.
    private func send(_ lines: [String]) {
        guard let socket else { return }
        var address = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_un>.size)
        var name = Array(socket.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        // The family, then the path; one in the file system ends with a NUL.
        guard name.count < address.count - 2 else { return }
        address[0] = UInt8(AF_UNIX)
        address.replaceSubrange(2..<2 + name.count, with: name)
        let length = socklen_t(2 + name.count + (name[0] == 0 ? 0 : 1))
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(lines.joined(separator: "\n").utf8)
        unsafe address.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) { address in
                _ = unsafe sendto(
                    descriptor, message, message.count, Int32(MSG_NOSIGNAL), address.baseAddress, length)
            }
        }
    }
}
