import Testing

@testable import SocketIO

@Suite("The pace of a socket")
struct PaceTests {
    @Test("What a client does not take is known, and so is when it has taken it")
    func drains() {
        var sockets: [ServerSocket] = []
        let client = HubCluster(setUp: { hub in hub.onConnect { sockets.append($0) } }).client(on: 0)
        client.connect()
        var drained = 0
        client.congest(true)
        for socket in sockets {
            socket.emit("first")
            socket.emit("second")
            #expect(socket.waitingBytes > 0)
            socket.whenDrained { drained += 1 }
        }
        #expect(sockets.count == 1 && drained == 0)
        client.congest(false)
        #expect(drained == 1 && sockets.first?.waitingBytes == 0)
    }

    @Test("A connection is closed behind what waits, without a disconnect")
    func closes() {
        var ends: [SocketEnd] = []
        let cluster = HubCluster(setUp: { hub in
            hub.onConnect { socket in
                socket.onDisconnect { ends.append($0) }
                socket.on("go") { _, _ in
                    socket.emit("last")
                    socket.closeConnection()
                }
            }
        })
        let client = cluster.client(on: 0)
        client.connect()
        #expect(client.ask("42[\"go\"]") == ["42[\"last\"]"])
        #expect(!client.isOpen && ends == [.forcedClose])
    }
}
