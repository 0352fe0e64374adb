import HelioHTTP
import Testing

@Suite("Bounds of multipart bodies")
struct MultipartLimitTests {
    /// Each bound at what it allows and at one more.
    @Test("At most so many parts, at all depths together")
    func parts() {
        func body(_ count: Int) -> String {
            "--b\r\ncontent-type: multipart/mixed; boundary=c\r\n\r\n"
                + String(repeating: "--c\r\n\r\n\r\n", count: count - 1) + "--c--\r\n--b--"
        }
        let limits = multipartLimits { $0.maxParts = 10 }
        #expect(parse(body(10), limits: limits).error == nil)
        #expect(parse(body(11), limits: limits).error == .tooManyParts(limit: 10))
    }

    @Test("Parts nest so deep", arguments: [1, 2, 4])
    func depth(allowed: Int) {
        func body(_ depth: Int) -> String {
            guard depth > 1 else { return "--b1\r\n\r\nx\r\n--b1--" }
            let inner = body(depth - 1)
            return
                "--b\(depth)\r\ncontent-type: multipart/mixed; boundary=b\(depth - 1)\r\n\r\n\(inner)\r\n--b\(depth)--"
        }
        let limits = multipartLimits { $0.maxDepth = allowed }
        #expect(parse(body(allowed), type: "multipart/mixed; boundary=b\(allowed)", limits: limits).error == nil)
        let deeper = parse(body(allowed + 1), type: "multipart/mixed; boundary=b\(allowed + 1)", limits: limits)
        #expect(deeper.error == .tooDeep(limit: allowed))
    }

    @Test("The fields of a part are bounded in size and number, in any cut", arguments: [1, 10, 10_000])
    func headers(cut: Int) {
        let limits = multipartLimits {
            $0.maxHeaderSize = 100
            $0.maxHeaderCount = 3
        }
        func sized(_ size: Int) -> String { "--b\r\nx: \(String(repeating: "y", count: size - 5))\r\n\r\n\r\n--b--" }
        #expect(parse(sized(100), cut: cut, limits: limits).error == nil)
        #expect(parse(sized(101), cut: cut, limits: limits).error == .headersTooLarge(limit: 100))
        let endless = "--b\r\n" + String(repeating: "y", count: 10_000)
        #expect(parse(endless, cut: cut, limits: limits).error == .headersTooLarge(limit: 100))
        func numbered(_ count: Int) -> String { "--b\r\n\(String(repeating: "x: y\r\n", count: count))\r\n\r\n--b--" }
        #expect(parse(numbered(3), cut: cut, limits: limits).error == nil)
        #expect(parse(numbered(4), cut: cut, limits: limits).error == .tooManyHeaders(limit: 3))
    }

    @Test("A part and the whole are bounded in size, in any cut", arguments: [1, 7, 10_000])
    func sizes(cut: Int) {
        func body(_ size: Int) -> String { "--b\r\n\r\n\(String(repeating: "\r", count: size))\r\n--b--" }
        let part = multipartLimits { $0.maxPartSize = 50 }
        #expect(parse(body(50), cut: cut, limits: part).error == nil)
        #expect(parse(body(51), cut: cut, limits: part).error == .partTooLarge(limit: 50))
        let whole = multipartLimits { $0.maxTotalSize = body(50).utf8.count }
        #expect(parse(body(50), cut: cut, limits: whole).error == nil)
        #expect(parse(body(51), cut: cut, limits: whole).error == .tooLarge(limit: whole.maxTotalSize))
    }

    @Test("What is ignored is bounded wherever it stands", arguments: [1, 7, 10_000])
    func ignored(cut: Int) {
        let limits = multipartLimits { $0.maxIgnoredSize = 20 }
        func bodies(_ size: Int) -> [String] {
            let filler = String(repeating: " ", count: size)
            let line = String(repeating: "x", count: size - 2)
            return [
                "\(line)  \r\n--b--", "--b\(filler)\r\n\r\n\r\n--b--", "--b--\(filler)", "--b--\r\n\(line)",
                "--b\r\ncontent-type: multipart/mixed; boundary=c\r\n\r\n\(line)  \r\n--c--\r\n--b--",
                "--b\r\ncontent-type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n\(line)\r\n--b--",
            ]
        }
        for body in bodies(20) { #expect(parse(body, cut: cut, limits: limits).error == nil, "\(body)") }
        for body in bodies(21) {
            #expect(parse(body, cut: cut, limits: limits).error == .tooMuchIgnored(limit: 20), "\(body)")
        }
    }

    @Test("A limit is what the peer is told of by 413, a malformed body by 400, another type by 415")
    func statuses() {
        let tooLarge: [MultipartError] = [
            .tooManyParts(limit: 1), .tooDeep(limit: 1), .headersTooLarge(limit: 1), .tooManyHeaders(limit: 1),
            .partTooLarge(limit: 1), .tooLarge(limit: 1), .tooMuchIgnored(limit: 1),
        ]
        #expect(tooLarge.allSatisfy { $0.status == .contentTooLarge })
        let malformed: [MultipartError] = [
            .invalidBoundary, .ambiguousBoundary, .malformedDelimiter, .malformedHeaders, .missingName, .truncated,
            .encoding(.truncated), .field("x", .forbiddenByte(at: 0)),
        ]
        #expect(malformed.allSatisfy { $0.status == .badRequest })
        let other: [MultipartError] = [.notMultipart, .unsupportedVersion, .unsupportedEncoding("x")]
        #expect(other.allSatisfy { $0.status == .unsupportedMediaType })
    }
}
