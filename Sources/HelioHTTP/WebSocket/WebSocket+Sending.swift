extension WebSocket {
    /// Sends a text.
    ///
    /// - Returns: true to go on; false when the queue is over its high-water mark (the message is queued all the same: stop
    ///   until ``WebSocketHandler/drained(_:)``), or the WebSocket is not open.
    @discardableResult
    public func send(_ text: String) -> Bool { unsafe withBytes(text) { unsafe send($0, .text) } }

    /// Sends a binary message; see ``send(_:)-(String)``.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool { unsafe bytes.withUnsafeBytes { unsafe send($0, .binary) } }

    /// Sends a copy of a span; see ``send(_:)-(String)``.
    ///
    /// - Parameter kind: a text must be UTF-8: it is not checked here, and the peer would close.
    @discardableResult
    public func send(_ bytes: RawSpan, _ kind: WebSocketKind) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe send($0, kind) }
    }

    /// Sends a message that was encoded once for many; see ``send(_:)-(String)``.
    @discardableResult
    public func send(_ message: PreparedWebSocketMessage) -> Bool {
        guard isOpen, let transport else { return false }
        precondition(!flags.contains(.sendingPieces), "a message that is sent by pieces is ended before the next one")
        guard role == .server else {
            return unsafe message.payload.withUnsafeBytes { unsafe send($0, message.kind) }
        }
        let frame = message.frame(for: compressionParameters)
        // A small one is gathered with its neighbours.
        if frame.count <= Self.sharedSize {
            return unsafe wrote(frame.withUnsafeBytes { unsafe transport.write($0.bytes) })
        }
        return wrote(transport.write(frame))
    }

    /// Sends the next piece of a message whose size need not be known, as a fragment of its own (section 5.4), which is not
    /// compressed; see ``send(_:)-(String)``.
    ///
    /// - Parameters:
    ///   - kind: the same for all pieces of the message.
    ///   - isLast: it ends the message. No other message can be sent before.
    @discardableResult
    public func send(piece bytes: RawSpan, _ kind: WebSocketKind, isLast: Bool) -> Bool {
        guard isOpen else { return false }
        let opcode = flags.contains(.sendingPieces) ? .continuation : kind.opcode
        if isLast { flags.remove(.sendingPieces) } else { flags.insert(.sendingPieces) }
        return unsafe bytes.withUnsafeBytes {
            unsafe sendFrame(opcode, isFinal: isLast, isCompressed: false, $0)
        }
    }

    /// Sends a ping; its answer comes as ``WebSocketHandler/pong(_:roundTrip:)`` and stays in ``roundTripTime``. One is on its
    /// way at a time: a further one takes its place.
    ///
    /// - Returns: as ``send(_:)-(String)``.
    @discardableResult
    public func ping() -> Bool {
        guard isOpen else { return false }
        pingNumber &+= 1
        pingSent = resources.host.now
        flags.insert(.pinging)
        return unsafe withUnsafeBytes(of: pingNumber.bigEndian) {
            unsafe sendFrame(.ping, isFinal: true, isCompressed: false, $0)
        }
    }

    /// Frames over this size are shared with the transport and not copied.
    private static let sharedSize = 1024

    private func send(_ payload: UnsafeRawBufferPointer, _ kind: WebSocketKind) -> Bool {
        guard isOpen else { return false }
        precondition(!flags.contains(.sendingPieces), "a message that is sent by pieces is ended before the next one")
        if payload.count >= compressionThreshold, let compression {
            return unsafe sendCompressed(payload, kind, compression)
        }
        return unsafe sendFrame(kind.opcode, isFinal: true, isCompressed: false, payload)
    }

    private func sendCompressed(
        _ payload: UnsafeRawBufferPointer, _ kind: WebSocketKind, _ compression: any WebSocketCompression
    ) -> Bool {
        let buffer = resources.takeBuffer()
        compression.compress(unsafe payload.bytes) { piece in
            unsafe piece.withUnsafeBytes { unsafe _ = buffer.append($0) }
        }
        let isGoing = unsafe sendFrame(kind.opcode, isFinal: true, isCompressed: true, buffer.bytes)
        resources.giveBack(buffer)
        return isGoing
    }

    /// Gives a frame to the transport, in whatever phase.
    func sendFrame(
        _ opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, _ payload: UnsafeRawBufferPointer
    ) -> Bool {
        guard let transport else { return false }
        if payload.count <= WebSocketResources.smallFrame {
            guard let target = unsafe resources.outgoing.baseAddress else { return false }
            unsafe serializer.write(opcode, isFinal: isFinal, isCompressed: isCompressed, payload, to: target)
            let size = serializer.headSize(payload.count) + payload.count
            return wrote(transport.write(unsafe UnsafeRawBufferPointer(start: target, count: size).bytes))
        }
        if role == .client {
            // Masked on its way, in a block that the transport takes over.
            let frame = unsafe [UInt8](
                unsafeUninitializedCapacity: serializer.headSize(payload.count) + payload.count
            ) { target, count in
                guard let start = target.baseAddress else { return }
                unsafe serializer.write(
                    opcode, isFinal: isFinal, isCompressed: isCompressed, payload, to: UnsafeMutableRawPointer(start))
                count = target.count
            }
            return wrote(transport.write(frame))
        }
        guard let head = unsafe resources.outgoing.baseAddress else { return false }
        let size = serializer.headSize(payload.count)
        unsafe _ = serializer.writeHead(
            opcode, isFinal: isFinal, isCompressed: isCompressed, length: payload.count, to: head)
        _ = transport.write(unsafe UnsafeRawBufferPointer(start: head, count: size).bytes)
        return wrote(transport.write(unsafe payload.bytes))
    }

    private func wrote(_ isGoing: Bool) -> Bool {
        if !isGoing { flags.insert(.overHighWater) }
        return isGoing
    }

    func sendPendingPong() {
        guard let pong = pendingPong, isOpen else { return }
        pendingPong = nil
        _ = unsafe pong.withUnsafeBytes { unsafe sendFrame(.pong, isFinal: true, isCompressed: false, $0) }
    }
}

extension WebSocketKind {
    var opcode: WebSocketOpcode { self == .text ? .text : .binary }
}
