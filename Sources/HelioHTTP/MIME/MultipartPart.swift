/// One part of a multipart body: its fields, and what they say of its data.
///
/// ```swift
/// for try await part in exchange.parts() {
///     print(part.name ?? "", part.filename ?? "", part.contentType)
/// }
/// ```
public final class MultipartPart {
    /// The part's fields; names in lower case, folded lines joined.
    public let headers: HeaderBlock
    /// `content-type`; `text/plain` where there is none, `message/rfc822` in a digest (RFC 2046 section 5.1).
    public let contentType: MediaType
    /// `content-disposition`, if there is one.
    public let disposition: ContentDisposition?
    /// `content-transfer-encoding`; `binary` where there is none. The data comes decoded.
    public let encoding: TransferEncoding
    /// The part that has this one in it.
    public let parent: MultipartPart?
    /// Its place among all parts of the body, from 0.
    public let index: Int
    /// Whether it consists of parts, which follow. Then it has no data of its own. One with a file name is a file, whatever
    /// its type.
    public let isMultipart: Bool
    /// Bytes of data that have come, as they were sent.
    public internal(set) var encodedSize = 0
    /// Bytes of data that have come, decoded.
    public internal(set) var size = 0
    /// Takes the data in place of who reads the parts. See ``MultipartHandler``.
    public var sink: (any PartSink)?
    /// The data has ended.
    public internal(set) var isComplete = false
    /// Who reads it for a task. It holds the part.
    weak var reader: PartReader?

    /// 1 for a part of the body, 2 for a part of that, and so on.
    public var depth: Int { (parent?.depth ?? 0) + 1 }
    /// The form's field, or nil.
    public var name: String? { disposition?.name }
    /// The file's name as the sender gives it; for a file here see ``ContentDisposition/safeFilename``.
    public var filename: String? { disposition?.filename }

    /// - Parameter container: the type of what it is a part of.
    init(
        headers: HeaderBlock, in container: MediaType, parent: MultipartPart?, index: Int
    ) throws(MultipartError) {
        self.headers = headers
        self.parent = parent
        self.index = index
        if let text = headers["content-type"] {
            do { contentType = try MediaType(parsing: text) } catch { throw .field("content-type", error) }
        } else {
            contentType = container.subtype == "digest" ? .message : Self.plainText
        }
        if let text = headers["content-disposition"] {
            do { disposition = try ContentDisposition(parsing: text) } catch {
                throw .field("content-disposition", error)
            }
        } else {
            disposition = nil
        }
        let encodingName = headers["content-transfer-encoding"] ?? TransferEncoding.binary.rawValue
        guard let encoding = TransferEncoding(encodingName) else { throw .unsupportedEncoding(encodingName) }
        self.encoding = encoding
        isMultipart = contentType.isMultipart && disposition?.filename == nil
        if isMultipart, encoding.changesBytes { throw .unsupportedEncoding(encodingName) }
        if container.subtype == "form-data", disposition?.type != "form-data" || disposition?.name == nil {
            throw .missingName
        }
    }

    private static let plainText = MediaType("text", "plain")
}

/// Where the data of a part goes in place of who reads the parts: to a file. Set as ``MultipartPart/sink`` when the part begins.
///
/// All of it is called on the loop's thread.
public protocol PartSink: AnyObject {
    /// The part's reader calls this first.
    ///
    /// - Parameter resume: to be called on the loop after a `write` or `finish` has answered false, once it is done.
    func attach(resume: @escaping () -> Void)
    /// Takes decoded data; the span is valid for the call.
    ///
    /// - Returns: false to be given no more until `resume`. What it was given is taken all the same.
    func write(_ data: RawSpan) -> Bool
    /// The part has ended.
    ///
    /// - Returns: false when what was written is not settled yet; then `resume` follows.
    func finish() -> Bool
    /// The body has ended within the part.
    func abandon()
    /// Why it could not take what it was given; nil while all is well.
    var failure: (any Error)? { get }
}
