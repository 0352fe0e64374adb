internal import HelioReactor
internal import Logging

extension Server {
    /// Returns when SIGINT or SIGTERM has come and the server has stopped: gracefully at the first, at once at a second.
    /// SIGHUP reads the certificates again. Call it once, after ``start(on:)``.
    ///
    /// - Parameters:
    ///   - grace: how long open streams have to finish.
    ///   - ready: called on a loop once signals are watched; one that comes before that ends the process.
    ///   - hangUp: what else SIGHUP does, such as opening a log again; it may block.
    public func stopOnSignal(
        within grace: Duration = .seconds(30), ready: (@Sendable () -> Void)? = nil,
        hangUp: (@Sendable () -> Void)? = nil
    ) async {
        guard let loop = firstLoop else { return }
        let watch = SignalWatch()
        loop.execute { [self] in
            var stops = 0
            watch.signals = try? Signals([Signals.interrupt, Signals.terminate, Signals.hangUp], on: loop) {
                [self] signal in
                // Files are read, which blocks: not on the loop.
                guard signal != Signals.hangUp else { return _ = Task { reloadOnSignal(hangUp) } }
                stops += 1
                let grace = stops == 1 ? grace : .zero
                Task { await stop(within: grace) }
            }
            if watch.signals == nil { logger.error("signals cannot be watched: too many open files") }
            ready?()
        }
        await stopped()
        // Loops that are not the server's own go on.
        loop.execute { watch.signals?.close() }
    }

    private func reloadOnSignal(_ hangUp: (@Sendable () -> Void)?) {
        hangUp?()
        do {
            try reloadCertificates()
        } catch {
            logger.error("the certificates could not be replaced, the old ones stay", metadata: ["error": "\(error)"])
        }
    }
}

/// The watcher, touched on its loop only.
private final class SignalWatch: @unchecked Sendable {
    var signals: Signals?
}
