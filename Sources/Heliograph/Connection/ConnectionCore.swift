internal import HelioHTTP
internal import HelioTLS

/// What a core asks of whoever moves its bytes. On the loop's thread.
protocol ConnectionCoreOwner: AnyObject {
    /// The core has output: ``ConnectionCore/drain(into:now:)`` is due at the end of this iteration.
    func coreNeedsDrain()
    /// The core takes input again: ``ConnectionCore/resumeInput(now:)`` is due in a turn of its own, and reading goes on.
    func coreWantsInput()
}

/// A connection without its socket: TLS, the protocol and its limits, as bytes in and bytes out.
///
/// It sees no descriptor and no clock, so tests drive all of it in memory. One thread.
@safe final class ConnectionCore: HTTPSessionOwner {
    let resources: LoopResources
    private let side: Side
    let owner: any ConnectionCoreOwner
    private(set) var engine: TLSEngine?
    private let options: ConnectionOptions
    private var session: (any HTTPSession)?
    /// The first bytes of a plaintext connection, while they do not tell the version of HTTP.
    private var firstBytes: [UInt8] = []
    private let tls: TLSContext?
    /// The proxy's header, where one is to come first.
    let proxy: ProxyStage?
    /// When the step began that is bounded in time.
    private var created: UInt64
    private var drainRequested = false
    private(set) var fault: TLSError?
    /// Why it was closed; nil while it is open.
    private(set) var closeReason: CloseReason?
    /// The peer has ended its side, and is still sent what it has asked for.
    private var goesOnAlone = false
    /// close_notify has been sealed, or left out: nothing can be after it.
    private var hasSaidGoodbye = false

    private enum Side {
        /// With the handler that gets the exchanges.
        case server(any Handler)
        case client(any ClientSide)
    }

    /// A server's core.
    ///
    /// - Parameters:
    ///   - resources: what the loop's connections share.
    ///   - tls: the context of a TLS connection; nil for plaintext.
    ///   - options: what the listener says.
    ///   - handler: gets the exchanges.
    ///   - owner: held; who holds both lets one go.
    ///   - now: nanoseconds.
    init(
        resources: LoopResources, tls: TLSContext?, options: ConnectionOptions = ConnectionOptions(),
        handler: any Handler, owner: any ConnectionCoreOwner, now: UInt64
    ) {
        self.options = options
        self.resources = resources
        side = .server(handler)
        self.owner = owner
        self.tls = tls
        created = now
        proxy = options.takesProxyHeader ? ProxyStage(limit: resources.limits.maxProxyHeader) : nil
        if proxy == nil { begin(now: now) }
    }

    /// The bytes that come from now on are the protocol's.
    private func begin(now: UInt64) {
        created = now
        if let tls {
            engine = TLSEngine(server: tls, io: resources.tls)
        } else if options.versions == .http1 {
            open(.http11, now: now)
        } else if options.versions == .http2 {
            open(.http2, now: now)
        }
    }

    /// A client's core, whose first words are its output.
    ///
    /// - Parameters:
    ///   - resources: what the loop's connections share.
    ///   - tls: the context of a TLS connection; nil for plaintext.
    ///   - client: opens the session. Held, as `owner` is.
    ///   - now: nanoseconds.
    init(
        resources: LoopResources, tls: TLSContext?, client: any ClientSide, owner: any ConnectionCoreOwner, now: UInt64
    ) {
        options = ConnectionOptions(versions: .http1)
        proxy = nil
        self.tls = tls
        self.resources = resources
        side = .client(client)
        self.owner = owner
        created = now
        guard let tls else {
            open(client.plaintextVersion, now: now)
            return
        }
        let engine = TLSEngine(
            client: tls, io: resources.tls, serverName: client.serverName, session: client.resumedSession)
        self.engine = engine
        do throws(TLSError) {
            try engine.start()
            requestDrain()
        } catch {
            fail(error)
        }
    }

    /// Whether the TLS handshake is still to be done.
    var isHandshaking: Bool { tls != nil && session == nil && fault == nil && closeReason == nil }

    /// Whether a plaintext connection has not told its version of HTTP.
    private var isUndecided: Bool { tls == nil && session == nil && closeReason == nil }

    private var isProxyAwaited: Bool { proxy?.isAwaited == true && closeReason == nil }

    // MARK: Bytes in

    /// Takes what the peer has sent, in any cut; calls handlers.
    func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        guard fault == nil, closeReason == nil else { return }
        if let proxy, proxy.isAwaited { return unsafe receive(bytes, in: proxy, now: now) }
        guard let engine else {
            if let session { return unsafe session.receive(bytes, now: now) }
            return unsafe decide(bytes, now: now)
        }
        do throws(TLSError) {
            try unsafe engine.receive(bytes, now: now) { plaintext in
                if session == nil { open(negotiated(engine), now: now) }
                unsafe session?.receive(plaintext, now: now)
            }
            if session == nil, engine.isHandshakeComplete { open(negotiated(engine), now: now) }
        } catch {
            fail(error)
        }
        if engine.isPeerClosed { _ = endInput(now: now) }
        if engine.pendingOutput > 0 { requestDrain() }
    }

    private func receive(_ bytes: UnsafeRawBufferPointer, in proxy: ProxyStage, now: UInt64) {
        do throws(ProxyHeaderError) {
            guard let taken = try unsafe proxy.take(bytes) else { return }
            begin(now: now)
            guard taken < bytes.count else { return }
            unsafe receive(UnsafeRawBufferPointer(rebasing: bytes[taken...]), now: now)
        } catch {
            refuse(proxy, error)
        }
    }

    private func refuse(_ proxy: ProxyStage, _ error: ProxyHeaderError) {
        proxy.error = error
        resources.counters.proxyRefusals += 1
        if let limit = error.limit { resources.trip(limit) }
        close(error.limit.map { .limit($0) } ?? .connectionLost)
    }

    /// The version by ALPN; a client that offers none speaks HTTP/1.1 where that is spoken (RFC 9113 section 3.2).
    private func negotiated(_ engine: TLSEngine) -> HTTPVersion {
        if engine.negotiated("h2") { return .http2 }
        return options.versions.contains(.http1) ? .http11 : .http2
    }

    /// Both versions are spoken here: the client's preface tells.
    private func decide(_ bytes: UnsafeRawBufferPointer, now: UInt64) {
        guard !firstBytes.isEmpty else {
            if unsafe !decided(by: bytes, now: now) { unsafe firstBytes.append(contentsOf: bytes) }
            return
        }
        unsafe firstBytes.append(contentsOf: bytes)
        let first = firstBytes
        if unsafe first.withUnsafeBytes({ unsafe decided(by: $0, now: now) }) { firstBytes = [] }
    }

    private func decided(by bytes: UnsafeRawBufferPointer, now: UInt64) -> Bool {
        switch unsafe ClientPreface.match(bytes) {
        case .undecided: return false
        case .http2: open(.http2, now: now)
        case .other: open(.http11, now: now)
        }
        unsafe session?.receive(bytes, now: now)
        return true
    }

    private func open(_ version: HTTPVersion, now: UInt64) {
        var options = options.session
        options.isSecure = engine != nil
        if engine != nil { options.passesSources = false }
        if let engine {
            resources.counters.handshakes += 1
            if engine.isResumed { resources.counters.resumptions += 1 }
        }
        switch side {
        case .server(let handler) where version == .http2:
            session = HTTP2Session(
                resources: resources.http2, handler: handler, owner: self, options: options, now: now)
        case .server(let handler):
            session = HTTP1Session(
                resources: resources.http, handler: handler, owner: self, options: options, now: now)
            return
        case .client(let client):
            session = client.openSession(version, owner: self, now: now)
            if session == nil { return fail(.peer(.noSharedProtocol)) }
        }
        requestDrain()
    }

    /// Whether it takes no more input for now.
    var isInputPaused: Bool { session?.isInputPaused == true }

    func sessionWantsInput() { owner.coreWantsInput() }

    var webSockets: WebSocketResources? { resources.webSockets }

    /// Goes on with the input that the session has kept; calls handlers. Not from within a handler.
    func resumeInput(now: UInt64) {
        guard fault == nil, closeReason == nil else { return }
        unsafe session?.receive(UnsafeRawBufferPointer(start: nil, count: 0), now: now)
    }

    /// The peer's side of the connection has ended, by its socket or by its TLS (RFC 8446 section 6.1).
    ///
    /// - Returns: whether there is still something to be sent.
    func endInput(now: UInt64) -> Bool {
        guard fault == nil, closeReason == nil, let session else { return false }
        // The end of a socket without that of TLS may be an attacker's: a client takes nothing for whole by it.
        if case .client = side, let engine, !engine.isPeerClosed { return false }
        goesOnAlone = session.endInput(now: now)
        return goesOnAlone
    }

    private func fail(_ error: TLSError) {
        fault = error
        if session == nil { resources.counters.handshakeFailures += 1 }
        if case .peer(.tooManyKeyUpdates) = error { resources.trip(.keyUpdates) }
        requestDrain()
    }

    // MARK: Bytes out

    func sessionNeedsDrain() { requestDrain() }

    private func requestDrain() {
        guard !drainRequested else { return }
        drainRequested = true
        owner.coreNeedsDrain()
    }

    /// Whether there is more output than the last drain took.
    var wantsDrain: Bool { drainRequested || session?.wantsDrain == true || (engine?.pendingOutput ?? 0) > 0 }

    /// Writes what is due to the peer.
    ///
    /// - Parameter region: as large as ``LoopResources/outgoing``.
    /// - Returns: the number of bytes written.
    func drain(into region: UnsafeMutableRawBufferPointer, now: UInt64) -> Int {
        drainRequested = false
        guard let engine else { return unsafe session?.drain(into: region, now: now) ?? 0 }
        var written = unsafe engine.takeOutput(into: region)
        guard fault == nil, !hasSaidGoodbye, let session else { return written }
        let plaintext = unsafe resources.plaintext
        let count = unsafe session.drain(into: plaintext, now: now)
        do throws(TLSError) {
            if count > 0 {
                written += try unsafe engine.seal(
                    UnsafeRawBufferPointer(rebasing: plaintext[..<count]),
                    into: UnsafeMutableRawBufferPointer(rebasing: region[written...]))
            }
            // RFC 8446 section 6.1: close_notify before our side is closed, also where the peer was the first.
            if session.isFinished || engine.isPeerClosed && !goesOnAlone {
                hasSaidGoodbye = true
                if !session.endsAbruptly { engine.close() }
                written += unsafe engine.takeOutput(into: UnsafeMutableRawBufferPointer(rebasing: region[written...]))
            }
        } catch {
            fail(error)
        }
        return written
    }

    /// After a drain: has `send` send the file whose bytes are next, on plaintext; see ``HTTPSession/passSource(now:_:)``.
    func passSource(now: UInt64, _ send: (any BodySource, Exchange) -> BodyRead?) {
        guard engine == nil, closeReason == nil else { return }
        session?.passSource(now: now, send)
    }

    /// Whether all is said, and the socket may be closed once it has taken the output.
    var isFinished: Bool {
        if closeReason != nil { return true }
        guard (engine?.pendingOutput ?? 0) == 0 else { return false }
        if fault != nil || engine?.isPeerClosed == true && !goesOnAlone { return true }
        return session?.isFinished == true
    }

    /// Whether the connection breaks off: its end must not be taken for that of a response.
    var endsAbruptly: Bool { session?.endsAbruptly == true }

    // MARK: Time

    /// When ``expire(now:)`` is next due, in nanoseconds; `UInt64.max`: never, as things stand.
    func nextDeadline(now: UInt64) -> UInt64 {
        if let session { return session.nextDeadline(now: now) }
        if isProxyAwaited { return created &+ resources.limits.proxyHeaderTimeout.nanoseconds }
        if isUndecided { return created &+ resources.limits.prefaceTimeout.nanoseconds }
        return isHandshaking ? created &+ resources.limits.handshakeTimeout.nanoseconds : UInt64.max
    }

    /// No timeout that begins from now on ends sooner than this; nanoseconds.
    var shortestTimeout: UInt64 {
        if let session { return session.shortestTimeout }
        let limits = resources.limits
        return min(limits.handshakeTimeout, limits.prefaceTimeout, limits.proxyHeaderTimeout).nanoseconds
    }

    /// Ends what has taken too long.
    func expire(now: UInt64) {
        if let session {
            session.expire(now: now)
        } else if let proxy, isProxyAwaited {
            guard now >= created &+ resources.limits.proxyHeaderTimeout.nanoseconds else { return }
            refuse(proxy, .timeout)
        } else if isHandshaking, now >= created &+ resources.limits.handshakeTimeout.nanoseconds {
            resources.trip(.handshakeTimeout)
            close(.limit(.handshakeTimeout))
        } else if isUndecided, now >= created &+ resources.limits.prefaceTimeout.nanoseconds {
            resources.trip(.prefaceTimeout)
            close(.limit(.prefaceTimeout))
        }
    }

    // MARK: The end

    /// The HTTP/2 connection, where that is spoken.
    var http2: HTTP2Connection? { (session as? HTTP2Session)?.connection }

    /// Streams that are open now.
    var openStreams: Int { session?.openStreams ?? 0 }

    /// Lets open streams finish and admits no others; a connection in its handshake ends at once.
    func beginShutdown(now: UInt64) {
        guard let session else { return close(.shutdown) }
        session.beginShutdown(now: now)
    }

    /// Ends all exchanges and frees the session and the TLS state. Not from within a handler.
    func close(_ reason: CloseReason) {
        guard closeReason == nil else { return }
        if isHandshaking, !isProxyAwaited, reason != .shutdown { resources.counters.handshakeFailures += 1 }
        closeReason = reason
        if case .peer(.tooManyKeyUpdates) = fault {
            session?.close(.limit(.keyUpdates))
        } else {
            session?.close(reason)
        }
        if case .client(let client) = side { client.coreClosed() }
        session = nil
        engine = nil
    }
}

/// What a client adds to a core.
protocol ClientSide: AnyObject {
    /// What is spoken on plaintext.
    var plaintextVersion: HTTPVersion { get }
    /// The name or address that the server's certificate must carry.
    var serverName: String { get }
    /// A session of TLS with that server to resume.
    var resumedSession: TLSSession? { get }
    /// Makes the session for the version that was agreed on; nil when that is none that may be spoken here.
    func openSession(_ version: HTTPVersion, owner: any HTTPSessionOwner, now: UInt64) -> (any HTTPSession)?
    /// The core is closed, and its session. The socket may linger.
    func coreClosed()
}

/// What a listener tells each connection that it accepts.
struct ConnectionOptions {
    var versions: HTTPVersions = .http2
    /// A proxy's header comes first.
    var takesProxyHeader = false
    var session = SessionOptions()
}
