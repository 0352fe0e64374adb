import HelioHTTP
import HeliographTesting
import Testing

/// A client's HTTP/1.1 session, whose bytes the test takes and gives.
final class MemoryHTTP1Client: HTTPSessionOwner, ClientSessionObserver {
    let clock = ManualClock()
    let shared: HTTPClientResources
    private(set) var session: HTTP1ClientSession!
    private(set) var returned: [ClientExchange] = []
    private(set) var isInputWanted = false

    init(_ change: (inout ClientLimits) -> Void = { _ in }) {
        var limits = ClientLimits()
        change(&limits)
        shared = HTTPClientResources(limits: limits)
        session = HTTP1ClientSession(resources: shared, owner: self, observer: self, now: clock.now)
    }

    func sessionNeedsDrain() {}
    func sessionWantsInput() { isInputWanted = true }
    func sessionChanged() {}
    func sessionReturns(_ exchange: ClientExchange) -> Bool {
        returned.append(exchange)
        return true
    }

    @discardableResult
    func send(_ request: ClientRequest, to handler: any ClientHandler, isStreamed: Bool = false) -> ClientExchange {
        let exchange = shared.makeExchange(request, handler: handler, isStreamed: isStreamed, now: clock.now)
        let isTaken = session.open(exchange)
        #expect(isTaken)
        return exchange
    }

    func output() -> String {
        let region = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { unsafe region.deallocate() }
        var bytes: [UInt8] = []
        while session.wantsDrain {
            let count = unsafe session.drain(into: region, now: clock.now)
            unsafe bytes.append(contentsOf: region[..<count])
            if count == 0 { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func receive(_ text: String, cut: Int = Int.max) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            unsafe piece.withUnsafeBytes { unsafe session.receive($0, now: clock.now) }
        }
    }

    func resume() {
        unsafe session.receive(UnsafeRawBufferPointer(start: nil, count: 0), now: clock.now)
    }

    /// The connection ends. Session and owner hold each other until then.
    func close() {
        session?.close(.connectionLost)
        session = nil
    }

    func leave() {
        close()
        #expect(shared.counterSnapshot().openStreams == 0)
    }
}
