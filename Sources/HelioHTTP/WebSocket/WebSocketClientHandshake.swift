/// The client's side of the opening handshake: the fields to send, and the check of what the server answers (RFC 6455
/// section 4.1; RFC 8441 section 5 over HTTP/2).
///
/// ```swift
/// let handshake = WebSocketClientHandshake(options: WebSocketOptions(), version: .http2)
/// for (name, value) in handshake.fields { print("\(name): \(value)") }
/// ```
public struct WebSocketClientHandshake: Sendable {
    /// The fields to send, beside `upgrade` and `connection` (HTTP/1.1) or `:protocol` (HTTP/2).
    public let fields: [(name: String, value: String)]
    private let key: String?
    private let options: WebSocketOptions

    /// - Parameters:
    ///   - options: subprotocols in the order of preference, compression; the bounds are those of the WebSocket to come.
    ///   - version: what carries the request.
    public init(options: WebSocketOptions, version: HTTPVersion) {
        var random = SystemRandomNumberGenerator()
        var fields: [(name: String, value: String)] = [("sec-websocket-version", "13")]
        key =
            version == .http2
            ? nil : Base64.encode((0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
        if let key { fields.append(("sec-websocket-key", key)) }
        if !options.subprotocols.isEmpty {
            fields.append(("sec-websocket-protocol", options.subprotocols.joined(separator: ", ")))
        }
        if let compression = options.compression {
            fields.append(("sec-websocket-extensions", PermessageDeflate.offer(compression)))
        }
        self.fields = fields
        self.options = options
    }

    /// What the server has agreed to.
    public struct Agreement: Sendable {
        public var subprotocol: String?
        public var compression: WebSocketCompressionParameters?
    }

    /// Checks the server's answer, but for `upgrade` and `connection`, which are the codec's affair.
    ///
    /// - Parameters:
    ///   - status: 101 over HTTP/1.1, 2xx over HTTP/2.
    ///   - headers: the answer's fields.
    /// - Throws: what is wrong with it; then the connection or stream is given up.
    public func check(status: Status, headers: HeaderBlock) throws(WebSocketHandshakeError) -> Agreement {
        let isAccepted = key == nil ? (200...299).contains(status.rawValue) : status == .switchingProtocols
        guard isAccepted else { throw .refused(status) }
        if let key, headers.values(of: "sec-websocket-accept") != [WebSocketHandshake.accept(key: key)] {
            throw .badAccept
        }
        var agreement = Agreement()
        let protocols = headers.values(of: "sec-websocket-protocol")
        guard protocols.count <= 1, protocols.allSatisfy(options.subprotocols.contains) else { throw .badSubprotocol }
        agreement.subprotocol = protocols.first
        guard let extensions = PermessageDeflate.parse(headers.values(of: "sec-websocket-extensions")) else {
            throw .badExtensions
        }
        guard !extensions.isEmpty else { return agreement }
        guard let compression = options.compression,
            let agreed = PermessageDeflate.accept(extensions, compression)
        else { throw .badExtensions }
        agreement.compression = agreed
        return agreement
    }
}

/// Why a server's answer opens no WebSocket.
public enum WebSocketHandshakeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It has answered with this status.
    case refused(Status)
    /// `sec-websocket-accept` does not belong to our key.
    case badAccept
    /// It has chosen a subprotocol that was not offered.
    case badSubprotocol
    /// It has agreed to an extension that was not offered.
    case badExtensions

    public var description: String {
        switch self {
        case .refused(let status): "the server answered with \(status)"
        case .badAccept: "the server's sec-websocket-accept does not belong to our key"
        case .badSubprotocol: "the server has chosen a subprotocol that was not offered"
        case .badExtensions: "the server has agreed to an extension that was not offered"
        }
    }
}
