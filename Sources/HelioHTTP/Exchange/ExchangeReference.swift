/// A counted hold on an exchange that is moved about without being counted again: between the list of open exchanges, the list
/// of ended ones and the pool. Whoever has it last calls ``take()``.
@safe struct ExchangeReference {
    private let raw: Unmanaged<Exchange>

    init(_ exchange: Exchange) { unsafe raw = .passRetained(exchange) }

    @inline(__always)
    func with<Result>(_ body: (Exchange) -> Result) -> Result {
        unsafe raw._withUnsafeGuaranteedRef { body($0) }
    }

    /// Gives the hold up for an ordinary one. Once.
    func take() -> Exchange { unsafe raw.takeRetainedValue() }
}
