import Testing

@testable import SocketIO

@Suite("Acknowledgements of events to many")
struct AnswersTests {
    private typealias Outcome = Result<SocketAnswers, SocketAckError>

    /// Three clients of a room on two loops, and one that is not in it.
    private final class Stage {
        let cluster: HubCluster
        let members: [MemoryClient]
        let stranger: MemoryClient
        fileprivate var outcomes: [Outcome] = []

        init(_ options: SocketOptions = SocketOptions()) {
            cluster = HubCluster(options: options) { hub in
                hub.onConnect { socket in socket.on("join") { _, _ in socket.join("room") } }
            }
            members = [0, 1, 1].map { [cluster] in cluster.client(on: $0) }
            stranger = cluster.client(on: 0)
            for client in members + [stranger] { client.connect() }
            for client in members { client.send("42[\"join\"]") }
        }

        func ask(_ target: SocketTarget? = nil) {
            let target = target ?? cluster.hubs[0].to("room")
            target.emit("q", 1, timeout: .seconds(5)) { [unowned self] in outcomes.append($0) }
            cluster.settle()
        }

        /// The text and its answers, if there is one.
        var answers: (texts: [String], missing: Int)? {
            guard case .success(let answers) = outcomes.last else { return nil }
            return (answers.responses.map { $0[0].string ?? "-" }, answers.missing)
        }
    }

    /// - Returns: the id of what the client was asked.
    private func id(_ client: MemoryClient) throws -> String {
        let asked = try #require(client.take().last)
        #expect(asked.hasPrefix("42") && asked.hasSuffix("[\"q\",1]"))
        return String(asked.dropFirst(2).prefix { $0.isNumber })
    }

    @Test("They come from all loops, in the order in which they came, as soon as all are there")
    func all() throws {
        let stage = Stage()
        stage.ask()
        #expect(stage.stranger.take().isEmpty)
        for (client, name) in zip(stage.members, ["a", "b", "c"]).reversed() {
            #expect(stage.outcomes.isEmpty)
            client.send("43\(try id(client))[\"\(name)\"]")
        }
        let answers = try #require(stage.answers)
        #expect(answers.texts == ["c", "b", "a"] && answers.missing == 0)
        stage.cluster.advance(seconds: 10)
        #expect(stage.outcomes.count == 1)
    }

    @Test("When the time is over the others are missing, and what they say then is not heard")
    func timeout() throws {
        let stage = Stage()
        stage.ask()
        let late = try id(stage.members[0])
        stage.members[1].send("43\(try id(stage.members[1]))[\"b\"]")
        stage.cluster.advance(seconds: 4)
        #expect(stage.outcomes.isEmpty)
        stage.cluster.advance(seconds: 2)
        let answers = try #require(stage.answers)
        #expect(answers.texts == ["b"] && answers.missing == 2)
        stage.members[0].send("43\(late)[\"a\"]")
        stage.cluster.advance(seconds: 10)
        #expect(stage.outcomes.count == 1)
    }

    @Test("Whoever goes is not waited for")
    func gone() throws {
        let stage = Stage()
        stage.ask()
        stage.members[0].send("43\(try id(stage.members[0]))[\"a\"]")
        stage.members[1].drop()
        stage.members[2].send("41")
        let answers = try #require(stage.answers)
        #expect(answers.texts == ["a"] && answers.missing == 2)
    }

    @Test("Where nobody is there is nothing to wait for")
    func nobody() throws {
        let stage = Stage()
        stage.ask(stage.cluster.hubs[1].to("nowhere"))
        let answers = try #require(stage.answers)
        #expect(answers.texts.isEmpty && answers.missing == 0)
    }

    @Test("Two loops that ask the same sockets do not take each other's answers")
    func crossing() throws {
        let stage = Stage()
        let (one, other) = (stage.cluster.hubs[0], stage.cluster.hubs[1])
        var first: Outcome?
        var second: Outcome?
        one.to("room").emit("q", 1, timeout: .seconds(5)) { first = $0 }
        other.to("room").emit("q", 1, timeout: .seconds(5)) { second = $0 }
        stage.cluster.settle()
        for client in stage.members {
            let ids = client.take().map { String($0.dropFirst(2).prefix { $0.isNumber }) }
            #expect(Set(ids).count == 2)
            for id in ids { client.send("43\(id)[\"\(id)\"]") }
        }
        for outcome in [first, second] {
            guard case .success(let answers) = outcome else {
                Issue.record("it is not over")
                return
            }
            #expect(answers.isComplete && Set(answers.responses.map { $0[0].string }).count == 1)
        }
    }

    @Test("What is waited for and what is kept is bounded")
    func bounds() throws {
        let few = Stage(.with { $0.maxGatherings = 1 })
        few.ask()
        few.ask()
        guard case .failure(.tooMany)? = few.outcomes.last else {
            Issue.record("it was not given up")
            return
        }
        #expect(few.cluster.hubs[0].statistics.limits[.gatherings] == 1)

        let small = Stage(.with { $0.maxGatheredBytes = 400 })
        small.ask()
        for client in small.members { client.send("43\(try id(client))[\"\(String(repeating: "x", count: 150))\"]") }
        let answers = try #require(small.answers)
        #expect(answers.texts.count == 2 && answers.missing == 1)
        #expect(small.cluster.hubs[0].statistics.limits[.gatheredBytes] == 1)

        let busy = Stage(.with { $0.maxPendingAcknowledgements = 1 })
        busy.ask()
        busy.ask()
        #expect(busy.answers?.missing == 3)
    }
}
