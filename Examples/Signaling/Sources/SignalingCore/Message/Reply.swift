/// What answers a request.
package struct Reply: Sendable, Hashable {
    package let status: Int
    /// Nil for a reply without content.
    package var contentType: String?
    package var headers: [Header] = []
    package var body: [UInt8] = []
    /// Why it is a refusal, if it is one.
    package var problem: Problem?

    package struct Header: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package static let noContent = Reply(status: 204)

    package static func json(_ status: Int, headers: [Header] = [], _ fields: (inout JSONWriter) -> Void) -> Reply {
        var writer = JSONWriter()
        writer.object(fields)
        return Reply(status: status, contentType: "application/json", headers: headers, body: writer.bytes)
    }

    /// The answer to messages, one result for each.
    static func results(_ results: [(id: Identifier?, error: MessageError?)]) -> Reply {
        json(202) { writer in
            writer.key("results")
            writer.array { writer in
                for (id, error) in results { result(id, error, &writer) }
            }
        }
    }

    private static func result(_ id: Identifier?, _ error: MessageError?, _ writer: inout JSONWriter) {
        writer.object { writer in
            if let id {
                writer.key("id")
                writer.string(utf8: id.utf8)
            }
            guard let error else {
                writer.key("ok")
                writer.bool(true)
                return
            }
            writer.key("error")
            writer.object { writer in
                writer.field("code", error.code.rawValue)
                writer.field("detail", error.detail)
                if let rule = error.rule { writer.field("rule", rule) }
            }
        }
    }
}
