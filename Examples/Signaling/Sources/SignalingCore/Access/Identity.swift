/// Who a client has shown to be, and what it may do. All of it is bounded: see ``ServiceLimits``.
package struct Identity: Sendable, Hashable {
    /// Names whoever the token was made for; nil in development mode.
    package var subject: Identifier?
    /// For people.
    package var name: [UInt8]?
    package var rooms: [RoomPattern]
    package var grants: Grants
    /// Members, itself included, that its rooms may have for it to come in.
    package var maxPeers: Int?
    /// When it is over, in milliseconds since 1970.
    package var expires: Int64?
    /// Fingerprints of DTLS certificates (RFC 8122 section 5) that its session descriptions may have; none allows any.
    package var fingerprints: [String]

    package init(
        subject: Identifier?, name: [UInt8]? = nil, rooms: [RoomPattern], grants: Grants, maxPeers: Int? = nil,
        expires: Int64? = nil, fingerprints: [String] = []
    ) {
        self.subject = subject
        self.name = name
        self.rooms = rooms
        self.grants = grants
        self.maxPeers = maxPeers
        self.expires = expires
        self.fingerprints = fingerprints
    }

    /// Without keys nobody is asked, and anyone may do everything.
    package static let development = Identity(subject: nil, rooms: [.any], grants: .all)

    package func mayEnter(_ room: RoomName) -> Bool { rooms.contains { $0.matches(room) } }

    /// Its token makes it a moderator of its rooms. Where nobody shows a token, nobody is one by that.
    var isAdministrator: Bool { subject != nil && grants.contains(.admin) }

    /// ``fingerprints``, to compare with; nil when there are none.
    var pinned: Set<DTLSFingerprint>? {
        fingerprints.isEmpty ? nil : Set(fingerprints.compactMap { DTLSFingerprint($0) })
    }

    func isOver(at now: Moment) -> Bool { expires.map { $0 <= now.unixMilliseconds } ?? false }
}
