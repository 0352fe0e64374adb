/// Writes a multipart body a piece at a time (RFC 2046 section 5.1).
///
/// For a response there is ``Exchange/respond(_:multipart:boundary:)``.
///
/// ```swift
/// var serializer = MultipartSerializer(.formData)
/// var body: [UInt8] = []
/// let gather: (RawSpan) -> Void = { piece in piece.withUnsafeBytes { body.append(contentsOf: $0) } }
/// serializer.beginPart(disposition: .formData(name: "greeting"), gather)
/// serializer.write("Hello", gather)
/// serializer.finish(gather)
/// print(serializer.contentType, body.count)
/// ```
public struct MultipartSerializer {
    /// The type, with its boundary.
    public let contentType: MediaType
    /// The boundaries of the body and of the parts within which parts are written, the outermost first.
    private var boundaries: [String]
    private var isFirst = true
    private var encoder: TransferEncoder?

    /// - Parameters:
    ///   - type: a multipart type.
    ///   - boundary: which no data may hold; nil for a random one.
    /// - Precondition: the type is multipart, and the boundary is one.
    public init(_ type: MediaType = .mixed, boundary: String? = nil) {
        precondition(type.isMultipart, "\(type) is not multipart")
        let boundary = boundary ?? MultipartBoundary.random()
        precondition(MultipartBoundary.isValid(boundary), "a boundary is 1 to 70 characters of RFC 2046 section 5.1.1")
        contentType = type.with("boundary", boundary)
        boundaries = [boundary]
    }

    /// Begins a part, and ends the one before.
    ///
    /// - Parameters:
    ///   - encoding: how its data is written; it is said in a field unless it is `binary`.
    ///   - fields: others. CR, LF and NUL in values become spaces.
    ///   - emit: gets what is to be sent, valid for the call.
    /// - Precondition: names of fields are field names in lower case; the body is not finished.
    public mutating func beginPart(
        contentType: MediaType? = nil, disposition: ContentDisposition? = nil, encoding: TransferEncoding = .binary,
        fields: [(name: String, value: String)] = [], _ emit: (RawSpan) -> Void
    ) {
        precondition(!boundaries.isEmpty, "this multipart body is finished")
        endData(emit)
        if encoding != .binary { encoder = TransferEncoder(encoding) }
        var head = boundaryLine(isLast: false)
        let block = HeaderBlock()
        if let disposition { block.append(name: "content-disposition", value: disposition.description) }
        if let contentType { block.append(name: "content-type", value: contentType.description) }
        if encoding != .binary { block.append(name: "content-transfer-encoding", value: encoding.rawValue) }
        for (name, value) in fields { block.append(name: name, value: value) }
        block.forEachBytes { name, value in
            unsafe name.withUnsafeBytes { unsafe head.append(contentsOf: $0) }
            head += Array(": ".utf8)
            unsafe value.withUnsafeBytes { unsafe head.append(contentsOf: $0) }
            head += Array("\r\n".utf8)
        }
        head += Array("\r\n".utf8)
        unsafe emit(head.span.bytes)
    }

    /// Begins a part that consists of parts, with a boundary of its own; those that follow are its parts, until
    /// ``endMultipart(_:)``.
    public mutating func beginMultipart(
        _ type: MediaType = .mixed, disposition: ContentDisposition? = nil, _ emit: (RawSpan) -> Void
    ) {
        precondition(type.isMultipart, "\(type) is not multipart")
        let boundary = MultipartBoundary.random()
        beginPart(contentType: type.with("boundary", boundary), disposition: disposition, emit)
        boundaries.append(boundary)
        isFirst = true
    }

    /// Ends the part that consists of parts.
    public mutating func endMultipart(_ emit: (RawSpan) -> Void) {
        precondition(boundaries.count > 1, "no part that has parts is open")
        endLevel(emit)
    }

    /// Adds to the open part's data.
    public mutating func write(_ bytes: RawSpan, _ emit: (RawSpan) -> Void) {
        guard encoder != nil else { return emit(bytes) }
        encoder?.encode(bytes, emit)
    }

    /// Adds a text in UTF-8 to the open part's data.
    public mutating func write(_ text: String, _ emit: (RawSpan) -> Void) {
        unsafe withBytes(text) { unsafe write($0.bytes, emit) }
    }

    /// Ends what is open, and the body.
    public mutating func finish(_ emit: (RawSpan) -> Void) {
        while !boundaries.isEmpty { endLevel(emit) }
    }

    /// Whether the open part's data is written as it is.
    var passesData: Bool { encoder == nil }

    private mutating func endLevel(_ emit: (RawSpan) -> Void) {
        endData(emit)
        let line = boundaryLine(isLast: true)
        boundaries.removeLast()
        unsafe emit(line.span.bytes)
    }

    private mutating func endData(_ emit: (RawSpan) -> Void) {
        encoder?.finish(emit)
        encoder = nil
    }

    private mutating func boundaryLine(isLast: Bool) -> [UInt8] {
        // Nothing precedes the first; a body without parts is its closing line alone.
        var line = isFirst ? [] : Array("\r\n".utf8)
        isFirst = false
        line += Array("--\(boundaries[boundaries.count - 1])".utf8)
        // The line's end of a part's closing boundary belongs to the next boundary around it.
        if isLast { line += Array("--".utf8) }
        if !isLast || boundaries.count == 1 { line += Array("\r\n".utf8) }
        return line
    }
}
