internal import CNghttp2

/// Where floods are counted: every frame that the peer sends, before nghttp2 sees it. nghttp2 itself tells nothing of
/// frames that it ignores (DATA of a closed stream, unknown types), which a flood may well be made of.
extension HTTP2Session {
    /// Counts the frames that begin in `bytes`.
    ///
    /// - Returns: false when a rate is crossed, and the connection has failed.
    func countFrames(in bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        if headerBlockStart != nil, scanner.endsHeaderBlock(within: bytes.count) { headerBlockStart = nil }
        while let frame = unsafe scanner.next(in: bytes, from: &position) {
            let isWhole = position + Int(frame.length) <= bytes.count
            guard let limit = excess(of: frame, isWhole: isWhole) else { continue }
            fail(.enhanceYourCalm, limit: limit)
            return false
        }
        return true
    }

    /// The limit that the frame crosses.
    ///
    /// - Parameter isWhole: all of it has come.
    private func excess(of frame: FrameScanner.Frame, isWhole: Bool) -> LimitName? {
        switch frame.type {
        case NGHTTP2_HEADERS.rawValue:
            if !frame.endsStream { scanner.unendedRequests += 1 }
            scanner.continuations = 0
            if !(frame.endsHeaders && isWhole) {
                headerBlockStart = now
                scanner.isLastOfHeaderBlock = frame.endsHeaders
            }
            return nil
        case NGHTTP2_CONTINUATION.rawValue:
            scanner.continuations += 1
            if frame.endsHeaders {
                if isWhole { headerBlockStart = nil } else { scanner.isLastOfHeaderBlock = true }
            }
            return scanner.continuations > limits.maxContinuations ? .continuations : nil
        case NGHTTP2_DATA.rawValue:
            return excess(ofData: frame)
        case NGHTTP2_WINDOW_UPDATE.rawValue:
            return excessOfFrames()
        case NGHTTP2_RST_STREAM.rawValue:
            return peerResets.allow(resources.rates.peerResets, now: now) ? excessOfFrames() : .peerResetRate
        default:
            return excessOfControlFrames()
        }
    }

    /// The end of a request is free, once for each; so is content that is worth its frame.
    private func excess(ofData frame: FrameScanner.Frame) -> LimitName? {
        if frame.endsStream, scanner.unendedRequests > 0 {
            scanner.unendedRequests -= 1
            return nil
        }
        guard frame.length < Self.smallData else { return nil }
        return frame.length == 0 ? excessOfControlFrames() : excessOfFrames()
    }

    private func excessOfFrames() -> LimitName? {
        frames.allow(resources.rates.frames, now: now) ? nil : .frameRate
    }

    private func excessOfControlFrames() -> LimitName? {
        controlFrames.allow(resources.rates.controlFrames, now: now) ? excessOfFrames() : .controlFrameRate
    }

    /// DATA frames below this many bytes count against `frameRate`.
    private static let smallData = 256
}

/// Finds the frames in a peer's bytes, in any cut (RFC 9113 section 4.1). It looks at lengths and types and at no payload.
struct FrameScanner {
    struct Frame {
        var length: UInt32
        var type: UInt32
        var endsStream: Bool
        var endsHeaders: Bool
    }

    /// Bytes up to the next frame header.
    private var skip: Int
    /// Bytes of a frame header that have come, when it is cut.
    private var have = 0
    /// Its first five bytes: length, type, flags.
    private var head: UInt64 = 0
    /// Requests that began without END_STREAM, less the DATA frames with it.
    var unendedRequests = 0
    /// CONTINUATION frames since the last HEADERS.
    var continuations = 0
    /// The frame that is arriving is the last of a header block.
    var isLastOfHeaderBlock = false

    private static let headerSize = 9

    /// - Parameter preface: bytes in front of the first frame: those of a client's preface; a server has none.
    init(skipping preface: Int = 24) { skip = preface }

    /// Whether the next `count` bytes bring the end of the header block that is arriving.
    func endsHeaderBlock(within count: Int) -> Bool { isLastOfHeaderBlock && skip <= count }

    /// The next frame that has its header whole, from `position` on; nil when the bytes are used up.
    mutating func next(in bytes: UnsafeRawBufferPointer, from position: inout Int) -> Frame? {
        let step = min(skip, bytes.count - position)
        skip -= step
        position += step
        if have == 0, bytes.count - position >= Self.headerSize {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            head = UInt64(bigEndian: word) >> 24
            position += Self.headerSize
        } else {
            while have < Self.headerSize {
                guard position < bytes.count else { return nil }
                if have < 5 { head = unsafe head << 8 | UInt64(bytes[position]) }
                have += 1
                position += 1
            }
            have = 0
        }
        let length = UInt32(truncatingIfNeeded: head >> 16 & 0xff_ffff)
        skip = Int(length)
        return Frame(
            length: length, type: UInt32(truncatingIfNeeded: head >> 8 & 0xff),
            endsStream: head & UInt64(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
            endsHeaders: head & UInt64(NGHTTP2_FLAG_END_HEADERS.rawValue) != 0)
    }
}
