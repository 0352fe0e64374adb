internal import CNghttp2

/// Server push (RFC 9113 section 8.4).
extension HTTP2Session {
    func canPush(from parent: Exchange) -> Bool {
        guard let raw = unsafe raw, failure == nil, case .none = shutdown, !hasPeerSaidGoodbye, !parent.isPushed,
            !parent.isClosed, !parent.state.contains(.responseFinished) || !parent.queue.isEmpty,
            unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_ENABLE_PUSH) != 0
        else { return false }
        return unsafe pushes < mostPushes(raw)
    }

    /// A promised stream does not count for the peer until its response begins (section 5.1.2); for us it does.
    private func mostPushes(_ raw: OpaquePointer) -> Int {
        let most = unsafe nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return min(limits.maxConcurrentPushes, Int(most))
    }

    /// Promises a response on the stream of `parent` and opens the exchange for it; nil when the peer or a limit forbids it.
    func promise(
        _ target: String, _ method: Method, _ fields: [(name: String, value: String)], from parent: Exchange,
        to receiver: any Handler
    ) -> Exchange? {
        precondition(method == .get || method == .head, "a push is of a safe method: GET or HEAD")
        if pushes >= limits.maxConcurrentPushes { tripped(.concurrentPushes) }
        let authority = parent.authority
        guard canPush(from: parent), !authority.isEmpty, target.isTarget else { return nil }
        let reference = resources.exchanges.make(receiver: receiver, ObjectIdentifier(receiver))
        let stream = reference.with { pushed in
            let block = pushed.requestFields
            pushed.requestMethod = method
            unsafe pushed.schemeSlice = withBytes(parent.scheme) { unsafe block.keep($0) }
            unsafe pushed.authoritySlice = withBytes(authority) { unsafe block.keep($0) }
            unsafe pushed.targetSlice = withBytes(target) { unsafe block.keep($0) }
            pushed.pathLength = target.utf8.prefix { $0 != UInt8(ascii: "?") }.count
            for (name, value) in fields { block.append(name: name, value: value) }
            return submitPromise(of: pushed, on: parent.streamID)
        }
        guard let stream else {
            resources.exchanges.recycle(reference, next: handler, handlerIdentity, nobody: resources.shared.nobody)
            return nil
        }
        pushes += 1
        enter(reference, stream: stream)
        requestDrain()
        return reference.with { $0 }
    }

    /// The server's handler gets the pushed request as if it had come.
    func deliver(pushed: Exchange) {
        resources.shared.counters.requests += 1
        pushed.deliverRequest(hasBody: false, now: now)
        pushed.receivedEnd()
    }

    /// The promised stream, or nil where nghttp2 opens none. All is copied: the frame may be dropped when the exchange is gone.
    private func submitPromise(of pushed: Exchange, on parent: Int32) -> Int32? {
        guard let raw = unsafe raw else { return nil }
        let block = pushed.requestFields
        var method = pushed.requestMethod.rawValue
        return method.withUTF8 { method in
            let pseudo: [(StaticString, UnsafeRawBufferPointer)] = unsafe [
                (":method", UnsafeRawBufferPointer(method)), (":scheme", block.bytes(pushed.schemeSlice)),
                (":authority", block.bytes(pushed.authoritySlice)), (":path", block.bytes(pushed.targetSlice)),
            ]
            let fields = unsafe resources.fieldScratch(pseudo.count + block.count)
            for index in unsafe pseudo.indices {
                let (name, value) = unsafe pseudo[index]
                unsafe fields[index] = Self.field(
                    UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value)
            }
            for index in 0..<block.count {
                unsafe fields[pseudo.count + index] = Self.field(
                    block.bytes(block.nameSlice(index)), block.bytes(block.valueSlice(index)))
            }
            let user = unsafe Unmanaged.passUnretained(pushed).toOpaque()
            let stream = unsafe nghttp2_submit_push_promise(
                raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), parent, fields.baseAddress, pseudo.count + block.count, user)
            return stream > 0 ? stream : nil
        }
    }

    private static func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> nghttp2_nv {
        unsafe nghttp2_nv(
            name: mutable(name), value: mutable(value), namelen: name.count, valuelen: value.count, flags: 0)
    }

    /// The peer has refused a push: no flood of resets, it was our doing.
    func pushRefused() { peerResets.giveBack(resources.rates.peerResets) }
}

extension String {
    /// Whether it may stand as a request's target: a path and perhaps a query, in visible ASCII.
    fileprivate var isTarget: Bool { utf8.first == UInt8(ascii: "/") && utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
