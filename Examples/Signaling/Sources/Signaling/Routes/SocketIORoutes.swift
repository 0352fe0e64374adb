import Heliograph
import SignalingCore
import SocketIO

extension LoopService {
    /// Clients of Socket.IO.
    func socketIORoutes(_ routes: Routes) {
        if let sockets { routes.socketIO("/socket.io/", sockets) }
    }

    /// Each client of the main namespace becomes a session.
    func serveSocketIO(_ hub: SocketHub) {
        sockets = hub
        hub.use { [unowned self] socket, next in SocketIOStream(self, socket, next).open() }
    }
}
