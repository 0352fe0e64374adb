import ArgumentParser
import Heliograph

/// Requests.
struct HTTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http", abstract: "Requests, over HTTP/2 or HTTP/1.1.")
    @Argument(help: "Where to.") var url: String
    @Option(name: .shortAndLong, help: "Requests at once on each connection.") var streams = 1
    @Option(help: "Bytes to send with each request, by POST.") var upload: Int?
    @OptionGroup var options: LoadOptions

    func validate() throws {
        guard (1...1_000).contains(streams) else { throw ValidationError("--streams is from 1 to 1000") }
        guard !options.http1 || streams == 1 else { throw ValidationError("HTTP/1.1 has one request at a time") }
        guard (1...1 << 30).contains(upload ?? 1) else { throw ValidationError("--upload is from 1 to 1073741824") }
    }

    func run() async throws {
        let body = upload.map { [UInt8](repeating: UInt8(ascii: "u"), count: $0) }
        let request = try ClientRequest(body == nil ? .get : .post, url, body: body)
        try options.check(request)
        let streams = streams
        try await LoadRun(options).run(perConnection: streams) { bench in
            for _ in 0..<bench.connections * streams { RequestSlot(bench, request).begin() }
            bench.schedule.start()
        }
    }
}

/// One place of a load of requests: it has one request open at a time.
final class RequestSlot: ClientHandler {
    private let bench: LoadRun.Bench
    private let request: ClientRequest
    private var due: UInt64 = 0
    private var bytes = 0

    init(_ bench: LoadRun.Bench, _ request: ClientRequest) {
        self.bench = bench
        self.request = request
    }

    func begin() {
        guard !bench.recorder.isOver else { return }
        bench.schedule.next { [self] due in
            self.due = due
            bytes = 0
            do {
                _ = try bench.pool.send(request, to: self)
            } catch {
                bench.recorder.failed("\(error)")
            }
        }
    }

    func body(_ exchange: ClientExchange, _ chunk: RawSpan) { bytes += chunk.byteCount }

    func closed(_ exchange: ClientExchange, _ error: ClientError?) {
        if let error {
            bench.recorder.failed("\(error)")
        } else if (200..<400).contains(exchange.status) {
            bench.recorder.succeeded(since: due, bytes: bytes, version: exchange.version.description)
        } else {
            bench.recorder.failed("status \(exchange.status)")
        }
        begin()
    }
}
