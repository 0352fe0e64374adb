/// A message of a WebSocket, as the async face has it.
public enum WebSocketMessage: Hashable, Sendable {
    case text(String)
    case binary([UInt8])
}

/// What the async face of a WebSocket throws.
public enum WebSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is closed: with this code and what was said of it.
    case closed(WebSocketCloseCode, reason: String)

    public var description: String {
        switch self {
        case .closed(let code, let reason):
            reason.isEmpty ? "the WebSocket is closed (\(code))" : "the WebSocket is closed (\(code): \(reason))"
        }
    }
}

/// The messages of a WebSocket as an asynchronous sequence. It ends when both sides have said that they close, and throws
/// ``WebSocketError`` at any other end.
public struct WebSocketMessages: AsyncSequence {
    let webSocket: WebSocket

    public struct AsyncIterator: AsyncIteratorProtocol {
        let webSocket: WebSocket

        public mutating func next() async throws -> WebSocketMessage? { try await webSocket.nextMessage() }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(WebSocketError) -> WebSocketMessage? {
            try await webSocket.nextMessage()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(webSocket: webSocket) }
}

/// The async face, for a WebSocket that has no handler. All of it resumes on the WebSocket's loop when called from an async
/// handler.
extension WebSocket {
    /// The peer's messages, one at a time. Few are gathered ahead (64, or 64 KiB); then the peer has to wait.
    ///
    /// ```swift
    /// guard let webSocket = exchange.acceptWebSocket() else { return }
    /// for try await message in webSocket.messages {
    ///     if case .text(let text) = message { try await webSocket.send("you said \(text)") }
    /// }
    /// ```
    public var messages: WebSocketMessages { WebSocketMessages(webSocket: self) }

    /// The next message, or nil when both sides have said that they close.
    nonisolated(nonsending) public func nextMessage() async throws(WebSocketError) -> WebSocketMessage? {
        while true {
            if let message = inbox.popFirst() {
                if flags.contains(.paused), inbox.isLow { resume() }
                return message
            }
            if let code = closeCode {
                if isClean { return nil }
                throw .closed(code, reason: closeReason)
            }
            unsafe await inbox.wait(for: \.message) { inbox.hasMessage || closeCode != nil }
        }
    }

    /// Sends a text and waits until the queue is below its high-water mark.
    ///
    /// - Throws: `closed`.
    nonisolated(nonsending) public func send(_ text: String) async throws(WebSocketError) {
        try await settle(unsafe withBytes(text) { unsafe send($0.bytes, .text) })
    }

    /// As ``send(_:)-(String)``, for a binary message.
    nonisolated(nonsending) public func send(_ bytes: [UInt8]) async throws(WebSocketError) {
        try await settle(unsafe send(bytes.span.bytes, .binary))
    }

    nonisolated(nonsending) private func settle(_ isGoing: Bool) async throws(WebSocketError) {
        if isGoing { return }
        while flags.contains(.overHighWater), isOpen {
            unsafe await inbox.wait(for: \.drain) { !flags.contains(.overHighWater) || !isOpen }
        }
        guard isOpen else { throw .closed(closeCode ?? .abnormal, reason: closeReason) }
    }

    private var inbox: WebSocketInbox {
        guard let inbox = pulled else { preconditionFailure("the messages of this WebSocket go to its handler") }
        return inbox
    }
}

/// Gathers messages for the async face.
@safe final class WebSocketInbox: WebSocketHandler {
    private var queue: [WebSocketMessage] = []
    private var first = 0
    private var size = 0
    var message: UnsafeContinuation<Void, Never>?
    var drain: UnsafeContinuation<Void, Never>?

    private static let maxCount = 64
    private static let maxSize = 64 * 1024

    var isLow: Bool { queue.count - first < Self.maxCount / 2 && size < Self.maxSize / 2 }

    func message(_ webSocket: WebSocket, _ message: RawSpan, _ kind: WebSocketKind) {
        size += message.byteCount
        let copy: WebSocketMessage = unsafe message.withUnsafeBytes { bytes in
            kind == .text ? .text(unsafe String(decoding: bytes, as: UTF8.self)) : .binary(unsafe Array(bytes))
        }
        queue.append(copy)
        if queue.count - first >= Self.maxCount || size >= Self.maxSize { webSocket.pause() }
        unsafe resume(\.message)
    }

    func drained(_ webSocket: WebSocket) { unsafe resume(\.drain) }

    func closed(_ webSocket: WebSocket, _ code: WebSocketCloseCode, _ reason: String, wasClean: Bool) {
        unsafe resume(\.message)
        unsafe resume(\.drain)
    }

    var hasMessage: Bool { first < queue.count }

    func popFirst() -> WebSocketMessage? {
        guard first < queue.count else { return nil }
        let message = queue[first]
        first += 1
        switch message {
        case .text(let text): size -= text.utf8.count
        case .binary(let bytes): size -= bytes.count
        }
        if first == queue.count {
            queue.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= Self.maxCount {
            queue.removeFirst(first)
            first = 0
        }
        return message
    }

    nonisolated(nonsending) func wait(
        for slot: ReferenceWritableKeyPath<WebSocketInbox, UnsafeContinuation<Void, Never>?>,
        unless isDue: () -> Bool
    ) async {
        precondition(unsafe self[keyPath: slot] == nil, "one task at a time waits for a WebSocket")
        // What is waited for may have come by now: a call of an async function can be put off for an iteration of the loop.
        await unsafe withUnsafeContinuation {
            if isDue() { unsafe $0.resume() } else { unsafe self[keyPath: slot] = $0 }
        }
    }

    private func resume(_ slot: ReferenceWritableKeyPath<WebSocketInbox, UnsafeContinuation<Void, Never>?>) {
        guard let waiting = unsafe self[keyPath: slot] else { return }
        unsafe self[keyPath: slot] = nil
        unsafe waiting.resume()
    }
}
