/// The way of the peer's bytes: frames are found, unmasked, checked and put together; messages go to the handler.
extension WebSocket {
    func received(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe !bytes.isEmpty, takesInput else { return }
        flags.insert(.heard)
        if !flags.isDisjoint(with: [.paused, .receiving]) || !unread.isEmpty {
            unsafe unread.append(contentsOf: bytes)
            return
        }
        var position = 0
        unsafe parse(bytes, from: &position)
        guard takesInput, position < bytes.count || !unread.isEmpty else { return }
        // A handler that paused and resumed may have had the next bytes come meanwhile: they stand behind the rest of these.
        unsafe unread.insert(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position...]), at: 0)
        takeUnread()
    }

    /// Goes on with what came while it was paused.
    func takeUnread() {
        while !unread.isEmpty, takesInput, !flags.contains(.paused) {
            let bytes = unread
            unread = []
            var position = 0
            unsafe bytes.withUnsafeBytes { unsafe parse($0, from: &position) }
            // What came meanwhile stands behind what is left.
            if position < bytes.count { unread.insert(contentsOf: bytes[position...], at: 0) }
        }
    }

    private var takesInput: Bool {
        switch phase {
        case .open, .closing: true
        case .ending, .over: false
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, from position: inout Int) {
        flags.insert(.receiving)
        do throws(WebSocketFault) {
            while takesInput, !flags.contains(.paused), let piece = try unsafe parser.next(in: bytes, from: &position) {
                let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[piece.range])
                if piece.opcode.isControl {
                    try unsafe takeControl(piece, payload)
                } else if case .open = phase {
                    try unsafe takeData(piece, payload)
                }
            }
        } catch {
            fail(error)
        }
        flags.remove(.receiving)
    }

    // MARK: Messages

    private func takeData(
        _ piece: WebSocketParser.Piece, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketFault) {
        if piece.isFirst { text.reset() }
        if piece.isCompressed {
            try unsafe takeCompressed(piece, payload)
        } else if deliversPieces {
            try unsafe takePiece(piece, payload)
        } else if piece.isFirst, piece.isLast, let plain = unsafe resources.lendScratch(payload.count) {
            defer { resources.takeScratchBack() }
            let message = unsafe unmask(payload, piece.key, to: plain)
            try unsafe check(message, piece.opcode, isLast: true)
            unsafe handler.message(self, message.bytes, piece.opcode.kind)
        } else {
            let gathering = self.buffer ?? resources.takeBuffer()
            self.buffer = gathering
            let added = unsafe gathering.append(payload, key: piece.key)
            try unsafe check(added, piece.opcode, isLast: piece.isLast)
            guard piece.isLast else { return }
            self.buffer = nil
            unsafe handler.message(self, gathering.bytes.bytes, piece.opcode.kind)
            resources.giveBack(gathering)
        }
    }

    private func takePiece(
        _ piece: WebSocketParser.Piece, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketFault) {
        if let plain = unsafe resources.lendScratch(payload.count) {
            defer { resources.takeScratchBack() }
            let bytes = unsafe unmask(payload, piece.key, to: plain)
            try unsafe check(bytes, piece.opcode, isLast: piece.isLast)
            unsafe handler.piece(self, bytes.bytes, piece.opcode.kind, isLast: piece.isLast)
        } else {
            let plain = resources.takeBuffer()
            defer { resources.giveBack(plain) }
            let bytes = unsafe plain.append(payload, key: piece.key)
            try unsafe check(bytes, piece.opcode, isLast: piece.isLast)
            unsafe handler.piece(self, bytes.bytes, piece.opcode.kind, isLast: piece.isLast)
        }
    }

    /// A compressed message is decompressed when it is whole: what does it is shared with the loop's other WebSockets.
    private func takeCompressed(
        _ piece: WebSocketParser.Piece, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketFault) {
        let gathering = self.buffer ?? resources.takeBuffer()
        self.buffer = gathering
        unsafe gathering.append(payload, key: piece.key)
        guard piece.isLast else { return }
        guard let compression else { throw .badCompression }
        self.buffer = nil
        defer { resources.giveBack(gathering) }
        let plain = resources.takeBuffer()
        defer { resources.giveBack(plain) }
        try compression.decompress(unsafe gathering.bytes.bytes, limit: maxMessageSize) { piece in
            unsafe piece.withUnsafeBytes { unsafe _ = plain.append($0) }
        }
        try unsafe check(plain.bytes, piece.opcode, isLast: true)
        if deliversPieces {
            unsafe handler.piece(self, plain.bytes.bytes, piece.opcode.kind, isLast: true)
        } else {
            unsafe handler.message(self, plain.bytes.bytes, piece.opcode.kind)
        }
    }

    /// What a server sends is not masked, and is read where it is.
    private func unmask(
        _ payload: UnsafeRawBufferPointer, _ key: UInt32, to target: UnsafeMutableRawPointer
    ) -> UnsafeRawBufferPointer {
        guard key != 0, let source = payload.baseAddress else { return unsafe payload }
        unsafe WebSocketMask.copy(from: source, to: target, count: payload.count, key: key)
        return unsafe UnsafeRawBufferPointer(start: target, count: payload.count)
    }

    private func check(
        _ bytes: UnsafeRawBufferPointer, _ opcode: WebSocketOpcode, isLast: Bool
    ) throws(WebSocketFault) {
        guard opcode == .text else { return }
        guard unsafe text.accept(bytes), !isLast || text.isComplete else { throw .invalidUTF8 }
    }

    // MARK: Control frames

    private func takeControl(
        _ piece: WebSocketParser.Piece, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketFault) {
        guard piece.isFirst, piece.isLast else {
            let gathering = control ?? resources.takeBuffer()
            control = gathering
            unsafe gathering.append(payload, key: piece.key)
            guard piece.isLast else { return }
            control = nil
            defer { resources.giveBack(gathering) }
            return try unsafe takeControl(piece.opcode, gathering.bytes)
        }
        try unsafe withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { plain throws(WebSocketFault) in
            guard let target = plain.baseAddress else { return }
            try unsafe takeControl(piece.opcode, unmask(payload, piece.key, to: target))
        }
    }

    private func takeControl(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) throws(WebSocketFault) {
        switch opcode {
        case .ping: unsafe takePing(payload)
        case .pong: unsafe takePong(payload)
        default: try unsafe takeClose(payload)
        }
    }

    /// Section 5.5.3: of pings that wait for an answer, the latest may have the only one.
    private func takePing(_ payload: UnsafeRawBufferPointer) {
        guard case .open = phase else { return }
        if flags.contains(.overHighWater) {
            unsafe pendingPong = Array(payload)
        } else {
            _ = unsafe sendFrame(.pong, isFinal: true, isCompressed: false, payload)
        }
    }

    private func takePong(_ payload: UnsafeRawBufferPointer) {
        guard flags.contains(.pinging), payload.count == 8,
            UInt64(bigEndian: unsafe payload.loadUnaligned(as: UInt64.self)) == pingNumber
        else { return }
        flags.remove(.pinging)
        let roundTrip = Duration.nanoseconds(Int64(clamping: resources.host.now &- pingSent))
        roundTripTime = roundTrip
        if case .open = phase { handler.pong(self, roundTrip: roundTrip) }
    }

    private func takeClose(_ payload: UnsafeRawBufferPointer) throws(WebSocketFault) {
        guard payload.count != 1 else { throw .badClose }
        var code = WebSocketCloseCode.noStatus
        var reason = ""
        if payload.count >= 2 {
            code = WebSocketCloseCode(rawValue: UInt16(bigEndian: unsafe payload.loadUnaligned(as: UInt16.self)))
            guard code.isSendable else { throw .badClose }
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: payload[2...])
            var validator = UTF8Validator()
            guard unsafe validator.accept(bytes), validator.isComplete else { throw .invalidUTF8 }
            reason = unsafe String(decoding: bytes, as: UTF8.self)
        }
        peerClosed(code, reason)
    }
}

extension WebSocketOpcode {
    fileprivate var kind: WebSocketKind { self == .text ? .text : .binary }
}
