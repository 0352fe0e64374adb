import ServiceLifecycle

/// What the program did before it had an HTTP side: jobs in the background, counted by an actor. It knows nothing of
/// the server.
actor JobCounter: Service {
    private(set) var finished = 0

    func run() async {
        // Ends between two jobs when the group shuts down.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled { await self.work() }
        }
    }

    private func work() async {
        guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        finished += 1
    }
}
