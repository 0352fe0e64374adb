/// The async face. All of it resumes on the exchange's loop when called from a task of that loop.
extension ClientExchange {
    /// Waits for the final response's head. From then on the body waits to be pulled.
    ///
    /// - Throws: the error that the exchange ended with.
    nonisolated(nonsending) public func response() async throws(ClientError) {
        state.insert(.pulled)
        while !state.contains(.responded) {
            if isClosed { throw failure ?? .connectionLost }
            unsafe await wait(for: \.head) { state.contains(.responded) || isClosed }
        }
    }

    /// The next chunk of the response's body, or nil at its end.
    ///
    /// - Throws: the error that the exchange ended with.
    nonisolated(nonsending) public func nextChunk() async throws(ClientError) -> [UInt8]? {
        state.insert(.pulled)
        while true {
            if let chunk = inbound.popFirst() {
                // The end of the exchange has given back all that was still here.
                if !isClosed { codec?.consumed(self, chunk.count) }
                return chunk
            }
            if let failure { throw failure }
            if state.contains(.responseEnded) || isClosed { return nil }
            bodyProgress = 0
            unsafe await wait(for: \.body) { !inbound.isEmpty || state.contains(.responseEnded) || isClosed }
        }
    }

    /// The whole body.
    ///
    /// - Throws: ``ClientError/bodyTooLarge(limit:)`` past `limit` bytes, and then the exchange is reset; the error that the
    ///   exchange ended with.
    nonisolated(nonsending) public func collectBody(upTo limit: Int) async throws(ClientError) -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try await nextChunk() {
            guard all.count + chunk.count <= limit else {
                abandon(.bodyTooLarge(limit: limit), .cancel)
                throw .bodyTooLarge(limit: limit)
            }
            if all.isEmpty { all = chunk } else { all += chunk }
        }
        return all
    }

    /// Writes to the request's body and waits until its queue is below the high-water mark.
    ///
    /// - Throws: the error that the exchange ended with, or ``ClientError/cancelled`` where it takes no more.
    nonisolated(nonsending) public func send(_ bytes: [UInt8]) async throws(ClientError) {
        if write(bytes) { return }
        while state.contains(.overHighWater), !isClosed {
            unsafe await wait(for: \.drain) { !state.contains(.overHighWater) || isClosed }
        }
        if isClosed || state.contains(.requestFinished) { throw failure ?? .cancelled }
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
