internal import CNghttp2

/// What nghttp2 asks and tells while it serializes. Nothing of the application's runs here: what it has to hear is put
/// on the lists that are delivered after the drain.
extension HTTP2ClientSession {
    /// The length of the next DATA frame; the bytes are moved by ``sendData(_:of:length:)`` right after.
    func readBody(of exchange: ClientExchange, atMost length: Int, flags: UnsafeMutablePointer<UInt32>) -> Int {
        guard !exchange.isClosed else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        let count = min(length, exchange.queue.count)
        let isFinished = exchange.state.contains(.requestFinished)
        if count == 0, !isFinished {
            exchange.state.insert(.starved)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if isFinished, count == exchange.queue.count {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = exchange.requestTrailers {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                submitTrailers(exchange, trailers)
            }
        }
        return count
    }

    /// Writes one DATA frame: its header of nine bytes, then `length` bytes of the queue.
    ///
    /// One `mem_send` writes such frames for as long as this answers 0; NGHTTP2_ERR_PAUSE makes it return when the next
    /// one might not fit.
    func sendData(_ header: UnsafePointer<UInt8>, of exchange: ClientExchange, length: Int) -> Int32 {
        let output = unsafe resources.output
        let count = unsafe output.pointee.count
        let target = unsafe output.pointee.base + count
        unsafe target.copyMemory(from: header, byteCount: 9)
        unsafe exchange.queue.read(length, into: target + 9)
        unsafe output.pointee.count = count + 9 + length
        exchange.sendProgress = now
        exchange.bodyBytesSent += length
        let released = min(exchange.countedOutput, length)
        exchange.countedOutput -= released
        queuedOutput -= released
        if exchange.state.contains(.overHighWater), !exchange.state.contains(.drainListed),
            exchange.queue.count <= limits.requestHighWaterMark / 2
        {
            exchange.state.insert(.drainListed)
            drained.append(exchange)
        }
        return unsafe output.pointee.room >= HTTP2Session.largestFrame ? 0 : NGHTTP2_ERR_PAUSE.rawValue
    }

    func frameSent(_ frame: UnsafeRawPointer) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            guard header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 else { return }
            withExchange(header.stream_id) { $0.state.insert(.requestSent) }
        case NGHTTP2_GOAWAY.rawValue:
            // nghttp2 ends the connection by itself when the server breaks the protocol.
            let code = unsafe frame.load(as: nghttp2_goaway.self).error_code
            if code != 0, fault == nil {
                fault = .malformed(complaint.isEmpty ? "\(HTTP2ErrorCode(rawValue: code))" : complaint)
            }
        default: break
        }
    }

    /// A head or trailers that nghttp2 cannot send (a block over 64 KiB) would leave its stream without an end. Those of a
    /// stream that is over are no matter.
    func frameNotSent(_ frame: UnsafeRawPointer) {
        let header = unsafe frame.load(as: nghttp2_frame_hd.self)
        guard UInt32(header.type) == NGHTTP2_HEADERS.rawValue,
            unsafe frame.load(as: nghttp2_headers.self).cat != NGHTTP2_HCAT_REQUEST
        else { return }
        withExchange(header.stream_id) { reset($0.streamID, .internalError) }
    }
}
