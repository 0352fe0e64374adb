import Heliograph
import Logging
import SignalingCore

/// The process's key set from a URL, of which a new configuration may name another. Any thread.
final class KeySets: Sendable {
    private let loop: EventLoop
    private let logger: Logger
    private let current = Lock<RemoteKeySet?>(nil)

    init(on loop: EventLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
    }

    var measures: KeySetMeasures? { current.withLock { $0 }?.measures }

    /// At the start: does not wait for keys. They are fetched, and until they are there nobody gets in.
    func start(_ source: KeySetSource?) throws(ClientError) -> RemoteKeySet? {
        guard let source else { return nil }
        let made = try RemoteKeySet(source, on: loop, logger: logger)
        current.withLock { $0 = made }
        made.watch()
        return made
    }

    /// While it runs: fetches the keys of the same source anew, and takes those of another only if they can be had.
    func replace(by source: KeySetSource?) async throws -> RemoteKeySet? {
        let old = current.withLock { $0 }
        if let old, old.source == source {
            await old.refresh()
            return old
        }
        var made: RemoteKeySet?
        if let source {
            let new = try RemoteKeySet(source, on: loop, logger: logger)
            await new.refresh()
            guard new.keys != nil else {
                await new.stop()
                throw KeySetFailure(description: "no keys can be read from \(source.url)")
            }
            new.watch()
            made = new
        }
        current.withLock { $0 = made }
        await old?.stop()
        return made
    }

    func stop() async { await current.withLock { $0 }?.stop() }
}
