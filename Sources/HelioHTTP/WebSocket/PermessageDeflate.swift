/// The negotiation of permessage-deflate (RFC 7692 section 5 and 7.1): `sec-websocket-extensions`, in both directions.
enum PermessageDeflate {
    static let name = "permessage-deflate"

    /// One element of the field: an extension and its parameters, of which each may be without a value.
    struct Element {
        var name: String
        var parameters: [(name: String, value: String?)]
    }

    /// Reads the values of the field.
    ///
    /// - Returns: nil when they are malformed (RFC 6455 section 9.1).
    static func parse(_ values: [String]) -> [Element]? {
        var elements: [Element] = []
        for value in values {
            do throws(FieldSyntaxError) {
                try FieldScanner.scan(value) { scanner throws(FieldSyntaxError) in try parse(&scanner, into: &elements)
                }
            } catch {
                return nil
            }
        }
        return elements
    }

    private static let maxElements = 16

    private static func parse(
        _ scanner: inout FieldScanner, into elements: inout [Element]
    ) throws(FieldSyntaxError) {
        while true {
            scanner.skipBlanks()
            guard !scanner.isAtEnd else { return }
            guard elements.count < maxElements else { throw .tooMany(limit: maxElements) }
            var element = Element(name: scanner.text(try scanner.token("an extension")), parameters: [])
            scanner.skipBlanks()
            while scanner.take(UInt8(ascii: ";")) {
                scanner.skipBlanks()
                let name = scanner.text(try scanner.token("a parameter"))
                let value = scanner.take(UInt8(ascii: "=")) ? try scanner.value() : nil
                guard element.parameters.count < maxElements else { throw .tooMany(limit: maxElements) }
                element.parameters.append((name, value))
                scanner.skipBlanks()
            }
            elements.append(element)
            guard !scanner.isAtEnd else { return }
            try scanner.take(UInt8(ascii: ","), "','")
        }
    }

    // MARK: Parameters

    /// The parameters of an offer or a response, each checked.
    struct Parameters {
        var serverNoContext = false
        var clientNoContext = false
        var serverBits: Int?
        var clientBits: Int?
        /// `client_max_window_bits` is there, perhaps without a value.
        var hasClientBits = false

        /// - Returns: nil for what the RFC does not know: then the element is declined, or the response fails.
        init?(_ element: Element, isOffer: Bool) {
            guard element.name == PermessageDeflate.name else { return nil }
            for (index, (name, value)) in element.parameters.enumerated() {
                guard !element.parameters[..<index].contains(where: { $0.name == name }) else { return nil }
                switch (name, value) {
                case ("server_no_context_takeover", nil): serverNoContext = true
                case ("client_no_context_takeover", nil): clientNoContext = true
                case ("server_max_window_bits", let value?):
                    guard let bits = Self.bits(value) else { return nil }
                    serverBits = bits
                case ("client_max_window_bits", let value):
                    hasClientBits = true
                    guard let value else {
                        guard isOffer else { return nil }
                        continue
                    }
                    guard let bits = Self.bits(value) else { return nil }
                    clientBits = bits
                default: return nil
                }
            }
        }

        /// 8 to 15 in decimal, without leading zeros.
        private static func bits(_ value: String) -> Int? {
            guard let bits = Int(value), (8...15).contains(bits), "\(bits)" == value else { return nil }
            return bits
        }
    }

    // MARK: The server

    /// Answers the client's offers with the first that can be met.
    ///
    /// - Returns: what is agreed and what the client is told, or nil when no offer can be met.
    static func answer(
        _ offers: [Element], _ options: WebSocketCompressionOptions
    ) -> (parameters: WebSocketCompressionParameters, response: String)? {
        for offer in offers {
            guard let offer = Parameters(offer, isOffer: true) else { continue }
            let serverBits = min(offer.serverBits ?? 15, options.windowBits)
            guard serverBits >= 9 else { continue }
            var agreed = WebSocketCompressionParameters()
            agreed.level = options.level
            agreed.outgoingWindowBits = serverBits
            var response = name
            agreed.keepsOutgoingContext = options.keepsContext && !offer.serverNoContext
            if !agreed.keepsOutgoingContext { response += "; server_no_context_takeover" }
            agreed.keepsIncomingContext = options.keepsContext && !offer.clientNoContext
            if !agreed.keepsIncomingContext { response += "; client_no_context_takeover" }
            if offer.serverBits != nil || serverBits < 15 { response += "; server_max_window_bits=\(serverBits)" }
            // Our own inflater has all 15 bits unless it stays with the WebSocket, where it is to be small.
            if agreed.keepsIncomingContext, offer.hasClientBits {
                agreed.incomingWindowBits = min(offer.clientBits ?? 15, options.windowBits)
                response += "; client_max_window_bits=\(agreed.incomingWindowBits)"
            }
            return (agreed, response)
        }
        return nil
    }

    // MARK: The client

    static func offer(_ options: WebSocketCompressionOptions) -> String {
        var offer = name + "; client_max_window_bits"
        if !options.keepsContext { offer += "; server_no_context_takeover; client_no_context_takeover" }
        return offer
    }

    /// Takes the server's answer to ``offer(_:)``.
    ///
    /// - Returns: nil when the server has agreed to what was not offered.
    static func accept(
        _ elements: [Element], _ options: WebSocketCompressionOptions
    ) -> WebSocketCompressionParameters? {
        guard elements.count == 1, let answer = Parameters(elements[0], isOffer: false) else { return nil }
        // Section 7.1.1.1: a server that accepts an offer with this says so.
        guard options.keepsContext || answer.serverNoContext else { return nil }
        var agreed = WebSocketCompressionParameters()
        agreed.level = options.level
        agreed.keepsOutgoingContext = options.keepsContext && !answer.clientNoContext
        agreed.keepsIncomingContext = !answer.serverNoContext
        agreed.incomingWindowBits = answer.serverBits ?? 15
        let bits = min(answer.clientBits ?? 15, options.windowBits)
        agreed.outgoingWindowBits = max(bits, 9)
        agreed.isOutgoingCompressed = bits >= 9
        return agreed
    }
}
