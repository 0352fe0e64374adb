/// What the async face of an exchange throws.
public enum ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The exchange has ended, for this reason.
    case closed(CloseReason)
    /// The request's body is larger than the caller takes.
    case bodyTooLarge(limit: Int)

    public var description: String {
        switch self {
        case .closed(let reason): "the exchange has ended (\(reason))"
        case .bodyTooLarge(let limit): "the request's body is over \(limit) bytes"
        }
    }
}

/// The async face. All of it resumes on the exchange's loop when called from an async handler.
extension Exchange {
    /// The request's body, a chunk at a time; the peer may send more as chunks are taken.
    ///
    /// ```swift
    /// for try await chunk in exchange.body { try await exchange.send(chunk) }
    /// ```
    public var body: RequestBody { RequestBody(exchange: self) }

    /// Stops the body's events for good: it is taken by ``body`` and ``collectBody(upTo:)-5k1pi`` instead.
    public func pullBody() { state.insert(.pulled) }

    /// The next chunk of the request's body, or nil at its end.
    nonisolated(nonsending) public func nextChunk() async throws(ExchangeError) -> [UInt8]? {
        state.insert(.pulled)
        while true {
            if let chunk = takeInbound() { return chunk }
            if state.contains(.requestEnded) { return nil }
            if isClosed { throw .closed(closeReason) }
            bodyProgress = 0
            sendContinueIfDue()
            unsafe await wait(for: \.body) { !inbound.isEmpty || state.contains(.requestEnded) || isClosed }
        }
    }

    /// The whole body.
    ///
    /// - Throws: `bodyTooLarge` past `limit` bytes (an async handler that lets it through answers 413), `closed`.
    nonisolated(nonsending) public func collectBody(upTo limit: Int) async throws(ExchangeError) -> [UInt8] {
        if let text = requestFields["content-length"], let length = Int(text), length > limit {
            codec?.tripped(.bodySize)
            throw .bodyTooLarge(limit: limit)
        }
        var all: [UInt8] = []
        while let chunk = try await nextChunk() {
            guard all.count + chunk.count <= limit else {
                codec?.tripped(.bodySize)
                throw .bodyTooLarge(limit: limit)
            }
            if all.isEmpty { all = chunk } else { all += chunk }
        }
        return all
    }

    /// Writes to the response's body and waits until its queue is below the high-water mark.
    ///
    /// - Throws: `closed` once the exchange has ended, or where the response has no body (HEAD, 204, 304): a handler
    ///   that writes until it is stopped would otherwise never stop.
    nonisolated(nonsending) public func send(_ bytes: [UInt8]) async throws(ExchangeError) {
        if write(bytes) { return }
        try await waitForDrain()
    }

    /// As ``send(_:)-([UInt8])``, for a text.
    nonisolated(nonsending) public func send(_ text: String) async throws(ExchangeError) {
        if write(text) { return }
        try await waitForDrain()
    }

    nonisolated(nonsending) func waitForDrain() async throws(ExchangeError) {
        while state.contains(.overHighWater), !isClosed {
            unsafe await wait(for: \.drain) { !state.contains(.overHighWater) || isClosed }
        }
        if isClosed { throw .closed(closeReason) }
        if state.contains(.responseFinished) { throw .closed(.finished) }
    }

    nonisolated(nonsending) private func wait(
        for slot: ReferenceWritableKeyPath<ExchangeWaiters, UnsafeContinuation<Void, Never>?>,
        unless isDue: () -> Bool
    ) async {
        let waiters = waiters ?? ExchangeWaiters()
        self.waiters = waiters
        precondition(unsafe waiters[keyPath: slot] == nil, "one task at a time waits for an exchange")
        // What is waited for may have come by now: a call of an async function can be put off for an iteration of the loop.
        await unsafe withUnsafeContinuation {
            if isDue() { unsafe $0.resume() } else { unsafe waiters[keyPath: slot] = $0 }
        }
    }
}

/// The request's body as an asynchronous sequence of chunks.
public struct RequestBody: AsyncSequence {
    let exchange: Exchange

    public struct AsyncIterator: AsyncIteratorProtocol {
        let exchange: Exchange

        public mutating func next() async throws -> [UInt8]? { try await exchange.nextChunk() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ExchangeError) -> [UInt8]? {
            try await exchange.nextChunk()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(exchange: exchange) }
}

/// The tasks that wait for an exchange. Made with the first of them.
@safe final class ExchangeWaiters {
    /// A client's, for the response's head.
    var head: UnsafeContinuation<Void, Never>?
    var body: UnsafeContinuation<Void, Never>?
    var drain: UnsafeContinuation<Void, Never>?

    /// Whether a task waits for the peer to send.
    var wantsBody: Bool { unsafe body != nil }

    func headChanged() {
        guard let waiting = unsafe head else { return }
        unsafe head = nil
        unsafe waiting.resume()
    }

    func bodyChanged() {
        guard let waiting = unsafe body else { return }
        unsafe body = nil
        unsafe waiting.resume()
    }

    func drained() {
        guard let waiting = unsafe drain else { return }
        unsafe drain = nil
        unsafe waiting.resume()
    }

    func closed() {
        headChanged()
        bodyChanged()
        drained()
    }
}
