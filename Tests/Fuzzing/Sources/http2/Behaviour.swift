import HelioHTTP

/// What the handler does with a request. The first letter of the path chooses it.
enum Behaviour: UInt8, CaseIterable {
    case echo, text, pulled, trailers, reset, push, hold, collect, tunnel, webSocket, hints, bulk, early, connection,
        head

    init(_ exchange: Exchange) {
        if exchange.requestedProtocol != nil {
            self = .webSocket
        } else if exchange.method == .connect {
            self = .tunnel
        } else {
            let letter = Int(exchange.path.utf8.dropFirst().first ?? 0)
            self = Self.allCases[letter % Self.allCases.count]
        }
    }

    /// A path that chooses it.
    var path: String {
        let letter = (UInt8(ascii: "a")...UInt8(ascii: "z")).first { Int($0) % Self.allCases.count == Int(rawValue) }
        return "/" + String(UnicodeScalar(letter ?? 97))
    }
}
