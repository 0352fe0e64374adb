import ArgumentParser
import Heliograph

/// Sessions of the signaling service, and what they do.
struct SignalingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signaling",
        abstract: "Sessions of the signaling service: calls that are set up, sessions that come, go and come back.",
        discussion: """
            calls      one peer of each pair offers, the other answers: from when the offer was due until the answer is there
            connect    sessions that begin and join a room, one after the other on each connection
            presence   members of rooms of ten leave and join again: until they are told who is there
            reconnect  sessions whose connection drops and that resume on another: until they are resumed

            EXAMPLES
              load signaling https://localhost:8443 calls --connections 2000 --rate 2000 --duration 10
              load signaling https://localhost:8443 calls --connections 10000 --active 1000 --rate 1000
              load signaling https://localhost:8443 connect --connections 100 --duration 5
            """)

    enum Work: String, ExpressibleByArgument { case calls, connect, presence, reconnect }

    @Argument(help: "Where the service is: https or http.") var url: String
    @Argument(help: "calls, connect, presence or reconnect.") var work: Work
    @Option(help: "How sessions are carried: websocket, events (server-sent, and POST) or stream.")
    var transport = Transport.websocket
    @Option(help: "Sessions that do something, of all --connections; the others only are there.") var active: Int?
    @Option(name: .shortAndLong, help: "Bytes of an offer's and an answer's SDP.") var size = 2_000
    @OptionGroup var options: LoadOptions

    func validate() throws {
        guard (2...options.connections).contains(active ?? options.connections) else {
            throw ValidationError("--active is from 2 to the number of --connections")
        }
        guard (1...32_000).contains(size) else { throw ValidationError("--size is from 1 to 32000") }
        guard work == .calls || transport == .websocket else {
            throw ValidationError("only calls are carried by another transport than websocket")
        }
    }

    func run() async throws {
        let place = try Place(url)
        try options.check(place.request(.get, "/"))
        let (work, transport, size) = (work, transport, size)
        let active = options.part(of: active ?? options.connections)
        // Beside the stream of each session its messages need a place.
        try await LoadRun(options).run(perConnection: transport == .events ? 2 : 1) { bench in
            let field = Field(
                bench, place, transport, active: active, description: String(repeating: "x", count: size))
            switch work {
            case .calls: field.openAll { CallPeer(field, $0) }
            case .connect: field.runStorm()
            case .presence: field.openAll { PresencePeer(field, $0) }
            case .reconnect: field.openAll { ReturningPeer(field, $0) }
            }
        }
    }
}

/// Where the service is.
struct Place: Sendable {
    let scheme: String
    let authority: String

    init(_ url: String) throws {
        let request = try ClientRequest(.get, url)
        scheme = request.scheme
        authority = request.authority
    }

    func request(_ method: Method, _ target: String, headers: [(name: String, value: String)] = []) -> ClientRequest {
        ClientRequest(method, scheme: scheme, authority: authority, target: target, headers: headers)
    }
}

enum Transport: String, ExpressibleByArgument { case websocket, events, stream }
