public import HelioHTTP
internal import HelioReactor

/// The async face. In a task of one of the client's loops; all of it resumes on that loop.
extension Client {
    /// Sends a request and waits for its response's head.
    ///
    /// - Throws: ``HelioHTTP/ClientError``; `cancelled` when the task is.
    nonisolated(nonsending) public func request(_ request: ClientRequest) async throws(ClientError) -> ClientResponse {
        let response = try start(request, isStreamed: false)
        try await response.head()
        return response
    }

    /// Sends a request whose body is written by `upload`, and waits for its response's head. The body ends when `upload` returns;
    /// when it throws, the exchange is reset. The response may come before.
    ///
    /// ```swift
    /// let client = try Client(on: loop)
    /// let request = try ClientRequest(.post, "https://example.org/upload")
    /// let response = try await client.request(request) { exchange in
    ///     for line in ["one", "two"] { try await exchange.send(Array(line.utf8)) }
    /// }
    /// ```
    nonisolated(nonsending) public func request(
        _ request: ClientRequest, upload: @escaping @Sendable (ClientExchange) async throws -> Void
    ) async throws(ClientError) -> ClientResponse {
        let response = try start(request, isStreamed: true)
        let kept = response.kept
        Task.immediate(executorPreference: pool.loop) {
            do {
                try await upload(kept.exchange)
                kept.exchange.finish()
            } catch {
                kept.exchange.reset()
            }
        }
        try await response.head()
        return response
    }

    /// Sends a request whose body follows by the exchange's ``HelioHTTP/ClientExchange/send(_:)`` and `finish`, and waits for
    /// nothing: for exchanges that talk both ways at once. The response's head is then waited for by ``ClientResponse/head()``.
    ///
    /// - Throws: as ``ClientPool/send(_:to:isStreamed:)``.
    public func start(_ request: ClientRequest, isStreamed: Bool = true) throws(ClientError) -> ClientResponse {
        let pool = pool
        let exchange = try pool.send(request, to: pool.asyncReceiver, isStreamed: isStreamed)
        exchange.pullBody()
        return ClientResponse(exchange, pool.loop)
    }
}

/// A response and its body, in a task of its loop. One that is let go before its body has been read ends its exchange.
///
/// ```swift
/// let client = try Client(on: loop)
/// let response = try await client.request(ClientRequest(.get, "https://example.org/"))
/// print(response.status, response.headers["content-type"] ?? "")
/// for try await chunk in response.body { print(chunk.count) }
/// ```
public final class ClientResponse {
    let kept: KeptExchange

    init(_ exchange: ClientExchange, _ loop: EventLoop) { kept = KeptExchange(exchange, loop) }

    deinit { kept.letGo() }

    /// The exchange, for all else: fields of the request, the version, ``HelioHTTP/ClientExchange/send(_:)``.
    public var exchange: ClientExchange { kept.exchange }
    /// The status; 0 before the head has come.
    public var status: Int { exchange.status }
    /// The fields.
    public var headers: HeaderBlock { exchange.headers }
    /// The fields that came after the body; nil when none did, or not yet.
    public var trailers: HeaderBlock? { exchange.trailers }

    /// Waits for the response's head. ``Client/request(_:)`` has done so.
    nonisolated(nonsending) public func head() async throws(ClientError) {
        _ = try await kept.cancellable { exchange throws(ClientError) in
            try await exchange.response()
            return true
        }
    }

    /// The body, a chunk at a time; the server may send more as chunks are taken.
    public var body: ClientResponseBody { ClientResponseBody(response: self) }

    /// The next chunk of the body, or nil at its end.
    nonisolated(nonsending) public func nextChunk() async throws(ClientError) -> [UInt8]? {
        try await kept.cancellable { exchange throws(ClientError) in try await exchange.nextChunk() }
    }

    /// The whole body.
    ///
    /// - Throws: ``HelioHTTP/ClientError/bodyTooLarge(limit:)`` past `limit` bytes.
    nonisolated(nonsending) public func collect(upTo limit: Int) async throws(ClientError) -> [UInt8] {
        try await kept.cancellable { exchange throws(ClientError) in try await exchange.collectBody(upTo: limit) }
    }
}

/// A response's body as an asynchronous sequence of chunks.
public struct ClientResponseBody: AsyncSequence {
    let response: ClientResponse

    public struct AsyncIterator: AsyncIteratorProtocol {
        let response: ClientResponse

        public mutating func next() async throws -> [UInt8]? { try await response.nextChunk() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> [UInt8]? {
            try await response.nextChunk()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(response: response) }
}

/// An exchange that a task holds, and what ends it from elsewhere: touched on its loop alone.
final class KeptExchange: @unchecked Sendable {
    let exchange: ClientExchange
    private let loop: EventLoop

    init(_ exchange: ClientExchange, _ loop: EventLoop) {
        self.exchange = exchange
        self.loop = loop
    }

    /// Runs `body`; when the task is cancelled, the exchange ends, and so what waits for it.
    nonisolated(nonsending) func cancellable<Result>(
        _ body: nonisolated(nonsending) (ClientExchange) async throws(ClientError) -> Result
    ) async throws(ClientError) -> Result {
        let outcome: Swift.Result<Result, ClientError> = await withTaskCancellationHandler {
            do throws(ClientError) { return .success(try await body(exchange)) } catch { return .failure(error) }
        } onCancel: {
            end()
        }
        return try outcome.get()
    }

    /// Nobody reads it any more.
    func letGo() {
        if loop.isCurrent, exchange.isClosed { return }
        end()
    }

    private func end() {
        if loop.isCurrent { exchange.reset() } else { loop.execute { self.exchange.reset() } }
    }
}

/// The handler of exchanges that tasks wait for: those hear of events by themselves.
final class AsyncReceiver: ClientHandler {
    func closed(_ exchange: ClientExchange, _ error: ClientError?) {}

}
