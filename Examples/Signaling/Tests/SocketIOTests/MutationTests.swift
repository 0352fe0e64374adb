import Testing

@testable import SocketIO

@Suite("Packets that were changed at random")
struct MutationTests {
    private static let seeds = [
        "0{\"token\":\"1\"}", "2/admin,12[\"a\",{\"b\":[1,2.5e3,\"\\ud83d\\ude00\"]}]", "31[\"x\",null]",
        "52-/n,1[\"a\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]", "1/admin,",
    ]

    @Test("Whatever comes is taken or refused, and what is taken can be sent on and read again")
    func mutations() throws {
        var random = SeededGenerator(seed: 7)
        for round in 0..<4000 {
            var text = bytes(Self.seeds[round % Self.seeds.count])
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[index] = UInt8.random(in: 0...255, using: &random)
                case 1: text.insert(bytes("\"{[]},:-\\019e")[Int.random(in: 0..<13, using: &random)], at: index)
                default: if text.count > 1 { text.remove(at: index) }
                }
            }
            try check(text)
            if let packets = try? EnginePacketCoder.decode(payload: text, maxPackets: 100) {
                #expect(
                    try EnginePacketCoder.decode(payload: EnginePacketCoder.payload(packets), maxPackets: 100)
                        == packets)
            }
        }
    }

    private func check(_ text: [UInt8]) throws {
        var decoder = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        var packet: SocketPacket?
        do throws(SocketPacketDecoder.Fault) {
            packet = try decoder.decode(text)
            for byte: UInt8 in 0..<10 where packet == nil { packet = try decoder.decode(attachment: [byte]) }
        } catch {
            return
        }
        guard case .event(let name, let arguments, let id)? = packet?.content else { return }
        let sent = EncodedPacket.event("/x", name, arguments.allRelayed, id: id)
        var other = SocketPacketDecoder(SocketPacketDecoder.Limits(SocketOptions()))
        var again = try other.decode(sent.text)
        for attachment in sent.attachments { again = try other.decode(attachment: attachment) }
        guard case .event(let name2, let arguments2, let id2)? = again?.content else {
            Issue.record("what was sent on is no event")
            return
        }
        #expect(name2 == name && id2 == id && arguments2.values == arguments.values)
    }
}
