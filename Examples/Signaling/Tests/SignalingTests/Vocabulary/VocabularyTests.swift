import SignalingCore
import Testing

@testable import signaling

@Suite("Clients that speak the vocabulary of channels, rooms and users")
struct VocabularyTests {
    private let rig = VocabularyRig()

    private func user(_ name: String, in room: String? = nil) throws -> RigUser {
        let user = rig.user(["userid": name, "msgEvent": "call"])
        if let room {
            #expect(try user.say("open-room", #"{"sessionid":"\#(room)","extra":{"n":"\#(name)"}}"#) == "true")
        }
        return user
    }

    @Test func usersOfOneRoomAreConnectedAndDisconnected() throws {
        let ada = try user("ada", in: "r")
        let bob = try user("bob", in: "r")
        #expect(ada.hears() == [#"user-connected: "bob""#])
        #expect(bob.hears() == [#"user-connected: "ada""#])
        rig.close(bob)
        #expect(ada.hears() == [#"user-disconnected: "bob""#])
    }

    @Test func aMessageKeepsItsTextAndGetsItsRealSender() throws {
        let ada = try user("ada", in: "r")
        let bob = try user("bob", in: "r")
        _ = (ada.hears(), bob.hears())
        for message in [#"{"type":"offer","sdp":"v=0","x":1.50}"#, #"{"candidate":"","sdpMid":"0"}"#, "[1, 2]"] {
            try bob.say("call", #"{"sender":"eve","remoteUserId":"ada","message":\#(message),"extra":{"n":"eve"}}"#)
            #expect(
                ada.hears() == [
                    #"call: {"remoteUserId":"ada","message":\#(message),"sender":"bob","extra":{"n":"bob"}}"#
                ])
        }
        try bob.say("call", #"{"remoteUserId":"bob","message":1}"#)
        try bob.say("call", #"{"remoteUserId":"eve","message":{"userLeft":true}}"#)
        try bob.say("call", "1")
        try bob.say("call")
        #expect(bob.hears().isEmpty && ada.hears().isEmpty)
        try bob.say("call", #"{"remoteUserId":"eve","message":1}"#)
        #expect(bob.hears() == [#"user-not-found: "eve""#])
    }

    @Test func aDescriptionAgainstThePolicyIsNotPassedOn() throws {
        let strict = VocabularyRig { limits in
            limits.sdpPolicies = (try? SDPPolicies(["*: size=64"])) ?? limits.sdpPolicies
        }
        let (ada, bob) = (strict.user(["userid": "ada"]), strict.user(["userid": "bob"]))
        for user in [ada, bob] { try user.say("open-room", #"{"sessionid":"r"}"#) }
        _ = (ada.hears(), bob.hears())
        let sdp = "v=0" + String(repeating: "x", count: 100)
        try bob.say(VocabularyQuery.messageEvent, #"{"remoteUserId":"ada","message":{"type":"offer","sdp":"\#(sdp)"}}"#)
        #expect(ada.hears().isEmpty)
    }

    @Test func sessionsOfOtherKindsHaveTheNamesOfTheirSessions() throws {
        let plain = rig.user()
        plain.send(#"{"t":"join","room":"r","body":{"name":"Plain"}}"#)
        let ada = try user("ada", in: "r")
        #expect(ada.hears() == [#"user-connected: "\#(plain.sid)""#])
        let to = #""room":"r","to":{"peer":"\#(ada.sid)"}"#
        func heard(_ message: String) -> String {
            #"call: {"remoteUserId":"ada","message":\#(message),"sender":"\#(plain.sid)","extra":{"name":"Plain"}}"#
        }
        plain.send(#"{"t":"offer",\#(to),"body":{"sdp":"v=0"}}"#)
        #expect(ada.hears() == [heard(#"{"sdp":"v=0","type":"offer"}"#)])
        plain.send(#"{"t":"candidates",\#(to),"body":{"candidates":[{"candidate":"a"},{"candidate":"b"}],"end":true}}"#)
        #expect(ada.hears() == [heard(#"{"candidate":"a"}"#), heard(#"{"candidate":"b"}"#)])
        plain.send(#"{"t":"presence_set","room":"r","body":{"name":"P"}}"#)
        #expect(ada.hears() == [#"extra-data-updated: "\#(plain.sid)",{"name":"P"}"#])
        plain.send(#"{"t":"hangup",\#(to)}"#)
        #expect(ada.hears() == [#"user-disconnected: "\#(plain.sid)""#])
    }

    @Test func aNameIsWhoseItWasFirst() throws {
        let ada = try user("ada", in: "r")
        let other = try user("ada", in: "r")
        #expect(other.hears().first == #"userid-already-taken: "ada","\#(other.sid)""#)
        #expect(ada.hears().last == #"user-connected: "\#(other.sid)""#)
        let bob = try user("bob", in: "r")
        try bob.say("call", #"{"remoteUserId":"ada","message":1}"#)
        #expect(ada.hears().count == 2 && other.hears() == [#"user-connected: "bob""#])
        let impostor = try user(bob.sid, in: "r")
        #expect(ada.hears().contains(#"user-connected: "\#(impostor.sid)""#))
    }

    @Test(arguments: [
        #"{"userid":""}"#, #"{"userid":1,"extra":[]}"#, #"{"userid":"a\u0000"}"#,
        #"{"userid":"x","extra":[1],"maxAllowed":-1}"#,
        #"{"channel":true,"maxAllowed":1e99}"#,
    ])
    func whatOthersSayOfThemselvesIsNotTrusted(_ meta: String) throws {
        let plain = rig.user()
        plain.send(#"{"t":"join","room":"r","body":\#(meta)}"#)
        let ada = try user("ada", in: "r")
        try ada.say("join-channel", #"{"channel":"r","sender":"ada"}"#)
        #expect(ada.hears().contains { $0.hasPrefix(#"join-channel-resp: {"status":true"#) })
        #expect(try ada.say("get-remote-user-extra-data", #""\#(plain.sid)""#) != nil)
    }

    @Test func aChannelLetsInAsManyUsersAsItsOpenerSays() throws {
        let (ada, bob, eve) = (rig.user(), rig.user(), rig.user())
        try ada.say("presence", #"{"channel":"c"}"#)
        try ada.say("open-channel", #"{"channel":"c","sender":"ada","maxAllowed":"2"}"#)
        #expect(ada.hears() == ["presence: false", #"open-channel-resp: {"status":true,"channel":"c"}"#])
        try bob.say("join-channel", #"{"channel":"c","sender":"bob","extra":{"a":1}}"#)
        #expect(bob.hears().last == #"join-channel-resp: {"status":true,"channel":"c","users":["ada","bob"]}"#)
        let data = #"{"channel":"c","sender":"bob","extra":{"a":1}}"#
        #expect(
            ada.hears().last
                == #"channel-event: {"status":true,"type":"new-join","msgtype":"success","data":\#(data)}"#)
        // A user's other connection is none more.
        let calls = try user("ada", in: "c")
        #expect(!calls.hears().contains { $0.contains("taken") })
        try eve.say("join-channel", #"{"channel":"c","sender":"eve"}"#)
        let refused = #"join-channel-resp: {"status":false,"msgtype":"error","msg":"Sorry cant join this channel"}"#
        #expect(eve.hears().last == refused)
        #expect(bob.hears().suffix(2).first?.contains("max count [ 2 ]") == true)
        try eve.say("join-channel", #"{"channel":"nowhere","sender":"eve"}"#)
        #expect(eve.hears() == [refused])
    }

    @Test func aLockedRoomAsksForItsPassword() throws {
        let ada = try user("ada", in: "r")
        #expect(try ada.say("set-password", #""sesame""#) == #"true,"r",null"#)
        let bob = try user("bob")
        #expect(try bob.say("join-room", #"{"sessionid":"r","password":"x"}"#) == #"false,"Invalid password""#)
        func request(_ more: String) throws -> [String] {
            let message = #""message":{"newParticipationRequest":true}"#
            try bob.say("call", #"{"remoteUserId":"r",\#(message)\#(more)}"#)
            return bob.hears()
        }
        #expect(try request("") == [#"join-with-password: "r""#])
        #expect(try request(#","password":false"#) == [#"join-with-password: "r""#])
        for _ in 0..<4 { #expect(try request(#","password":"x""#) == [#"invalid-password: "r","x""#]) }
        #expect(try request(#","password":"sesame""#) == [#"password-max-tries-over: "r""#])
        #expect(ada.hears().isEmpty)
    }

    @Test func theModeratorClosesTheRoomAndIsFollowed() throws {
        let page = rig.user()
        try page.say("open-channel", #"{"channel":"r","sender":"ada"}"#)
        let ada = try user("ada", in: "r")
        let bob = try user("bob", in: "r")
        #expect(try bob.say("close-entire-session") == #"false,"Session permission denied""#)
        #expect(try bob.say("set-password", #""x""#) == #"false,"r","Session permission denied""#)
        rig.close(ada)
        #expect(bob.hears().last == #"set-isInitiator-true: "r""#)
        let eve = try user("eve", in: "r")
        _ = (bob.hears(), eve.hears())
        #expect(try bob.say("close-entire-session") == "true")
        #expect(!bob.hears().contains { $0.hasPrefix("closed-") })
        #expect(eve.hears().contains { $0.hasPrefix(#"closed-entire-session: "r""#) })
        #expect(try bob.say("set-password", #""x""#) == #"null,null,"Did not join any Session yet""#)
    }

    @Test func presenceIsThatOfOthers() throws {
        let page = rig.user()
        try page.say("open-channel", #"{"channel":"r","sender":"ada"}"#)
        let nobody = #"{"_room":{"isFull":false,"isPasswordProtected":false}}"#
        #expect(try user("ada").say("check-presence", #""r""#) == #"false,"r",\#(nobody)"#)
        #expect(try user("bob").say("check-presence", #""r""#) == #"true,"r",\#(nobody)"#)
        #expect(try user("bob").say("check-presence", #""bob""#) == #"false,"bob",{}"#)
        #expect(try user("bob").say("join-room", #"{"sessionid":"s"}"#) == #"false,"Session not available""#)
        let system = #"{"remoteUserId":"system","message":{"detectPresence":true,"userid":"r"}}"#
        #expect(try user("bob").say("call", system) == #"true,"r""#)
    }

    @Test func oneRoomIsLeftForTheNext() throws {
        let ada = try user("ada", in: "r")
        let bob = try user("bob", in: "r")
        _ = bob.hears()
        #expect(try ada.say("open-room", #"{"sessionid":"s"}"#) == "true")
        #expect(bob.hears() == [#"user-disconnected: "ada""#, #"set-isInitiator-true: "r""#])
    }

    @Test func whoMayNotListIsTold() throws {
        let page = rig.user()
        page.mayList = false
        try page.say("admin_enquire", #"{"ask":"users"}"#)
        try page.say("admin_enquire", "7")
        #expect(
            page.hears() == [
                #"response_to_admin_enquire: {"response":"error","code":"forbidden"}"#,
                #"response_to_admin_enquire: "no case matched ""#,
            ])
    }

    @Test func whatAClientCausesIsBounded() throws {
        let ada = try user("ada", in: "r")
        let large = String(repeating: "x", count: 2000)
        try ada.say("extra-data-updated", #"{"n":"\#(large)"}"#)
        #expect(ada.trips == [.vocabularyExtra])
        for number in 0..<20 { try ada.say("set-custom-socket-event-listener", #""e\#(number)""#) }
        #expect(ada.trips.filter { $0 == .vocabularyEvents }.count == 5)
        try ada.say("changed-uuid", #""\#(large)""#)
        try ada.say("presence", #"{"channel":"\#(large)"}"#)
        #expect(ada.hears() == ["presence: false"])
        let few = VocabularyRig { $0.clientQuestions = 0 }
        let bob = few.user(["userid": "bob"])
        try bob.say("open-room", #"{"sessionid":"r"}"#)
        try bob.say("presence", #"{"channel":"r"}"#)
        #expect(bob.hears() == ["presence: false"] && few.node.statistics.limits.counts[.clientQuestions] == 1)
    }
}
