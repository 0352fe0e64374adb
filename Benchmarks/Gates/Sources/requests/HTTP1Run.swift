import Heliograph

/// The same over HTTP/1.1: one request after the other on a connection that is kept.
struct HTTP1Run {
    let resources = HTTPResources(limits: Limits())
    let session: HTTP1Session
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
    var now: UInt64 = 1

    init(_ handler: any Handler) {
        session = HTTP1Session(resources: resources, handler: handler, owner: Owner(), now: 1)
    }

    mutating func requests(_ count: Int) -> Int {
        let fields = "Host: 127.0.0.1:8443\r\nUser-Agent: h2load nghttp2/1.52.0\r\nAccept: */*\r\n"
        let bytes = Array("GET /hello HTTP/1.1\r\n\(fields)\r\n".utf8)
        bytes.withUnsafeBytes { bytes in
            for _ in 0..<count {
                now += 1_000_000
                session.receive(bytes, now: now)
                while session.wantsDrain { _ = session.drain(into: output, now: now) }
            }
        }
        session.close(.connectionLost)
        output.deallocate()
        return resources.counterSnapshot().requests
    }
}
