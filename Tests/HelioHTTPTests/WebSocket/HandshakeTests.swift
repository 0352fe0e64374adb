@testable import HelioHTTP
import Testing

@Suite("The WebSocket handshake's parts")
struct WebSocketHandshakeTests {
    @Test("SHA-1 gives the digests of RFC 3174 and FIPS 180")
    func sha1() {
        func hex(_ text: String) -> String {
            SHA1.digest(Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex(String(repeating: "a", count: 1_000)) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
        // Lengths around that of a block.
        #expect(hex(String(repeating: "x", count: 55)) == "cef734ba81a024479e09eb5a75b6ddae62e6abf1")
        #expect(hex(String(repeating: "x", count: 64)) == "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163")
    }

    @Test("The accept of RFC 6455 section 1.3")
    func accept() {
        #expect(WebSocketHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("A key is the base64 of 16 bytes")
    func keys() {
        #expect(Base64.isOf16Bytes("dGhlIHNhbXBsZSBub25jZQ=="))
        for bad in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=A", "dGhlIHNhbXBsZSBub25-ZQ==", "AAAA"] {
            #expect(!Base64.isOf16Bytes(bad))
        }
        #expect(Base64.isOf16Bytes(Base64.encode((0..<16).map { UInt8($0 * 15) })))
        #expect(Base64.encode([]) == "" && Base64.encode([0]) == "AA==" && Base64.encode([0, 255]) == "AP8=")
    }

    @Test("Subprotocols are tokens, each once")
    func subprotocols() {
        #expect(WebSocketHandshake.subprotocols(["a, b", "c"]) == ["a", "b", "c"])
        #expect(WebSocketHandshake.subprotocols([]) == [])
        for bad in ["a,,b", "a b, \u{e9}", "a, a", "", "\"a\""] {
            #expect(WebSocketHandshake.subprotocols([bad]) == nil)
        }
    }

    @Test("An origin is compared with the host that was asked")
    func origins() {
        let same = WebSocketOrigins.sameHost
        #expect(same.allow("https://example.org", authority: "example.org"))
        #expect(same.allow("http://Example.org:8443", authority: "example.org:8443"))
        #expect(!same.allow("https://example.org:8443", authority: "example.org"))
        #expect(!same.allow("https://evil.org", authority: "example.org"))
        #expect(!same.allow("null", authority: "null"))
        #expect(!same.allow("https://example.org.evil.org", authority: "example.org"))
        #expect(WebSocketOrigins.any.allow("null", authority: "example.org"))
        #expect(WebSocketOrigins.list(["https://a.org"]).allow("https://a.org", authority: "b.org"))
        #expect(!WebSocketOrigins.list(["https://a.org"]).allow("https://b.org", authority: "b.org"))
        #expect(WebSocketOrigins.check { $0.hasSuffix(".a.org") }.allow("https://b.a.org", authority: ""))
    }

    // MARK: permessage-deflate

    private func answer(_ offer: String, _ change: (inout WebSocketCompressionOptions) -> Void = { _ in }) -> String? {
        var options = WebSocketCompressionOptions()
        change(&options)
        guard let offers = PermessageDeflate.parse([offer]) else { return "malformed" }
        return PermessageDeflate.answer(offers, options)?.response
    }

    @Test("Offers are met without context by default")
    func offers() {
        let none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(answer("permessage-deflate") == none)
        #expect(answer("permessage-deflate; client_max_window_bits") == none)
        #expect(answer("permessage-deflate; server_max_window_bits=10") == none + "; server_max_window_bits=10")
        #expect(answer("permessage-deflate; server_max_window_bits=\"10\"") == none + "; server_max_window_bits=10")
        #expect(answer("x-other, permessage-deflate; unknown, permessage-deflate") == none)
        #expect(answer("permessage-deflate") { $0.windowBits = 11 } == none + "; server_max_window_bits=11")
    }

    @Test("With context, each side keeps it unless the client says no")
    func context() {
        let keeps = { (options: inout WebSocketCompressionOptions) in options.keepsContext = true }
        #expect(answer("permessage-deflate", keeps) == "permessage-deflate")
        #expect(
            answer("permessage-deflate; client_max_window_bits", keeps)
                == "permessage-deflate; client_max_window_bits=15")
        #expect(
            answer("permessage-deflate; server_no_context_takeover", keeps)
                == "permessage-deflate; server_no_context_takeover")
    }

    @Test(
        "What the RFC does not know is declined",
        arguments: [
            "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08", "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=8", "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; other",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover", "x-webkit-deflate-frame",
        ])
    func declined(_ offer: String) { #expect(answer(offer) == nil) }

    @Test(
        "What is no list of extensions is malformed",
        arguments: ["permessage-deflate;", "; a", "a b", "a; =1", "a; b=", "a; b=\"c", "a=1"])
    func malformed(_ offer: String) { #expect(answer(offer) == "malformed") }

    @Test("A client takes what it has offered, and nothing else")
    func client() {
        func accept(_ answer: String, keeps: Bool = false) -> WebSocketCompressionParameters? {
            var options = WebSocketCompressionOptions()
            options.keepsContext = keeps
            return PermessageDeflate.parse([answer]).flatMap { PermessageDeflate.accept($0, options) }
        }
        let none = "permessage-deflate; server_no_context_takeover"
        #expect(accept(none) == WebSocketCompressionParameters())
        #expect(accept(none + "; server_max_window_bits=8; client_max_window_bits=9")?.outgoingWindowBits == 9)
        #expect(accept(none + "; client_max_window_bits=8")?.isOutgoingCompressed == false)
        #expect(accept("permessage-deflate") == nil)
        #expect(accept("permessage-deflate", keeps: true)?.keepsIncomingContext == true)
        #expect(accept(none + ", permessage-deflate") == nil)
        #expect(accept(none + "; client_max_window_bits") == nil)
        #expect(accept("x-other") == nil)
    }

    @Test("A client checks the server's answer")
    func clientChecks() throws {
        var options = WebSocketOptions()
        options.subprotocols = ["chat"]
        let handshake = WebSocketClientHandshake(options: options, version: .http11)
        let key = try #require(handshake.fields.first { $0.name == "sec-websocket-key" }?.value)
        #expect(Base64.isOf16Bytes(key))
        func check(_ status: Status, _ fields: [(String, String)]) -> Result<String?, WebSocketHandshakeError> {
            let block = HeaderBlock()
            for (name, value) in fields { block.append(name: name, value: value) }
            return Result { () throws(WebSocketHandshakeError) in
                try handshake.check(status: status, headers: block).subprotocol
            }
        }
        let accept = ("sec-websocket-accept", WebSocketHandshake.accept(key: key))
        #expect(check(.switchingProtocols, [accept, ("sec-websocket-protocol", "chat")]) == .success("chat"))
        #expect(check(.switchingProtocols, [accept]) == .success(nil))
        #expect(check(.ok, [accept]) == .failure(.refused(.ok)))
        #expect(check(.switchingProtocols, []) == .failure(.badAccept))
        #expect(check(.switchingProtocols, [("sec-websocket-accept", "x")]) == .failure(.badAccept))
        #expect(check(.switchingProtocols, [accept, ("sec-websocket-protocol", "other")]) == .failure(.badSubprotocol))
        #expect(
            check(.switchingProtocols, [accept, ("sec-websocket-extensions", "permessage-deflate")])
                == .failure(.badExtensions))
        #expect(
            WebSocketClientHandshake(options: options, version: .http2).fields.allSatisfy {
                $0.name != "sec-websocket-key"
            })
    }
}
