internal import HelioHTTP
internal import HelioReactor

/// On plaintext the kernel moves a file's bytes to the socket, and no copy of them is made here (sendfile(2)). It would wait
/// for the disk, so that only what is in memory is passed.
extension FileBody {
    /// So much at once: others have their turn.
    private static var passedAtOnce: Int { 256 * 1024 }
    /// The end is read, not passed: once it is read, what was promised can be compared with what was sent.
    private static var readEnd: Int { 4096 }
    /// Less than this is read, with the head and what else there is to send.
    private static var leastPassed: Int { 32 * 1024 }
    /// The page cache is looked at in steps of this; it is filled in larger ones.
    private static var probeStep: Int { 64 * 1024 }

    var isPassable: Bool { !isUnpassable && remaining >= Self.leastPassed }

    /// What passing has come to.
    enum Passed {
        /// So many bytes, or none where it is to be read from now on.
        case bytes(Int)
        /// The socket takes none now.
        case full
        /// The pool brings it into memory; the exchange hears of it.
        case later
        /// What was promised is not there.
        case failed
        case peerGone
    }

    fileprivate func pass(to socket: borrowing Socket, for exchange: Exchange) -> Passed {
        guard !hasFailed else { return .failed }
        let limit = min(offset + Self.passedAtOnce, end - Self.readEnd)
        guard let known = endInMemory(upTo: limit) else { return .failed }
        guard known > offset else {
            warm(upTo: limit, for: exchange)
            return .later
        }
        switch file.file.send(known - offset, at: offset, to: socket) {
        case .bytes(let count):
            offset += count
            return .bytes(count)
        case .wouldBlock: return .full
        case .end: return .failed
        case .failed(let error) where error.isUnsupported:
            isUnpassable = true
            return .bytes(0)
        case .failed: return .peerGone
        }
    }

    /// How far from here on the file is in memory; nil where it is shorter than it was.
    private func endInMemory(upTo limit: Int) -> Int? {
        if warmEnd > offset { return min(warmEnd, limit) }
        var place = offset
        var byte: UInt8 = 0
        while place < limit {
            let transfer = unsafe withUnsafeMutableBytes(of: &byte) { unsafe file.file.readCached(into: $0, at: place) }
            switch transfer {
            case .bytes: place += Self.probeStep
            case .wouldBlock: return min(place, limit)
            case .end, .failed: return nil
            }
        }
        return limit
    }

    private func warm(upTo limit: Int, for exchange: Exchange) {
        let (file, offset) = (file, offset)
        block(for: exchange) {
            file.bringIntoMemory(offset..<limit)
        } then: { [self] in
            warmEnd = limit
        }
    }
}

extension OpenFile {
    /// Reads for the sake of the page cache. Blocks. False: there is less.
    fileprivate func bringIntoMemory(_ range: Range<Int>) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 16) { scratch in
            var place = range.lowerBound
            while place < range.upperBound {
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(range.upperBound - place))
                guard case .bytes(let count) = unsafe file.read(into: piece, at: place) else { return false }
                place += count
            }
            return true
        }
    }
}

extension Socket {
    borrowing func pass(_ body: FileBody, for exchange: Exchange) -> FileBody.Passed {
        body.pass(to: self, for: exchange)
    }
}
