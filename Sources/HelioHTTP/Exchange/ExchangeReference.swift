/// A counted hold on an object that is moved about without being counted again: an exchange between the list of open ones, the
/// list of ended ones and the pool. Whoever has it last calls ``take()``.
@safe struct HeldReference<Object: AnyObject> {
    private let raw: Unmanaged<Object>

    init(_ object: Object) { unsafe raw = .passRetained(object) }

    @inline(__always)
    func with<Result>(_ body: (Object) -> Result) -> Result {
        unsafe raw._withUnsafeGuaranteedRef { body($0) }
    }

    /// Gives the hold up for an ordinary one. Once.
    func take() -> Object { unsafe raw.takeRetainedValue() }
}

typealias ExchangeReference = HeldReference<Exchange>
