/// A JSON text that is one object, whatever it holds.
package enum JSONObject {
    /// Checks a body that may also be empty.
    package static func check(_ body: [UInt8], limits: ServiceLimits) throws(JSONError) {
        guard !body.isEmpty else { return }
        var scanner = JSONScanner(body, maxDepth: limits.depth)
        guard try scanner.peek() == UInt8(ascii: "{") else {
            throw JSONError(reason: .unexpected, offset: scanner.position)
        }
        try scanner.skipValue(depth: 0)
        try scanner.expectEnd()
    }

    /// The text of one field of a small object; nil where the body is none, or has no such text.
    package static func string(_ name: String, in body: [UInt8]) -> String? {
        var scanner = JSONScanner(body, maxDepth: 8)
        var found: String?
        do throws(JSONError) {
            guard try scanner.peek() == UInt8(ascii: "{") else { return nil }
            try scanner.object(maxMembers: 16) { scanner, key, _ throws(JSONError) in
                guard scanner.name(key) == name, try scanner.peek() == UInt8(ascii: "\"") else {
                    try scanner.skipValue(depth: 1)
                    return
                }
                let (utf8, _) = scanner.decoded(try scanner.string())
                found = String(decoding: utf8, as: UTF8.self)
            }
            try scanner.expectEnd()
            return found
        } catch {
            return nil
        }
    }
}
