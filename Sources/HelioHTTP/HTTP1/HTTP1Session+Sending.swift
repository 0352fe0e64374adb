/// Serializing. Nothing of the application's runs here: what it has to hear is delivered after it.
extension HTTP1Session {
    /// Writes what there is of the current response, and what stands before it.
    ///
    /// - Returns: false when the output is full.
    func write(to output: inout HTTP1Output) -> Bool {
        if case .now = ending { return true }
        if !control.isEmpty {
            let count = min(control.count, output.room)
            unsafe output.append(count) { unsafe control.read(count, into: $0) }
            guard control.isEmpty else { return false }
            control.release()
        }
        guard let current else { return true }
        return current.with { exchange in
            if let status = response.due {
                guard writeHead(status, of: exchange, to: &output) else { return false }
            }
            return response.isHeadSent ? writeBody(of: exchange, to: &output) : true
        }
    }

    private func writeHead(_ status: Status, of exchange: Exchange, to output: inout HTTP1Output) -> Bool {
        let fields = exchange.responseFields
        let summary = HTTP1Serializer.summary(of: fields)
        let upgrade = unsafe exchange.requestFields.bytes(exchange.protocolSlice)
        guard hasRoom(for: summary.size + upgrade.count, in: output, exchange) else { return false }
        if awaitsContinue, exchange.isTakingBody, !exchange.state.contains(.responseFinished) {
            // The handler answers while it reads: behind the head there is no place for it.
            HTTP1Serializer.writeContinue(to: &output)
            awaitsContinue = false
        }
        let persistence = settle(status, summary, of: exchange)
        unsafe HTTP1Serializer.writeHead(
            status, fields, summary, framing: response.framing, persistence, upgrade: upgrade, to: &output)
        response.due = nil
        response.isHeadSent = true
        return true
    }

    /// Decides how the end of the response is told and what becomes of the connection.
    private func settle(
        _ status: Status, _ summary: HTTP1Serializer.Summary, of exchange: Exchange
    ) -> HTTP1Serializer.Persistence {
        if exchange.isTunnel {
            response.framing = .untilClose
            response.persists = false
            return status == .switchingProtocols ? .upgrade : .implied
        }
        let isFinished = exchange.state.contains(.responseFinished)
        if summary.closes || shutsDown || !requestWillEnd(isResponseFinished: isFinished) { response.persists = false }
        if exchange.state.contains(.bodiless) {
            response.framing = .asFieldsSay
        } else if let length = summary.contentLength {
            response.framing = .asFieldsSay
            response.left = length
        } else if isFinished, exchange.responseTrailers == nil {
            let length = exchange.queue.count + (exchange.source?.remaining ?? 0)
            response.framing = .length(length)
            response.left = length
        } else if exchange.carriedBy == .http11 {
            response.framing = .chunked
        } else {
            // RFC 9112 section 6.3, the last rule: HTTP/1.0 knows no chunks.
            response.framing = .untilClose
            response.persists = false
        }
        guard response.persists else { return .close }
        return exchange.carriedBy == .http10 ? .keepAlive : .implied
    }

    /// Whether the next request can be found behind this one, as far as that is known.
    private func requestWillEnd(isResponseFinished: Bool) -> Bool {
        if parser.head.method == .connect { return false }
        if isRequestRead { return true }
        // RFC 9110 section 10.1.1: a client that was not told to go on may send its body, or not.
        if awaitsContinue { return false }
        return !isResponseFinished || (parser.contentLeft ?? 0) <= limits.maxDiscardedBody
    }

    private func writeBody(of exchange: Exchange, to output: inout HTTP1Output) -> Bool {
        if let source = exchange.source, source.remaining > 0 {
            guard exchange.state.isDisjoint(with: [.starved, .closed]) else { return true }
            return write(source, of: exchange, to: &output)
        }
        while exchange.hasBodyToSend {
            let overhead = response.framing == .chunked ? HTTP1Serializer.chunkOverhead : 0
            guard output.room > overhead else { return false }
            writePiece(of: exchange, atMost: output.room - overhead, to: &output)
            guard exchange.queue.isEmpty else { return false }
        }
        guard exchange.state.contains(.responseFinished) else {
            exchange.state.insert(.starved)
            return true
        }
        if response.framing == .chunked {
            let trailers = exchange.responseTrailers
            guard hasRoom(for: HTTP1Serializer.sizeOfEnd(trailers), in: output, exchange) else { return false }
            HTTP1Serializer.writeEnd(trailers, to: &output)
        }
        // A length that was announced and not met: the peer learns of it by the end of the connection.
        if let left = response.left, left > 0 { response.persists = false }
        responseSent(exchange)
        return true
    }

    private func writePiece(of exchange: Exchange, atMost room: Int, to output: inout HTTP1Output) {
        var count = min(exchange.queue.count, room)
        if let left = response.left {
            count = min(count, left)
            response.left = left - count
        }
        if response.framing == .chunked {
            HTTP1Serializer.writeChunkHead(count, to: &output)
            unsafe output.append(count) { unsafe exchange.queue.read(count, into: $0) }
            output.append("\r\n")
        } else {
            unsafe output.append(count) { unsafe exchange.queue.read(count, into: $0) }
        }
        exchange.bodyBytesSent += count
        exchange.sendProgress = now
        if response.left == 0, !exchange.queue.isEmpty {
            // More than was announced would be taken for the next response.
            exchange.queue.removeAll()
            release(exchange)
            response.persists = false
        }
        let released = min(exchange.countedOutput, count)
        exchange.countedOutput -= released
        queuedOutput -= released
        if exchange.state.contains(.overHighWater), !exchange.state.contains(.drainListed),
            exchange.queue.count <= limits.responseHighWaterMark / 2
        {
            exchange.state.insert(.drainListed)
            isDrainedDue = true
        }
    }

    /// What no output would ever have room for cannot be sent.
    private func hasRoom(for size: Int, in output: HTTP1Output, _ exchange: Exchange) -> Bool {
        if size <= output.room { return true }
        if output.count == 0 {
            if !exchange.state.contains(.closed) { exchange.closeReason = .reset(.internalError) }
            end(.now)
        }
        return false
    }

    private func responseSent(_ exchange: Exchange) {
        exchange.state.insert(.responseSent)
        if !exchange.state.contains(.closed) { exchange.closeReason = .finished }
        endCurrent()
        guard response.persists, !shutsDown else { return end(.afterOutput) }
        if isRequestRead {
            awaitNextRequest()
        } else if requestWillEnd(isResponseFinished: true) {
            discard = Discard(since: now, left: limits.maxDiscardedBody)
        } else {
            end(.afterOutput)
        }
    }
}
