/// Watches exchanges that other handlers answer: what middleware is made of.
///
/// An observer is told of the response's head, which it may change, and of the end. One serves any number of exchanges; an
/// exchange that nobody watches pays nothing. Called on the loop's thread.
///
/// ```swift
/// final class Via: Handler, ExchangeObserver {
///     let next: any Handler
///     init(_ next: any Handler) { self.next = next }
///     func request(_ exchange: Exchange) {
///         exchange.observe(by: self)
///         exchange.hand(to: next)
///     }
///     func responseStarts(_ exchange: Exchange, _ status: Status) { exchange.addHeader("via", "2 edge") }
/// }
/// ```
public protocol ExchangeObserver: AnyObject {
    /// The head of the final response is about to be sent: fields may still be read, added and removed, and an encoder set.
    /// Not called for a response that the server gives on its own behalf.
    func responseStarts(_ exchange: Exchange, _ status: Status)
    /// The exchange has ended; its handler has been told.
    func exchangeEnded(_ exchange: Exchange, _ reason: CloseReason)
}

extension ExchangeObserver {
    public func responseStarts(_ exchange: Exchange, _ status: Status) {}
    public func exchangeEnded(_ exchange: Exchange, _ reason: CloseReason) {}
}

/// Turns the body of a response into another one on its way out (`content-encoding`). One for each exchange.
public protocol ContentEncoder: AnyObject {
    /// Takes the next bytes of the body and gives what comes of them to `emit`, now or in a later call.
    ///
    /// - Parameter isLast: nothing follows, and what was kept is due.
    func encode(_ bytes: RawSpan, isLast: Bool, _ emit: (RawSpan) -> Void)
    /// Gives what was kept to `emit`, so that the peer can read all that was written: it has taken everything else. Called while
    /// output is sent; it asks nothing of an exchange.
    func flush(_ emit: (RawSpan) -> Void)
}

extension ContentEncoder {
    public func flush(_ emit: (RawSpan) -> Void) {}
}

extension Exchange {
    /// Tells `observer` of this exchange's response and end. Of several, the last to begin hears of the head last and of the end
    /// first.
    public func observe(by observer: any ExchangeObserver) {
        guard !isClosed else { return }
        observers.append(observer)
    }

    /// Has the response's body encoded. In ``ExchangeObserver/responseStarts(_:_:)``: the length that was announced no longer
    /// holds and goes; `content-encoding` is the caller's to add.
    public func encode(with encoder: any ContentEncoder) {
        precondition(!state.contains(.headSettled), "the head of this response has been sent")
        responseFields.remove(named: "content-length")
        if !state.contains(.bodiless) { self.encoder = encoder }
    }

    /// The response's fields as they stand.
    public var responseHeaders: HeaderBlock { responseFields }

    /// Removes all fields of that name from the response's head.
    ///
    /// - Precondition: the head has not been sent.
    public func removeHeader(_ name: String) {
        guard !isClosed else { return }
        precondition(!state.contains(.headSettled), "the head of this response has been sent")
        responseFields.remove(named: name)
    }

    /// Puts a field in the place of all those of its name; see ``addHeader(_:_:)``.
    public func setHeader(_ name: String, _ value: String) {
        removeHeader(name)
        addHeader(name, value)
    }
}
