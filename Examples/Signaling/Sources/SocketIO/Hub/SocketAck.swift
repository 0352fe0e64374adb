/// Answers an event, once. When the client wants no answer, it does nothing.
///
/// ```swift
/// socket.on("sum") { arguments, ack in ack(.integer((arguments[0].integer ?? 0) + (arguments[1].integer ?? 0))) }
/// ```
public final class SocketAck {
    private let socket: ServerSocket
    private var id: UInt64?
    /// Whether the client waits for an answer.
    public let isWanted: Bool

    init(_ socket: ServerSocket, _ id: UInt64?) {
        self.socket = socket
        self.id = id
        isWanted = id != nil
    }

    public func callAsFunction(_ arguments: SocketValue...) { send(arguments) }

    public func send(_ arguments: [SocketValue]) {
        guard let id else { return }
        self.id = nil
        socket.acknowledge(id, arguments)
    }
}
