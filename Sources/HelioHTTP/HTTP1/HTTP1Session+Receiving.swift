/// What becomes of the peer's bytes.
extension HTTP1Session {
    /// Takes as many of the bytes as can be taken now.
    ///
    /// - Returns: how many that were.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        var position = 0
        var goesOn = true
        while goesOn, takesInput {
            if let current {
                goesOn = current.with { unsafe take($0, bytes, &position) }
            } else if discard != nil {
                goesOn = unsafe discard(bytes, &position)
            } else {
                goesOn = unsafe parser.requestBegins(in: bytes, at: &position)
                if goesOn { beginRequest() }
            }
        }
        return position
    }

    private func beginRequest() {
        let reference = resources.exchanges.make(receiver: handler, handlerIdentity)
        reference.with { exchange in
            exchange.codec = self
            exchange.streamID = nextID
        }
        nextID = nextID == Int32.max ? 1 : nextID + 2
        current = reference
        resources.counters.openStreams += 1
        headStart = now
        isFresh = false
    }

    /// Answers whether there may be more to take.
    private func take(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Bool {
        if isRequestRead {
            // A tunnel's bytes are its own.
            let count = min(bytes.count - position, window - heldInput)
            guard count > 0 else {
                if isInputEnded, !exchange.isRequestComplete { exchange.receivedEnd() }
                return false
            }
            position += count
            unsafe content(UnsafeRawBufferPointer(rebasing: bytes[(position - count)..<position]), of: exchange)
            return true
        }
        do throws(HTTP1Refusal) {
            let fields = exchange.trailerFields ?? exchange.requestFields
            let room = window - heldInput
            switch try unsafe parser.next(in: bytes, at: &position, into: fields, atMost: room) {
            case .needsMore: return false
            case .head: headReceived(exchange)
            case .content(let count):
                if isFloodOfChunks(count) { return false }
                unsafe content(UnsafeRawBufferPointer(rebasing: bytes[(position - count)..<position]), of: exchange)
            case .trailersBegin: exchange.trailerFields = HeaderBlock()
            case .end: requestRead(exchange)
            }
            return true
        } catch {
            refuse(exchange, error)
            return false
        }
    }

    private func headReceived(_ exchange: Exchange) {
        headStart = nil
        let head = parser.head
        exchange.carriedBy = head.version
        exchange.requestMethod = head.method
        exchange.targetSlice = head.target
        exchange.pathLength = head.pathLength
        exchange.authoritySlice = head.authority
        exchange.protocolSlice = head.protocolName
        exchange.schemeSlice = exchange.requestFields.keep(isSecure ? "https" : "http")
        response = Response(persists: head.persists)
        awaitsContinue = head.hasBody && exchange.requestFields.isContinueExpected
        resources.counters.requests += 1
        exchange.deliverRequest(hasBody: head.hasBody, now: now)
    }

    private func content(_ bytes: UnsafeRawBufferPointer, of exchange: Exchange) {
        // It comes without having been asked for (RFC 9110 section 10.1.1 lets a client do so).
        awaitsContinue = false
        heldInput += bytes.count
        unsafe exchange.received(bytes, now: now)
    }

    /// A body of many small chunks costs as much as one of many small frames over HTTP/2.
    private func isFloodOfChunks(_ count: Int) -> Bool {
        guard count < Self.smallChunk, parser.head.flags.contains(.isChunked),
            !smallChunks.allow(resources.rates.frames, now: now)
        else { return false }
        tripped(.frameRate)
        current?.with { $0.abandon(.limit(.frameRate), status: .tooManyRequests) }
        return true
    }

    private static let smallChunk = 256

    private func requestRead(_ exchange: Exchange) {
        isRequestRead = true
        // A CONNECT's request ends with its tunnel, as over HTTP/2. One that asks for another protocol is complete, unless the
        // protocol was accepted right away.
        guard !exchange.isTunnel, exchange.requestMethod != .connect else { return }
        exchange.receivedEnd()
    }

    // MARK: Refusals

    private func refuse(_ exchange: Exchange, _ refusal: HTTP1Refusal) {
        resources.counters.refusals[refusal.status, default: 0] += 1
        if let limit = refusal.limit { tripped(limit) }
        guard exchange.state.contains(.delivered) else { return refuse(refusal.status) }
        exchange.close(refusal.limit.map { .limit($0) } ?? .reset(.protocolError))
        // A response whose head has not gone yet can still be another one.
        if response.isHeadSent { end(.now) } else { answer(exchange, refusal.status) }
    }

    /// Answers a request that no handler has seen. The connection ends: where the next one begins is not known.
    func refuse(_ status: Status) {
        unsafe withUnsafeTemporaryAllocation(byteCount: HTTP1Serializer.longestRefusal, alignment: 1) { scratch in
            guard let base = scratch.baseAddress else { return }
            var output = unsafe HTTP1Output(base, capacity: scratch.count)
            HTTP1Serializer.writeRefusal(status, to: &output)
            unsafe control.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<output.count]))
        }
        endCurrent()
        end(.afterOutput)
    }

    // MARK: After an early response

    /// Goes on to the next request once this one's rest has passed.
    private func discard(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Bool {
        guard let fields = discard?.fields else { return false }
        do throws(HTTP1Refusal) {
            switch try unsafe parser.next(in: bytes, at: &position, into: fields) {
            case .needsMore: return false
            case .content(let count):
                discard?.left -= count
                if let left = discard?.left, left < 0 {
                    tripped(.discardedBody)
                    end(.afterOutput)
                }
            case .head, .trailersBegin: break
            case .end: awaitNextRequest()
            }
        } catch {
            // It has its response: another one would be taken for the next request's.
            resources.counters.refusals[error.status, default: 0] += 1
            end(.afterOutput)
        }
        return true
    }

    func awaitNextRequest() {
        parser.startNext()
        response = Response()
        isRequestRead = false
        awaitsContinue = false
        discard = nil
        idleSince = now
    }
}
