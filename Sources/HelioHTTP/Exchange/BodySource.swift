/// A response's body that is read while it is sent, straight into the frames that carry it: nothing of it waits in memory
/// for a slow peer. A file is one.
///
/// It belongs to the exchange's loop, and goes when the exchange ends, whenever that is.
public protocol BodySource: AnyObject {
    /// Bytes that are still to be read.
    var remaining: Int { get }
    /// Reads the next bytes, at most as many as the region has room for, and passes over them. Only while there are any, and
    /// not after `later` until it has said that it is ready.
    ///
    /// It is called while the protocol writes, so it calls nothing of `exchange` but, at a later time,
    /// ``Exchange/sourceIsReady()``; and it does not block.
    func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead
    /// Whether who moves the bytes may now send the next ones past the protocol (``HTTPSession/passSource(now:_:)``).
    var isPassable: Bool { get }
}

extension BodySource {
    public var isPassable: Bool { false }
}

/// What reading a body has come to.
public enum BodyRead: Hashable, Sendable {
    /// So many bytes, at least one.
    case bytes(Int)
    /// None now; ``Exchange/sourceIsReady()`` follows.
    case later
    /// There will be none: what was promised is not there. The response is cut off, so that the peer sees that it is.
    case failed
}

extension Exchange {
    /// Answers with a body of a known length that is read as it is sent.
    ///
    /// Where an encoder is set it is read through that, a piece at a time.
    @discardableResult
    public func respond(_ status: Status, contentType: String, reading source: any BodySource) -> Bool {
        guard begin(status) else { return false }
        describe(status, contentType, source.remaining)
        settleHead(status)
        if encoder != nil {
            codec?.submitHead(self, status: status, endsStream: false)
            producer = { exchange in exchange.writePiece(of: source) }
            pull()
            return true
        }
        state.insert(.responseFinished)
        let hasBody = !state.contains(.bodiless) && source.remaining > 0
        if hasBody { self.source = source }
        codec?.submitHead(self, status: status, endsStream: !hasBody)
        return true
    }

    /// A source that had nothing has bytes now, or knows that it will have none.
    public func sourceIsReady() {
        guard !isClosed else { return }
        if producer != nil { pull() } else { codec?.bodyAvailable(self) }
    }

    /// Whether a source has bytes for the peer, as far as anyone knows.
    var hasSourcedOutput: Bool { source != nil && !state.contains(.starved) }

    private static let sourcePiece = 16 * 1024

    /// For a response that is encoded: answers whether there is more.
    private func writePiece(of source: any BodySource) -> Bool {
        guard source.remaining > 0 else { return false }
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.sourcePiece, alignment: 16) { piece in
            switch unsafe source.read(into: piece, for: self) {
            case .bytes(let count):
                unsafe write(UnsafeRawBufferPointer(rebasing: piece[..<count]).bytes)
                // What compresses well fills no queue: the drain that what is there leads to is the next turn.
                if writtenBytes % Self.encodedPerTurn < count, !queue.isEmpty { state.insert(.overHighWater) }
                return source.remaining > 0
            case .later: return true
            case .failed:
                reset(.internalError)
                return true
            }
        }
    }
}
