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
        let connections = LoadRun(options).connections
        let client = try Client(
            on: group, configuration: options.configuration(connections: connections, perConnection: 1))
        let failure = await withCheckedContinuation { (opened: CheckedContinuation<String?, Never>) in
            group[0].execute {
                let idle = IdleConnections(client.pool, request, connections) { opened.resume(returning: $0) }
                idle.open()
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
        let children = try (0..<options.processes).map { share in
            let process = Process()
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments = CommandLine.arguments.dropFirst() + ["--share", "\(share)"]
            try process.run()
            return process
        }
        for process in children { process.waitUntilExit() }
        if children.contains(where: { $0.terminationStatus != 0 }) { throw ExitCode.failure }
    }
}

/// Opens one connection after the other, some at a time. Belongs to the loop.
private final class IdleConnections: ClientHandler {
    private let pool: ClientPool
    private let request: ClientRequest
    private let count: Int
    private let ended: (_ failure: String?) -> Void
    private var held: [ClientExchange] = []
    private var isOver = false

    init(_ pool: ClientPool, _ request: ClientRequest, _ count: Int, _ ended: @escaping (String?) -> Void) {
        self.pool = pool
        self.request = request
        self.count = count
        self.ended = ended
    }

    var progress: String? { isOver ? nil : "\(held.count) of \(count) open" }

    func open() {
        do {
            // An exchange that stays open keeps the next one off its connection, so that each gets a connection of its own.
            for _ in 0..<count { _ = try pool.send(request, to: self) }
        } catch {
            end("\(error)")
        }
    }

    func response(_ exchange: ClientExchange) {
        exchange.pauseBody()
        held.append(exchange)
        if held.count == count { end(nil) }
    }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        guard !isOver else { return }
        end(error.map { "\($0)" } ?? "an exchange ended before all were open: give a path that answers with content")
    }

    private func end(_ failure: String?) {
        guard !isOver else { return }
        isOver = true
        for exchange in held { exchange.resumeBody() }
        ended(failure)
    }
}
