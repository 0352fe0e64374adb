import Heliograph

/// A handler made of one closure.
final class ClosureHandler: Handler {
    private let answer: (Exchange) -> Void
    init(_ answer: @escaping (Exchange) -> Void) { self.answer = answer }
    func request(_ exchange: Exchange) { answer(exchange) }
}
