import Testing

@testable import SocketIO

@Suite("Connection state recovery")
struct RecoveryTests {
    private func cluster(
        loops: Int = 2, _ change: (inout SocketRecoveryOptions) -> Void = { _ in },
        seen: @escaping (ServerSocket) -> Void = { _ in }
    ) -> HubCluster {
        var recovery = SocketRecoveryOptions()
        change(&recovery)
        return HubCluster(loops: loops, options: .with { $0.recovery = recovery }) { hub in
            hub.onConnect { socket in
                seen(socket)
                if !socket.isRecovered {
                    socket.join("r")
                    socket.data = ["name": "Ada"]
                }
                socket.on("echo") { arguments, ack in ack.send(arguments.allRelayed) }
            }
        }
    }

    /// The offset at the end of an event.
    private func offset(_ frame: String?) -> String {
        let text = frame ?? ""
        return String(text.split(separator: "\"").dropLast().last ?? "")
    }

    private func auth(_ state: SocketValue, _ offset: String?) -> String {
        let rest = offset.map { ",\"offset\":\"\($0)\"" } ?? ""
        return "{\"pid\":\"\(state["pid"].string ?? "")\"\(rest)}"
    }

    @Test(
        "A client that comes back on any loop has its id, rooms and data, and gets what it missed", arguments: [0, 1])
    func recovers(loop: Int) {
        var names: [String?] = []
        let cluster = cluster(seen: { if $0.isRecovered { names.append($0.data["name"].string) } })
        let client = cluster.client(on: 0)
        let state = client.connect()
        cluster.hubs[1].to("r").emit("one")
        cluster.settle()
        let last = offset(client.take().last)
        cluster.hubs[1].to("r").emit("two")
        cluster.settle()
        client.drop()
        cluster.hubs[0].to("r").emit("three")
        cluster.hubs[0].to("elsewhere").emit("not for it")
        cluster.hubs[0].to("r").except("r").emit("not for it")
        cluster.hubs[1].to(state["sid"].string ?? "").emit("four")
        cluster.settle()
        let back = cluster.client(on: loop)
        let frames = back.ask("40" + auth(state, last))
        #expect(frames.first == "40{\"sid\":\"\(state["sid"].string ?? "")\",\"pid\":\"\(state["pid"].string ?? "")\"}")
        #expect(frames.dropFirst().map { $0.split(separator: "\"")[1] } == ["two", "three", "four"])
        #expect(names == ["Ada"])
        cluster.hubs[1].to("r").emit("five")
        cluster.settle()
        #expect(back.take().count == 1)
        #expect(back.ask("427[\"echo\",1]") == ["437[1]"])
        back.drop()
        let again = cluster.client(on: 1 - loop).ask("40" + auth(state, last))
        #expect(again.count == 5)
    }

    @Test("A client that has no event yet gets all since it came")
    func withoutOffset() {
        let cluster = cluster()
        cluster.hubs[0].to("r").emit("before")
        cluster.settle()
        let client = cluster.client(on: 0)
        let state = client.connect()
        client.drop()
        cluster.hubs[0].to("r").emit("one")
        cluster.settle()
        #expect(cluster.client(on: 1).ask("40" + auth(state, nil)).count == 2)
    }

    @Test("One that is back before its old connection is known to be gone takes its place")
    func takesOver() {
        let cluster = cluster()
        let client = cluster.client(on: 0)
        let state = client.connect()
        let back = cluster.client(on: 1)
        #expect(back.connect(auth(state, nil))["sid"] == state["sid"])
        #expect(!client.isOpen && cluster.hubs[0].statistics.sockets == 1)
        #expect(back.ask("421[\"echo\"]") == ["431[]"])
    }

    @Test("Whom it does not know, or who comes too late, or missed too much, begins anew")
    func begins() {
        let cluster = cluster { $0.maxBytes = 400 }
        let client = cluster.client(on: 0)
        let state = client.connect()
        cluster.hubs[0].to("r").emit("one")
        cluster.settle()
        let last = offset(client.take().last)
        client.drop()
        func isNew(_ text: String) -> Bool {
            let answer = cluster.client(on: 1).connect(text)
            return answer["sid"].string != nil && answer["sid"] != state["sid"]
        }
        #expect(isNew("{\"pid\":\"nonsense\",\"offset\":\"x\"}"))
        #expect(isNew("{\"pid\":\"0-\(String(repeating: "0", count: 32))\",\"offset\":\"x\"}"))
        #expect(isNew("{\"pid\":\"z-\(String(repeating: "0", count: 32))\",\"offset\":\"x\"}"))
        for _ in 0..<5 { cluster.hubs[0].to("r").emit("more") }
        cluster.settle()
        #expect(cluster.hubs[0].statistics.limits[.recoveryLog] != nil)
        #expect(isNew(auth(state, last)))
        let second = cluster.client(on: 0)
        let late = second.connect()
        second.drop()
        cluster.advance(seconds: 121)
        #expect(cluster.client(on: 0).connect(auth(late, nil))["sid"] != late["sid"])
    }

    @Test("Who left, or was sent away, does not come back")
    func left() {
        let cluster = cluster(loops: 1)
        let client = cluster.client(on: 0)
        let state = client.connect()
        client.send("41")
        #expect(cluster.client(on: 0).connect(auth(state, nil))["sid"] != state["sid"])
    }

    @Test("Those who are away are bounded in number")
    func awayBound() {
        let cluster = cluster(loops: 1) { $0.maxSockets = 1 }
        let states = (0..<2).map { _ in
            let client = cluster.client(on: 0)
            defer { client.drop() }
            return client.connect()
        }
        #expect(cluster.hubs[0].statistics.limits == [.recoverySessions: 1])
        #expect(cluster.client(on: 0).connect(auth(states[0], nil))["sid"] != states[0]["sid"])
        #expect(cluster.client(on: 0).connect(auth(states[1], nil))["sid"] == states[1]["sid"])
    }

    @Test("Without recovery there is no secret id, and no offsets")
    func off() {
        let cluster = HubCluster(loops: 1)
        let client = cluster.client(on: 0)
        #expect(client.connect()["pid"].isNull)
        cluster.hubs[0].emit("x")
        #expect(client.take() == ["42[\"x\"]"])
    }
}
