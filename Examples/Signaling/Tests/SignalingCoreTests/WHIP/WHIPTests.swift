import Testing

@testable import SignalingCore

private let password = "0123456789012345678901"

private func sdp(_ ufrag: String, setup: String = "actpass", candidates: [String] = [], isComplete: Bool = false)
    -> String
{
    """
    v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=setup:\(setup)\r\n\
    a=ice-ufrag:\(ufrag)\r\na=ice-pwd:\(password)\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n
    """ + candidates.map { "a=\($0)\r\n" }.joined() + (isComplete ? "a=end-of-candidates\r\n" : "")
}

private let line = "candidate:1 1 udp 1 10.1.2.3 9 typ host"

/// A client of WHIP on loop 0, whose room and peer may be on others.
private final class Publisher {
    let cluster: Cluster
    let room: String
    let post: RequestKey
    let home: Int

    init(_ cluster: Cluster, room: String = "r", offer: String = sdp("aaaa"), isEgress: Bool = false, home: Int = 0)
        throws
    {
        self.cluster = cluster
        self.room = room
        self.home = home
        post = cluster.nodes[home].nextRequest()
        let name = try #require(RoomName(Array(room.utf8), maxSize: 128))
        cluster.nodes[home].openWHIP(
            post, isEgress: isEgress, room: name, token: Array("secret".utf8), offer: Array(offer.utf8),
            now: cluster.now)
        cluster.settle()
    }

    var answer: Reply? { cluster.outlets[home].replies[post] }
    var resource: String { answer?.header("location")?.split(separator: "/").last.map(String.init) ?? "" }
    var etag: String { answer?.header("etag") ?? "" }

    /// On another loop than the session's, as connections may be.
    func call(_ action: RendezvousCall.Action, token: String? = "secret", settles: Bool = true) throws -> RequestKey {
        let loop = cluster.nodes.count - 1
        let request = cluster.nodes[loop].nextRequest()
        let name = try #require(RoomName(Array(room.utf8), maxSize: 128))
        cluster.nodes[loop].callWHIP(
            request, resource: resource, room: name, token: token.map { Array($0.utf8) }, action, now: cluster.now)
        if settles { cluster.settle() }
        return request
    }

    func reply(_ request: RequestKey) -> Reply? { cluster.outlets[request.loop].replies[request] }

    func patch(_ fragment: String, ifMatch: String?) throws -> Reply? {
        reply(try call(.patch(ifMatch: ifMatch, fragment: Array(fragment.utf8))))
    }
}

extension Reply {
    fileprivate func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    fileprivate var code: String? { (try? object(body))?["code"] as? String }
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }
}

/// The peer that answers: it is in the room and has a stream.
private func answerer(_ cluster: Cluster, home: Int = 0, meta: String = "{}") throws -> Peer {
    let peer = try Peer(cluster, home: home)
    peer.open()
    #expect(try peer.send("{\"t\":\"join\",\"room\":\"r\",\"body\":\(meta)}") == ["ok"])
    return peer
}

extension Peer {
    fileprivate func last(_ type: String) throws -> JSONFields? { try events().last { $0["t"] as? String == type } }

    /// Sends something of the call of the last offer.
    fileprivate func say(_ type: String, _ body: String) throws {
        let offer = try #require(try last("offer"))
        let from = try #require((offer["from"] as? JSONFields)?["peer"] as? String)
        let (call, neg) = (try #require(offer["call"] as? String), try #require(offer["neg"] as? Int))
        let text = """
            {"t":"\(type)","room":"r","to":{"peer":"\(from)"},"call":"\(call)","neg":\(neg),"body":\(body)}
            """
        #expect(try send(text) == ["ok"])
    }

    fileprivate func answer(_ sdp: String) throws {
        try say("answer", "{\"sdp\":\"\(String(decoding: JSONWriter.escaped(Array(sdp.utf8)), as: UTF8.self))\"}")
    }
}

struct WHIPTests {
    @Test(arguments: [1, 3]) func anOfferIsAnsweredByThePeerOfTheRoom(loops: Int) throws {
        let cluster = Cluster(loops: loops)
        let peer = try answerer(cluster, home: loops - 1)
        let publisher = try Publisher(cluster)
        #expect(publisher.answer == nil)
        let offer = try #require(try peer.last("offer")?["body"] as? JSONFields)
        #expect(offer["sdp"] as? String == sdp("aaaa") && offer["client"] as? String == "whip")
        try peer.answer(sdp("bbbb", candidates: [line], isComplete: true))
        let answer = try #require(publisher.answer)
        #expect(answer.status == 201 && answer.contentType == "application/sdp")
        #expect(answer.text == sdp("bbbb", candidates: [line], isComplete: true))
        #expect(answer.header("location")?.hasPrefix("/whip/r/0-") == true && answer.header("etag") == "\"aaaa-bbbb\"")
    }

    @Test func theAnswerNamesRelaysAndNothingElseDoes() throws {
        let cluster = Cluster(loops: 2)
        cluster.outlets[0].links = ["<turn:192.0.2.1>; rel=\"ice-server\"", "<turns:192.0.2.1>; rel=\"ice-server\""]
        let peer = try answerer(cluster)
        let publisher = try Publisher(cluster)
        try peer.answer(sdp("bbbb", isComplete: true))
        let answer = try #require(publisher.answer)
        #expect(answer.headers.filter { $0.name == "link" }.map(\.value) == cluster.outlets[0].links)
        let ended = try publisher.reply(publisher.call(.delete))
        #expect(ended?.status == 200 && ended?.header("link") == nil)
    }

    @Test func theAnswerWaitsForItsCandidates() throws {
        let cluster = Cluster(loops: 2)
        let peer = try answerer(cluster)
        let publisher = try Publisher(cluster)
        try peer.answer(sdp("bbbb"))
        try peer.say("candidates", "{\"candidates\":[{\"candidate\":\"\(line)\",\"sdpMid\":\"1\"}],\"ufrag\":\"bbbb\"}")
        #expect(publisher.answer == nil)
        try peer.say(
            "candidates", "{\"candidates\":[{\"candidate\":\"x\\r\\na=evil\"}],\"ufrag\":\"bbbb\",\"end\":true}")
        let text = try #require(publisher.answer).text
        #expect(text.hasSuffix("a=mid:1\r\na=\(line)\r\na=end-of-candidates\r\n"))
        #expect(text.contains("a=mid:0\r\na=end-of-candidates\r\n") && !text.contains("evil"))
    }

    @Test func theAnswerWaitsForCandidatesOnlyAWhile() throws {
        let cluster = Cluster(loops: 1)
        let peer = try answerer(cluster)
        let publisher = try Publisher(cluster)
        try peer.answer(sdp("bbbb"))
        cluster.advance(seconds: 1)
        #expect(publisher.answer == nil)
        cluster.advance(seconds: 2)
        #expect(publisher.answer?.status == 201)
    }

    @Test func whoSaysThatItAnswersGoesBeforeWhoWasThereFirst() throws {
        let cluster = Cluster(loops: 1)
        let silent = try answerer(cluster, meta: "{\"answers\":false}")
        let first = try answerer(cluster)
        let second = try answerer(cluster)
        _ = try Publisher(cluster)
        #expect(try silent.last("offer") == nil && second.last("offer") == nil)
        #expect(try first.last("offer") != nil)
        let willing = try answerer(cluster, meta: "{\"answers\":true}")
        _ = try Publisher(cluster, isEgress: true)
        #expect((try willing.last("offer")?["body"] as? JSONFields)?["client"] as? String == "whep")
    }

    @Test func anOfferWaitsForSomebodyToCome() throws {
        let cluster = Cluster(loops: 2)
        let publisher = try Publisher(cluster)
        cluster.advance(seconds: 10)
        let peer = try answerer(cluster, home: 1)
        try peer.answer(sdp("bbbb", isComplete: true))
        #expect(publisher.answer?.status == 201)
    }

    @Test func withoutAnAnswerItIs503AndTheSessionIsGone() throws {
        let cluster = Cluster(loops: 2)
        let peer = try answerer(cluster)
        let publishers = try [Publisher(cluster), Publisher(cluster, room: "empty")]
        cluster.advance(seconds: 19)
        #expect(publishers.allSatisfy { $0.answer == nil })
        cluster.advance(seconds: 1)
        for publisher in publishers {
            #expect(publisher.answer?.status == 503 && publisher.answer?.code == "no_answer")
            #expect(publisher.answer?.header("retry-after") != nil)
        }
        #expect(try peer.last("hangup") != nil && peer.last("peer_left") != nil)
        #expect(cluster.nodes[0].resources.isEmpty && cluster.nodes[0].whipRequests.isEmpty)
        #expect(cluster.nodes[0].sessionCount == 1)
    }

    @Test func aPeerThatRefusesOrGoesEndsTheRequest() throws {
        let cluster = Cluster(loops: 2)
        let peer = try answerer(cluster)
        let refused = try Publisher(cluster)
        try peer.say("reject", "{}")
        #expect(refused.answer?.status == 406 && refused.answer?.code == "rejected")
        let left = try Publisher(cluster)
        _ = peer.bye()
        cluster.settle()
        #expect(left.answer?.status == 503)
    }

    @Test func aClientThatGoesBeforeTheAnswerIsForgotten() throws {
        let cluster = Cluster(loops: 1)
        let peer = try answerer(cluster)
        let publisher = try Publisher(cluster)
        cluster.nodes[0].whipClosed(publisher.post, now: cluster.now)
        cluster.settle()
        #expect(try peer.last("hangup") != nil)
        #expect(cluster.nodes[0].resources.isEmpty && cluster.nodes[0].sessionCount == 1)
    }

    @Test(arguments: ["", "v=0", sdp("a"), sdp("aaaa", setup: "passive")]) func aBadOfferIsRefused(_ offer: String)
        throws
    {
        let publisher = try Publisher(Cluster(loops: 1), offer: offer)
        #expect(publisher.answer?.status == 400 && publisher.answer?.code == "bad_sdp")
    }

    @Test func anOfferAgainstThePolicyIsRefusedWithTheRule() throws {
        var limits = ServiceLimits()
        limits.sdpPolicies = try SDPPolicies(["r: media=1"])
        let cluster = Cluster(loops: 1, limits: limits)
        _ = try answerer(cluster)
        let answer = try #require(try Publisher(cluster).answer)
        #expect(answer.status == 422 && answer.code == "sdp_policy")
        #expect(try object(answer.body)["rule"] as? String == "media")
        #expect(cluster.nodes[0].sessionCount == 1)
    }

    @Test func sessionsAreBounded() throws {
        var limits = ServiceLimits()
        limits.whipSessionsPerLoop = 1
        let cluster = Cluster(loops: 1, limits: limits)
        _ = try Publisher(cluster)
        let answer = try Publisher(cluster).answer
        #expect(answer?.status == 503 && answer?.code == "too_many_sessions")
    }
}

struct WHIPResourceTests {
    private let cluster = Cluster(loops: 3)
    private let peer: Peer
    private let publisher: Publisher

    init() throws {
        peer = try answerer(cluster, home: 1)
        publisher = try Publisher(cluster)
        try peer.answer(sdp("bbbb", isComplete: true))
    }

    private let fragment = "a=ice-ufrag:aaaa\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=\(line)\r\na=end-of-candidates\r\n"
    private let restart = "a=ice-ufrag:cccc\r\na=ice-pwd:\(password)\r\n"

    @Test func candidatesTrickleToThePeer() throws {
        let reply = try #require(try publisher.patch(fragment, ifMatch: "\"x\", \(publisher.etag)"))
        #expect(reply.status == 204 && reply.header("etag") == nil && reply.body.isEmpty)
        let body = try #require(try peer.last("candidates")?["body"] as? JSONFields)
        let candidate = try #require((body["candidates"] as? [JSONFields])?.first)
        #expect(candidate["candidate"] as? String == line && candidate["sdpMid"] as? String == "0")
        #expect(body["ufrag"] as? String == "aaaa" && body["end"] as? Bool == true)
    }

    @Test func aPatchNamesItsICESession() throws {
        #expect(try publisher.patch(fragment, ifMatch: nil)?.status == 428)
        #expect(try publisher.patch(fragment, ifMatch: "\"other\"")?.status == 412)
        #expect(try publisher.patch(fragment, ifMatch: "W/\(publisher.etag)")?.status == 412)
        #expect(
            try publisher.patch("a=ice-ufrag:zzzz\r\na=\(line)\r\n", ifMatch: publisher.etag)?.code == "bad_fragment")
        #expect(try peer.last("candidates") == nil)
    }

    @Test(arguments: ["", "nonsense", "v=0\r\n", "a=mid:0\r\n", "a=ice-ufrag:aaaa\u{0}\r\n"])
    func aBadFragmentIsRefused(_ text: String) throws {
        #expect(try publisher.patch(text, ifMatch: publisher.etag)?.status == 422)
    }

    @Test func whatPassesInADescriptionPassesInItsFragment() throws {
        let text = sdp("aaaa").replacing("a=mid:0", with: "a=mid:0\t1")
        try #require(text.contains("\t"))
        let description = try #require(SessionDescription(Array(text.utf8)))
        #expect(description.fragment.contains(0x09))
        #expect(ICEFragment(description.fragment, maxCandidates: 16) != nil)
    }

    @Test func aRestartBringsANewOfferAndANewTag() throws {
        let request = try publisher.call(.patch(ifMatch: "*", fragment: Array((restart + "a=\(line)\r\n").utf8)))
        #expect(try publisher.patch(restart, ifMatch: "*")?.status == 409)
        let offer = try #require(try peer.last("offer"))
        #expect(offer["neg"] as? Int == 2)
        let text = try #require((offer["body"] as? JSONFields)?["sdp"] as? String)
        #expect(text.contains("a=ice-ufrag:cccc\r\n") && !text.contains("aaaa") && text.contains("o=- 1 2 IN"))
        #expect(text.contains("a=\(line)\r\n"))
        try peer.answer(sdp("dddd", candidates: [line], isComplete: true))
        let reply = try #require(publisher.reply(request))
        #expect(reply.status == 200 && reply.contentType == "application/trickle-ice-sdpfrag")
        #expect(reply.header("etag") == "\"cccc-dddd\"")
        #expect(
            reply.text.hasPrefix("a=ice-ufrag:dddd\r\na=ice-pwd:\(password)\r\n") && reply.text.contains("a=\(line)"))
        #expect(try publisher.patch(fragment, ifMatch: publisher.etag)?.status == 412)
        let next = fragment.replacing("aaaa", with: "cccc")
        #expect(try publisher.patch(next, ifMatch: "\"cccc-dddd\"")?.status == 204)
    }

    @Test func aRestartThatFailsLeavesTheSession() throws {
        #expect(try publisher.patch("a=ice-ufrag:cccc\r\n", ifMatch: "*")?.status == 422)
        #expect(try publisher.patch(restart.replacing("cccc", with: "aaaa"), ifMatch: "*")?.status == 422)
        let request = try publisher.call(.patch(ifMatch: "*", fragment: Array(restart.utf8)))
        cluster.advance(seconds: 20)
        #expect(publisher.reply(request)?.status == 503)
        #expect(try publisher.patch(fragment, ifMatch: publisher.etag)?.status == 412, "the peer has the new offer")
        let again = try publisher.call(.patch(ifMatch: "*", fragment: Array(restart.utf8)))
        try peer.answer(sdp("dddd", isComplete: true))
        #expect(publisher.reply(again)?.header("etag") == "\"cccc-dddd\"")
    }

    @Test func deletingHangsUpAndLeaves() throws {
        #expect(publisher.reply(try publisher.call(.delete))?.status == 200)
        #expect(try peer.last("hangup") != nil && peer.last("peer_left") != nil)
        #expect(publisher.reply(try publisher.call(.delete))?.status == 404)
        #expect(try publisher.patch(fragment, ifMatch: publisher.etag)?.code == "no_such_resource")
    }

    @Test func onlyTheTokenOfTheOfferCounts() throws {
        #expect(publisher.reply(try publisher.call(.delete, token: "other"))?.status == 401)
        #expect(publisher.reply(try publisher.call(.delete, token: nil))?.status == 401)
        #expect(publisher.reply(try publisher.call(.refuse(Problem.tooLarge.reply("x"))))?.status == 413)
    }

    @Test func thePeerEndsItToo() throws {
        try peer.say("hangup", "{}")
        #expect(publisher.reply(try publisher.call(.delete))?.status == 404)
    }

    @Test func itEndsWithThePeer() throws {
        _ = peer.bye()
        cluster.settle()
        #expect(publisher.reply(try publisher.call(.delete))?.status == 404)
        #expect(cluster.nodes.map(\.sessionCount).reduce(0, +) == 0)
    }

    @Test func itLivesForABoundedTime() throws {
        cluster.advance(seconds: 24 * 3600)
        #expect(cluster.nodes[0].resources.isEmpty)
    }

    @Test func aRoomsNameIsEscapedInTheLocation() {
        #expect(RoomName(Array("a/ä%".utf8), maxSize: 9)?.percentEncoded == "a%2F%C3%A4%25")
    }
}
