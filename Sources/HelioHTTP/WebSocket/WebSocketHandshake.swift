/// The opening handshake: by HTTP/1.1's Upgrade (RFC 6455 section 4), or by an extended CONNECT over HTTP/2, which has
/// neither key nor accept (RFC 8441 section 5).
enum WebSocketHandshake {
    /// `sec-websocket-accept` for a key (section 4.2.2).
    static func accept(key: String) -> String {
        Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    /// What a request is answered with.
    enum Answer {
        case accepted(Agreement)
        case refused(Refusal)
    }

    struct Agreement {
        var accept: String?
        var subprotocol: String?
        var compression: WebSocketCompressionParameters?
        var extensions: String?
    }

    enum Refusal {
        /// It asks for no WebSocket, or for another version than 13.
        case upgradeRequired
        case malformed
        case forbiddenOrigin

        func status(_ version: HTTPVersion) -> Status {
            switch self {
            // 426 has an `upgrade` field (RFC 9110 section 15.5.22), which HTTP/2 has not.
            case .upgradeRequired: version == .http2 ? .badRequest : .upgradeRequired
            case .malformed: .badRequest
            case .forbiddenOrigin: .forbidden
            }
        }
    }

    /// The server's side: checks a request's fields (section 4.2.1).
    static func answer(_ exchange: Exchange, _ options: WebSocketOptions) -> Answer {
        let fields = exchange.headers
        guard let requested = exchange.requestedProtocol, requested.lowercased() == "websocket",
            fields.values(of: "sec-websocket-version") == ["13"]
        else { return .refused(.upgradeRequired) }
        var agreement = Agreement()
        if exchange.version != .http2 {
            let keys = fields.values(of: "sec-websocket-key")
            guard exchange.method == .get, keys.count == 1, Base64.isOf16Bytes(keys[0]) else {
                return .refused(.malformed)
            }
            agreement.accept = accept(key: keys[0])
        }
        let origins = fields.values(of: "origin")
        guard origins.count <= 1 else { return .refused(.malformed) }
        if let origin = origins.first, !options.origins.allow(origin, authority: exchange.authority) {
            return .refused(.forbiddenOrigin)
        }
        guard let wanted = subprotocols(fields.values(of: "sec-websocket-protocol")),
            let offers = PermessageDeflate.parse(fields.values(of: "sec-websocket-extensions"))
        else { return .refused(.malformed) }
        agreement.subprotocol = wanted.first(where: options.subprotocols.contains)
        if let compression = options.compression, let (agreed, response) = PermessageDeflate.answer(offers, compression)
        {
            agreement.compression = agreed
            agreement.extensions = response
        }
        return .accepted(agreement)
    }

    /// The tokens of `sec-websocket-protocol`, of which none may come twice (section 4.1, number 10).
    static func subprotocols(_ values: [String]) -> [String]? {
        var names: [String] = []
        for name in values.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let token = String(name.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
            guard FieldScanner.isToken(token), !names.contains(token), names.count < 64 else { return nil }
            names.append(token)
        }
        return names
    }
}
