/// What all client sessions of one loop share, whatever their version: the limits, the recycled exchanges and the counters.
///
/// Belongs to one thread.
@safe public final class HTTPClientResources {
    public let limits: ClientLimits
    let numbers: ClientLimitNumbers
    let nobody = NobodyClientHandler()
    /// Stands where no response is being read, and is never filled.
    let spareFields = HeaderBlock()
    @Unguarded var counters = HTTPCounters()
    /// Exchanges that have ended, for the next requests: in steady state none is allocated.
    @Unguarded private var free: [HeldReference<ClientExchange>] = []
    /// More than this are let go; one holds about 2.5 KiB.
    private static let keptCount = 512

    /// - Parameter limits: the bounds of every session made with these resources.
    public init(limits: ClientLimits) {
        self.limits = limits
        numbers = ClientLimitNumbers(limits)
    }

    deinit {
        for reference in free { _ = reference.take() }
        _free.deallocate()
        _counters.deallocate()
    }

    /// What the sessions of this loop have counted so far.
    public func counterSnapshot() -> HTTPCounters { counters }

    package func trip(_ limit: LimitName) { counters.trip(limit) }

    /// An exchange that is to be given to a session.
    ///
    /// - Parameters:
    ///   - isStreamed: the request's body follows by `write` and ends by `finish`; a body of the request's own goes in front.
    ///   - now: nanoseconds.
    /// - Precondition: the request has been checked.
    package func makeExchange(
        _ request: ClientRequest, handler: any ClientHandler, isStreamed: Bool, now: UInt64
    ) -> ClientExchange {
        let exchange = blank(receiver: handler)
        exchange.fill(request, isStreamed: isStreamed)
        if let timeout = request.timeout { exchange.deadline = now &+ LimitNanoseconds.nanoseconds(timeout) }
        counters.requests += 1
        return exchange
    }

    func blank(receiver: any ClientHandler) -> ClientExchange {
        guard let reference = free.popLast() else { return ClientExchange(resources: self, receiver: receiver) }
        let exchange = reference.take()
        exchange.home = self
        exchange.receiver = receiver
        return exchange
    }

    /// Takes an exchange back, unless someone still holds it.
    func recycle(_ reference: HeldReference<ClientExchange>) {
        var exchange = reference.take()
        guard isKnownUniquelyReferenced(&exchange) else {
            if exchange.isClosed { exchange.receiver = nobody }
            return
        }
        // Nobody is left who could take the rest of a paused body.
        exchange.close(nil)
        exchange.receiver = nobody
        guard free.count < Self.keptCount, isKnownUniquelyReferenced(&exchange) else { return }
        exchange.prepareForReuse()
        exchange.home = nil
        free.append(HeldReference(exchange))
    }
}

extension ClientExchange {
    fileprivate func fill(_ request: ClientRequest, isStreamed: Bool) {
        let isConnect = request.requestedProtocol != nil
        requestMethod = isConnect ? .connect : request.method
        methodSlice = keep(requestMethod.rawValue)
        schemeSlice = keep(request.scheme)
        authoritySlice = keep(request.authority)
        targetSlice = keep(request.target)
        if let name = request.requestedProtocol { protocolSlice = keep(name) }
        for (name, value) in request.headers where !Self.isOfConnection(name) {
            requestFields.append(name: name, value: value)
        }
        if isConnect || requestMethod == .connect { return }
        if isStreamed {
            if let body = request.body { queue.append(body) }
            return
        }
        state.insert(.requestFinished)
        guard let body = request.body else { return }
        wholeBody = body
        queue.append(body)
        if !requestFields.has("content-length") { requestFields.append(known: "content-length", value: body.count) }
    }

    private func keep(_ text: String) -> HeaderBlock.Slice {
        unsafe withBytes(text) { unsafe requestFields.keep($0) }
    }

    /// Fields that are a connection's and not a request's (RFC 9113 section 8.2.2, RFC 9110 section 7.6.1).
    private static func isOfConnection(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: name == "host"
        case 7: name == "upgrade"
        case 10: name == "connection" || name == "keep-alive"
        case 16: name == "proxy-connection"
        case 17: name == "transfer-encoding"
        default: false
        }
    }

    fileprivate func prepareForReuse() {
        requestFields.removeAll()
        if !isKnownUniquelyReferenced(&responseFields) { responseFields = HeaderBlock() }
        responseFields.removeAll()
        trailerFields = nil
        requestTrailers = nil
        wholeBody = nil
        codec = nil
        waiters = nil
        streamID = 0
        slot = -1
        state = []
        failure = nil
        attempts = 0
        requestMethod = .get
        protocolSlice = .init()
        bodyBytesSent = 0
        sendProgress = 0
        countedOutput = 0
        deadline = UInt64.max
        statusCode = 0
        headerListSize = 0
        informationalCount = 0
        bodyTimeout = nil
        bodyProgress = 0
        inbound.removeAll()
        queue.removeAll()
    }
}
