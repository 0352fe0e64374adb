internal import HelioHTTP

/// A route's pattern, taken apart: `/users/{id}/files/{path...}`.
struct RoutePattern {
    enum Segment: Equatable {
        case literal([UInt8])
        /// `{name}`: one segment that is not empty.
        case parameter
        /// `{name...}`: the rest, which may be empty.
        case wildcard
    }

    let text: String
    private(set) var segments: [Segment] = []
    /// The names of parameters and wildcard, in their order.
    private(set) var names: [String] = []

    init(_ text: String) throws(RouteError) {
        self.text = text
        guard text.hasPrefix("/") else { throw .pattern(text, "it does not begin with '/'") }
        for segment in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if segments.last == .wildcard { throw .pattern(text, "something follows '{\(names.last ?? "")...}'") }
            segments.append(try read(segment))
        }
        guard names.count <= PathParameters.capacity else {
            throw .pattern(text, "it has more than \(PathParameters.capacity) parameters")
        }
        guard Set(names).count == names.count else { throw .pattern(text, "two parameters have one name") }
    }

    private mutating func read(_ segment: Substring) throws(RouteError) -> Segment {
        guard segment.contains("{") || segment.contains("}") else {
            let bytes = Array(segment.utf8)
            guard bytes.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
            else { throw .pattern(text, "'\(segment)' has characters that a path has percent-encoded only") }
            return .literal(bytes)
        }
        guard segment.hasPrefix("{"), segment.hasSuffix("}") else {
            throw .pattern(text, "in '\(segment)' a parameter is not the whole segment")
        }
        let name = segment.dropFirst().dropLast()
        let isWildcard = name.hasSuffix("...")
        names.append(String(isWildcard ? name.dropLast(3) : name))
        let isName = names.last?.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName == true, names.last != "" else { throw .pattern(text, "'\(segment)' has no name") }
        return isWildcard ? .wildcard : .parameter
    }
}

/// What is wrong with a route: a mistake in the program.
enum RouteError: Error, Equatable, CustomStringConvertible {
    case pattern(String, String)
    case conflict(method: String, pattern: String, earlier: String)

    var description: String {
        switch self {
        case .pattern(let text, let reason): "the route '\(text)' is wrong: \(reason)"
        case .conflict(let method, let pattern, let earlier):
            "two routes take the same requests: \(method) '\(pattern)' and, before it, \(method) '\(earlier)'"
        }
    }
}
