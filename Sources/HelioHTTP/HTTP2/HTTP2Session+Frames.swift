internal import CNghttp2

/// Frames of the program's own accord: PING, SETTINGS, GOAWAY, ORIGIN, ALTSVC.
extension HTTP2Session {
    /// A PING on its way, or in the queue.
    struct Ping {
        let number: UInt32
        /// When it was written; 0: not yet.
        var sentAt: UInt64 = 0
        let done: (Duration?) -> Void
    }

    private static let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    /// The first half of our PINGs' data; their number follows.
    private static let pingMark = UInt32(0x70_69_6e_67)

    var isOpen: Bool { unsafe raw != nil && failure == nil }

    /// Whether one more frame may wait for the peer's answer.
    private func mayAsk(_ waiting: Int) -> Bool {
        guard waiting >= limits.maxUnansweredFrames else { return isOpen }
        tripped(.unansweredFrames)
        return false
    }

    // MARK: PING

    func ping(_ done: @escaping (Duration?) -> Void) -> Bool {
        guard mayAsk(pings.count), let raw = unsafe raw else { return false }
        lastPing &+= 1
        let data = UInt64(Self.pingMark) << 32 | UInt64(lastPing)
        let status = unsafe withUnsafeBytes(of: data.bigEndian) {
            unsafe nghttp2_submit_ping(raw, Self.none, $0.baseAddress?.assumingMemoryBound(to: UInt8.self))
        }
        guard status == 0 else { return false }
        pings.append(Ping(number: lastPing, done: done))
        requestDrain()
        return true
    }

    func pingSent(_ data: UnsafeRawPointer) {
        guard let index = unsafe indexOfPing(data) else { return }
        pings[index].sentAt = now
    }

    func pingReturned(_ data: UnsafeRawPointer) {
        if unsafe UnsafeRawBufferPointer(start: data, count: 8).elementsEqual(Self.shutdownPing) {
            return finishShutdown()
        }
        // One that was not sent yet cannot be answered: the peer has guessed.
        guard let index = unsafe indexOfPing(data), pings[index].sentAt != 0 else { return }
        let ping = pings.remove(at: index)
        ping.done(.nanoseconds(now &- ping.sentAt))
    }

    private func indexOfPing(_ data: UnsafeRawPointer) -> Int? {
        guard !pings.isEmpty else { return nil }
        let value = UInt64(bigEndian: unsafe data.loadUnaligned(as: UInt64.self))
        guard value >> 32 == UInt64(Self.pingMark) else { return nil }
        return pings.firstIndex { $0.number == UInt32(truncatingIfNeeded: value) }
    }

    /// The connection is gone, and no answer comes.
    func abandonPings() {
        let abandoned = pings
        pings = []
        for ping in abandoned { ping.done(nil) }
    }

    // MARK: SETTINGS

    func settings(local: Bool) -> HTTP2Settings? {
        guard let raw = unsafe raw else { return nil }
        let value = { (id: nghttp2_settings_id) in
            unsafe Int(
                local
                    ? nghttp2_session_get_local_settings(raw, id) : nghttp2_session_get_remote_settings(raw, id))
        }
        return HTTP2Settings(
            headerTableSize: value(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE),
            allowsPush: value(NGHTTP2_SETTINGS_ENABLE_PUSH) != 0,
            maxConcurrentStreams: value(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
            initialWindowSize: value(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE),
            maxFrameSize: value(NGHTTP2_SETTINGS_MAX_FRAME_SIZE),
            maxHeaderListSize: value(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE),
            allowsConnectProtocol: value(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) != 0)
    }

    func update(_ changes: HTTP2Settings.Changes) -> Bool {
        guard mayAsk(unacknowledgedSettings), let raw = unsafe raw else { return false }
        let entries: [(nghttp2_settings_id, Int?)] = [
            (NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, changes.headerTableSize.map { min($0, limits.headerTableSize) }),
            (
                NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                changes.maxConcurrentStreams.map { min($0, limits.maxConcurrentStreams) }
            ),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, changes.initialWindowSize),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, changes.maxFrameSize),
            (
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                changes.maxHeaderListSize.map { min($0, limits.maxHeaderListSize) }
            ),
        ]
        let settings = entries.compactMap { id, value in
            value.map { nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: $0)) }
        }
        precondition(changes.isInRange, "a setting is out of its range (HTTP2Settings.Changes)")
        guard unsafe nghttp2_submit_settings(raw, Self.none, settings, settings.count) == 0 else { return false }
        unacknowledgedSettings += 1
        requestDrain()
        return true
    }

    func settingsReceived(isAck: Bool) {
        if isAck { unacknowledgedSettings -= 1 } else { isPrefaceReceived = true }
        guard let listener = handler as? any HTTP2ConnectionHandler else { return }
        if isAck { listener.settingsAcknowledged(connection) } else { listener.settingsReceived(connection) }
    }

    func setReceiveWindow(_ size: Int) -> Bool {
        precondition((65_535...Int(Int32.max)).contains(size), "a window is from 65,535 to 2^31-1 bytes")
        guard isOpen, let raw = unsafe raw else { return false }
        receiveWindow = size
        unsafe nghttp2_session_set_local_window_size(raw, Self.none, 0, Int32(size))
        requestDrain()
        return true
    }

    // MARK: GOAWAY

    func goAway(_ code: HTTP2ErrorCode, lastStream: Int32?, data: [UInt8]) -> Bool {
        guard isOpen, let raw = unsafe raw, !isLeaving else { return false }
        let last = unsafe lastStream ?? nghttp2_session_get_last_proc_stream_id(raw)
        guard last >= 0, last == 0 || last % 2 == 1,
            unsafe nghttp2_submit_goaway(raw, Self.none, last, code.rawValue, data, data.count) == 0
        else { return false }
        shutdown = .final
        requestDrain()
        return true
    }

    func goAwayReceived(_ frame: UnsafeRawPointer) {
        hasPeerSaidGoodbye = true
        guard let listener = handler as? any HTTP2ConnectionHandler else { return }
        let goAway = unsafe frame.load(as: nghttp2_goaway.self)
        let data = unsafe UnsafeRawBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)
        listener.goAwayReceived(
            connection,
            unsafe HTTP2GoAway(
                lastStream: goAway.last_stream_id, code: HTTP2ErrorCode(rawValue: goAway.error_code),
                data: Array(data)))
    }

    // MARK: ORIGIN and ALTSVC

    func sendOrigins(_ origins: [String]) -> Bool {
        guard isOpen, let raw = unsafe raw else { return false }
        var text = origins.flatMap { Array($0.utf8) }
        let status = unsafe text.withUnsafeMutableBufferPointer { text in
            var offset = 0
            let entries = unsafe origins.map { origin in
                let length = origin.utf8.count
                defer { offset += length }
                return unsafe nghttp2_origin_entry(
                    origin: text.baseAddress.map { unsafe $0 + offset }, origin_len: length)
            }
            return unsafe nghttp2_submit_origin(raw, Self.none, entries, entries.count)
        }
        requestDrain()
        return status == 0
    }

    func sendAlternativeService(_ value: String, stream: Int32, origin: String) -> Bool {
        guard isOpen, let raw = unsafe raw else { return false }
        let (origin, value) = (Array(origin.utf8), Array(value.utf8))
        let status = unsafe nghttp2_submit_altsvc(
            raw, Self.none, stream, origin, origin.count, value, value.count)
        requestDrain()
        return status == 0
    }
}

extension HTTP2Settings.Changes {
    fileprivate var isInRange: Bool {
        [headerTableSize, maxConcurrentStreams, maxHeaderListSize].allSatisfy { ($0 ?? 0) >= 0 }
            && (0...Int(Int32.max)).contains(initialWindowSize ?? 0)
            && (16_384...16_777_215).contains(maxFrameSize ?? 16_384)
    }
}
