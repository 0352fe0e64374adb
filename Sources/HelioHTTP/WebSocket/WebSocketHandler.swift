/// What an application plugs in for each WebSocket. Every method runs on the loop's thread and must not block it.
///
/// ```swift
/// final class Echo: WebSocketHandler {
///     func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
///         if !webSocket.send(message, kind) { webSocket.pause() }
///     }
///     func drained(_ webSocket: WebSocket) { webSocket.resume() }
/// }
/// ```
public protocol WebSocketHandler: AnyObject {
    /// The handshake is done: the first call.
    func opened(_ webSocket: WebSocket)
    /// A message, whole. The span is valid for the call only; a text is UTF-8.
    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind)
    /// A piece of a message, as it comes, in place of ``message(_:_:_:)`` with ``WebSocketOptions/deliversPieces``. The span
    /// is valid for the call only and may be empty; a piece of text may end within a character.
    func piece(_ webSocket: WebSocket, _ piece: RawSpan, _ kind: WebSocketKind, isLast: Bool)
    /// The queue has fallen below the low-water mark after a `send` had answered false.
    func drained(_ webSocket: WebSocket)
    /// A ping has come back: see ``WebSocket/ping()``.
    func pong(_ webSocket: WebSocket, roundTrip: Duration)
    /// It is over: the last call, and the only one that always comes.
    ///
    /// - Parameters:
    ///   - code: the peer's, `noStatus` when it gave none, `abnormal` when the stream ended without it; ours for a fault of
    ///     the peer's.
    ///   - reason: what the peer said of it.
    ///   - wasClean: both sides have said that they close.
    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool)
}

extension WebSocketHandler {
    public func opened(_ webSocket: WebSocket) {}
    public func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {}
    public func piece(_ webSocket: WebSocket, _ piece: RawSpan, _ kind: WebSocketKind, isLast: Bool) {}
    public func drained(_ webSocket: WebSocket) {}
    public func pong(_ webSocket: WebSocket, roundTrip: Duration) {}
    public func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {}
}

/// Gets the events of a WebSocket that is over, which are none.
final class NoWebSocketHandler: WebSocketHandler {}
