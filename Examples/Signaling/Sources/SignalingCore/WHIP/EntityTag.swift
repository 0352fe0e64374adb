/// The entity-tag of an ICE session: the user fragments of both sides, which are new after each restart.
struct EntityTag: Hashable {
    /// With its quotes.
    let text: String

    init(offer: ICECredentials, answer: ICECredentials) {
        text = "\"\(String(decoding: offer.ufrag + [0x2D] + answer.ufrag, as: UTF8.self))\""
    }

    /// Whether `If-Match` names it. Weak ones never match (RFC 9110 section 13.1.1).
    func isNamed(by ifMatch: String) -> Bool {
        // Neither a comma nor a quote can be part of one of ours.
        ifMatch.utf8.split(separator: UInt8(ascii: ",")).contains { part in
            let blanks: [UInt8] = [0x20, 0x09]
            let trimmed = part.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed()
            return trimmed.elementsEqual(text.utf8)
        }
    }
}
