/// Takes a multipart body apart as it comes, in any cut, without copying it (RFC 2046 section 5.1, RFC 7578).
///
/// It is for who has a body from elsewhere; for a request's there is ``Exchange/readParts(by:limits:)`` and
/// ``Exchange/parts(limits:)``. Data is decoded where a part declares an encoding. Parts within parts are taken apart too:
/// their events come between those of the part around them.
///
/// ```swift
/// final class Sizes: MultipartConsumer {
///     func partData(_ part: MultipartPart, _ data: RawSpan) {}
///     func partEnded(_ part: MultipartPart) { print(part.name ?? "", part.size) }
/// }
/// let parser = try MultipartParser(contentType: MediaType.formData.with("boundary", "x"))
/// let bytes = Array("--x\r\ncontent-disposition: form-data; name=a\r\n\r\nb\r\n--x--".utf8)
/// _ = try parser.receive(bytes.span.bytes, for: Sizes())
/// try parser.finish()
/// ```
@safe public final class MultipartParser {
    private var scanner: MultipartScanner
    private var decoder: TransferDecoder?
    private var isPaused = false

    /// - Parameter contentType: a multipart type with its boundary.
    /// - Throws: `notMultipart`, `invalidBoundary`.
    public init(contentType: MediaType, limits: MultipartLimits = MultipartLimits()) throws(MultipartError) {
        scanner = try MultipartScanner(type: contentType, limits: limits)
    }

    /// Gives the next bytes of the body; the events come within the call.
    ///
    /// - Returns: the number of bytes that were taken: all, unless an event has called ``pause()``. The rest is to be given
    ///   again.
    /// - Throws: what is wrong with the body. It is of no more use then.
    public func receive(_ bytes: RawSpan, for consumer: any MultipartConsumer) throws(MultipartError) -> Int {
        try unsafe bytes.withUnsafeBytes { bytes throws(MultipartError) in
            try unsafe receive(bytes, for: consumer)
        }
    }

    /// Says that the body has ended.
    ///
    /// - Throws: `truncated` when its closing boundary has not come.
    public func finish() throws(MultipartError) { try scanner.finish() }

    /// In an event: no more of them in this call of ``receive(_:for:)``.
    public func pause() { isPaused = true }

    /// The parts that have begun and not ended, the outermost first.
    public var openParts: [MultipartPart] { scanner.open }

    private func receive(
        _ bytes: UnsafeRawBufferPointer, for consumer: any MultipartConsumer
    ) throws(MultipartError) -> Int {
        isPaused = false
        var position = 0
        while !isPaused {
            let event = unsafe try scanner.next(in: bytes, &position)
            switch event {
            case .needsMore: return position
            case .began(let part):
                decoder = part.isMultipart || part.encoding == .binary ? nil : TransferDecoder(part.encoding)
                consumer.partBegan(part)
            case .data(let range):
                try deliver(unsafe UnsafeRawBufferPointer(rebasing: bytes[range]).bytes, consumer)
            case .held(let range, let level):
                let delimiter = scanner.delimiter(of: level)
                unsafe try deliver(delimiter.span.bytes.extracting(range), consumer)
            case .ended(let part):
                do throws(TransferEncodingError) { try decoder?.finish() } catch { throw .encoding(error) }
                decoder = nil
                consumer.partEnded(part)
            }
        }
        return position
    }

    private func deliver(_ data: RawSpan, _ consumer: any MultipartConsumer) throws(MultipartError) {
        guard let part = scanner.open.last else { return }
        guard var decoder else {
            part.size += data.byteCount
            consumer.partData(part, data)
            return
        }
        self.decoder = nil
        do throws(TransferEncodingError) {
            try decoder.decode(data) { decoded in
                part.size += decoded.byteCount
                consumer.partData(part, decoded)
            }
        } catch { throw .encoding(error) }
        self.decoder = decoder
    }
}

/// What hears of the parts of a body. See ``MultipartParser``.
public protocol MultipartConsumer: AnyObject {
    /// A part's fields have come; its data, if any, follows.
    func partBegan(_ part: MultipartPart)
    /// Data of the part, decoded; the span is valid for the call.
    func partData(_ part: MultipartPart, _ data: RawSpan)
    /// The part's data is complete.
    func partEnded(_ part: MultipartPart)
}

extension MultipartConsumer {
    public func partBegan(_ part: MultipartPart) {}
    public func partData(_ part: MultipartPart, _ data: RawSpan) {}
    public func partEnded(_ part: MultipartPart) {}
}
