extension Exchange {
    /// How urgently the response is wanted (RFC 9218): by the request's `priority` field, by a later PRIORITY_UPDATE frame,
    /// or as ``setPriority(_:)`` has it. Over HTTP/1.1 it is for the handler's information.
    public var priority: Priority {
        if prioritySignal != Self.noPriority { return Priority(packed: prioritySignal) }
        var priority = Priority()
        for value in requestFields.values(of: "priority") {
            let next = unsafe withBytes(value) { unsafe Priority(bytes: $0, base: priority) }
            guard let next else { return Priority() }
            priority = next
        }
        return priority
    }

    /// Sets the order in which the response is served among those of its connection; what the peer says of it no longer
    /// counts. It may be changed while the response is on its way. Over HTTP/1.1, where responses come in the order of their
    /// requests, it changes nothing.
    ///
    /// The peer is not told: a server that sits behind another one says it by a `priority` field of the response, added as any
    /// other.
    public func setPriority(_ priority: Priority) {
        guard !isClosed else { return }
        state.insert(.prioritized)
        if let http2 = codec?.http2 { http2.prioritize(self, priority) } else { prioritySignal = priority.packed }
    }

    /// Nothing but the request's own field says how urgent it is.
    static let noPriority: UInt8 = 0xff
}
