import Testing

@testable import SocketIO

@Suite("Sockets and namespaces")
struct SocketHubTests {
    /// What the protocol's test suite asks of a server, and more.
    private func echo(_ hub: SocketHub) {
        for namespace in [hub.main, hub.of("/custom")] {
            namespace.onConnect { socket in
                socket.emit("auth", socket.auth.isNull ? [:] : socket.auth)
                socket.on("message") { arguments, _ in socket.emit("message-back", arguments.allRelayed) }
                socket.on("message-with-ack") { arguments, ack in ack.send(arguments.allRelayed) }
                socket.on("join") { arguments, ack in ack(.bool(socket.join(arguments[0].string ?? ""))) }
                socket.on("say") { arguments, _ in
                    socket.to(arguments[0].string ?? "").emit("said", arguments.relayed(1))
                }
            }
        }
    }

    // MARK: Connecting

    @Test("A client connects to a namespace with what it says of itself")
    func connect() {
        let client = HubCluster(setUp: echo).client(on: 0)
        #expect(client.ask("40{\"token\":\"123\"}").last == "42[\"auth\",{\"token\":\"123\"}]")
        let answer = client.ask("40/custom,")
        #expect(answer.first?.hasPrefix("40/custom,{\"sid\":\"") == true && answer.last == "42/custom,[\"auth\",{}]")
    }

    @Test("A namespace that nobody made is an error, and the client may go on")
    func unknownNamespace() {
        let client = HubCluster(setUp: echo).client(on: 0)
        #expect(client.ask("40/random") == ["44/random,{\"message\":\"Invalid namespace\"}"])
        #expect(client.ask("40").count == 2)
    }

    @Test(
        "A client whose first packet is none, or no connect, is closed",
        arguments: ["4abc", "42[\"message\"]", "41", "44{}", "430[]"])
    func noConnect(text: String) {
        let client = HubCluster(setUp: echo).client(on: 0)
        client.send(text)
        #expect(!client.isOpen)
    }

    @Test("A second connect to the same namespace closes the client")
    func connectsTwice() {
        let client = HubCluster(setUp: echo).client(on: 0)
        client.connect()
        client.send("40")
        #expect(!client.isOpen)
    }

    @Test("A client that connects to nothing is closed after a while")
    func connectTimeout() {
        let cluster = HubCluster(options: .with { $0.pingInterval = .seconds(100) })
        let client = cluster.client(on: 0)
        let other = cluster.client(on: 0)
        other.connect()
        cluster.advance(seconds: 45)
        #expect(!client.isOpen && other.isOpen)
        #expect(cluster.hubs[0].statistics.limits == [.connectTimeout: 1])
    }

    @Test("Middleware lets in or refuses, at once or later, in its order")
    func middleware() {
        var later: [(SocketRefusal?) -> Void] = []
        let cluster = HubCluster(loops: 1) { hub in
            hub.use { socket, next in
                next(socket.auth["key"] == "k" ? nil : SocketRefusal("not authorized", data: ["code": 1]))
            }
            hub.use { _, next in later.append(next) }
            hub.onConnect { $0.emit("in") }
        }
        let refused = cluster.client(on: 0)
        #expect(refused.ask("40") == ["44{\"message\":\"not authorized\",\"data\":{\"code\":1}}"])
        let client = cluster.client(on: 0)
        #expect(client.ask("40{\"key\":\"k\"}").isEmpty)
        later[0](nil)
        later[0](SocketRefusal("too late"))
        #expect(client.take().last == "42[\"in\"]")
        let gone = cluster.client(on: 0)
        gone.send("40{\"key\":\"k\"}")
        gone.drop()
        later[1](nil)
        #expect(cluster.hubs[0].statistics.sockets == 1)
    }

    // MARK: Events

    @Test("Events come back as they were sent, with bytes too")
    func events() {
        let client = HubCluster(setUp: echo).client(on: 0)
        client.connect()
        _ = client.take()
        #expect(client.ask("42[\"message\",1,\"2\",{\"3\":[true]}]") == ["42[\"message-back\",1,\"2\",{\"3\":[true]}]"])
        client.send("452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]")
        client.send([1, 2, 3])
        client.send([4, 5, 6])
        #expect(
            client.take() == [
                "452-[\"message-back\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]", "bAQID",
                "bBAUG",
            ])
        #expect(client.ask("42456[\"message-with-ack\",1,\"2\"]") == ["43456[1,\"2\"]"])
    }

    @Test("Who leaves a namespace stays in the others")
    func leaves() {
        let client = HubCluster(setUp: echo).client(on: 0)
        client.connect()
        _ = client.ask("40/custom")
        client.send("41/custom")
        #expect(client.ask("42[\"message\",1]") == ["42[\"message-back\",1]"])
        #expect(client.ask("42/custom,[\"message\",1]").isEmpty && client.isOpen)
    }

    @Test("A server asks and is answered once, or hears why not")
    func acknowledgements() {
        var results: [String] = []
        let cluster = HubCluster(loops: 1, options: .with { $0.maxPendingAcknowledgements = 2 }) { hub in
            hub.onConnect { socket in
                for number in 0..<3 {
                    socket.emit("q", .integer(number), timeout: .seconds(5)) { result in
                        switch result {
                        case .success(let answer): results.append("\(number) \(answer[0].string ?? "")")
                        case .failure(let error): results.append("\(number) \(error)")
                        }
                    }
                }
            }
        }
        let client = cluster.client(on: 0)
        #expect(client.ask("40").suffix(2) == ["421[\"q\",0]", "422[\"q\",1]"])
        client.send("431[\"yes\"]")
        client.send("431[\"again\"]")
        client.send("43999[\"unknown\"]")
        cluster.advance(seconds: 6)
        #expect(results == ["2 tooMany", "0 yes", "1 timeout"])
    }

    @Test("Middleware and handlers hear of the end once, with its reason")
    func ends() {
        var reasons: [SocketEnd] = []
        let cluster = HubCluster(loops: 1) { hub in
            hub.onConnect { socket in
                socket.onDisconnecting { _ in #expect(socket.rooms.count == 1) }
                socket.onDisconnect { reasons.append($0) }
                socket.on("go") { _, _ in socket.disconnect() }
                socket.on("go-away") { _, _ in socket.disconnect(closing: true) }
            }
        }
        func client() -> MemoryClient {
            let client = cluster.client(on: 0)
            client.connect()
            return client
        }
        client().drop()
        client().send("41")
        client().send("4nonsense")
        let third = client()
        #expect(third.ask("42[\"go\"]") == ["41"] && third.isOpen)
        let fourth = client()
        fourth.send("42[\"go-away\"]")
        #expect(!fourth.isOpen)
        _ = client()
        cluster.hubs[0].close()
        #expect(
            reasons == [
                .transportClose, .clientDisconnect, .parseError, .serverDisconnect, .serverDisconnect, .shuttingDown,
            ])
    }

    // MARK: Rooms

    @Test("A room reaches its sockets on all loops, by one entry for each, and not the sender")
    func rooms() {
        let cluster = HubCluster(loops: 3, setUp: echo)
        let clients = (0..<6).map { cluster.client(on: $0 % 3) }
        for client in clients {
            client.connect()
            _ = client.ask("421[\"join\",\"r\"]")
        }
        let outside = cluster.client(on: 1)
        outside.connect()
        _ = outside.take()
        let before = cluster.broadcasts
        #expect(clients[0].ask("42[\"say\",\"r\",{\"a\": 1}]").isEmpty)
        for client in clients.dropFirst() { #expect(client.take() == ["42[\"said\",{\"a\": 1}]"]) }
        #expect(outside.take().isEmpty)
        #expect(cluster.broadcasts == before + 2)
    }

    @Test("A message to a socket goes to its loop alone")
    func direct() {
        let cluster = HubCluster(loops: 4, setUp: echo)
        let (one, two) = (cluster.client(on: 0), cluster.client(on: 3))
        one.connect()
        let id = two.connect()["sid"].string ?? ""
        _ = two.take()
        one.send("42[\"say\",\"\(id)\",1]")
        #expect(two.take() == ["42[\"said\",1]"])
        #expect(cluster.broadcasts == 1)
        #expect(one.ask("421[\"join\",\"\(id)\"]").last == "431[false]")
    }

    @Test("Rooms are joined and left, and some are excepted")
    func exceptions() {
        let cluster = HubCluster(setUp: echo)
        let clients = (0..<4).map { cluster.client(on: $0 % 2) }
        for (index, client) in clients.enumerated() {
            client.connect()
            _ = client.ask("421[\"join\",\"\(index < 2 ? "low" : "high")\"]")
            _ = client.ask("421[\"join\",\"\(index % 2 == 0 ? "even" : "odd")\"]")
        }
        cluster.hubs[0].to("low", "high").except("odd").emit("x")
        cluster.settle()
        #expect(clients.map { $0.take().count } == [1, 0, 1, 0])
        cluster.hubs[1].to("high").leave("even")
        cluster.settle()
        cluster.hubs[1].to("even").emit("x")
        cluster.settle()
        #expect(clients.map { $0.take().count } == [1, 0, 0, 0])
        cluster.hubs[0].to("low").disconnect()
        cluster.settle()
        #expect(clients.map { $0.take() } == [["41"], ["41"], [], []])
    }

    @Test("What is volatile is not kept for a client that takes nothing")
    func volatile() {
        let cluster = HubCluster(loops: 1)
        let client = cluster.client(on: 0)
        client.connect()
        client.congest(true)
        cluster.hubs[0].emit("fills")
        cluster.hubs[0].main.target.volatile.emit("lost")
        cluster.hubs[0].emit("kept")
        client.congest(false)
        #expect(client.take() == ["42[\"fills\"]", "42[\"kept\"]"])
    }

    @Test("Rooms of a socket and sockets of a session are bounded")
    func bounds() {
        let cluster = HubCluster(
            loops: 1,
            options: .with {
                $0.maxRoomsPerSocket = 2
                $0.maxSocketsPerSession = 1
                $0.maxSessionsPerLoop = 1
            }, setUp: echo)
        let client = cluster.client(on: 0)
        client.connect()
        #expect(client.ask("421[\"join\",\"a\"]").last == "431[true]")
        #expect(client.ask("421[\"join\",\"b\"]").last == "431[false]")
        #expect(client.ask("40/custom") == ["44/custom,{\"message\":\"Too many namespaces\"}"])
        #expect(cluster.client(on: 0).ask("40").isEmpty)
        #expect(cluster.hubs[0].statistics.limits == [.rooms: 1, .sockets: 1, .sessions: 1])
    }
}
