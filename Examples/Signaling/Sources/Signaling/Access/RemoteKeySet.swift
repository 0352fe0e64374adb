import Heliograph
import Logging
import SignalingAuth
import SignalingCore

/// Public keys of tokens that an issuer publishes (RFC 7517): fetched before they are needed, again before they are old, and when a
/// token names one that is not among them. While the issuer is away those that are there stay good. Any thread.
final class RemoteKeySet: Sendable {
    let source: KeySetSource
    private let client: Client
    private let logger: Logger
    private let state = Lock(State())

    private struct State {
        /// Nil until the first fetch that succeeds.
        var keys: [TokenKey]?
        /// One at a time.
        var fetch: Task<Void, Never>?
        var lastFetch: ContinuousClock.Instant?
        var lastSuccess: ContinuousClock.Instant?
        /// In a row.
        var failures = 0
        /// Until the next fetch that nobody asks for.
        var pause = Duration.zero
        var watch: Task<Void, Never>?
        var measures = KeySetMeasures()
    }

    init(_ source: KeySetSource, on loop: EventLoop, logger: Logger) throws(ClientError) {
        self.source = source
        self.logger = logger
        var configuration = ClientConfiguration()
        configuration.limits.maxConnectionsPerOrigin = 1
        configuration.logger = logger
        client = try Client(on: loop, configuration: configuration)
    }

    /// Those of now; nil before there have been any.
    var keys: [TokenKey]? { state.withLock { $0.keys } }

    var measures: KeySetMeasures {
        let now = ContinuousClock.now
        return state.withLock { state in
            var measures = state.measures
            measures.keys = state.keys?.count ?? 0
            measures.age = state.lastSuccess.map { now - $0 }
            return measures
        }
    }

    /// Keeps them fresh from now on.
    func watch() {
        let task = Task { [self] in
            while !Task.isCancelled {
                await refresh()
                try? await Task.sleep(for: state.withLock { $0.pause })
            }
        }
        state.withLock { $0.watch = task }
    }

    func stop() async {
        state.withLock { $0.watch?.cancel() }
        await client.stop(within: .zero)
    }

    /// Fetches them, or waits for the fetch that is under way. Whatever comes of it.
    func refresh() async {
        let task = state.withLock { state in
            if let task = state.fetch { return task }
            state.lastFetch = .now
            let task = Task { [self] in await fetch() }
            state.fetch = task
            return task
        }
        await task.value
    }

    /// Fetches them because a token names a key that is not there, unless that was done a moment ago: anyone can make up names.
    ///
    /// - Returns: whether there may be others now.
    func lookAgain() async -> Bool {
        let isDue = state.withLock { state in
            state.fetch != nil || state.lastFetch.map { ContinuousClock.now - $0 >= source.interval } ?? true
        }
        if isDue { await refresh() }
        return isDue
    }

    // MARK: Fetching

    private func fetch() async {
        do {
            let (keys, freshness) = try await load()
            succeeded(keys, freshness)
        } catch {
            failed("\(error)")
        }
    }

    private func load() async throws -> (keys: [TokenKey], freshness: Duration) {
        let (body, freshness) = try await client.run { [client, source] in
            var request = try ClientRequest(.get, source.url)
            request.headers = [("accept", "application/jwk-set+json, application/json"), ("user-agent", "signaling")]
            request.timeout = source.timeout
            let response = try await client.request(request)
            guard response.status == 200 else { throw KeySetFailure(description: "status \(response.status)") }
            let freshness = source.freshness(
                cacheControl: response.headers["cache-control"], age: response.headers["age"])
            return (try await response.collect(upTo: source.size), freshness)
        }
        let keys = try await TokenKey.set(body)
        guard keys.count <= source.keys else { throw KeySetFailure(description: "it has over \(source.keys) keys") }
        return (keys, freshness)
    }

    private func succeeded(_ keys: [TokenKey], _ freshness: Duration) {
        let news = state.withLock { state in
            let news = state.keys == nil || state.failures > 0 || state.keys?.map(\.id) != keys.map(\.id)
            state.keys = keys
            state.fetch = nil
            state.lastSuccess = .now
            state.failures = 0
            // Ahead of time, so that a slow answer or a failure finds keys that are still fresh.
            state.pause = max(source.interval, freshness * 4 / 5)
            state.measures.fetched += 1
            return news
        }
        if news { logger.info("the issuer's keys are read", metadata: ["keys": "\(keys.count)"]) }
    }

    private func failed(_ reason: String) {
        let (isEmpty, pause) = state.withLock { state in
            state.fetch = nil
            state.failures += 1
            let longest = min(source.interval * (1 << min(state.failures - 1, 20)), source.maxPause)
            state.pause = .nanoseconds(Int64.random(in: Int64(longest.nanoseconds / 2)...Int64(longest.nanoseconds)))
            state.measures.failed += 1
            return (state.keys == nil, state.pause)
        }
        let metadata: Logger.Metadata = ["url": "\(source.url)", "reason": "\(reason)", "again_in": "\(pause)"]
        if isEmpty {
            logger.error("the issuer's keys cannot be read, and there are none: nobody gets in", metadata: metadata)
        } else {
            logger.warning("the issuer's keys cannot be read, the old ones stay", metadata: metadata)
        }
    }
}
