internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

/// A small generator whose numbers are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A value that tests write on loops and read elsewhere.
final class Shared<Value: Sendable>: Sendable {
    private let lock: Lock<Value>
    init(_ value: Value) { lock = Lock(value) }
    var value: Value { lock.withLock { $0 } }
    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&$0) } }

    /// Waits until the value is as it should be; false after ten seconds.
    func wait(_ isRight: (Value) -> Bool) -> Bool {
        let end = helio_monotonic_ns() + 10_000_000_000
        while helio_monotonic_ns() < end {
            if isRight(value) { return true }
            usleep(1000)
        }
        return isRight(value)
    }
}

/// Carries what belongs to a loop into closures that run there.
final class OnLoop<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

/// Runs `body` on the loop and waits for what it returns.
func onLoop<Result>(_ loop: EventLoop, _ body: @escaping @Sendable () -> sending Result) -> Result {
    let done = DispatchSemaphore(value: 0)
    let result = OnLoop<Result?>(nil)
    loop.execute {
        result.value = body()
        done.signal()
    }
    done.wait()
    guard let value = result.value else { preconditionFailure("the loop did not run it") }
    return value
}

/// A group that is stopped when `body` returns.
func withGroup<Result>(
    threads: Int = 1, _ body: (EventLoopGroup) throws -> Result
) throws -> Result {
    let group = try EventLoopGroup(threads: threads)
    defer { group.stop() }
    return try body(group)
}

func withGroup<Result>(
    threads: Int = 1, _ body: (EventLoopGroup) async throws -> Result
) async throws -> Result {
    let group = try EventLoopGroup(threads: threads)
    defer { group.stop() }
    return try await body(group)
}

/// A blocking client socket that is connected to an address.
func connected(to address: SocketAddress) throws -> Int32 {
    let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    let status = unsafe address.withSockaddr { unsafe helio_connect(descriptor, $0, $1) }
    guard status == 0 else {
        let error = Errno.last("connect")
        close(descriptor)
        throw error
    }
    return descriptor
}

/// Two connected nonblocking sockets.
func socketPair() -> (Int32, Int32) {
    var pair: [Int32] = [0, 0]
    _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
    return (pair[0], pair[1])
}

/// Counts what it accepts, and closes it.
final class CountingListener: ListenerDelegate {
    let accepted = Shared(0)
    let paused = Shared<[Errno]>([])
    private let keeps: Bool
    private var kept: [Int32] = []

    init(keeps: Bool = false) { self.keeps = keeps }

    func accepted(_ socket: consuming Socket, by listener: Listener) {
        if keeps { kept.append(dup(socket.descriptor)) }
        accepted.change { $0 += 1 }
    }

    func acceptingPaused(_ listener: Listener, _ error: Errno) { paused.change { $0.append(error) } }

    func closeAll() {
        for descriptor in kept { close(descriptor) }
        kept = []
    }

    deinit { closeAll() }
}

/// The names in a folder of /proc.
func entries(_ path: String) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? -1
}

func localhost(_ port: UInt16 = 0) throws -> SocketAddress {
    try #require(SocketAddress(host: "127.0.0.1", port: port))
}

/// A path in the folder for temporary files that nothing else uses.
func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("helio-\(UUID().uuidString.prefix(8)).sock").path
}
