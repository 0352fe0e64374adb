/// A request's method (RFC 9110 section 9). Methods are case-sensitive.
public enum Method: Hashable, Sendable, CustomStringConvertible {
    case get, head, post, put, delete, connect, options, trace, patch
    /// A method that has no case of its own.
    case other(String)

    /// The method as it stands in a request.
    public var rawValue: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        case .other(let name): name
        }
    }

    public var description: String { rawValue }

    /// The method of that name.
    public init(_ name: String) { self = unsafe withBytes(name) { unsafe Method(bytes: $0) } }

    init(bytes: UnsafeRawBufferPointer) {
        // GET and POST are nearly all there is: told apart by length and the first byte before anything is compared.
        if bytes.count == 3, unsafe bytes[0] == UInt8(ascii: "G"), unsafe bytes[1] == UInt8(ascii: "E"),
            unsafe bytes[2] == UInt8(ascii: "T")
        {
            self = .get
            return
        }
        let name = unsafe String(decoding: bytes, as: UTF8.self)
        self = Self.known.first { $0.rawValue == name } ?? .other(name)
    }

    private static let known: [Method] = [.post, .head, .put, .delete, .connect, .options, .trace, .patch, .get]
}
