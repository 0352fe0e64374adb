/// Requests as bytes (RFC 9112 sections 3, 6 and 7), and time.
extension HTTP1ClientSession {
    /// Writes what there is room for. An error: the request cannot be sent as the program has it.
    func send(_ exchange: ClientExchange, to output: inout HTTP1Output) -> ClientError? {
        if case .head = sending, let error = sendHead(exchange, to: &output) { return error }
        switch sending {
        case .nothing, .head: return nil
        case .sized(let left): return sendSized(exchange, left, to: &output)
        case .chunked: sendChunks(exchange, to: &output)
        case .tunnel:
            let count = min(exchange.queue.count, output.room)
            move(exchange, count, to: &output)
            if exchange.queue.isEmpty, exchange.state.contains(.requestFinished) {
                exchange.state.insert(.requestSent)
                tunnelMayEnd(exchange)
            }
        }
        return nil
    }

    private func sendHead(_ exchange: ClientExchange, to output: inout HTTP1Output) -> ClientError? {
        let fields = exchange.requestFields
        let isUpgrade = exchange.protocolSlice.isPresent
        let size = fields.listSize + Int(exchange.targetSlice.length + 2 * exchange.authoritySlice.length) + 256
        guard size <= output.room else { return .invalidRequest("its head is over \(output.room) bytes") }
        if isUpgrade { output.append("GET") } else { unsafe output.append(fields.bytes(exchange.methodSlice)) }
        output.append(" ")
        let isConnect = exchange.requestMethod == .connect && !isUpgrade
        unsafe output.append(fields.bytes(isConnect ? exchange.authoritySlice : exchange.targetSlice))
        output.append(" HTTP/1.1\r\nhost: ")
        unsafe output.append(fields.bytes(exchange.authoritySlice))
        output.append("\r\n")
        var length: Int?
        for index in 0..<fields.count {
            let name = unsafe fields.bytes(fields.nameSlice(index))
            let value = unsafe fields.bytes(fields.valueSlice(index))
            if name.count == 14, unsafe HTTP1Characters.equal(name, "content-length") {
                length = unsafe HTTP1Characters.number(value)
                guard length != nil else { return .invalidRequest("its content-length is no number") }
            }
            unsafe output.append(name)
            output.append(": ")
            unsafe output.append(value)
            output.append("\r\n")
        }
        if isUpgrade {
            output.append("connection: upgrade\r\nupgrade: ")
            unsafe output.append(fields.bytes(exchange.protocolSlice))
            output.append("\r\n")
        }
        begin(exchange, length: length, isTunnelAsked: isUpgrade || isConnect, to: &output)
        output.append("\r\n")
        return nil
    }

    /// How the body is framed (section 6.3).
    private func begin(
        _ exchange: ClientExchange, length: Int?, isTunnelAsked: Bool, to output: inout HTTP1Output
    ) {
        if isTunnelAsked || !exchange.sendsBody && length ?? 0 == 0 {
            sending = .nothing
            if !isTunnelAsked { exchange.state.insert(.requestSent) }
        } else if let length {
            sending = .sized(left: length)
        } else {
            sending = .chunked
            output.append("transfer-encoding: chunked\r\n")
        }
    }

    private func sendSized(
        _ exchange: ClientExchange, _ left: Int, to output: inout HTTP1Output
    ) -> ClientError? {
        let count = min(exchange.queue.count, output.room, left)
        move(exchange, count, to: &output)
        sending = .sized(left: left - count)
        if count == left {
            guard exchange.queue.isEmpty else { return .invalidRequest("its body is longer than its content-length") }
            if exchange.state.contains(.requestFinished) { finishSending(exchange) }
        } else if exchange.queue.isEmpty, exchange.state.contains(.requestFinished) {
            return .invalidRequest("its body is shorter than its content-length")
        }
        return nil
    }

    private func sendChunks(_ exchange: ClientExchange, to output: inout HTTP1Output) {
        while !exchange.queue.isEmpty {
            let count = min(exchange.queue.count, output.room - Self.chunkOverhead)
            guard count > 0 else { return requestDrain() }
            HTTP1Serializer.writeChunkHead(count, to: &output)
            move(exchange, count, to: &output)
            output.append("\r\n")
        }
        guard exchange.state.contains(.requestFinished) else { return }
        guard output.room >= HTTP1Serializer.sizeOfEnd(exchange.requestTrailers) else { return requestDrain() }
        HTTP1Serializer.writeEnd(exchange.requestTrailers, to: &output)
        finishSending(exchange)
    }

    private func finishSending(_ exchange: ClientExchange) {
        sending = .nothing
        exchange.state.insert(.requestSent)
    }

    private func move(_ exchange: ClientExchange, _ count: Int, to output: inout HTTP1Output) {
        guard count > 0 else { return }
        unsafe output.append(count) { unsafe exchange.queue.read(count, into: $0) }
        exchange.bodyBytesSent += count
        if !exchange.queue.isEmpty { requestDrain() }
        if exchange.state.contains(.overHighWater), exchange.queue.count <= limits.requestHighWaterMark / 2 {
            drainedDue = true
        }
    }

    private static let chunkOverhead = HTTP1Serializer.chunkOverhead

    // MARK: Time

    public func nextDeadline(now: UInt64) -> UInt64 {
        guard !isOver else { return UInt64.max }
        let times = resources.numbers
        guard let current else { return idleSince + times.idle }
        return current.with { exchange in
            soonestDeadline = exchange.deadline
            let next = exchange.nextDeadline(times, now: now)
            return headStart.map { min(next, $0 + times.header) } ?? next
        }
    }

    public var shortestTimeout: UInt64 {
        let shortest = resources.numbers.shortest
        guard soonestDeadline < now &+ shortest else { return shortest }
        return soonestDeadline > now ? soonestDeadline - now : 1
    }

    public func expire(now: UInt64) {
        guard !isOver else { return }
        self.now = now
        let times = resources.numbers
        guard let current else {
            if now >= idleSince + times.idle { beginShutdown(now: now) }
            return
        }
        current.with { exchange in
            var limit = exchange.expired(times, now: now)
            if limit == nil, let headStart, now >= headStart + times.header { limit = .headerTimeout }
            guard let limit else { return }
            resources.counters.trip(limit)
            exchange.abandon(.limit(limit), .cancel)
        }
    }

    /// Takes no more exchanges, and ends with the one that is open.
    public func beginShutdown(now: UInt64) {
        guard !isStopping else { return }
        isStopping = true
        requestDrain()
    }
}
