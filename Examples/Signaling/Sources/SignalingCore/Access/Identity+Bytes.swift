// As resume tickets carry it. Whoever reads it has checked their signature.
extension Identity {
    private static let hasSubject: UInt8 = 1
    private static let hasName: UInt8 = 2
    private static let hasMaxPeers: UInt8 = 4
    private static let hasExpiry: UInt8 = 8

    package var bytes: [UInt8] {
        var flags: UInt8 = 0
        if subject != nil { flags |= Self.hasSubject }
        if name != nil { flags |= Self.hasName }
        if maxPeers != nil { flags |= Self.hasMaxPeers }
        if expires != nil { flags |= Self.hasExpiry }
        var bytes = [flags, grants.rawValue]
        if let subject { Self.append(subject.utf8, to: &bytes) }
        if let name { Self.append(name, to: &bytes) }
        if let maxPeers { Self.append(UInt64(bitPattern: Int64(maxPeers)), to: &bytes) }
        if let expires { Self.append(UInt64(bitPattern: expires), to: &bytes) }
        Self.append(UInt64(rooms.count), to: &bytes)
        for room in rooms { Self.append(room.utf8, to: &bytes) }
        for fingerprint in fingerprints { Self.append(Array(fingerprint.utf8), to: &bytes) }
        return bytes
    }

    /// Nil unless `bytes` are of an identity.
    package init?(bytes: [UInt8]) {
        var reader = Reader(rest: bytes[...])
        guard let flags = reader.byte(), let grants = reader.byte() else { return nil }
        self.init(subject: nil, rooms: [], grants: Grants(rawValue: grants))
        if flags & Self.hasSubject != 0 {
            guard let text = reader.text(), let subject = Identifier(text, maxSize: Int(UInt16.max)) else { return nil }
            self.subject = subject
        }
        if flags & Self.hasName != 0 {
            guard let name = reader.text() else { return nil }
            self.name = name
        }
        if flags & Self.hasMaxPeers != 0 {
            guard let number = reader.number() else { return nil }
            maxPeers = Int(Int64(bitPattern: number))
        }
        if flags & Self.hasExpiry != 0 {
            guard let number = reader.number() else { return nil }
            expires = Int64(bitPattern: number)
        }
        guard let count = reader.number(), count <= UInt64(reader.rest.count) else { return nil }
        for _ in 0..<count {
            guard let text = reader.text(), let room = RoomPattern(text, maxSize: Int(UInt16.max)) else { return nil }
            rooms.append(room)
        }
        while !reader.rest.isEmpty {
            guard let text = reader.text() else { return nil }
            fingerprints.append(String(decoding: text, as: UTF8.self))
        }
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func append(_ text: [UInt8], to bytes: inout [UInt8]) {
        let text = text.prefix(Int(UInt16.max))
        bytes += [UInt8(truncatingIfNeeded: text.count >> 8), UInt8(truncatingIfNeeded: text.count)] + text
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func number() -> UInt64? {
            guard rest.count >= 8 else { return nil }
            let number = rest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            rest.removeFirst(8)
            return number
        }

        mutating func text() -> [UInt8]? {
            guard rest.count >= 2 else { return nil }
            let count = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            rest.removeFirst(2)
            guard rest.count >= count else { return nil }
            let text = Array(rest.prefix(count))
            rest.removeFirst(count)
            return text
        }
    }
}
