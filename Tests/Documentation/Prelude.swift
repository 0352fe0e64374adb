// What the snippets of the documentation take for granted.

import Heliograph
import HelioTLS
import Logging

struct StandIn {
    func start(_ socket: consuming Socket) {}
    func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) {}
    func answer(_ contents: [UInt8]) {}
    func refuse() {}
    func close() {}
    func handle(_ message: RoomMessage) {}
}

struct RoomMessage: Sendable {}

final class MyHandler: Handler {
    func request(_ exchange: Exchange) { exchange.respond(.noContent) }
}

func log(_ error: any Error) {}
func read(_ path: String) -> [UInt8] { [] }
