import Crypto

/// Signs deliveries: HMAC-SHA256 over the time, a dot and the body, so that a receiver can refuse forged and old ones.
enum WebhookSignature {
    /// Such as `t=1700000000,v1=5257a8…`.
    ///
    /// - Parameter seconds: now, since 1970.
    static func header(secret: Secret, seconds: Int64, body: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: secret.bytes))
        code.update(data: Array("\(seconds).".utf8))
        code.update(data: body)
        return "t=\(seconds),v1=\(code.finalize().map(hexadecimal).joined())"
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
    }
}
