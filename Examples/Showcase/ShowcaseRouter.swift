import Heliograph

/// What routes are made with.
struct RouteContext {
    /// The loop that they are for.
    let loop: EventLoop
    /// The files that are served; nil for none.
    let files: FileRoot?
    /// Whom messages are passed on to, on all loops.
    let feeds: Feeds
}

/// All routes, one line for each group of them.
func showcaseRouter(_ context: RouteContext) -> Router {
    Router(on: context.loop) { router in
        addHello(to: router)
        addBodies(to: router)
        addUpload(to: router)
        addCompressed(to: router, context)
        addTiming(to: router, context)
        addWrapped(to: router, context)
        addWebSockets(to: router)
        addFeed(to: router, context)
        addFiles(to: router, context)
        addHints(to: router, context)
        addPriority(to: router)
        addConnection(to: router)
        addInspection(to: router, context)
        addPeers(to: router)
    }
}

extension Exchange {
    /// The whole number that the query has under a name.
    func queryNumber(_ name: String) -> Int? {
        for pair in query?.split(separator: "&") ?? [] where pair.hasPrefix(name + "=") {
            return Int(pair.dropFirst(name.count + 1))
        }
        return nil
    }
}
