/// Why a response in the types of swift-http-types is not sent. Nothing of it was; the exchange can be answered otherwise.
public enum MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status is not a final one, 200 to 999.
    case notFinal(status: Int)
    /// The field belongs to a connection, not to a message, and makes an HTTP/2 message malformed (RFC 9113 section
    /// 8.2.2). A proxy leaves out such fields, and those that `connection` names (RFC 9110 section 7.6.1).
    case connectionField(String)
    /// The field frames or describes a message and is no trailer (RFC 9110 section 6.5.1).
    case notATrailer(String)

    public var description: String {
        switch self {
        case .notFinal(let status): "\(status) is not the status of a final response; take one from 200 to 999"
        case .connectionField(let name): "'\(name)' belongs to a connection and must not be in a message; leave it out"
        case .notATrailer(let name): "'\(name)' must not be a trailer; send it in the response's head"
        }
    }
}
