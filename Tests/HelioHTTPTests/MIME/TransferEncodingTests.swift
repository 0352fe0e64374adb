import HelioHTTP
import Testing

@Suite("Transfer encodings")
struct TransferEncodingTests {
    /// Decodes the bytes in pieces of `cut`.
    private func decode(_ encoding: TransferEncoding, _ bytes: [UInt8], cut: Int = .max) throws(TransferEncodingError)
        -> [UInt8]
    {
        var decoder = TransferDecoder(encoding)
        var decoded: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe try decoder.decode(piece.span.bytes) { out in unsafe out.withUnsafeBytes { unsafe decoded += $0 } }
        }
        try decoder.finish()
        return decoded
    }

    private func encode(_ encoding: TransferEncoding, _ bytes: [UInt8], cut: Int = .max) -> [UInt8] {
        var encoder = TransferEncoder(encoding)
        var encoded: [UInt8] = []
        let gather: (RawSpan) -> Void = { out in unsafe out.withUnsafeBytes { unsafe encoded += $0 } }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe encoder.encode(piece.span.bytes, gather)
        }
        encoder.finish(gather)
        return encoded
    }

    @Test("Encodings are known by their names in any case")
    func names() {
        #expect(TransferEncoding("BASE64") == .base64)
        #expect(TransferEncoding("Quoted-Printable") == .quotedPrintable)
        #expect(TransferEncoding("7BIT") == .sevenBit)
        #expect(TransferEncoding("x-uuencode") == nil)
    }

    /// The vectors of RFC 4648 section 10, and what lines may be in.
    @Test(
        "Base64 is decoded in any cut",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"), ("Zm9v\r\nYmFy\r\n", "foobar"), ("Z m\t9\nvYg=\r\n=\r\n", "foob"),
        ])
    func base64(text: String, plain: String) throws {
        for cut in 1...max(text.utf8.count, 1) {
            #expect(try decode(.base64, Array(text.utf8), cut: cut) == Array(plain.utf8))
        }
    }

    @Test(
        "What is no base64 is refused in any cut",
        arguments: [
            ("Zg", TransferEncodingError.truncated), ("Zg=", .truncated), ("Z", .truncated), ("Z===", .invalidPadding),
            ("Zg===", .invalidPadding), ("Zm9v=", .invalidPadding), ("=", .invalidPadding),
            ("Zg==Zg==", .invalidPadding),
            ("Zh==", .invalidPadding), ("Zm9=", .invalidPadding), ("Zm9v*", .invalidByte(42)),
            ("Zm-_", .invalidByte(45)),
            ("Zm9v\u{0}", .invalidByte(0)),
        ])
    func badBase64(text: String, error: TransferEncodingError) {
        for cut in 1...text.utf8.count {
            #expect(throws: error) { try decode(.base64, Array(text.utf8), cut: cut) }
        }
    }

    @Test(
        "Quoted-printable is decoded in any cut",
        arguments: [
            ("", ""), ("plain text", "plain text"), ("=3D=3d", "=="), ("a=20\r\nb", "a \r\nb"),
            ("trailing \t \r\nblanks  ", "trailing\r\nblanks"), ("soft=\r\n break= \t\r\n!", "soft break!"),
            ("tab\there", "tab\there"), ("n=C3=A4", "nä"), ("a \r\n b", "a\r\n b"), ("=0D=0A", "\r\n"),
            (
                "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
                "Now's the time for all folk to come to the aid of their country."
            ),
        ])
    func quotedPrintable(text: String, plain: String) throws {
        for cut in 1...max(text.utf8.count, 1) {
            #expect(try decode(.quotedPrintable, Array(text.utf8), cut: cut) == Array(plain.utf8), "cut \(cut)")
        }
    }

    @Test(
        "What is no quoted-printable is refused in any cut",
        arguments: [
            ("a\nb", TransferEncodingError.bareLineEnd), ("a\rb", .bareLineEnd), ("a\r", .truncated), ("=", .truncated),
            ("=4", .truncated), ("=\r", .truncated), ("=4x", .invalidEscape), ("=x", .invalidEscape),
            ("= x", .invalidEscape), ("=\ra", .bareLineEnd), ("ä", .invalidByte(0xc3)), ("\u{7f}", .invalidByte(0x7f)),
        ])
    func badQuotedPrintable(text: String, error: TransferEncodingError) {
        for cut in 1...text.utf8.count {
            #expect(throws: error) { try decode(.quotedPrintable, Array(text.utf8), cut: cut) }
        }
    }

    @Test("A line has at most 998 bytes, blanks too", arguments: ["x", " "])
    func longLines(byte: String) throws {
        let line = String(repeating: byte, count: 998)
        for encoding in [TransferEncoding.quotedPrintable, .sevenBit, .eightBit] {
            let fits = Array("\(line)\r\n\(line)\r\n".utf8)
            for cut in [1, 7, fits.count] { #expect(throws: Never.self) { try decode(encoding, fits, cut: cut) } }
            for cut in [1, 7, 5000] {
                #expect(throws: TransferEncodingError.lineTooLong) {
                    try decode(encoding, Array("\(line)\(byte)\(byte)\r\n".utf8), cut: cut)
                }
            }
        }
    }

    @Test("7bit and 8bit are lines, binary is anything")
    func lines() throws {
        let high = Array("n\u{e4}\r\n".utf8)
        #expect(try decode(.eightBit, high) == high)
        #expect(throws: TransferEncodingError.invalidByte(0xc3)) { try decode(.sevenBit, high) }
        for encoding in [TransferEncoding.sevenBit, .eightBit] {
            #expect(throws: TransferEncodingError.invalidByte(0)) { try decode(encoding, [65, 0]) }
            #expect(throws: TransferEncodingError.bareLineEnd) { try decode(encoding, [65, 10]) }
            #expect(throws: TransferEncodingError.bareLineEnd) { try decode(encoding, [65, 13, 65], cut: 1) }
            #expect(throws: TransferEncodingError.bareLineEnd) { try decode(encoding, [65, 13]) }
        }
        let anything = (0..<600).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try decode(.binary, anything, cut: 7) == anything)
    }

    @Test(
        "What is encoded, in any cut, is decoded to the same, in lines of at most 76",
        arguments: [
            TransferEncoding.base64, .quotedPrintable,
        ])
    func roundTrip(encoding: TransferEncoding) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let alphabet: [UInt8] = [0x20, 0x09, 13, 10, 0x3d, 0x41, 0x2e, 0xff, 0]
        for _ in 0..<300 {
            let length = Int.random(in: 0..<400, using: &random)
            let isText = Bool.random(using: &random)
            let bytes = (0..<length).map { _ in
                isText ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
            }
            let encoded = encode(encoding, bytes, cut: Int.random(in: 1...50, using: &random))
            #expect(encode(encoding, bytes) == encoded, "seed \(seed)")
            #expect(try decode(encoding, encoded, cut: Int.random(in: 1...50, using: &random)) == bytes, "seed \(seed)")
            let lines = encoded.split(separator: 10, omittingEmptySubsequences: false)
            #expect(lines.allSatisfy { $0.filter { $0 != 13 }.count <= 76 }, "seed \(seed)")
        }
    }

    @Test("Large input is decoded in pieces of bounded size")
    func largeInput() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for encoding in [TransferEncoding.base64, .quotedPrintable] {
            let encoded = encode(encoding, bytes)
            var decoder = TransferDecoder(encoding)
            var largest = 0
            unsafe try decoder.decode(encoded.span.bytes) { largest = max(largest, $0.byteCount) }
            #expect(largest < 10_000)
            #expect(try decode(encoding, encoded) == bytes)
        }
    }
}
