/// The name of an event that a stream is written: its `t`.
package enum EventName {
    private static let typeKey = Array("\"t\":\"".utf8)

    /// - Parameter json: what a node has written.
    /// - Returns: nil when there is none, which no node writes.
    package static func of(_ json: [UInt8]) -> String? {
        if let name = first(json) { return name }
        var scanner = JSONScanner(json, maxDepth: 64)
        var name: String?
        let scanned: Void? = try? scanner.object(maxMembers: .max) { scanner, key, _ throws(JSONError) in
            guard scanner.name(key) == "t", try scanner.peek() == UInt8(ascii: "\"") else {
                try scanner.skipValue(depth: 1)
                return
            }
            name = String(decoding: scanner.decoded(try scanner.string()).utf8, as: UTF8.self)
        }
        return scanned == nil ? nil : name
    }

    /// The service's own events have it at once, or behind `seq` and `ts`: the rest is not looked at.
    private static func first(_ json: [UInt8]) -> String? {
        var rest = json.dropFirst()
        for key in ["\"seq\":", "\"ts\":"] where rest.starts(with: key.utf8) {
            rest = rest.drop { $0 != UInt8(ascii: ",") }.dropFirst()
        }
        guard rest.starts(with: typeKey) else { return nil }
        let name = rest.dropFirst(typeKey.count).prefix { $0 != UInt8(ascii: "\"") }
        return name.contains(UInt8(ascii: "\\")) ? nil : String(decoding: name, as: UTF8.self)
    }
}
