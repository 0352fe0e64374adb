import Testing

@testable import SignalingCore

@Suite struct SessionTests {
    @Test func anIdSurvivesItsText() {
        var random = SeededGenerator(seed: 1)
        for loop in [0, 1, 35, 36, 1000] {
            let id = SessionID(loop: loop, random: &random)
            #expect(SessionID(id.description) == id)
            #expect(SessionID(id.description.uppercased()) == nil, "it has one spelling only")
        }
    }

    @Test func aTokenMatchesItselfOnly() {
        var random = SeededGenerator(seed: 1)
        let token = SessionToken(random: &random)
        let text = Array(token.text.utf8)
        #expect(text.count == 64)
        #expect(token.matches(text))
        for index in text.indices {
            var wrong = text
            wrong[index] ^= 1
            #expect(!token.matches(wrong))
        }
        #expect(!token.matches(Array(text.dropLast())))
        #expect(!token.matches(text + [0x30]))
        #expect(!token.matches([]))
    }

    @Test func onlyTheLatestIdsAreRemembered() throws {
        var recent = RecentIDs(capacity: 2)
        let ids = try ["a", "b", "c"].map { try #require(Identifier(Array($0.utf8), maxSize: 8)) }
        for id in ids { recent.insert(id) }
        recent.insert(ids[2])
        #expect(ids.map { recent.contains($0) } == [false, true, true])
    }

    @Test func aQueueKeepsItsOrderAndPositions() {
        var random = SeededGenerator(seed: 7)
        var queue = FIFO<Int>()
        var model: [Int] = []
        var next = 0
        for _ in 0..<5_000 {
            if Bool.random(using: &random) {
                queue.append(next)
                model.append(next)
                next += 1
            } else {
                let first = queue.popFirst()
                #expect(first == model.first)
                if first != nil { model.removeFirst() }
            }
            #expect(queue.count == model.count)
            #expect(queue.first == model.first)
            #expect(queue[queue.endIndex - 1] == model.last)
            #expect(queue.startIndex == next - model.count)
        }
    }

    @Test func messagesForAnotherRoomWait() throws {
        var outgoing = OutgoingMessages()
        let (a, b) = (try #require(RoomName([0x61], maxSize: 8)), try #require(RoomName([0x62], maxSize: 8)))
        func begin(_ room: RoomName) -> (UInt64, OutgoingMessages.Admission) {
            outgoing.begin(.init(id: nil, room: room, kind: .leave(room), waiters: []), size: 10, maxWaiting: 20)
        }
        let first = begin(a)
        #expect(first.1 == .go)
        #expect(begin(b).1 == .wait)
        #expect(begin(a).1 == .wait, "it must not overtake the one before it")
        #expect(begin(a).1 == .refused)
        func next() -> (UInt64, OutgoingMessages.Operation)? { outgoing.next() }
        func finish(_ operation: UInt64) -> Bool { outgoing.finish(operation) != nil }
        #expect(next() == nil)
        #expect(finish(first.0))
        let second = try #require(next())
        #expect(second.1.room == b)
        #expect(next() == nil)
        #expect(finish(second.0))
        #expect(next()?.1.room == a)
    }
}
