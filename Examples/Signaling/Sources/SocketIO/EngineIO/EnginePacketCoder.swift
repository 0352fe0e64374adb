/// The encoding of packets in Engine.IO 4: each in a WebSocket message of its own, or many in the body of a request of long
/// polling, parted by U+001E, binary ones in base64 behind a `b`.
enum EnginePacketCoder {
    static let separator: UInt8 = 0x1E
    private static let binaryPrefix = UInt8(ascii: "b")

    /// What is wrong with what a peer has sent.
    enum Fault: Error, Hashable {
        case empty
        case unknownType
        case base64
        case tooManyPackets
    }

    // MARK: Decoding

    /// A packet that came as a text.
    static func decode(text: some RandomAccessCollection<UInt8>) throws(Fault) -> EnginePacket {
        guard let first = text.first else { throw .empty }
        guard first >= UInt8(ascii: "0"), let type = EnginePacket.Kind(rawValue: first - UInt8(ascii: "0")) else {
            throw .unknownType
        }
        return EnginePacket(type, .text(Array(text.dropFirst())))
    }

    /// A payload of long polling.
    ///
    /// - Parameter maxPackets: past so many it is refused as a whole.
    static func decode(payload: [UInt8], maxPackets: Int) throws(Fault) -> [EnginePacket] {
        var packets: [EnginePacket] = []
        var rest = payload[...]
        while true {
            let end = rest.firstIndex(of: separator)
            guard packets.count < maxPackets else { throw .tooManyPackets }
            packets.append(try decode(part: rest[..<(end ?? rest.endIndex)]))
            guard let end else { return packets }
            rest = rest[(end + 1)...]
        }
    }

    private static func decode(part: ArraySlice<UInt8>) throws(Fault) -> EnginePacket {
        guard part.first == binaryPrefix else { return try decode(text: part) }
        guard let bytes = Base64.decode(part.dropFirst()) else { throw .base64 }
        return EnginePacket(.message, .binary(bytes))
    }

    // MARK: Encoding

    /// The text of a packet that is none of binary data.
    static func text(_ type: EnginePacket.Kind, _ text: [UInt8]) -> [UInt8] { [type.digit] + text }

    static func payload(_ packets: [EnginePacket]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(packets.reduce(0) { $0 + $1.size })
        for (index, packet) in packets.enumerated() {
            if index > 0 { bytes.append(separator) }
            switch packet.data {
            case .text(let text):
                bytes.append(packet.type.digit)
                bytes += text
            case .binary(let data):
                bytes.append(binaryPrefix)
                Base64.encode(data, to: &bytes)
            case .shared(let text): bytes += text.bytes
            }
        }
        return bytes
    }
}
