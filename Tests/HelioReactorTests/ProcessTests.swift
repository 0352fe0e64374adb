internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

/// What counts the descriptors and threads of the whole process, or lowers its limits: each in a process of its own.
@Suite struct ProcessTests {
    @Test func aGroupLeavesNoThreadAndNoDescriptorBehind() async {
        await #expect(processExitsWith: .success) {
            final class Held: EventSource {}
            weak var freed: EventLoop?
            var descriptors = 0
            for round in 0..<20 {
                // The first round opens what the system's libraries keep.
                if round == 1 { descriptors = entries("/proc/self/fd") }
                let group = try EventLoopGroup(threads: 3)
                let loop = group[0]
                freed = loop
                // What holds the loop, and is held by it: a timer, a source, a turn.
                let armed = onLoop(loop) {
                    let (near, far) = socketPair()
                    close(far)
                    let source = Held()
                    loop.schedule(after: .seconds(3600)) { withExtendedLifetime((loop, source)) {} }
                    _ = try? loop.watch(near, .input, Held())
                    close(near)
                    return loop.armedTimers
                }
                #expect(armed == 1)
                for loop in group.loops { _ = onLoop(loop) { 0 } }
                #expect(soon { threadsNamed("helio-") == 3 })
                group.stop()
            }
            #expect(freed == nil)
            // What other parts of the process open and close meanwhile is less than one for each round.
            #expect(soon { entries("/proc/self/fd") < descriptors + 19 })
            #expect(soon { threadsNamed("helio-") == 0 })
        }
    }

    @Test func aRaceOfConnectionsClosesTheLosers() async {
        await #expect(processExitsWith: .success) {
            let listening = try ListeningSocket.bind(localhost(), count: 1)[0]
            let silent = try ListeningSocket.bind(#require(SocketAddress(host: "::1", port: 0)), count: 1, backlog: 0)[
                0]
            let fillers = (0..<4).map { _ in
                let filler = helio_stream_socket(AF_INET6)
                _ = unsafe silent.address.withSockaddr { unsafe helio_connect(filler, $0, $1) }
                return filler
            }
            usleep(20_000)
            let isDone = Shared(false)
            try withGroup { group in
                let before = entries("/proc/self/fd")
                let options = ConnectOptions(attemptDelay: .milliseconds(20))
                onLoop(group[0]) {
                    _ = Connector.connect(to: [silent.address, listening.address], on: group[0], options: options) {
                        _ in
                        isDone.change { $0 = true }
                    }
                }
                #expect(isDone.wait { $0 })
                _ = onLoop(group[0]) { 0 }
                #expect(soon { entries("/proc/self/fd") == before })
            }
            for filler in fillers { close(filler) }
        }
    }

    @Test func acceptingPausesWhenDescriptorsRunOutAndRecovers() async {
        await #expect(processExitsWith: .success) {
            let sockets = try ListeningSocket.bind(localhost(), count: 1)
            try withGroup { group in
                let loop = group[0]
                let counter = OnLoop(CountingListener(keeps: true))
                try onLoop(loop) { Result { _ = try Listener(sockets[0], on: loop, delegate: counter.value) } }.get()
                let clients = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
                let taken = takeAllDescriptors()
                for client in clients {
                    let status = unsafe sockets[0].address.withSockaddr { unsafe helio_connect(client, $0, $1) }
                    #expect(status == 0, "the kernel completes it without a descriptor")
                }
                #expect(counter.value.paused.wait { !$0.isEmpty })
                _ = onLoop(loop) { loop.takeStatistics() }
                let start = helio_monotonic_ns()
                usleep(350_000)
                let statistics = onLoop(loop) { loop.takeStatistics() }
                let tries = Int((helio_monotonic_ns() - start) / 100_000_000)
                #expect(statistics.iterations <= 4 + 3 * tries, "a try in each 100 ms, no spinning")
                #expect(counter.value.paused.value == [Errno(EMFILE, in: "accept4")], "told once")
                #expect(counter.value.accepted.value == 0)
                for descriptor in taken { close(descriptor) }
                #expect(counter.value.accepted.wait { $0 == 4 })
                onLoop(loop) { counter.value.closeAll() }
                for client in clients { close(client) }
            }
        }
    }

}

/// Whether it becomes true within two seconds: /proc shows a thread for a moment after it has been joined.
private func soon(_ isTrue: () -> Bool) -> Bool {
    for _ in 0..<2000 {
        if isTrue() { return true }
        usleep(1000)
    }
    return isTrue()
}

/// Threads of this process whose names begin so.
private func threadsNamed(_ prefix: String) -> Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.count { task in
        let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
        return name?.hasPrefix(prefix) == true
    }
}

/// Lowers the limit of the process and takes every descriptor below it.
private func takeAllDescriptors() -> [Int32] {
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    var limit = rlimit()
    _ = unsafe getrlimit(resource, &limit)
    limit.rlim_cur = min(limit.rlim_cur, 256)
    _ = unsafe setrlimit(resource, &limit)
    var taken: [Int32] = []
    while true {
        let descriptor = dup(0)
        guard descriptor >= 0 else { return taken }
        taken.append(descriptor)
    }
}
