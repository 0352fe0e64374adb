import Heliograph
import SignalingCore

extension LoopService {
    /// What the loop and the connections of the service on it have counted.
    func measures() -> OutletMeasures {
        var measures = OutletMeasures()
        measures.lag = monitor.lag
        measures.busy = monitor.busy
        measures.longestIteration = monitor.longestIteration
        if let webhooks { measures.webhooks = webhooks.measures }
        measures.keySet = keySetMeasures?()
        guard let snapshot = server?.snapshot(on: loop) else { return measures }
        let connections = snapshot.connections
        measures.connectionsAccepted = connections.accepted
        measures.connectionsOpen = connections.open
        measures.handshakes = connections.handshakes
        measures.resumptions = connections.resumptions
        measures.handshakeFailures = connections.handshakeFailures
        measures.bytesReceived = connections.bytesReceived
        measures.bytesSent = connections.bytesSent
        measures.requests = snapshot.http.requests
        measures.openRequests = snapshot.http.openStreams
        for (status, count) in snapshot.http.refusals { measures.refusals[Int(status.rawValue)] = count }
        for tripped in [connections.limitsTripped, snapshot.http.limitsTripped] {
            for (limit, count) in tripped { measures.limits[limit.rawValue, default: 0] += count }
        }
        measures.http2Blocks = snapshot.nghttp2Blocks
        measures.descriptors = snapshot.descriptors
        measures.timers = snapshot.timers
        return measures
    }
}
