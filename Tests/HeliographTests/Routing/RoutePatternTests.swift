import Testing

@testable import Heliograph

@Suite("Patterns of routes")
struct RoutePatternTests {
    @Test("A pattern is literals, parameters and a wildcard at its end")
    func segments() throws {
        let pattern = try RoutePattern("/users/{id}//{path...}")
        #expect(pattern.segments == [.literal(Array("users".utf8)), .parameter, .literal([]), .wildcard])
        #expect(pattern.names == ["id", "path"])
        #expect(try RoutePattern("/").segments == [.literal([])])
        #expect(try RoutePattern("/a/").segments == [.literal(Array("a".utf8)), .literal([])])
    }

    @Test(
        "What is no pattern is named",
        arguments: [
            ("", "begin"), ("users", "begin"), ("/{a...}/b", "follows"), ("/a{b}", "whole segment"),
            ("/{a}b", "whole segment"), ("/{}", "no name"), ("/{...}", "no name"), ("/{a b}", "no name"),
            ("/{a}/{a}", "one name"), ("/a b", "percent-encoded"), ("/ü", "percent-encoded"),
            ("/a?b", "percent-encoded"),
            ("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "more than 8"),
        ])
    func mistakes(text: String, reason: String) {
        let error = #expect(throws: RouteError.self) { try RoutePattern(text) }
        #expect(error?.description.contains(reason) == true)
        #expect(error?.description.contains("'\(text)'") == true)
    }

    @Test(
        "Two routes for the same requests are found when the second is added",
        arguments: [
            ("/a", "/a"), ("/{x}", "/{y}"), ("/a/{x...}", "/a/{y...}"), ("/{x}/b", "/{y}/b"), ("/", "/"),
        ])
    func conflicts(one: String, other: String) throws {
        for method in [Method.get, .other("FROB"), nil] {
            var tree = RouteTree()
            try tree.add(RoutePattern(one), method)
            let error = #expect(throws: RouteError.self) { try tree.add(RoutePattern(other), method) }
            #expect(
                error
                    == .conflict(
                        method: method?.rawValue ?? "any method", pattern: other, earlier: one))
        }
    }

    @Test("Routes that differ in a method or a segment stand side by side")
    func noConflict() throws {
        var tree = RouteTree()
        for (method, text) in [
            (Method.get, "/a"), (.post, "/a"), (nil, "/a"), (.other("FROB"), "/a"), (.other("BROF"), "/a"),
            (.get, "/a/"), (.get, "/{x}"), (.get, "/{x...}"), (.get, "/a/{x}"), (.get, "/a/{x...}"),
        ] {
            try tree.add(RoutePattern(text), method)
        }
    }
}
