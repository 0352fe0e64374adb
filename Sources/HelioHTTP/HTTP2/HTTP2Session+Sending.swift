internal import CNghttp2

/// What nghttp2 asks and tells while it serializes. Nothing of the application's runs here: what it has to hear is put
/// on the lists that are delivered after the drain.
extension HTTP2Session {
    /// The length of the next DATA frame; the bytes are moved by ``sendData(_:of:length:)`` right after.
    func readBody(of exchange: Exchange, atMost length: Int, flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard !exchange.state.contains(.closed) else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        if let source = exchange.source { return unsafe read(source, of: exchange, atMost: length, flags: flags) }
        exchange.flushIfDry()
        let count = min(length, exchange.queue.count)
        let isFinished = exchange.state.contains(.responseFinished)
        if count == 0, !isFinished {
            exchange.state.insert(.starved)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isFinished, count == exchange.queue.count {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = exchange.responseTrailers {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                submitTrailers(exchange, trailers)
            }
        }
        return count
    }

    /// Reads a source to where the next DATA frame's bytes will be: the frame is written right after, and there is room for
    /// the largest one.
    private func read(
        _ source: any BodySource, of exchange: Exchange, atMost length: Int, flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let output = unsafe resources.output
        let target = unsafe output.pointee.base + output.pointee.count + Self.frameHeader
        let region = unsafe UnsafeMutableRawBufferPointer(start: target, count: min(length, source.remaining))
        switch unsafe source.read(into: region, for: exchange) {
        case .bytes(let count):
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if source.remaining == 0 { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
            return count
        case .later:
            exchange.state.insert(.starved)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        case .failed:
            // nghttp2 answers this with RST_STREAM(INTERNAL_ERROR).
            ownResets.append(exchange.streamID)
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
    }

    private static let frameHeader = 9

    /// Writes one DATA frame: its header of nine bytes, then `length` bytes of the queue. Those of a source are there already.
    ///
    /// One `mem_send` writes such frames for as long as this answers 0; NGHTTP2_ERR_PAUSE makes it return when the next
    /// one might not fit, or when a handler is to be asked for more first. (Never WOULDBLOCK: that would leave a frame half
    /// sent in the shared buffer.)
    func sendData(_ header: UnsafePointer<UInt8>, of exchange: Exchange, length: Int) -> Int32 {
        let output = unsafe resources.output
        let count = unsafe output.pointee.count
        let target = unsafe output.pointee.base + count
        unsafe target.copyMemory(from: header, byteCount: Self.frameHeader)
        if exchange.source == nil { unsafe exchange.queue.read(length, into: target + Self.frameHeader) }
        unsafe output.pointee.count = count + Self.frameHeader + length
        exchange.sendProgress = now
        exchange.bodyBytesSent += length
        let released = min(exchange.countedOutput, length)
        exchange.countedOutput -= released
        queuedOutput -= released
        if exchange.state.contains(.overHighWater), !exchange.state.contains(.drainListed),
            exchange.queue.count <= limits.responseHighWaterMark / 2
        {
            exchange.state.insert(.drainListed)
            drained.append(exchange)
        }
        // One that is written piece by piece is asked for more before those that it goes before have their turn
        // (RFC 9218 section 10).
        let isUsedUp =
            exchange.state.contains(.drainListed) && exchange.queue.isEmpty
            && !exchange.state.contains(.responseFinished)
        return unsafe output.pointee.room >= Self.largestFrame && !isUsedUp ? 0 : NGHTTP2_ERR_PAUSE.rawValue
    }

    func frameSent(_ frame: UnsafeRawPointer) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 { responseSent(header.stream_id) }
        case NGHTTP2_RST_STREAM.rawValue:
            let code = unsafe frame.load(fromByteOffset: MemoryLayout<nghttp2_frame_hd>.size, as: UInt32.self)
            resetSent(header.stream_id, HTTP2ErrorCode(rawValue: code))
        case NGHTTP2_PING.rawValue where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0:
            unsafe pingSent(frame + MemoryLayout<nghttp2_frame_hd>.size)
        default: break
        }
    }

    /// A head or trailers that nghttp2 cannot send (a block over 64 KiB; a push to a peer that has said goodbye) would leave
    /// its stream without an end. A promise that cannot be sent ends its stream by itself.
    func frameNotSent(_ frame: UnsafeRawPointer) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        guard UInt32(header.type) == NGHTTP2_HEADERS.rawValue else { return }
        withExchange(header.stream_id) {
            resetOnOurAccount($0.streamID, $0.isPushed && hasPeerSaidGoodbye ? .cancel : .internalError)
        }
    }

    private func responseSent(_ stream: Int32) {
        guard let raw = unsafe raw, let user = unsafe nghttp2_session_get_stream_user_data(raw, stream) else { return }
        unsafe Unmanaged<Exchange>.fromOpaque(user)._withUnsafeGuaranteedRef { exchange in
            exchange.state.insert(.responseSent)
            // A tunnel's sides end each on its own (section 8.5).
            guard exchange.state.isDisjoint(with: [.requestEnded, .tunnel]) else { return }
            // RFC 9113 section 8.1: a response before the end of its request asks the peer to stop sending.
            unsafe nghttp2_submit_rst_stream(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, HTTP2ErrorCode.noError.rawValue)
        }
    }

    /// Streams reset for a fault of the peer are on its account: without that, a peer that makes us reset its streams is
    /// never bounded by MAX_CONCURRENT_STREAMS (MadeYouReset).
    private func resetSent(_ stream: Int32, _ code: HTTP2ErrorCode) {
        if let index = ownResets.firstIndex(of: stream) {
            ownResets.swapAt(index, ownResets.count - 1)
            ownResets.removeLast()
            return
        }
        guard code != .noError, !inducedResets.allow(resources.rates.inducedResets, now: now) else { return }
        fail(.enhanceYourCalm, limit: .inducedResetRate)
    }
}
