import Heliograph

/// All sessions of a load. Belongs to the loop.
final class Field {
    let bench: LoadRun.Bench
    let place: Place
    let transport: Transport
    /// What stands for an SDP.
    let description: String
    private let active: Int
    private var peers: [any FieldPeer] = []
    private var storm: [StormPeer] = []
    private var opening: Opening?

    init(_ bench: LoadRun.Bench, _ place: Place, _ transport: Transport, active: Int, description: String) {
        self.bench = bench
        self.place = place
        self.transport = transport
        self.active = active
        self.description = description
    }

    func link(_ owner: any SessionOwner) -> SessionLink {
        switch transport {
        case .websocket: WebSocketLink(bench, place, owner: owner)
        case .events: EventsLink(bench, place, owner: owner)
        case .stream: StreamLink(bench, place, owner: owner)
        }
    }

    /// Opens all sessions; when all are there, those that are active begin.
    func openAll(_ make: @escaping (_ number: Int) -> any FieldPeer) {
        peers = (0..<bench.connections).map(make)
        let opening = Opening(peers.count, open: { [self] in peers[$0].open() }) { [self] in
            bench.recorder.begin()
            for peer in peers.prefix(active) { peer.begin() }
            bench.schedule.start()
        }
        self.opening = opening
        opening.start()
    }

    /// A peer is in its room.
    func isReady() { opening?.isReady() }

    /// Sessions that begin and end, as many at once as there are connections.
    func runStorm() {
        storm = (0..<bench.connections).map { StormPeer(self, $0) }
        for peer in storm { peer.begin() }
        bench.schedule.start()
    }
}

/// A peer of the field.
protocol FieldPeer: AnyObject {
    func open()
    func begin()
}

extension Field {
    /// The name of a room of this run.
    func room(_ number: Int) -> String { "load-\(place.authority.count)-\(number)" }
}

func join(_ room: String) -> String { "{\"t\":\"join\",\"id\":\"j\(Recorder.now)\",\"room\":\"\(room)\",\"body\":{}}" }
