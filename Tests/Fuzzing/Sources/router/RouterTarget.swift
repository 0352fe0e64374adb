import FuzzSupport
import HelioHTTP

@testable import Heliograph

/// A table of routes beside a search that tries all of them.
///
/// An input is patterns, each with a method, then paths with methods; both are built of few segments, so that they meet.
enum RouterTarget {
    private static let methods: [Method?] = [.get, .head, .post, .connect, .options, .other("FROB"), nil]
    private static let asked: [Method] = [.get, .head, .post, .connect, .options, .other("FROB"), .put, .other("BROF")]
    private static let segments = ["a", "b", "", "ab", "{x}", "{y}", "{rest...}", "%2F", "aa"]
    private static let parts = ["a", "b", "", "ab", "x", "%2F", "aa", "..", "7"]

    private struct Route {
        let pattern: [String]
        let method: Method?
        let number: Int
    }

    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        var tree = RouteTree()
        var routes: [Route] = []
        for _ in 0..<choices.number(below: 16) {
            let method = choices.pick(methods)
            let text = choices.byte() == 9 ? String(decoding: choices.counted(), as: UTF8.self) : pattern(&choices)
            // A pattern that is none, or that is taken, leaves the tree as it was.
            guard let pattern = try? RoutePattern(text), (try? tree.add(pattern, method)) != nil else { continue }
            routes.append(Route(pattern: split(text), method: method, number: routes.count))
        }
        let table = tree.table()
        while !choices.isAtEnd {
            let method = choices.pick(asked)
            let path = choices.byte() == 9 ? choices.counted() : Array(path(&choices).utf8)
            compare(table, routes, path, method)
        }
    }

    private static func pattern(_ choices: inout Choices) -> String {
        (0...choices.number(below: 5)).reduce(into: "") { text, _ in text += "/" + choices.pick(segments) }
    }

    private static func path(_ choices: inout Choices) -> String {
        (0...choices.number(below: 6)).reduce(into: "") { text, _ in text += "/" + choices.pick(parts) }
    }

    private static func split(_ pattern: String) -> [String] {
        pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }

    private static func compare(_ table: RouteTable, _ routes: [Route], _ path: [UInt8], _ method: Method) {
        var parameters = PathParameters()
        let found = path.withUnsafeBytes { table.match($0.bytes, method, &parameters) }
        let all = routes.compactMap { route in
            values(route.pattern, path).map { (route: route, rank: route.pattern.map(rank), values: $0) }
        }
        let best = all.filter { usefulness(of: $0.route, method) != nil }.min { one, other in
            if one.rank != other.rank { return one.rank.lexicographicallyPrecedes(other.rank) }
            return usefulness(of: one.route, method) ?? 9 < usefulness(of: other.route, method) ?? 9
        }
        if let best {
            check(found == .route(best.route.number), "\(path) \(method): \(found), not \(best.route)")
            let values = parameters.ranges.map { Array(path[$0]) }
            check(values == best.values, "\(path): the values are \(values), not \(best.values)")
        } else if all.isEmpty {
            check(found == .nothing, "\(path) \(method): \(found), not nothing")
        } else if case .otherMethods(let set, _) = found {
            let allowed = Set(table.methods.allow(set).split(separator: ", ").map(String.init))
            var expected = Set(all.compactMap { $0.route.method?.rawValue }).union(["OPTIONS"])
            if expected.contains("GET") { expected.insert("HEAD") }
            check(allowed == expected, "\(path): allowed are \(allowed), not \(expected)")
        } else {
            check(false, "\(path) \(method): \(found), though there are routes")
        }
    }

    /// How well a route's method fits: the lower the better; nil: not at all.
    private static func usefulness(of route: Route, _ method: Method) -> Int? {
        if route.method == method { return 0 }
        if route.method == .get, method == .head || method == .connect { return 1 }
        return route.method == nil ? 2 : nil
    }

    private static func rank(_ segment: String) -> Int {
        segment.hasPrefix("{") ? (segment.hasSuffix("...}") ? 2 : 1) : 0
    }

    /// The values of the parameters if the path is one of the pattern's.
    private static func values(_ pattern: [String], _ path: [UInt8]) -> [[UInt8]]? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        var values: [[UInt8]] = []
        let parts = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in pattern.enumerated() {
            guard index < parts.count else { return nil }
            switch rank(segment) {
            case 2: return values + [Array(path[parts[index].startIndex...])]
            case 1:
                guard !parts[index].isEmpty else { return nil }
                values.append(Array(parts[index]))
            default: guard parts[index].elementsEqual(segment.utf8) else { return nil }
            }
        }
        return parts.count == pattern.count ? values : nil
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let text = Array("/users/{id}/files/{path...}".utf8)
        let path = Array("/users/7/files/a/b".utf8)
        return [
            ("literal", [2, 0, 0, 0, 0, 2, 0, 1, 1, 4, 0, 0, 0, 0, 2, 0, 1, 0, 1]),
            ("wildcard", [3, 0, 0, 1, 0, 6, 0, 0, 1, 4, 1, 6, 0, 2, 3, 0, 1, 0, 0, 0, 3, 0, 1, 2, 4]),
            ("text", [1, 0, 9, UInt8(text.count)] + text + [0, 9, UInt8(path.count)] + path),
        ]
    }
}
