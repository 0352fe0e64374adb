import Testing

@testable import SocketIO

@Suite("Values")
struct SocketValueTests {
    private func value(_ text: String) throws -> SocketValue {
        var reader = SocketJSONReader(bytes(text), maxDepth: 8)
        let value = try reader.value()
        try reader.expectEnd()
        return value
    }

    private func text(_ value: SocketValue) -> String {
        var writer = SocketJSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test(
        "JSON is read as it is written",
        arguments: [
            "null", "true", "false", "0", "-7", "9007199254740993", "1.5", "\"\"", "\"é€😀\"", "[]", "[1,[2,[]]]", "{}",
            "{\"a\":1,\"b\":{\"c\":[null]},\"a\":2}", "\"\\n\\t\\r\\u0001\\\\\\\"\"",
        ])
    func roundTrip(json: String) throws {
        #expect(text(try value(json)) == json)
    }

    @Test("Escapes stand for their characters, pairs of surrogates for one, a half of one for none")
    func escapes() throws {
        #expect(try value("\"\\u0041\\b\\f\\/\\u00e9x\\ud83d\\ude00y\"").string == "A\u{8}\u{C}/éx😀y")
        #expect(try value("\"a\\ud83dz\\ude00\"").string == "a\u{FFFD}z\u{FFFD}")
    }

    @Test("Numbers are integers where they can be, and are written as JavaScript writes them")
    func numbers() throws {
        #expect(try value("12") == .integer(12))
        #expect(try value("1e2") == .number(100))
        #expect(try value("1e2").integer == 100)
        #expect(try value("36893488147419103232") == .number(0x1p65))
        #expect(text(.number(100)) == "100")
        #expect(text(.number(-0.0)) == "0")
        #expect(text(.number(.infinity)) == "null")
        #expect(text(.number(.nan)) == "null")
        #expect(text(try value("1e999")) == "null")
    }

    @Test("What is not there is null, and of a name that comes twice the last counts")
    func lookups() throws {
        let value = try value("{\"a\":[1],\"b\":true,\"a\":[2]}")
        #expect(value["a"][0] == 2)
        #expect(value["a"][1].isNull && value["a"][-1].isNull && value["c"]["d"].isNull && value["b"]["c"].isNull)
        #expect(value["b"].bool == true && value["b"].string == nil && value["b"].integer == nil)
    }

    @Test("JSON that is passed on is checked when it is made")
    func passedOn() throws {
        #expect(try SocketJSON(bytes("[1, 2]")).value == [1, 2])
        #expect(throws: SocketJSONError.self) { try SocketJSON(bytes("[1, 2]]")) }
        #expect(throws: SocketJSONError(reason: .depth, offset: 1)) { try SocketJSON(bytes("[[]]"), maxDepth: 1) }
        #expect(text(.json(try SocketJSON(bytes("{ }")))) == "{ }")
    }

    @Test("Parts of a text are taken out as they stand")
    func parts() throws {
        let text = try SocketJSON(bytes(#" {"a": 1.50, "\u0062":[ {"a":2},"x" ] ,"a":{"b":"\u00e9"}} "#))
        #expect(text.member("a")?.bytes == bytes(#"{"b":"\u00e9"}"#))
        #expect(text.member("b")?.elements?.map(\.bytes) == [bytes(#"{"a":2}"#), bytes(#""x""#)])
        #expect(text.member("c") == nil && text.elements == nil && text.member("a")?.member("b")?.member("c") == nil)
        #expect(SocketJSON(["a": [1, nil]])?.bytes == bytes(#"{"a":[1,null]}"#) && SocketJSON([.binary([1])]) == nil)
    }
}
