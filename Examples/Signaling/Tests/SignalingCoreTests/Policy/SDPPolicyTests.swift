import Testing

@testable import SignalingCore

/// A description as browsers make it.
private let description = """
    v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=fingerprint:sha-256 \(fingerprint)\r\n\
    m=audio 54400 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.7\r\na=rtcp:9 IN IP4 192.0.2.7\r\na=mid:0\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.7 54400 typ host\r\n\
    a=candidate:2 1 udp 1686052607 203.0.113.9 54400 typ srflx raddr 192.0.2.7 rport 54400\r\n\
    a=candidate:3 1 udp 41885439 198.51.100.3 61000 typ relay raddr 203.0.113.9 rport 54400\r\n\
    a=candidate:4 1 udp 2122260223 0d6e.local 54401 typ host\r\n
    """
private let fingerprint = Array(repeating: "AB", count: 32).joined(separator: ":")

private func message(_ type: String = "offer", _ body: String) -> String {
    "{\"t\":\"\(type)\",\"to\":{\"peer\":\"1-00000000000000000000000000000002\"},\"room\":\"r\",\"x\":1,\"body\":\(body),\"y\":2}"
}

private func quoted(_ text: String) -> String {
    "\"" + String(decoding: JSONWriter.escaped(Array(text.utf8)), as: UTF8.self) + "\""
}

private func offer(_ sdp: String) -> String { message("offer", "{\"type\":\"offer\",\"sdp\":\(quoted(sdp))}") }

private func candidate(_ line: String) -> String { "{\"candidate\":\(quoted(line)),\"sdpMid\":\"0\"}" }

private func receive(_ rule: String?, _ text: String, pinned: [String]? = nil) throws -> ReceivedMessage {
    var limits = ServiceLimits()
    if let rule { limits.sdpPolicies = try SDPPolicies([rule]) }
    let reader = MessageReader(
        sender: Sender(session: try #require(sender)), loops: 2, limits: limits,
        pinned: pinned.map { Set($0.compactMap(DTLSFingerprint.init)) })
    return try #require(try reader.read(Array(text.utf8)).first)
}

private func rule(_ policy: String?, _ text: String, pinned: [String]? = nil) throws -> String? {
    guard case .failure(let error) = try receive(policy, text, pinned: pinned).content else { return nil }
    #expect(error.code == .sdpPolicy)
    return error.rule
}

/// The description that the target gets.
private func relayed(_ policy: String, _ sdp: String) throws -> String {
    let fields = try #require(try receive(policy, offer(sdp)).relayed)
    #expect(fields["x"] as? Int == 1 && fields["y"] as? Int == 2)
    return try #require((fields["body"] as? JSONFields)?["sdp"] as? String)
}

struct SDPPolicyTests {
    @Test func withoutAPolicyTheBodyIsNotRead() throws {
        #expect(try rule(nil, offer("anything")) == nil)
        #expect(try rule("other-*: media=1", offer("anything")) == nil)
    }

    @Test func withAPolicyThatAllowsItADescriptionPassesAsItIs() throws {
        #expect(try relayed("*: media=4", description) == description)
    }

    @Test(arguments: [Transport.websocket, .stream]) func streamsNameTheRuleAsRequestsDo(transport: Transport) throws {
        var limits = ServiceLimits()
        limits.sdpPolicies = try SDPPolicies(["r: media=0"])
        let cluster = Cluster(loops: 2, limits: limits)
        let client = Duplex(cluster, transport)
        client.hello()
        client.send(offer(description))
        cluster.settle()
        let error = try client.first("error")
        #expect(error["code"] as? String == "sdp_policy" && error["rule"] as? String == "media")
    }

    @Test func eachBoundRefusesByItsName() throws {
        #expect(try rule("r: size=100", offer(description)) == "size")
        #expect(try rule("r: line=40", offer(description)) == "line")
        #expect(try rule("r: media=0", offer(description)) == "media")
        #expect(try rule("r: candidates=3", offer(description)) == "candidates")
        #expect(try rule("r: candidates=4", offer(description)) == nil)
        #expect(try rule("r: candidates=1", message("candidates", "{\"candidates\":[\"\",\"\"]}")) == "candidates")
    }

    @Test(arguments: [
        "", "v=0", "v=1\r\no=-\r\ns=-\r\nt=0 0\r\n", "v=0\r\ns=-\r\no=-\r\nt=0 0\r\n",
        "v=0\r\no=-\r\ns=-\r\nm=audio 9 x 0\r\n",
        "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nx", "v=0\r\no=-\r\ns=-\r\nt=0 0\r\n\r\n",
        "v=0\r\no=-\r\ns=-\r\nt=0 0\r\nm=audio\r\n",
        "v=0\r\no=-\r\ns=-\r\nt=0 0\r\na=x\ry\r\n",
    ])
    func whatIsNotSDPIsRefused(_ text: String) throws { #expect(try rule("r:", offer(text)) == "malformed") }

    @Test func anOfferWithoutADescriptionIsRefused() throws {
        #expect(try rule("r:", message("offer", "{\"SDP\":\"v=0\"}")) == "malformed")
        #expect(try rule("r:", message("answer", "{\"sdp\":7}")) == "malformed")
        #expect(try rule("r:", message("hangup", "{}")) == nil)
    }

    @Test func relayOnlyLeavesNoOtherAddress() throws {
        let passed = try relayed("r: relay-only", description)
        #expect(!passed.contains("192.0.2.7") && !passed.contains("203.0.113.9") && !passed.contains("54400"))
        #expect(passed.contains("a=candidate:3 1 udp 41885439 198.51.100.3 61000 typ relay raddr 0.0.0.0 rport 0\r\n"))
        #expect(passed.contains("m=audio 9 UDP") && passed.contains("c=IN IP4 0.0.0.0\r\n"))
        #expect(passed.split(separator: "\r\n").count == description.split(separator: "\r\n").count - 3)
    }

    @Test func escapesHideNothing() throws {
        let sneaky = offer(description).replacing(
            "192.0.2.7 54400 typ host", with: "192.0.2.\\u0037 54400 typ h\\u006fst"
        )
        .replacing("\\u000d\\u000a", with: "\\r\\n")
        let fields = try #require(try receive("r: deny=192.0.2.0/24", sneaky).relayed)
        let sdp = try #require((fields["body"] as? JSONFields)?["sdp"] as? String)
        #expect(!sdp.contains("192.0.2.7") && sdp.contains("0d6e.local"))
    }

    @Test func candidatesAreFilteredByTypeBlockAndName() throws {
        let host = "candidate:1 1 udp 1 10.1.2.3 9 typ host"
        let six = "candidate:2 1 udp 1 2001:db8::1 9 typ host"
        let mapped = "candidate:3 1 udp 1 ::ffff:10.1.2.3 9 typ host"
        let name = "candidate:4 1 udp 1 a-b.local 9 typ host"
        let relay = "candidate:5 1 udp 1 198.51.100.3 9 typ relay"
        func kept(_ policy: String) throws -> [String] {
            let all = [host, six, mapped, name, relay].map(candidate).joined(separator: " , ")
            let text = message("candidates", "{\"candidates\":[ \(all) ],\"end\":true}")
            let body = try #require(try receive(policy, text).relayed?["body"] as? JSONFields)
            #expect(body["end"] as? Bool == true)
            return try #require(body["candidates"] as? [JSONFields]).compactMap { $0["candidate"] as? String }
        }
        #expect(try kept("r:") == [host, six, mapped, name, relay])
        #expect(try kept("r: types=relay") == [relay])
        #expect(try kept("r: deny=10.0.0.0/8") == [six, name, relay])
        #expect(try kept("r: allow=2001:db8::/32 198.51.100.3") == [six, name, relay])
        #expect(try kept("r: no-names, types=host") == [host, six, mapped])
        #expect(try kept("r: relay-only, deny=0.0.0.0/0") == [])
    }

    @Test(arguments: [
        "candidate:1 1 udp 1 10.1.2.3 9 host", "candidate: 1 udp 1 10.1.2.3 9 typ host", "x",
        "candidate:1 1 udp 1 10.1.2.3 9 typ other", "candidate:1 1 udp 1 10.1.2.3 99999 typ host",
        "candidate:1 1 udp 1 10.1.2 9 typ host", "candidate:1 1 udp 1 1.2.3.4 9 typ host\r\na=x",
    ])
    func whatIsNoCandidateIsRefused(_ line: String) throws {
        #expect(try rule("r:", message("candidates", "{\"candidates\":[\(candidate(line))]}")) == "candidate")
        #expect(try rule("r:", message("candidates", "{\"candidates\":[7]}")) == "candidate")
    }

    @Test func theFingerprintIsPinnedToTheToken() throws {
        let own = "SHA-256 \(fingerprint.lowercased())"
        let other = "sha-256 \(fingerprint.replacing("AB", with: "CD"))"
        #expect(try rule(nil, offer(description), pinned: [other, own]) == nil)
        #expect(try rule(nil, offer(description), pinned: [other]) == "fingerprint")
        #expect(try rule(nil, offer(description), pinned: []) == "fingerprint")
        #expect(try rule("r: fingerprint", offer(description)) == "fingerprint")
        let without = description.replacing("a=fingerprint:sha-256 \(fingerprint)\r\n", with: "")
        #expect(try rule(nil, offer(without), pinned: [own]) == "fingerprint")
    }

    @Test func aLineBreakBetweenKeptCandidatesDoesNotBreakTheEvent() throws {
        let lines = ["candidate:1 1 udp 1 10.1.2.3 9 typ host", "candidate:5 1 udp 1 198.51.100.3 9 typ relay"]
        let text = message(
            "candidates", "{\"candidates\":[\(candidate(lines[0])),{\n\"candidate\":\n\(quoted(lines[1]))}]}")
        guard case .success(let message) = try receive("r: relay-only", text).content,
            case .relay(let relayed) = message.kind
        else {
            Issue.record("refused")
            return
        }
        #expect(!relayed.tail.contains(0x0A) && !String(decoding: relayed.tail, as: UTF8.self).contains("10.1.2.3"))
    }
}

struct PolicyRuleTests {
    @Test func theFirstRuleThatMatchesCounts() throws {
        let policies = try SDPPolicies(["a-*: media=1", "*-b: media=2", "*: media=3"])
        func media(_ room: String) -> Int? {
            RoomName(Array(room.utf8), maxSize: 64).flatMap { policies.policy(of: $0)?.maxMedia }
        }
        #expect(media("a-b") == 1)
        #expect(media("x-b") == 2)
        #expect(media("x") == 3)
    }

    @Test(arguments: [
        ("a*b*c", "abc", true), ("a*b*c", "aXbXc", true), ("a*b*c", "acb", false), ("a*a", "a", false),
        ("*", "a", true), ("a", "ab", false), ("a:b", "a:b", true),
    ])
    func aStarStandsForAnything(_ pattern: String, _ room: String, _ matches: Bool) throws {
        let room = try #require(RoomName(Array(room.utf8), maxSize: 64))
        #expect(try #require(RoomPattern(Array(pattern.utf8), maxSize: 128)).matches(room) == matches)
    }

    @Test(arguments: [
        "relay-only", ": media=1", "r: media", "r: media=x", "r: what", "r: deny=10.0.0.1/8", "r: types=udp",
        "r: allow",
    ])
    func aRuleThatCannotBeReadSaysSo(_ rule: String) {
        #expect(throws: SDPPolicies.InvalidRule.self) { try SDPPolicies([rule]) }
    }

    @Test(arguments: [
        "1.2.3", "1.2.3.04", "256.1.1.1", "1:2", "::1::", ":::", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "", "1.2.3.4.5",
        ":1",
    ])
    func whatIsNoAddressIsNone(_ text: String) { #expect(IPAddress(Array(text.utf8)) == nil) }

    @Test func addressesAreComparedAsNumbers() throws {
        #expect(IPAddress(Array("::FFFF:1.2.3.4".utf8)) == IPAddress(Array("1.2.3.4".utf8)))
        #expect(IPAddress(Array("2001:db8:0:0:0:0:0:1".utf8)) == IPAddress(Array("2001:DB8::1".utf8)))
        let all = try #require(CIDR("::/0"))
        #expect(all.contains(try #require(IPAddress(Array("1::".utf8)))))
        #expect(!all.contains(try #require(IPAddress(Array("1.2.3.4".utf8)))))
    }
}
