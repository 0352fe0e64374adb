public import Heliograph
internal import Logging

/// Socket.IO for the loops of a group: clients may connect to any of them, and meet.
///
/// ```swift
/// let group = try EventLoopGroup()
/// let server = SocketIOServer(loops: group.loops) { io in
///     io.onConnect { socket in socket.emit("hello") }
/// }
/// let http = Server(configuration) { loop in
///     Router(on: loop) { routes in routes.socketIO("/socket.io/", server.hub(on: loop)) }
/// }
/// try http.start(on: group)
/// ```
public final class SocketIOServer: Sendable {
    private let parts: [Part]

    /// Touched on its loop only.
    private final class Part: @unchecked Sendable {
        let loop: EventLoop
        var hub: SocketHub?

        init(_ loop: EventLoop) { self.loop = loop }
    }

    /// Prepares the loops. To be made before the server that uses it starts.
    ///
    /// - Parameters:
    ///   - loops: all loops of the group, in the order of their indices.
    ///   - options: the same for all.
    ///   - setUp: called once on each loop, with what its sockets live in: there are its namespaces and handlers made.
    public init(
        loops: [EventLoop], options: SocketOptions = SocketOptions(),
        _ setUp: @escaping @Sendable (SocketHub) -> Void
    ) {
        let parts = loops.map(Part.init)
        self.parts = parts
        let mailboxes = Mailboxes<HubMessage>(loops: loops, capacity: options.mailboxBytes)
        // A loop does what it is given in order: what another tells it comes after this.
        for part in parts {
            part.loop.execute {
                let outlet = LoopHubOutlet(loop: part.loop, mailboxes: mailboxes)
                let hub = SocketHub(
                    loop: part.loop.index, of: parts.count, options: options,
                    random: SystemRandomNumberGenerator(), outlet: outlet)
                outlet.hub = hub
                mailboxes.receive(on: part.loop) { message in hub.receive(message) }
                part.hub = hub
                setUp(hub)
            }
        }
    }

    /// The part that lives on a loop. On that loop's thread.
    ///
    /// - Precondition: the loop is one of the group's.
    public func hub(on loop: EventLoop) -> SocketHub {
        precondition(loop.isCurrent, "a hub is asked for on its loop")
        guard parts.indices.contains(loop.index), let hub = parts[loop.index].hub else {
            preconditionFailure("the loop is none of those that the server was made for")
        }
        return hub
    }

    /// Ends all sessions: clients are told, and may try again elsewhere.
    public func close() {
        for part in parts { part.loop.execute { part.hub?.close() } }
    }
}

extension Routes {
    /// Takes all requests to a path for Socket.IO.
    ///
    /// - Parameters:
    ///   - path: with its slash at the end, as clients have it: `/socket.io/`.
    ///   - hub: that of the router's loop.
    public func socketIO(_ path: String = "/socket.io/", _ hub: SocketHub) {
        on(nil, path) { exchange in exchange.hand(to: SocketTransport(hub)) }
    }
}
