internal import HelioHTTP

/// Exchanges that wait for a connection, the longest first. Those that come back from a connection go in front.
struct RequestQueue {
    private var returned: [ClientExchange] = []
    private var waiting: ContiguousArray<ClientExchange?> = []
    private var first = 0

    var count: Int { returned.count + waiting.count - first }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ exchange: ClientExchange) { waiting.append(exchange) }
    mutating func putBack(_ exchange: ClientExchange) { returned.append(exchange) }

    /// The next one that has not ended meanwhile.
    mutating func popFirst() -> ClientExchange? {
        while let exchange = popAny() { if !exchange.isClosed { return exchange } }
        return nil
    }

    /// Takes out those for which it is so.
    mutating func remove(where isUnwanted: (ClientExchange) -> Bool) -> [ClientExchange] {
        var removed: [ClientExchange] = []
        var kept: ContiguousArray<ClientExchange?> = []
        for exchange in returned + waiting[first...].compactMap({ $0 }) {
            if isUnwanted(exchange) { removed.append(exchange) } else { kept.append(exchange) }
        }
        returned = []
        waiting = kept
        first = 0
        return removed
    }

    /// When the first of them has waited for too long.
    var nextDeadline: UInt64 {
        var next = UInt64.max
        for exchange in returned { next = min(next, exchange.latestStart) }
        for exchange in waiting[first...] { next = min(next, exchange?.latestStart ?? UInt64.max) }
        return next
    }

    private mutating func popAny() -> ClientExchange? {
        if let exchange = returned.popLast() { return exchange }
        guard first < waiting.count else { return nil }
        let exchange = waiting[first]
        waiting[first] = nil
        first += 1
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count <= 1024)
            first = 0
        } else if first >= 1024, first * 2 >= waiting.count {
            waiting.removeFirst(first)
            first = 0
        }
        return exchange
    }
}
