/// What the exchange asks of its session.
extension HTTP1Session {
    func submitHead(_ exchange: Exchange, status: Status, endsStream: Bool) {
        exchange.sendProgress = 0
        if endsStream || exchange.state.contains(.bodiless) { exchange.state.insert(.responseFinished) }
        // The request of a tunnel goes on, also where it was taken for complete until now.
        if exchange.isTunnel { exchange.state.subtract([.requestEnded, .endDelivered]) }
        response.due = status
        requestDrain()
        settleOutsideOfCalls()
    }

    func submitInformational(_ exchange: Exchange, status: Status, _ fields: HeaderBlock) {
        // RFC 9110 section 15.2: HTTP/1.0 has none.
        guard exchange.carriedBy == .http11 else { return }
        if status == .continue { awaitsContinue = false }
        let summary = HTTP1Serializer.summary(of: fields)
        unsafe withUnsafeTemporaryAllocation(byteCount: summary.size, alignment: 1) { scratch in
            guard let base = scratch.baseAddress else { return }
            var output = unsafe HTTP1Output(base, capacity: scratch.count)
            unsafe HTTP1Serializer.writeHead(status, fields, summary, framing: .untilClose, .implied, to: &output)
            unsafe control.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<output.count]))
        }
        requestDrain()
    }

    func answer(_ exchange: Exchange, _ status: Status) {
        exchange.statusCode = status.rawValue
        exchange.responseFields.removeAll()
        exchange.responseFields.append(known: "content-length", value: 0)
        exchange.state.insert(.responseStarted)
        // What is left of its request is not waited for.
        if !isRequestRead { response.persists = false }
        submitHead(exchange, status: status, endsStream: true)
    }

    func bodyAvailable(_ exchange: Exchange) {
        guard exchange.state.contains(.starved) else { return }
        exchange.state.remove(.starved)
        exchange.sendProgress = 0
        requestDrain()
    }

    func queued(_ exchange: Exchange, _ count: Int) -> Bool {
        exchange.countedOutput += count
        queuedOutput += count
        guard queuedOutput > limits.maxQueuedOutput else { return true }
        tripped(.queuedOutput)
        end(.now)
        release(exchange)
        exchange.close(.limit(.queuedOutput))
        return false
    }

    /// What an exchange had queued no longer counts.
    func release(_ exchange: Exchange) {
        queuedOutput -= exchange.countedOutput
        exchange.countedOutput = 0
    }

    func consumed(_ exchange: Exchange, _ count: Int) {
        heldInput -= count
        settleOutsideOfCalls()
    }

    /// There is one way to tell the peer that a response stays incomplete: the connection ends.
    func reset(_ exchange: Exchange, _ code: HTTP2ErrorCode, forFaultOfPeer: Bool) { end(.now) }

    func tripped(_ limit: LimitName) { resources.counters.trip(limit) }
}
