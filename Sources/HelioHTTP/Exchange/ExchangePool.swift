/// Exchanges that have ended, for the next streams of the loop: a request in steady state allocates none.
final class ExchangePool {
    private var free: [Exchange] = []
    /// More than this are let go; one holds about 2.5 KiB.
    private static let keptCount = 512

    func make(receiver: any Handler) -> Exchange {
        guard let exchange = free.popLast() else { return Exchange(receiver: receiver) }
        exchange.receiver = receiver
        return exchange
    }

    /// Takes an exchange back, unless someone still holds it: an async handler may. Then it lets its handler go, which may
    /// be who holds it.
    func recycle(_ exchange: consuming Exchange, idle: any Handler) {
        var candidate = consume exchange
        guard free.count < Self.keptCount, isKnownUniquelyReferenced(&candidate) else {
            candidate.receiver = idle
            return
        }
        candidate.prepareForReuse(idle: idle)
        free.append(candidate)
    }
}

extension Exchange {
    fileprivate func prepareForReuse(idle: any Handler) {
        if !isKnownUniquelyReferenced(&requestFields) { requestFields = HeaderBlock() }
        requestFields.removeAll()
        responseFields.removeAll()
        trailerFields = nil
        responseTrailers = nil
        codec = nil
        receiver = idle
        waiters = nil
        slot = -1
        state = []
        closeReason = .finished
        requestMethod = .get
        targetSlice = .init()
        schemeSlice = .init()
        authoritySlice = .init()
        pathLength = 0
        headerListSize = 0
        bodyTimeout = nil
        bodyProgress = 0
        sendProgress = 0
        countedOutput = 0
        inbound.removeAll()
        queue.removeAll()
    }
}
