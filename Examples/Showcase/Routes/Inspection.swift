import Heliograph

/// What the server tells of itself: `/loop`.
func addInspection(to router: Routes, _ context: RouteContext) {
    let loop = context.loop
    router.get("/loop") { exchange in loopStatistics(exchange, loop) }
}

/// How the loop of this connection fares and what it holds, this request included. Times are in microseconds;
/// `iterations` and `longestIteration` are since the last call that this loop answered.
private func loopStatistics(_ exchange: Exchange, _ loop: EventLoop) {
    guard let snapshot = exchange.connection?.loopSnapshot else { return }
    let statistics = loop.takeStatistics()
    let numbers: [(name: String, value: Int)] = [
        ("loop", loop.index),
        ("iterations", statistics.iterations),
        ("longestIteration", Int(clamping: statistics.longestIteration / 1000)),
        ("accepted", snapshot.connections.accepted),
        ("connections", snapshot.connections.open),
        ("streams", snapshot.http.openStreams),
        ("timers", snapshot.timers),
        ("descriptors", snapshot.descriptors),
        ("blocks", snapshot.nghttp2Blocks),
    ]
    let members = numbers.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",")
    exchange.respond(.ok, contentType: "application/json", "{\(members)}\n")
}
