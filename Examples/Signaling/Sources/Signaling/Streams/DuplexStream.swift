import Heliograph
import SignalingCore

/// A stream that carries messages both ways, whatever its frames look like: first comes a hello or a ticket, then messages.
final class DuplexStream {
    let id: StreamID
    let service: LoopService
    /// Who the client is, when it has said so before its hello.
    private let credential: [UInt8]?
    private let address: ClientAddress
    private var isGreeted = false

    init(_ service: LoopService, _ exchange: Exchange, credential: [UInt8]?) {
        self.service = service
        self.credential = credential
        address = exchange.clientAddress
        id = service.node.nextRequest()
    }

    func open(_ transport: Transport, _ sink: any StreamSink) {
        service.outlet.sinks[id] = sink
        service.node.openStream(id, transport, now: service.now)
    }

    func take(_ message: [UInt8]) {
        guard !isGreeted else { return service.node.receive(message, by: id, now: service.now) }
        isGreeted = true
        if let refusal = service.node.refusal(of: address, now: service.now) {
            return service.node.refuse(stream: id, with: refusal, now: service.now)
        }
        do throws(Hello.Refusal) {
            switch try Hello.message(message, limits: service.limits) {
            case .hello(let token): service.greet(id, credential: token ?? credential, from: address)
            case .resume(let ticket, let last):
                service.node.greet(id, resume: ticket, after: last, from: address, now: service.now)
            }
        } catch {
            refuse(error.problem, error.detail)
        }
    }

    func refuse(_ problem: Problem, _ detail: String) {
        service.node.refuse(stream: id, problem, detail, now: service.now)
    }

    func drained() { service.node.streamDrained(id, now: service.now) }

    func closed() {
        service.outlet.sinks[id] = nil
        service.node.streamClosed(id, now: service.now)
    }
}
