/// Exchanges that have ended, for the next streams of the loop: a request in steady state allocates none.
final class ExchangePool {
    @Unguarded private var free: [ExchangeReference] = []
    /// More than this are let go; one holds about 2.5 KiB.
    private static let keptCount = 512

    deinit {
        for reference in free { _ = reference.take() }
        _free.deallocate()
    }

    func make(receiver: any Handler, _ identity: ObjectIdentifier) -> ExchangeReference {
        guard let reference = free.popLast() else { return ExchangeReference(Exchange(receiver: receiver)) }
        // Nearly always it is so already: all sessions of a loop have one handler.
        reference.with { if $0.receiverIdentity != identity { $0.receiver = receiver } }
        return reference
    }

    /// Takes an exchange back, unless someone still holds it: an async handler may. Then it lets its handler go, which may
    /// be who holds it.
    ///
    /// - Parameters:
    ///   - next: the handler that its next stream will most likely have.
    ///   - nobody: takes the handler's place in an exchange that is held.
    func recycle(_ reference: ExchangeReference, next: any Handler, _ identity: ObjectIdentifier, nobody: NobodyHandler)
    {
        var exchange = reference.take()
        guard free.count < Self.keptCount, isKnownUniquelyReferenced(&exchange) else {
            exchange.receiver = nobody
            return
        }
        if exchange.receiverIdentity != identity { exchange.receiver = next }
        exchange.prepareForReuse()
        free.append(ExchangeReference(exchange))
    }
}

extension Exchange {
    fileprivate func prepareForReuse() {
        if !isKnownUniquelyReferenced(&requestFields) { requestFields = HeaderBlock() }
        requestFields.removeAll()
        responseFields.removeAll()
        trailerFields = nil
        responseTrailers = nil
        codec = nil
        waiters = nil
        slot = -1
        state = []
        closeReason = .finished
        requestMethod = .get
        targetSlice = .init()
        protocolSlice = .init()
        schemeSlice = .init()
        authoritySlice = .init()
        pathLength = 0
        pathParameters.removeAll()
        headerListSize = 0
        prioritySignal = Exchange.noPriority
        bodyTimeout = nil
        bodyProgress = 0
        sendProgress = 0
        countedOutput = 0
        statusCode = 0
        bodyBytesSent = 0
        writtenBytes = 0
        if !observers.isEmpty { observers.removeAll(keepingCapacity: true) }
        encoder = nil
        if source != nil { source = nil }
        inbound.removeAll()
        if !returned.isEmpty { returned = [] }
        queue.removeAll()
    }
}
