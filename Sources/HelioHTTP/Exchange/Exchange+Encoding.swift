/// A response's body on its way through a ``ContentEncoder``.
extension Exchange {
    /// A body up to this size is encoded at once; of a larger one as much in each turn. In bytes.
    static let encodedPerTurn = 256 * 1024
    private static let encodedPiece = 32 * 1024

    /// Answers with a body that is there whole. Of a small one the length is known after all. A large one is encoded as the peer
    /// takes it: the loop has others to serve.
    func respondEncoded(_ status: Status, _ bytes: [UInt8]) {
        guard let encoder else { return }
        guard bytes.count > Self.encodedPerTurn else {
            self.encoder = nil
            unsafe encoder.encode(bytes.span.bytes, isLast: true) { encoded in
                unsafe encoded.withUnsafeBytes { unsafe queue.append(copying: $0) }
            }
            responseFields.append(known: "content-length", value: queue.count)
            return finishBegun(status)
        }
        codec?.submitHead(self, status: status, endsStream: false)
        var offset = 0
        producer = { exchange in
            let piece = bytes[offset..<min(offset + Self.encodedPiece, bytes.count)]
            offset = piece.endIndex
            unsafe exchange.write(piece.span.bytes)
            // Something is on its way, and the drain that it leads to is the next turn.
            if offset % Self.encodedPerTurn == 0, !exchange.queue.isEmpty { exchange.state.insert(.overHighWater) }
            return offset < bytes.count
        }
        pull()
    }

    @discardableResult
    func writeEncoded(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Bool {
        guard let encoder else { return false }
        if isLast { self.encoder = nil }
        let before = queue.count
        encoder.encode(unsafe bytes.bytes, isLast: isLast) { encoded in
            unsafe encoded.withUnsafeBytes { unsafe queue.append(copying: $0) }
        }
        if queue.count > before { return wrote(queue.count - before) }
        // The encoder keeps it back until the codec asks for more than there is.
        codec?.bodyAvailable(self)
        return true
    }

    /// The codec is about to look into the queue: where that is empty, what the encoder keeps back is due. What comes of it does
    /// not count as queued: it goes at once.
    @inline(__always)
    func flushIfDry() {
        if encoder != nil, queue.isEmpty { flushEncoder() }
    }

    /// As ``flushIfDry()``; whether there is something in the queue then.
    var hasBodyToSend: Bool {
        flushIfDry()
        return !queue.isEmpty
    }

    private func flushEncoder() {
        encoder?.flush { encoded in
            unsafe encoded.withUnsafeBytes { unsafe queue.append(copying: $0) }
        }
    }
}
