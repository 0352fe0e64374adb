import Glibc
import Heliograph
import HeliographInterop
import Logging
import ServiceLifecycle

/// A program with a service group of its own, which gets an HTTP side: `GET /jobs` tells how far its jobs are.
///
///     swift run embedded [PORT]
///     curl -k https://localhost:PORT/jobs
@main
struct Embedded {
    static func main() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let jobs = JobCounter()

        let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 0
        var configuration = ServerConfiguration(port: port)
        // The program's own work gets the other cores.
        configuration.threads = 1
        configuration.logger = Logger(label: "http")

        // The closure runs on the server's event loop. It awaits the actor, which runs where the program's tasks run, and
        // is back on the loop for the answer; while it waits, the loop serves others.
        let server = Server(configuration) { exchange in
            guard exchange.method == .get, exchange.pathIs("/jobs") else {
                exchange.respond(.notFound)
                return
            }
            let finished = await jobs.finished
            exchange.respond(.ok, contentType: "application/json", #"{"finished":\#(finished)}"#)
        }

        let http = HeliographService(server, stoppingWithin: .seconds(5)) { server in
            print("listening at https://localhost:\(server.port ?? 0)/jobs")
            fflush(nil)  // Who reads this through a pipe waits for it.
        }

        // Services stop in the reverse of this order: the server first, while the jobs that it asks are still there.
        let group = ServiceGroup(
            services: [jobs, http], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "group"))
        try await group.run()
        print("stopped after \(await jobs.finished) jobs")
    }
}
