import Heliograph
import HelioTLS

/// Who asks, and by which way: `/proxyinfo`.
func addPeers(to router: Routes) {
    router.get("/proxyinfo") { exchange in
        guard let connection = exchange.connection else { return }
        var members: [(String, JSON)] = [
            ("peer", .text(connection.peerAddress?.description)),
            ("proxy", .text(connection.proxyAddress?.description)),
            ("local", .text(connection.localAddress?.description)), ("http", .text(exchange.version.description)),
        ]
        members.append(("tls", connection.isSecure ? tls(of: connection) : .null))
        members.append(("certificate", connection.peerCertificate.map(certificate) ?? .null))
        members.append(("header", connection.proxyHeader.map(header) ?? .null))
        exchange.respond(.ok, contentType: "application/json", JSON.object(members).description + "\n")
    }
}

private func tls(of connection: Connection) -> JSON {
    .object([
        ("version", .text(connection.tlsVersion)), ("cipher", .text(connection.tlsCipher)),
        ("serverName", .text(connection.serverName)), ("alpn", .text(connection.applicationProtocol)),
    ])
}

private func certificate(_ certificate: PeerCertificate) -> JSON {
    .object([
        ("subject", .text(certificate.subject)), ("issuer", .text(certificate.issuer)),
        ("serialNumber", .text(certificate.serialNumber)), ("fingerprint", .text(certificate.fingerprint)),
        ("notAfter", .number(Int(certificate.notAfter))), ("isVerified", .bool(certificate.isVerified)),
        ("pem", .text(certificate.pem)),
    ])
}

private func header(_ header: ProxyHeader) -> JSON {
    let tls = header.tls.map { tls in
        JSON.object([
            ("isUsed", .bool(tls.isUsed)), ("isClientVerified", .bool(tls.isClientVerified)),
            ("version", .text(tls.version)), ("cipher", .text(tls.cipher)), ("commonName", .text(tls.commonName)),
        ])
    }
    return .object([
        ("version", .number(header.version)), ("isLocal", .bool(header.isLocal)),
        ("source", .text(header.source?.description)), ("destination", .text(header.destination?.description)),
        ("alpn", .text(header.applicationProtocol)), ("authority", .text(header.authority)),
        ("uniqueID", .text(header.uniqueID.map { String(decoding: $0, as: UTF8.self) })), ("tls", tls ?? .null),
    ])
}

/// A value to be written as JSON (RFC 8259).
private indirect enum JSON: CustomStringConvertible {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case object([(String, JSON)])

    static func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

    var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): "\"" + value.unicodeScalars.map(Self.escaped).joined() + "\""
        case .object(let members): "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
        }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": return "\\\(scalar)"
        case "\u{0}"..<" ":
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return String(scalar)
        }
    }
}
