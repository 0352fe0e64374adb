import FuzzSupport

@testable import SignalingCore

/// The short texts that name something: what is read can be written and is read again as the same.
enum IdentifiersTarget {
    static func run(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        if let id = SessionID(text) { check(id.description == text, "another session") }
        if let id = EventID(text) { check(EventID("\(id.epoch).\(id.seq)") == id, "another event") }
        if let room = RoomName(input, maxSize: 64) {
            check(room.utf8.count <= 64 && room.percentEncoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "no path")
            check(RoomPattern.any.matches(room), "a room that * does not match")
            for pattern in [input, input + [UInt8(ascii: "*")]] {
                check(RoomPattern(pattern, maxSize: 65)?.matches(room) == true, "it does not match itself")
            }
        }
        if let block = CIDR(text), let address = IPAddress(text.utf8.prefix { $0 != UInt8(ascii: "/") }) {
            check(block.contains(address), "a block without its first address")
        }
        if let candidate = ICECandidate(input) {
            let hidden = candidate.withoutRelatedAddress
            check(ICECandidate(hidden)?.kind == candidate.kind, "the hidden candidate is another")
            check(ICECandidate(hidden)?.withoutRelatedAddress == hidden, "hiding it again changes it")
        }
        _ = DTLSFingerprint(text)
        _ = try? SDPPolicies([text])
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        [
            "0-00000000000000000000000000000001", "1.42", "room-1", "10.0.0.0/8", "2001:db8::/32", "::ffff:1.2.3.4",
            "candidate:2 1 udp 1 203.0.113.9 1 typ srflx raddr 192.0.2.7 rport 1", "sha-256 AB:CD",
            "private-*: relay-only, media=4, deny=10.0.0.0/8 fc00::/7",
        ].enumerated().map { (name: "text-\($0)", bytes: Array($1.utf8)) }
    }
}
