import COpenSSL
import HeliographTesting
import Testing

@testable import HelioTLS
@testable import Heliograph

/// A core on a manual clock and the client that talks to it: TLS and HTTP/2 on both sides, no socket between them.
final class MemoryPeer {
    let clock = ManualClock()
    let resources: LoopResources
    let client: TestClient
    /// The client's TLS; nil on plaintext.
    private(set) var tls: TLSEngine?
    private let clientIO = TLSRecordIO()
    let core: ConnectionCore
    private let requests = DrainRequests()
    private(set) var clientFault: TLSError?

    init(
        handler: any Handler, isSecure: Bool = true, limits: Limits = Limits(), resources: LoopResources? = nil,
        server: TLSContext? = nil, client: TLSContext? = nil, window: UInt32 = 65_535,
        options: ConnectionOptions = ConnectionOptions()
    ) throws {
        self.client = TestClient(streamWindow: window, connectionWindow: Int32(window))
        self.resources = resources ?? LoopResources(limits: limits)
        let context = isSecure ? try server ?? Identity.shared.serverContext() : nil
        core = ConnectionCore(
            resources: self.resources, tls: context, options: options, handler: handler, owner: requests,
            now: clock.now)
        guard isSecure else { return }
        let engine = TLSEngine(
            client: try client ?? Identity.shared.clientContext(), io: clientIO, serverName: "localhost")
        try engine.start()
        tls = engine
    }

    deinit { core.close(.connectionLost) }

    /// How often the core has asked for a drain.
    var drainRequests: Int { requests.count }

    private final class DrainRequests: ConnectionCoreOwner {
        var count = 0
        func coreNeedsDrain() { count += 1 }
        func coreWantsInput() {}
    }

    // MARK: Bytes

    /// What the client sends now, as the server's socket would see it.
    func clientOutput() throws -> [UInt8] {
        let plaintext = tls?.isHandshakeComplete == false ? [] : client.output()
        guard let tls else { return plaintext }
        return try tls.sealed(plaintext)
    }

    /// Gives bytes to the core, in pieces as large as `cut` says; each is delivered whole.
    func deliver(_ bytes: [UInt8], cut: (Int) -> Int = { $0 }) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(max(1, cut(rest.count))))
            rest = rest.dropFirst(piece.count)
            unsafe piece.withUnsafeBytes { unsafe core.receive($0, now: clock.now) }
        }
    }

    /// One drain, as a flush of the connection makes it.
    func drainOnce() -> [UInt8] {
        let count = unsafe core.drain(into: resources.outgoing, now: clock.now)
        return unsafe Array(resources.outgoing[..<count])
    }

    /// The client takes what the server has sent.
    func clientTakes(_ bytes: [UInt8]) {
        guard let tls else { return _ = client.receive(bytes) }
        do throws(TLSError) {
            try tls.take(bytes) { client.receive($0) }
        } catch {
            clientFault = error
        }
    }

    /// Carries bytes both ways until neither side has more to say.
    func exchange(cut: (Int) -> Int = { $0 }, stoppingWhen isEnough: () -> Bool = { false }) throws {
        while true {
            let sent = try clientOutput()
            deliver(sent, cut: cut)
            if isEnough() { return }
            var answered: [UInt8] = []
            while core.wantsDrain {
                let bytes = drainOnce()
                if bytes.isEmpty, !core.wantsDrain || core.isFinished { break }
                answered += bytes
            }
            clientTakes(answered)
            if sent.isEmpty, answered.isEmpty { return }
        }
    }

    func advance(by duration: Duration) {
        clock.advance(by: duration)
        core.expire(now: clock.now)
    }
}

extension TLSEngine {
    /// Puts a KeyUpdate (RFC 8446 section 4.6.3) in front of what is sealed next.
    func updateKeys() { unsafe _ = SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED) }

    /// Plaintext as records, after pending output.
    func sealed(_ plaintext: [UInt8]) throws(TLSError) -> [UInt8] {
        let region = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, sealedSize(plaintext.count)), alignment: 1)
        defer { unsafe region.deallocate() }
        guard isHandshakeComplete, !plaintext.isEmpty else {
            let count = unsafe takeOutput(into: region)
            return unsafe Array(region[..<count])
        }
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: plaintext.count, alignment: 1)
        defer { unsafe source.deallocate() }
        unsafe source.copyBytes(from: plaintext)
        let count = try unsafe seal(UnsafeRawBufferPointer(source), into: region)
        return unsafe Array(region[..<count])
    }

    func take(_ bytes: [UInt8], now: UInt64 = 0, _ deliver: ([UInt8]) -> Void) throws(TLSError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
        defer { unsafe buffer.deallocate() }
        unsafe buffer.copyBytes(from: bytes)
        let given = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<bytes.count])
        try unsafe receive(given, now: now) { plaintext in unsafe deliver(Array(plaintext)) }
    }
}
