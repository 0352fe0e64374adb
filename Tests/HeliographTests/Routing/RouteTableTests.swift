import HelioHTTP
import Testing

@testable import Heliograph

/// Routes whose numbers are their places in the list.
private func table(_ routes: [(Method?, String)]) throws -> RouteTable {
    var tree = RouteTree()
    for (method, text) in routes { try tree.add(RoutePattern(text), method) }
    return tree.table()
}

extension RouteTable {
    fileprivate func match(_ path: String, _ method: Method = .get) -> (match: Match, values: [String]) {
        let bytes = Array(path.utf8)
        var parameters = PathParameters()
        let match = unsafe match(bytes.span.bytes, method, &parameters)
        let values = parameters.ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
        return (match, values)
    }
}

@Suite("Matching of routes")
struct RouteTableTests {
    @Test(
        "A literal goes before a parameter, a parameter before a wildcard, and a dead end leads back",
        arguments: [
            ("/", 0, []), ("/users", 1, []), ("/users/", 2, []), ("/users/me", 3, []), ("/users/7", 4, ["7"]),
            ("/users/me/files", 5, ["me"]), ("/users/me/x", 6, ["users", "me/x"]),
            ("/users/7/x/y", 6, ["users", "7/x/y"]), ("/other/", 6, ["other", ""]),
            ("/files/a//b/../c", 7, ["a//b/../c"]), ("/files/", 7, [""]),
        ] as [(String, Int, [String])])
    func priority(path: String, route: Int, values: [String]) throws {
        let table = try table(
            [
                "/", "/users", "/users/", "/users/me", "/users/{id}", "/users/{id}/files", "/{a}/{rest...}",
                "/files/{path...}",
            ].map { (.get, $0) })
        let found = table.match(path)
        #expect(found.match == .route(route))
        #expect(found.values == values)
    }

    @Test(
        "The path is taken as it was sent",
        arguments: ["/Hello", "/hello/", "//hello", "/h%65llo", "/./hello", "/hello/.", "hello", "", "*", "/hello//"])
    func exactness(path: String) throws {
        #expect(try table([(.get, "/hello")]).match(path).match == .nothing)
    }

    @Test("An escaped slash does not end a segment, and an empty segment is no parameter")
    func escapes() throws {
        let table = try table([(.get, "/a/{x}"), (.get, "/a/{x}/b")])
        #expect(table.match("/a/x%2Fb").values == ["x%2Fb"])
        #expect(table.match("/a/").match == .nothing)
        #expect(table.match("/a//b").match == .nothing)
    }

    @Test("The method chooses among the routes that the path leads to")
    func methods() throws {
        let table = try table([
            (.get, "/users/me"), (.delete, "/users/{id}"), (nil, "/users/{id}"), (.head, "/x"), (.get, "/x"),
            (.other("FROB"), "/x"), (.post, "/{any}"),
        ])
        #expect(table.match("/users/me", .get).match == .route(0))
        #expect(table.match("/users/me", .delete).match == .route(1))
        #expect(table.match("/users/me", .put).match == .route(2))
        #expect(table.match("/users/me", .head).match == .route(0))
        #expect(table.match("/x", .head).match == .route(3))
        #expect(table.match("/x", .other("FROB")).match == .route(5))
        #expect(table.match("/x", .post).match == .route(6))
        #expect(table.match("/x", .connect).match == .route(4))
        guard case .otherMethods(let set, endpoint: _) = table.match("/x", .other("BROF")).match else {
            Issue.record("the path has routes")
            return
        }
        #expect(table.methods.allow(set) == "GET, HEAD, OPTIONS, POST, FROB")
    }

    @Test("A path of many slashes costs no more than the table has nodes")
    func hostilePaths() throws {
        // Each level offers two ways, and none of the 2^8 combinations ends well.
        let routes = (0..<256).map { bits -> (Method?, String) in
            let segments = (0..<8).map { bits >> $0 & 1 == 0 ? "a" : "{p\($0)}" }
            return (Method?.some(.get), "/" + segments.joined(separator: "/") + "/end")
        }
        let table = try table(routes)
        #expect(table.match("/" + String(repeating: "a/", count: 4000)).match == .nothing)
        #expect(table.match("/a/a/a/a/a/a/a/a/end").match == .route(0))
        #expect(table.match(String(repeating: "/", count: 10_000)).match == .nothing)
    }
}

/// Patterns compared one by one with the path's segments, the best of those that match taken.
private struct NaiveMatcher {
    let routes: [(method: Method?, pattern: RoutePattern)]

    func match(_ path: String, _ method: Method) -> Int? {
        guard path.hasPrefix("/") else { return nil }
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var best: (rank: [Int], route: Int)?
        for (index, route) in routes.enumerated() {
            guard let rank = rank(route.pattern, segments), let preference = preference(route.method, method) else {
                continue
            }
            let whole = rank + [preference]
            if let known = best, !whole.lexicographicallyPrecedes(known.rank) { continue }
            best = (whole, index)
        }
        return best?.route
    }

    /// How good each segment's match is, smaller before larger; nil when the pattern does not match.
    private func rank(_ pattern: RoutePattern, _ segments: [String]) -> [Int]? {
        var rank: [Int] = []
        for (index, segment) in pattern.segments.enumerated() {
            if segment == .wildcard { return index < segments.count ? rank + [2] : nil }
            guard index < segments.count else { return nil }
            switch segment {
            case .literal(let bytes) where bytes == Array(segments[index].utf8): rank.append(0)
            case .parameter where !segments[index].isEmpty: rank.append(1)
            default: return nil
            }
        }
        return pattern.segments.count == segments.count ? rank : nil
    }

    private func preference(_ route: Method?, _ method: Method) -> Int? {
        guard let route else { return 2 }
        if route == method { return 0 }
        return route == .get && method == .head ? 1 : nil
    }
}

@Suite("The table against a naive matcher")
struct RouteTableRandomTests {
    @Test("Any routes and any path give what comparing the patterns one by one gives", arguments: 0..<40)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var tree = RouteTree()
        var routes: [(method: Method?, pattern: RoutePattern)] = []
        for _ in 0..<Int.random(in: 1...30, using: &generator) {
            let pattern = try RoutePattern(Self.pattern(&generator))
            let method = [Method?.some(.get), .post, .head, nil].randomElement(using: &generator) ?? nil
            do throws(RouteError) {
                try tree.add(pattern, method)
                routes.append((method, pattern))
            } catch {}
        }
        let table = tree.table()
        let naive = NaiveMatcher(routes: routes)
        for _ in 0..<500 {
            let count = Int.random(in: 0...5, using: &generator)
            let path = "/" + (0..<count).map { _ in Self.word(&generator) }.joined(separator: "/")
            let method = [Method.get, .post, .head, .put].randomElement(using: &generator) ?? .get
            let expected = naive.match(path, method)
            switch table.match(path, method).match {
            case .route(let route): #expect(route == expected, "\(method) \(path)")
            default: #expect(expected == nil, "\(method) \(path)")
            }
        }
    }

    private static func word(_ generator: inout SeededGenerator) -> String {
        ["", "a", "b", "ab", "%2F", ".."].randomElement(using: &generator) ?? ""
    }

    private static func pattern(_ generator: inout SeededGenerator) -> String {
        let count = Int.random(in: 1...4, using: &generator)
        return (0..<count).map { index in
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1: "/{p\(index)}"
            case 2 where index == count - 1: "/{p\(index)...}"
            default: "/" + word(&generator)
            }
        }.joined()
    }
}
