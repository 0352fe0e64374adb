internal import HelioReactor
internal import Logging

extension Server {
    /// Returns when SIGINT or SIGTERM has come and the server has stopped: gracefully at the first, at once at a second.
    /// SIGHUP reads the certificates again. Call it once, after ``start(on:)``.
    ///
    /// - Parameter grace: how long open streams have to finish.
    public func stopOnSignal(within grace: Duration = .seconds(30)) async {
        guard let loop = firstLoop else { return }
        loop.execute { [self] in
            var stops = 0
            let signals = [Signals.interrupt, Signals.terminate, Signals.hangUp]
            let watcher = try? Signals(signals, on: loop) { [self] signal in
                guard signal != Signals.hangUp else { return reloadOnSignal() }
                stops += 1
                let grace = stops == 1 ? grace : .zero
                Task { await self.stop(within: grace) }
            }
            if watcher == nil { logger.error("signals cannot be watched: too many open files") }
        }
        await stopped()
    }

    private func reloadOnSignal() {
        do {
            try reloadCertificates()
        } catch {
            logger.error("the certificates could not be replaced, the old ones stay", metadata: ["error": "\(error)"])
        }
    }
}
