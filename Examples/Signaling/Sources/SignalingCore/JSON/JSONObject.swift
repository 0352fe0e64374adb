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
}
