import Testing

@testable import SocketIO
@testable import signaling

@Suite struct VocabularyRosterTests {
    private var roster = VocabularyRoster()

    private func member(_ peer: String, _ meta: String = "{}") -> VocabularyMember {
        VocabularyMember(peer: peer, meta: SocketJSON(valid: bytes(meta)), maxSize: 128)
    }

    @Test mutating func whoHasANameKeepsIt() {
        roster.set(member("p1", #"{"userid":"ada"}"#))
        roster.set(member("p2", #"{"userid":"ada"}"#))
        roster.set(member("p3"))
        #expect(roster.names == ["ada", "p2", "p3"] && roster.peer(named: "ada") == "p1")
        roster.set(member("p1", #"{"userid":"ada","extra":{"a":1}}"#))
        #expect(roster.names == ["ada", "p2", "p3"])
        roster.remove("p1")
        #expect(roster.names == ["p2", "p3"] && roster.peer(named: "ada") == nil && roster.peer(named: "p1") == nil)
        roster.set(member("p4", #"{"userid":"ada"}"#))
        #expect(roster.peer(named: "ada") == "p4")
    }

    @Test mutating func theConnectionOfAChannelGivesItsNameToTheOther() {
        roster.set(member("p1", #"{"userid":"ada","channel":true}"#))
        #expect(roster.peer(named: "ada") == "p1")
        roster.set(member("p2", #"{"userid":"ada"}"#))
        #expect(roster.names == ["ada"] && roster.peer(named: "ada") == "p2")
        roster.remove("p2")
        #expect(roster.peer(named: "ada") == "p1")
    }

    @Test mutating func nobodyIsCalledAsAnothersSession() {
        let victim = "0-00000000000000000000000000000001"
        roster.set(member("p1", #"{"userid":"\#(victim)"}"#))
        roster.set(member(victim))
        #expect(roster.names == ["p1", victim] && roster.peer(named: victim) == victim)
    }
}
