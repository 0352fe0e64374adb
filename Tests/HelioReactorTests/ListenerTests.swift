internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

@Suite struct ListenerTests {
    /// Listens with one socket for each loop of the group, or the one that they share.
    private static func listen(_ sockets: [ListeningSocket], _ group: EventLoopGroup) throws -> [CountingListener] {
        try group.loops.map { loop in
            let counter = OnLoop(CountingListener())
            let socket = sockets.count == 1 ? sockets[0] : sockets[loop.index]
            try onLoop(loop) { Result { _ = try Listener(socket, on: loop, delegate: counter.value) } }.get()
            return counter.value
        }
    }

    private static func total(_ counters: [CountingListener]) -> Int { counters.reduce(0) { $0 + $1.accepted.value } }

    private static func connectMany(_ count: Int, _ address: SocketAddress) throws -> [Int32] {
        try (0..<count).map { _ in try connected(to: address) }
    }

    @Test func aTakenPortIsAnErrorForASecondInstanceToo() throws {
        let first = try ListeningSocket.bind(localhost(), count: 2)
        let port = try #require(first[0].address.port)
        let error = #expect(throws: Errno.self) { try ListeningSocket.bind(localhost(port), count: 2) }
        #expect(error?.code == EADDRINUSE)
        #expect(error?.isAddressInUse == true)
        #expect(error?.description.contains("Address already in use") == true)
        withExtendedLifetime(first) {}
    }

    @Test func aPortIsFreeAgainOnceItsSocketsAreGone() throws {
        let port = try #require(try ListeningSocket.bind(localhost(), count: 2)[0].address.port)
        #expect(throws: Never.self) { try ListeningSocket.bind(localhost(port), count: 2) }
    }

    @Test func portZeroGivesAllLoopsOnePortAndAllAccept() throws {
        let sockets = try ListeningSocket.bind(localhost(), count: 3)
        #expect(Set(sockets.map(\.address)).count == 1)
        #expect(sockets[0].address.port != 0)
        try withGroup(threads: 3) { group in
            let counters = try Self.listen(sockets, group)
            // The kernel spreads by a hash of ports: 200 leave no loop out but by a chance of 10⁻³⁵.
            let clients = try Self.connectMany(200, sockets[0].address)
            defer { for client in clients { close(client) } }
            #expect(counters[0].accepted.wait { _ in Self.total(counters) == 200 })
            #expect(counters.allSatisfy { $0.accepted.value > 0 })
        }
    }

    @Test func dualStackTakesBothFamilies() throws {
        let any = try #require(SocketAddress(host: "::", port: 0))
        let sockets = try ListeningSocket.bind(any, count: 1)
        let port = try #require(sockets[0].address.port)
        try withGroup { group in
            let counters = try Self.listen(sockets, group)
            for host in ["127.0.0.1", "::1"] {
                close(try connected(to: #require(SocketAddress(host: host, port: port))))
            }
            #expect(counters[0].accepted.wait { $0 == 2 })
        }
    }

    @Test func withoutDualStackIPv4IsRefused() throws {
        let any = try #require(SocketAddress(host: "::", port: 0))
        let sockets = try ListeningSocket.bind(any, count: 1, dualStack: false)
        let port = try #require(sockets[0].address.port)
        let error = #expect(throws: Errno.self) { try connected(to: localhost(port)) }
        #expect(error?.code == ECONNREFUSED)
        close(try connected(to: #require(SocketAddress(host: "::1", port: port))))
    }

    @Test func acceptedTCPSocketsInheritTheOptions() throws {
        final class Keeper: ListenerDelegate {
            let options = Shared<[Int32]>([])
            func accepted(_ socket: consuming Socket, by listener: Listener) {
                let noDelay = try? socket.option(Int32(IPPROTO_TCP), TCP_NODELAY)
                let unsent = try? socket.option(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT)
                options.change { $0 = [noDelay ?? -1, unsent ?? -1] }
            }
            func acceptingPaused(_ listener: Listener, _ error: Errno) {}
        }
        let descriptor = try ListeningSocket.bind(localhost(), count: 1)[0]
        let handed = dup(descriptor.socket.descriptor)
        let adopted = try ListeningSocket.adopt(handed, unsent: 4321)
        try withGroup { group in
            let keeper = OnLoop(Keeper())
            try onLoop(group[0]) { Result { _ = try Listener(adopted, on: group[0], delegate: keeper.value) } }.get()
            close(try connected(to: adopted.address))
            #expect(keeper.value.options.wait { $0.first != 0 && $0.last == 4321 })
        }
    }

    @Test func theEndOfALoopClosesListenersThatNobodyClosed() throws {
        let group = try EventLoopGroup(threads: 1)
        weak var held: ListeningSocket?
        let address: SocketAddress
        do {
            let socket = try ListeningSocket.bind(localhost(), count: 1)
            held = socket[0]
            address = socket[0].address
            _ = try Self.listen(socket, group)
        }
        close(try connected(to: address))
        group.stop()
        #expect(held == nil)
        #expect(throws: Errno(ECONNREFUSED, in: "connect")) { try connected(to: address) }
        withExtendedLifetime(group) {}
    }

    // MARK: Unix sockets

    @Test func aUnixPathIsRemovedWhenItsSocketCloses() throws {
        let path = temporaryPath()
        let address = try #require(SocketAddress(unixPath: path))
        do {
            let sockets = try ListeningSocket.bind(address, count: 2)
            #expect(sockets.count == 1 && sockets[0].isShared)
            try withGroup(threads: 2) { group in
                let counters = try Self.listen(sockets, group)
                for client in try Self.connectMany(20, address) { close(client) }
                #expect(counters[0].accepted.wait { _ in Self.total(counters) == 20 })
            }
            #expect(unsafe access(path, F_OK) == 0)
        }
        #expect(unsafe access(path, F_OK) == -1)
    }

    @Test func aStaleUnixPathIsTakenOverAndALiveOneIsNot() throws {
        let path = temporaryPath()
        let address = try #require(SocketAddress(unixPath: path))
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(unsafe address.withSockaddr { unsafe helio_bind(stale, $0, $1) } == 0)
        close(stale)
        let live = try ListeningSocket.bind(address, count: 1)
        let error = #expect(throws: Errno.self) { try ListeningSocket.bind(address, count: 1) }
        #expect(error?.code == EADDRINUSE)
        close(try connected(to: address))
        withExtendedLifetime(live) {}
    }

    @Test func aFileThatIsNoSocketIsNotRemoved() throws {
        let path = temporaryPath()
        #expect(FileManager.default.createFile(atPath: path, contents: Data("precious".utf8)))
        defer { unsafe unlink(path) }
        let address = try #require(SocketAddress(unixPath: path))
        let error = #expect(throws: Errno.self) { try ListeningSocket.bind(address, count: 1) }
        #expect(error?.code == EADDRINUSE)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func aPathThatAnotherHasTakenIsNotRemoved() throws {
        let path = temporaryPath()
        let address = try #require(SocketAddress(unixPath: path))
        let other = temporaryPath()
        let successor = try ListeningSocket.bind(#require(SocketAddress(unixPath: other)), count: 1)
        do {
            let first = try ListeningSocket.bind(address, count: 1)
            #expect(unsafe rename(other, path) == 0)
            withExtendedLifetime(first) {}
        }
        close(try connected(to: address))
        withExtendedLifetime(successor) {}
        unsafe unlink(path)
    }

    @Test func anAbstractNameNeedsNoFile() throws {
        let name = "@helio-\(UUID().uuidString)"
        let address = try #require(SocketAddress(unixPath: name))
        let sockets = try ListeningSocket.bind(address, count: 1)
        #expect(sockets[0].address.host == name)
        close(try connected(to: address))
        #expect(throws: Errno.self) { try ListeningSocket.bind(address, count: 1) }
        withExtendedLifetime(sockets) {}
    }

    // MARK: Sockets handed over

    @Test func loopsThatShareADescriptorAcceptEachConnectionOnce() throws {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let address = try localhost()
        #expect(unsafe address.withSockaddr { unsafe helio_bind(made, $0, $1) } == 0)
        #expect(CLinux.listen(made, 512) == 0)
        let adopted = try ListeningSocket.adopt(made)
        #expect(adopted.isShared && adopted.address.port != 0)
        try withGroup(threads: 2) { group in
            let counters = try Self.listen([adopted], group)
            let clients = try Self.connectMany(300, adopted.address)
            defer { for client in clients { close(client) } }
            #expect(counters[0].accepted.wait { _ in Self.total(counters) >= 300 })
            usleep(10_000)
            #expect(Self.total(counters) == 300)
        }
    }

    @Test func whatDoesNotListenIsNotAdoptedAndStaysOpen() throws {
        let (near, far) = socketPair()
        defer {
            close(near)
            close(far)
        }
        #expect(throws: Errno(EINVAL, in: "adopt")) { try ListeningSocket.adopt(near) }
        #expect(helio_get_flags(near) >= 0, "it is still the caller's")
        let file = unsafe open("/dev/null", O_RDONLY)
        defer { close(file) }
        #expect(throws: Errno(ENOTSOCK, in: "getsockopt")) { try ListeningSocket.adopt(file) }
        #expect(throws: Errno(EBADF, in: "fcntl")) { try ListeningSocket.adopt(-1) }
    }

    // MARK: Pausing

    @Test func aPausedListenerLeavesConnectionsInTheQueue() throws {
        let sockets = try ListeningSocket.bind(localhost(), count: 1)
        try withGroup { group in
            let loop = group[0]
            let counter = OnLoop(CountingListener())
            let listener = try onLoop(loop) {
                Result { OnLoop(try Listener(sockets[0], on: loop, delegate: counter.value)) }
            }.get()
            onLoop(loop) { listener.value.pauseAccepting() }
            let client = try connected(to: sockets[0].address)
            defer { close(client) }
            usleep(20_000)
            #expect(counter.value.accepted.value == 0)
            try onLoop(loop) { Result { try listener.value.resumeAccepting() } }.get()
            #expect(counter.value.accepted.wait { $0 == 1 })
            onLoop(loop) { listener.value.close() }
            #expect(onLoop(loop) { loop.watchedDescriptors } == 0)
        }
    }

    @Test func aDescriptorThatNoLongerListensDoesNotSpin() throws {
        let sockets = try ListeningSocket.bind(localhost(), count: 1)
        try withGroup { group in
            let loop = group[0]
            let counters = try Self.listen(sockets, group)
            // As when another process that shares it calls shutdown(2): accept4 says EINVAL from now on.
            shutdown(sockets[0].socket.descriptor, Int32(SHUT_RDWR))
            #expect(counters[0].paused.wait { $0.first?.code == EINVAL })
            _ = onLoop(loop) { loop.takeStatistics() }
            let start = helio_monotonic_ns()
            usleep(250_000)
            let iterations = onLoop(loop) { loop.takeStatistics() }.iterations
            #expect(iterations <= 4 + 3 * Int((helio_monotonic_ns() - start) / 100_000_000))
            #expect(counters[0].paused.value.count == 1, "told once")
        }
    }
}
