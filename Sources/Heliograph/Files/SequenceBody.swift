internal import HelioHTTP

/// Bodies one after the other as one.
final class SequenceBody: BodySource {
    private let parts: [any BodySource]
    private var current = 0
    private(set) var remaining: Int

    init(_ parts: [any BodySource]) {
        self.parts = parts
        remaining = parts.reduce(0) { $0 + $1.remaining }
    }

    func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead {
        while current < parts.count, parts[current].remaining == 0 { current += 1 }
        guard current < parts.count else { return .failed }
        let read = unsafe parts[current].read(into: region, for: exchange)
        if case .bytes(let count) = read { remaining -= count }
        return read
    }
}

/// Bytes in memory.
final class BytesBody: BodySource {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    func read(into region: UnsafeMutableRawBufferPointer, for exchange: Exchange) -> BodyRead {
        let count = min(region.count, remaining)
        unsafe region.copyBytes(from: bytes[offset..<offset + count])
        offset += count
        return .bytes(count)
    }
}
