internal import CNghttp2

/// Timeouts, floods and shutdown. The connection calls ``expire(now:)`` when ``nextDeadline(now:)`` has come.
extension HTTP2ClientSession {
    /// When ``expire(now:)`` is next due, in nanoseconds; `UInt64.max`: never.
    ///
    /// It looks at every open stream, so it is asked when a timer fires or is first armed, not for each event: what
    /// begins in between is seen in time if the timer is never later than ``shortestTimeout`` from the event.
    public func nextDeadline(now: UInt64) -> UInt64 {
        guard unsafe raw != nil, failure == nil else { return UInt64.max }
        let times = resources.shared.numbers
        var next = UInt64.max
        if !isPrefaceReceived { next = min(next, created + times.preface) }
        if let headerBlockStart { next = min(next, headerBlockStart + times.header) }
        soonestDeadline = UInt64.max
        if open.isEmpty { return min(next, idleSince + times.idle) }
        for reference in open {
            reference.with { exchange in
                soonestDeadline = min(soonestDeadline, exchange.deadline)
                next = min(next, exchange.nextDeadline(times, now: now))
            }
        }
        return next
    }

    /// The shortest time from an event that starts a timeout to its end; nanoseconds.
    public var shortestTimeout: UInt64 {
        let shortest = resources.shared.numbers.shortest
        guard soonestDeadline < now &+ shortest else { return shortest }
        return soonestDeadline > now ? soonestDeadline - now : 1
    }

    /// Ends what has taken too long.
    public func expire(now: UInt64) {
        guard unsafe raw != nil, failure == nil else { return }
        self.now = now
        let times = resources.shared.numbers
        if !isPrefaceReceived, now >= created + times.preface {
            return fail(.settingsTimeout, limit: .prefaceTimeout)
        }
        if let headerBlockStart, now >= headerBlockStart + times.header {
            return fail(.enhanceYourCalm, limit: .headerTimeout)
        }
        if open.isEmpty {
            if now >= idleSince + times.idle { beginShutdown(now: now) }
            return
        }
        for reference in open {
            reference.with { exchange in
                guard let limit = exchange.expired(times, now: now) else { return }
                resources.shared.counters.trip(limit)
                exchange.abandon(.limit(limit), .cancel)
            }
        }
        tellRoom()
    }

    /// Opens no more streams, lets those that are open finish, and ends the connection then.
    public func beginShutdown(now: UInt64) {
        guard let raw = unsafe raw, !isStopping else { return }
        self.now = now
        isStopping = true
        unsafe nghttp2_submit_goaway(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, 0, nil, 0)
        requestDrain()
    }

    // MARK: Floods

    /// Counts the frames that begin in `bytes`: every frame that the server sends, before nghttp2 sees it, as nghttp2 tells
    /// nothing of frames that it ignores.
    ///
    /// - Returns: false when a rate is crossed, and the connection has failed.
    func countFrames(in bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while let frame = unsafe scanner.next(in: bytes, from: &position) {
            guard let limit = excess(of: frame) else { continue }
            fail(.enhanceYourCalm, limit: limit)
            return false
        }
        return true
    }

    /// The limit that the frame crosses. Responses and content that is worth its frame are free.
    private func excess(of frame: FrameScanner.Frame) -> LimitName? {
        switch frame.type {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_PUSH_PROMISE.rawValue:
            scanner.continuations = 0
            return frame.endsStream ? nil : excessOfFrames()
        case NGHTTP2_CONTINUATION.rawValue:
            scanner.continuations += 1
            return scanner.continuations > limits.maxContinuations ? .continuations : nil
        case NGHTTP2_DATA.rawValue:
            if frame.length > 0 || frame.endsStream { return frame.length < 256 ? excessOfFrames() : nil }
            return excessOfControlFrames()
        case NGHTTP2_WINDOW_UPDATE.rawValue, NGHTTP2_RST_STREAM.rawValue:
            return excessOfFrames()
        default:
            return excessOfControlFrames()
        }
    }

    private func excessOfFrames() -> LimitName? {
        frames.allow(resources.shared.numbers.frames, now: now) ? nil : .frameRate
    }

    private func excessOfControlFrames() -> LimitName? {
        controlFrames.allow(resources.shared.numbers.controlFrames, now: now) ? excessOfFrames() : .controlFrameRate
    }
}

// MARK: - One exchange's timeouts, over any version

extension ClientExchange {
    /// What ends next, as things stand.
    func nextDeadline(_ times: ClientLimitNumbers, now: UInt64) -> UInt64 {
        guard !isClosed else { return UInt64.max }
        var next = deadline
        if awaitsTaking { next = min(next, progress(now) &+ times.send) }
        if awaitsHead { next = min(next, progress(now) &+ times.response) }
        if awaitsBody { next = min(next, bodyDeadline(times.body, now: now)) }
        return next
    }

    /// The limit that it has crossed.
    func expired(_ times: ClientLimitNumbers, now: UInt64) -> LimitName? {
        guard !isClosed else { return nil }
        if now >= deadline { return .requestTimeout }
        if awaitsTaking, now >= progress(now) &+ times.send { return .sendTimeout }
        if awaitsHead, now >= progress(now) &+ times.response { return .responseTimeout }
        if awaitsBody, now >= bodyDeadline(times.body, now: now) { return .bodyTimeout }
        return nil
    }

    /// Whether it is the server's turn to take more of the request.
    private var awaitsTaking: Bool { !queue.isEmpty }

    /// Whether it is the server's turn to answer.
    private var awaitsHead: Bool {
        guard !state.contains(.responded), queue.isEmpty else { return false }
        return !state.isDisjoint(with: [.requestFinished, .promised]) || requestMethod == .connect
    }

    /// Whether it is the server's turn to send body.
    private var awaitsBody: Bool {
        guard state.contains(.responded), state.isDisjoint(with: [.responseEnded, .paused, .tunnel]) else {
            return false
        }
        return !state.contains(.pulled) || waiters?.wantsBody == true
    }

    /// A wait that has just begun is dated now.
    private func progress(_ now: UInt64) -> UInt64 {
        if sendProgress == 0 { sendProgress = now }
        return sendProgress
    }

    private func bodyDeadline(_ timeout: UInt64, now: UInt64) -> UInt64 {
        if bodyProgress == 0 { bodyProgress = now }
        let (deadline, overflow) = bodyProgress.addingReportingOverflow(bodyTimeout ?? timeout)
        return overflow ? UInt64.max : deadline
    }
}
