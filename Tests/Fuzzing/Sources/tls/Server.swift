import FuzzSupport

@testable import HelioTLS

/// A server's engine, and what holds for it at all times.
final class Server {
    let engine: TLSEngine
    private(set) var plaintext: [UInt8] = []
    private(set) var hasFailed = false
    private(set) var now: UInt64 = 1_000_000_000

    init(_ context: TLSContext) { engine = TLSEngine(server: context, io: TLSRecordIO()) }

    func advance(_ milliseconds: UInt64) { now += milliseconds * 1_000_000 }

    func receive(_ bytes: [UInt8]) {
        let before = plaintext.count
        let wasOver = hasFailed || engine.isPeerClosed
        withExactCopy(of: bytes) { bytes in
            do throws(TLSError) {
                try engine.receive(bytes, now: now) { piece in
                    check(piece.count <= TLSRecordIO.scratchSize, "more plaintext than fits")
                    check(engine.isHandshakeComplete, "plaintext before the handshake is complete")
                    plaintext += piece
                }
            } catch {
                check(!hasFailed, "it fails twice")
                hasFailed = true
                _ = error.description
            }
        }
        if wasOver { check(plaintext.count == before, "plaintext after the end") }
        check(engine.pendingOutput <= 1 << 20, "\(engine.pendingOutput) bytes of output wait")
    }
}
