import CLinux
import Glibc
import HelioTLS
import HeliographTesting
import Testing

@testable import Heliograph
@testable import HelioReactor

/// A client over a real socket: TLS and HTTP/2 in memory, a nonblocking socket driven by poll(2) on the thread of the test.
final class LiveClient {
    let descriptor: Int32
    let http: TestClient
    private(set) var tls: TLSEngine?
    private var unsent: [UInt8] = []
    /// The server has closed, by FIN or reset.
    private(set) var isClosed = false
    private(set) var isReset = false
    private(set) var fault: TLSError?
    /// Whether HTTP/2 says what it has to; TLS always does.
    var speaksHTTP = true
    private static let receiveLimit = 64 * 1024

    /// Connects; nothing of TLS or HTTP is said yet.
    ///
    /// - Parameters:
    ///   - tls: nil speaks plaintext.
    ///   - receiveBuffer: SO_RCVBUF, for a client that is to be slow.
    init(
        to address: SocketAddress, tls context: TLSContext?, window: Int32 = 65_535, receiveBuffer: Int32? = nil,
        session: TLSSession? = nil
    ) throws {
        descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let descriptor = descriptor
        let status = unsafe address.withSockaddr { unsafe helio_connect(descriptor, $0, $1) }
        if status != 0 { throw Errno(helio_errno(), in: "connect") }
        _ = helio_set_flags(descriptor, helio_get_flags(descriptor) | O_NONBLOCK)
        http = TestClient(streamWindow: UInt32(window), connectionWindow: window)
        guard let context else { return }
        let engine = TLSEngine(client: context, io: TLSRecordIO(), serverName: "localhost", session: session)
        try engine.start()
        tls = engine
    }

    deinit { close() }

    private var isOpen = true

    /// FIN, and the end of this side.
    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Glibc.close(descriptor)
    }

    /// A reset, as of a process that is killed with unread data, or a machine that is gone.
    func kill() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// FIN, while this side can still read.
    func finishSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    // MARK: Moving bytes

    /// What is to be sent now: as ciphertext, where there is TLS.
    func output() throws -> [UInt8] {
        guard let tls else { return http.output() }
        return try tls.sealed(tls.isHandshakeComplete && speaksHTTP ? http.output() : [])
    }

    /// Sends bytes as they are, past TLS.
    func sendRaw(_ bytes: [UInt8]) { unsent += bytes }

    /// Moves bytes until what is asked for is so.
    ///
    /// - Parameters:
    ///   - reading: false sends only.
    ///   - speaking: false sends what was given to ``sendRaw(_:)`` alone.
    /// - Returns: false when the server has closed before, or after ten seconds.
    @discardableResult
    func run(reading: Bool = true, speaking: Bool = true, until isDone: (LiveClient) -> Bool) throws -> Bool {
        let end = helio_monotonic_ns() + 10_000_000_000
        while !isDone(self) {
            guard !isClosed, helio_monotonic_ns() < end else { return isDone(self) }
            if fault == nil, speaking { unsent += try output() }
            sendUnsent()
            var wanted = pollfd(fd: descriptor, events: 0, revents: 0)
            if reading { wanted.events |= Int16(POLLIN) }
            if !unsent.isEmpty { wanted.events |= Int16(POLLOUT) }
            if !reading, unsent.isEmpty { return isDone(self) }
            unsafe poll(&wanted, 1, 20)
            if reading { receive() }
        }
        return true
    }

    /// Sends all that there is to say, and reads nothing.
    func flush() throws { try run(reading: false) { _ in false } }

    /// The response to a request that has been made.
    func response(_ stream: Int32) throws -> TestClient.Response {
        try run { $0.http[stream].isComplete || $0.http[stream].closeCode != nil }
        return http[stream]
    }

    /// Asks and waits for the answer.
    func get(_ path: String) throws -> TestClient.Response { try response(http.request("GET", path)) }

    /// The handshake and the settings, both ways.
    @discardableResult
    func handshake() throws -> LiveClient {
        try #require(try run { !$0.http.serverSettings.isEmpty })
        return self
    }

    private func sendUnsent() {
        while !unsent.isEmpty {
            let count = unsafe send(descriptor, unsent, unsent.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            unsent.removeFirst(count)
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: Self.receiveLimit)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, helio_errno() == EAGAIN { return }
        guard count > 0 else {
            isClosed = true
            isReset = count < 0
            return
        }
        take(Array(buffer[..<count]))
    }

    private func take(_ bytes: [UInt8]) {
        guard let tls else { return _ = http.receive(bytes) }
        do throws(TLSError) {
            try tls.take(bytes) { http.receive($0) }
        } catch {
            fault = error
        }
    }
}
