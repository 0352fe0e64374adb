import SignalingCore
import Testing

@testable import SocketIO
@testable import signaling

@Suite struct VocabularyModelTests {
    private static let names = [#""a""#, #""b""#, #""r""#, #""s""#, #""""#, "null", "7", #""\u0000""#]

    /// What an event may have for an argument, right or wrong.
    private func argument(_ random: inout SeededGenerator) -> String {
        func name() -> String { Self.names[Int.random(in: 0..<Self.names.count, using: &random)] }
        let message = [
            #"{"newParticipationRequest":true}"#, #"{"type":"offer","sdp":"v=0"}"#, #"{"candidate":""}"#,
            #"{"userLeft":true}"#,
            "[]", "null", #"{"detectPresence":true,"userid":"r"}"#,
        ][Int.random(in: 0..<7, using: &random)]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return name()
        case 1:
            return
                #"{"channel":\#(name()),"sender":\#(name()),"maxAllowed":\#(Int.random(in: -1..<4, using: &random))}"#
        case 2: return #"{"sessionid":\#(name()),"extra":{"n":\#(name())},"password":\#(name())}"#
        case 3: return #"{"remoteUserId":\#(name()),"message":\#(message),"sender":\#(name()),"password":\#(name())}"#
        case 4: return #"{"type":"change-userid","channel":\#(name()),"extra":{"old":\#(name()),"new":\#(name())}}"#
        default: return #"{"ask":\#(name()),"find":\#(name()),"n":[1,{"x":null}]}"#
        }
    }

    @Test(arguments: 1...6)
    func whateverIsSaidUsersComeBeforeTheyGo(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let fast = TokenBucket.Rate(perSecond: 1_000_000, burst: 1_000_000)
        let rig = VocabularyRig { limits in
            (limits.sessionRate, limits.roomRate) = (fast, fast)
            (limits.roomsPerSession, limits.rosterCapacity) = (3, 4)
        }
        let users = [["userid": "a"], ["userid": "b", "msgEvent": "call"], [:], [:], ["userid": "a"]].map {
            rig.user($0)
        }
        let plain = rig.user()
        let events = VocabularyEvent.allCases.map(\.rawValue) + ["custom-message", "call", "call", "call"]
        var connected = users.map { _ in Set<String>() }
        for round in 0..<800 {
            let index = Int.random(in: 0..<users.count, using: &random)
            let event = events[Int.random(in: 0..<events.count, using: &random)]
            let isMessage = event == "call" && index != 1
            try users[index].say(isMessage ? VocabularyQuery.messageEvent : event, argument(&random))
            if round % 20 == 0 { plain.send(#"{"t":"\#(["join", "leave"][round / 20 % 2])","room":"r"}"#) }
            for (index, user) in users.enumerated() {
                for heard in user.hears() {
                    if heard.hasPrefix("user-connected: ") {
                        #expect(connected[index].insert(String(heard.dropFirst(16))).inserted, "it was there")
                    } else if heard.hasPrefix("user-disconnected: ") {
                        #expect(connected[index].remove(String(heard.dropFirst(19))) != nil, "it was not there")
                    }
                }
            }
        }
        for user in users { rig.close(user) }
        rig.close(plain)
        #expect(rig.node.sessionCount == 0 && rig.node.roomCount == 0)
    }
}
