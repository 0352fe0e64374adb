import Testing

@testable import HelioTLS

/// The time of all tests: seconds since 1970. OpenSSL checks peers' certificates by the real clock, so certificates here are
/// valid for decades around it.
let testTime: Int64 = 1_780_000_000

/// A certificate for tests, with its PEM.
struct Identity {
    let chain: [UInt8]
    let key: [UInt8]
    let certificate: Certificate

    init(
        _ names: [String], key kind: CertificateRequest.Key = .p256, usage: String = "serverAuth"
    ) throws {
        let year: Int64 = 365 * 86_400
        let request = CertificateRequest(
            names: names, notBefore: testTime - 20 * year, notAfter: testTime + 20 * year, key: kind, usage: usage)
        (chain, key) = try request.selfSigned()
        certificate = try Certificate(chain: chain, key: key, now: testTime)
    }

    static let localhost = Result { try Identity(["localhost", "127.0.0.1"]) }
    static let client = Result { try Identity(["client.test"], usage: "clientAuth") }
}

/// A client's and a server's engine, and the bytes between them.
final class TLSPair {
    let client: TLSEngine
    let server: TLSEngine
    var now: UInt64 = 1_000_000_000
    /// Plaintext that came, and how many deliveries brought it.
    var clientReceived: [UInt8] = []
    var serverReceived: [UInt8] = []
    var serverDeliveries = 0
    var clientError: TLSError?
    var serverError: TLSError?
    /// All ciphertext that the server has sent in `pump`.
    var serverSent: [UInt8] = []
    /// Ciphertext that a test keeps for later.
    var toClientLater: [UInt8] = []

    init(
        client: TLSContext, server: TLSContext, serverName: String? = "localhost", session: TLSSession? = nil,
        io: TLSRecordIO = TLSRecordIO(), clientIO: TLSRecordIO? = nil
    ) {
        self.client = TLSEngine(client: client, io: clientIO ?? io, serverName: serverName, session: session)
        self.server = TLSEngine(server: server, io: io)
    }

    /// Server and client of the same settings for localhost.
    convenience init(
        server change: (inout TLSConfiguration) -> Void = { _ in },
        client changeClient: (inout TLSClientConfiguration) -> Void = { _ in }
    ) throws {
        let identity = try Identity.localhost.get()
        var configuration = TLSConfiguration(certificates: [identity.certificate])
        change(&configuration)
        var clientConfiguration = TLSClientConfiguration(trust: .authorities(identity.chain))
        changeClient(&clientConfiguration)
        self.init(
            client: try TLSContext(client: clientConfiguration, now: testTime),
            server: try TLSContext(server: configuration, now: testTime))
    }

    /// Starts the client and carries bytes until neither side has more to say.
    @discardableResult
    func connect() -> TLSPair {
        do throws(TLSError) { try client.start() } catch { clientError = error }
        pump()
        return self
    }

    /// Carries pending output both ways until there is none.
    func pump() {
        while client.pendingOutput > 0 || server.pendingOutput > 0 {
            toServer(client.takeAllOutput())
            let bytes = server.takeAllOutput()
            serverSent += bytes
            toClient(bytes)
        }
    }

    func toServer(_ bytes: [UInt8]) {
        do throws(TLSError) {
            try server.take(bytes, now: now) {
                serverReceived += $0
                serverDeliveries += 1
            }
        } catch { serverError = error }
    }

    func toClient(_ bytes: [UInt8]) {
        do throws(TLSError) { try client.take(bytes, now: now) { clientReceived += $0 } } catch { clientError = error }
    }

    var isEstablished: Bool { client.isHandshakeComplete && server.isHandshakeComplete }
}

extension TLSEngine {
    func takeAllOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: pendingOutput)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe takeOutput(into: $0) }
        #expect(count == bytes.count)
        return bytes
    }

    func take(_ bytes: [UInt8], now: UInt64 = 0, _ deliver: ([UInt8]) -> Void) throws(TLSError) {
        // Typed errors do not pass through closures of the standard library.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { unsafe buffer.deallocate() }
        unsafe buffer.copyBytes(from: bytes)
        try unsafe receive(UnsafeRawBufferPointer(buffer), now: now) { plaintext in unsafe deliver(Array(plaintext)) }
    }

    func sealed(_ plaintext: [UInt8]) throws(TLSError) -> [UInt8] {
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: plaintext.count, alignment: 1)
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: sealedSize(plaintext.count), alignment: 1)
        defer {
            unsafe source.deallocate()
            unsafe region.deallocate()
        }
        unsafe source.copyBytes(from: plaintext)
        let count = try unsafe seal(UnsafeRawBufferPointer(source), into: region)
        return unsafe Array(region[..<count])
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Bytes that do not repeat within a record.
func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) } }

/// A small generator with a seed, so that a failing run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
