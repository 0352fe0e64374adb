/// Responses that the peer has not asked for (RFC 9113 section 8.4).
///
/// Few clients still take them; curl and browsers do not, and ``sendInformational(_:headers:)`` with 103 serves those.
extension Exchange {
    /// Whether a push may be promised on this exchange now: over HTTP/2, to a peer that takes pushes and has not said goodbye,
    /// from a request that is no push itself and whose response is not sent yet, and while fewer than
    /// `Limits.maxConcurrentPushes`, or what the peer allows, are under way.
    public var canPush: Bool { codec?.http2?.canPush(from: self) ?? false }

    /// Whether this is a push: a request that the server has made itself.
    public var isPushed: Bool { carriedBy == .http2 && streamID != 0 && streamID % 2 == 0 }

    /// Promises a response and has the server's handler answer it: its `request` is called before this returns, with a request
    /// of the same authority as this one.
    ///
    /// A peer that does not want it resets it, which the handler's `closed` tells. Promise before you write what refers to the
    /// target, or the peer will have asked for it already.
    ///
    /// - Parameters:
    ///   - target: path and query, such as `/style.css`.
    ///   - method: GET or HEAD: no other is safe and without content.
    ///   - headers: the request's fields, as the peer would send them. Names are field names in lower case.
    /// - Returns: false when nothing was promised: see ``canPush``; or the target is none.
    @discardableResult
    public func push(
        _ target: String, method: Method = .get, headers: [(name: String, value: String)] = []
    ) -> Bool {
        guard let session = codec?.http2,
            let pushed = session.promise(target, method, headers, from: self, to: session.handler)
        else { return false }
        session.deliver(pushed: pushed)
        return true
    }

    /// As ``push(_:method:headers:)``, but the caller answers it.
    ///
    /// - Parameter handler: gets the events of the pushed exchange: `drained`, `closed`. Its `request` is not called.
    /// - Returns: the exchange to answer, or nil when nothing was promised.
    public func promise(
        _ target: String, method: Method = .get, headers: [(name: String, value: String)] = [],
        to handler: (any Handler)? = nil
    ) -> Exchange? {
        guard let session = codec?.http2 else { return nil }
        let receiver = handler ?? session.resources.shared.nobody
        guard let pushed = session.promise(target, method, headers, from: self, to: receiver) else { return nil }
        pushed.state.insert([.delivered, .requestEnded, .endDelivered])
        return pushed
    }
}
