import Heliograph

/// Names what a server pushes, and its status.
final class PushPrinter: ClientHandler {
    func pushed(_ exchange: ClientExchange, _ promised: ClientExchange) -> (any ClientHandler)? { self }
    func response(_ exchange: ClientExchange) {
        guard exchange.isPromised else { return }
        Output.error.write(Array("pushed \(exchange.target) \(exchange.status)\n".utf8))
    }
    func closed(_ exchange: ClientExchange, _ error: ClientError?) {}
}
