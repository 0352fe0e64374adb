import ArgumentParser
import Foundation
import Glibc
import Heliograph

/// Connections that do nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Opens connections by one request each, says `ready`, and keeps them until its standard input ends.",
        discussion: "To see what a server keeps for each of them, or what it costs that they are there.")
    @Argument(help: "Where to.") var url: String
    @OptionGroup var options: LoadOptions

    func run() async throws {
        let request = try ClientRequest(.get, url)
        try options.check(request)
        if options.processes > 1, options.share == nil { return try runProcesses() }
        let group = try EventLoopGroup(threads: 1)
        let count = LoadRun(options).connections
        let failure = await withCheckedContinuation { (opened: CheckedContinuation<String?, Never>) in
            group[0].execute {
                let idle = IdleConnections(group, options, request, count) { opened.resume(returning: $0) }
                idle.openSome()
                Progress.show(on: group[0]) { idle.progress }
            }
        }
        if let failure { throw ValidationError(failure) }
        print("ready")
        fflush(nil)
        while readLine() != nil {}
    }

    /// The children say `ready` one by one, and hold on to the same standard input.
    private func runProcesses() throws {
        let children = try (0..<options.processes).map { try Processes.start(share: $0) }
        for process in children { process.waitUntilExit() }
        if children.contains(where: { $0.terminationStatus != 0 }) { throw ExitCode.failure }
    }
}

/// Opens connections, some at a time: a server gives no handshake for ever. Belongs to the loop.
private final class IdleConnections: ClientHandler {
    private let group: EventLoopGroup
    private let options: LoadOptions
    private let request: ClientRequest
    private let count: Int
    private let ended: (_ failure: String?) -> Void
    /// Each has as many connections as requests are sent at once: nobody waits for another's.
    private var clients: [Client] = []
    private var asked = 0
    private var answered = 0
    private var isOver = false

    private static let atOnce = 256

    init(
        _ group: EventLoopGroup, _ options: LoadOptions, _ request: ClientRequest, _ count: Int,
        _ ended: @escaping (String?) -> Void
    ) {
        self.group = group
        self.options = options
        self.request = request
        self.count = count
        self.ended = ended
    }

    var progress: String? { isOver ? nil : "\(answered) of \(count) open" }

    func openSome() {
        let some = min(Self.atOnce, count - asked)
        asked += some
        do {
            var configuration = options.configuration(connections: some, perConnection: 1)
            configuration.localAddresses = options.localAddresses(from: asked / 10_000)
            let client = try Client(on: group, configuration: configuration)
            clients.append(client)
            for _ in 0..<some { _ = try client.pool.send(request, to: self) }
        } catch {
            end("\(error)")
        }
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if let error { return end("\(error)") }
        answered += 1
        if answered == count { end(nil) } else if answered == asked { openSome() }
    }

    private func end(_ failure: String?) {
        guard !isOver else { return }
        isOver = true
        ended(failure)
    }
}
