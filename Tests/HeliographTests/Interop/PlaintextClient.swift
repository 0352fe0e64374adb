import CLinux
import Glibc
import HelioReactor
import HeliographTesting

/// A client over a blocking TCP socket, without TLS.
final class PlaintextClient {
    private let descriptor: Int32
    private let client = TestClient()

    /// Connects to a port of 127.0.0.1; nil when nothing listens there.
    init?(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        // A peer that does not answer fails a test; it does not hang it.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends a request. Its answer is awaited by ``response(to:)``.
    func send(_ path: String) -> Int32 {
        let stream = client.request("GET", path)
        flush()
        return stream
    }

    /// Reads until the response is complete or the server has closed the connection.
    func response(to stream: Int32) -> TestClient.Response {
        while !client[stream].isComplete, receive() {}
        return client[stream]
    }

    /// Reads until the server has closed the connection.
    func waitForClose() { while receive() {} }

    var wasToldToGo: Bool { !client.goaways.isEmpty }

    private func receive() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return false }
        client.receive(Array(bytes[..<count]))
        flush()
        return true
    }

    private func flush() {
        let bytes = client.output()
        guard !bytes.isEmpty else { return }
        _ = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
