import ArgumentParser
import Heliograph

/// Asks a server for something, as curl does: the client of Heliograph on a command line.
@main
struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Sends requests by Heliograph's client and prints what comes back.",
        discussion: """
            EXAMPLES
              fetch https://example.org/
              fetch --include --insecure https://localhost:8443/hello
              fetch --upload-file photo.jpg --method PUT https://example.org/photos/1
              fetch --http2 http://localhost:8080/           HTTP/2 with prior knowledge
              fetch --push --insecure https://localhost:8443/push
              fetch --repeat 100 --concurrent 10 --silent https://example.org/
              fetch --websocket hello wss://example.org/echo

            The status is 0 when every response came whole, whatever it says; 1 when one did not.
            """)

    @Argument(help: "What to ask for: https://, http://, wss:// or ws://.") var url: String
    @Option(name: [.customShort("X"), .long], help: "The method. [default: GET, or PUT with a file]") var method:
        String?
    @Option(name: [.customShort("H"), .long], help: "A field to send, as 'name: value'; may be repeated.")
    var header: [String] = []
    @Option(name: [.customShort("d"), .long], help: "A body to send. [method: POST]") var data: String?
    @Option(name: [.customShort("T"), .long], help: "A file to send; - is the standard input.") var uploadFile: String?
    @Flag(name: [.customShort("i"), .long], help: "Print the response's head too, on the standard error.") var include =
        false
    @Flag(help: "Print no body.") var silent = false
    @Flag(help: "Speak HTTP/1.1 alone.") var http1 = false
    @Flag(help: "Speak HTTP/2 alone; on plaintext with prior knowledge.") var http2 = false
    @Flag(name: [.customShort("k"), .long], help: "Trust any certificate. For tests alone.") var insecure = false
    @Option(name: .customLong("cacert"), help: "Trust the authorities of this PEM file, and no others.")
    var authorities: String?
    @Flag(help: "Take responses that the server pushes, and name them on the standard error.") var push = false
    @Option(help: "Connect to this Unix socket, whatever the host.") var unixSocket: String?
    @Option(help: "The address to connect from.") var localAddress: String?
    @Option(help: "Seconds that all of it may take.") var maxTime: Double?
    @Option(help: "Send the request so many times.") var `repeat` = 1
    @Option(help: "Have so many of them open at once.") var concurrent = 1
    @Option(help: "Open a WebSocket, send this text, print the answer, close.") var websocket: String?

    func validate() throws {
        if http1, http2 { throw ValidationError("--http1 and --http2 together leave nothing to speak") }
        if data != nil, uploadFile != nil { throw ValidationError("--data and --upload-file are two bodies") }
        if insecure, authorities != nil {
            throw ValidationError("--insecure trusts anyone: --cacert has no part in it")
        }
        if `repeat` < 1 || concurrent < 1 { throw ValidationError("--repeat and --concurrent are at least 1") }
        if let maxTime, !(maxTime > 0 && maxTime < 1e9) { throw ValidationError("--max-time is a number of seconds") }
    }

    func run() async throws {
        let group = try EventLoopGroup(threads: 1)
        do {
            let client = try Client(on: group, configuration: try configuration())
            if let websocket {
                try await talk(client, websocket)
            } else {
                try await fetchAll(client)
            }
            await client.stop(within: .seconds(1))
        } catch let error as ClientError {
            throw Failure(description: "\(error)")
        }
        await group.stopped()
    }

    private func configuration() throws -> ClientConfiguration {
        var configuration = ClientConfiguration()
        if http1 { configuration.versions = .http1 }
        if http2 {
            configuration.versions = .http2
            configuration.plaintextVersion = .http2
        }
        if insecure { configuration.trust = .insecure }
        if let authorities { configuration.trust = .authoritiesFile(authorities) }
        configuration.acceptsPush = push
        configuration.unixSocket = unixSocket
        if let localAddress {
            guard let address = SocketAddress(host: localAddress, port: 0) else {
                throw Failure(description: "\(localAddress) is no address; give a numeric one, such as 127.0.0.2")
            }
            configuration.localAddresses = [address]
        }
        return configuration
    }

    private func request() throws -> ClientRequest {
        var request = try ClientRequest(
            Method(method ?? (uploadFile != nil ? "PUT" : data != nil ? "POST" : "GET")), url)
        for line in header {
            guard let colon = line.firstIndex(of: ":") else {
                throw Failure(description: "'\(line)' is no field; give it as 'name: value'")
            }
            request.headers.append((line[..<colon].lowercased(), String(line[line.index(after: colon)...])))
        }
        if let data { request.body = Array(data.utf8) }
        if let maxTime { request.timeout = .seconds(maxTime) }
        return request
    }

    private func fetchAll(_ client: Client) async throws {
        let request = try request()
        let fetch = self
        try await client.run {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<fetch.repeat {
                    if index >= fetch.concurrent { try await group.next() }
                    group.addTask { try await fetch.fetch(client, request) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func fetch(_ client: Client, _ request: ClientRequest) async throws {
        let response: ClientResponse
        if let uploadFile {
            response = try await client.request(request) { exchange in
                let file = try Upload(uploadFile)
                while let bytes = try file.next() { try await exchange.send(bytes) }
            }
        } else {
            response = try client.start(request, isStreamed: false)
            if push { response.exchange.handler = PushPrinter() }
            try await response.head()
        }
        if include { printHead(response) }
        for try await chunk in response.body where !silent { Output.standard.write(chunk) }
    }

    private func printHead(_ response: ClientResponse) {
        var text = "\(response.exchange.version) \(response.status)\n"
        response.headers.forEach { text += "\($0): \($1)\n" }
        Output.error.write(Array((text + "\n").utf8))
    }

    private func talk(_ client: Client, _ text: String) async throws {
        let url = url
        let answer = try await client.run {
            let socket = try await client.webSocket(url)
            try await socket.send(text)
            let message = try await socket.nextMessage()
            socket.close()
            return switch message {
            case .text(let text): Array(text.utf8)
            case .binary(let bytes): bytes
            case nil: [UInt8]()
            }
        }
        Output.standard.write(answer + [UInt8(ascii: "\n")])
    }

    /// Printed as it is.
    struct Failure: Error, CustomStringConvertible { let description: String }
}
