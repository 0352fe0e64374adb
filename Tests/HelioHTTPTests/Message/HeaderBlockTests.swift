import Testing

@testable import HelioHTTP

@Suite("Header blocks")
struct HeaderBlockTests {
    private func append(_ block: HeaderBlock, _ name: String, _ value: String) {
        let (name, value) = (Array(name.utf8), Array(value.utf8))
        unsafe name.withUnsafeBytes { name in
            unsafe value.withUnsafeBytes { unsafe block.append(name: name, value: $0) }
        }
    }

    @Test("Fields are found by name, the first of them, and listed in order")
    func reading() {
        let block = HeaderBlock()
        append(block, "x-a", "1")
        append(block, "x-b", "")
        append(block, "x-a", "2")
        #expect(block.count == 3)
        #expect(block["x-a"] == "1")
        #expect(block["x-b"] == "")
        #expect(block["x-c"] == nil)
        #expect(block[""] == nil)
        #expect(block.has("x-b"))
        #expect(!block.has("x-"))
        #expect(block.equals("x-a", "1"))
        #expect(block.equals("x-b", ""))
        #expect(!block.equals("x-a", "2"))
        #expect(!block.equals("x-c", ""))
        #expect(block.withValue(of: "x-a") { $0.byteCount } == 1)
        #expect(block.withValue(of: "x-c") { $0.byteCount } == nil)
        #expect(block.fields.map(\.name) == ["x-a", "x-b", "x-a"])
        #expect(block.fields.map(\.value) == ["1", "", "2"])
        var listed: [String] = []
        block.forEach { listed.append("\($0)=\($1)") }
        #expect(listed == ["x-a=1", "x-b=", "x-a=2"])
        #expect(block.listSize == 3 * 32 + 9 + 2)
    }

    @Test("It grows from both ends without losing a byte", arguments: [1, 37, 500, 5000])
    func growing(size: Int) {
        let block = HeaderBlock()
        let fields = (0..<300).map {
            ("n-\($0)", String(repeating: Character(Unicode.Scalar(97 + UInt8($0 % 26))), count: ($0 * 7) % size))
        }
        for (name, value) in fields { append(block, name, value) }
        let isSame = block.fields.map(\.name) == fields.map(\.0) && block.fields.map(\.value) == fields.map(\.1)
        #expect(isSame)
        #expect(block["n-299"] == fields[299].1)
        block.removeAll()
        #expect(block.count == 0)
        #expect(block["n-1"] == nil)
        append(block, "a", "b")
        #expect(block["a"] == "b")
    }

    @Test("Kept bytes are no fields, and an empty one is not an absent one")
    func keeping() {
        let block = HeaderBlock()
        let path = Array("/path".utf8)
        let slice = unsafe path.withUnsafeBytes { unsafe block.keep($0) }
        let empty = unsafe block.keep(UnsafeRawBufferPointer(start: nil, count: 0))
        append(block, "a", "b")
        #expect(block.count == 1)
        #expect(block.string(slice) == "/path")
        #expect(block.slice(slice, equals: "/path"))
        #expect(!block.slice(slice, equals: "/pat"))
        #expect(empty.isPresent)
        #expect(!HeaderBlock.Slice().isPresent)
    }

    @Test("A value of the program is trimmed, and holds no line end")
    func sanitizing() {
        let block = HeaderBlock()
        block.append(name: "a", value: " \t\r\nx\r\n y\0z\t ")
        block.append(name: "b", value: " \r\n ")
        block.append(name: "c", value: "tab\tinside, ünïcode")
        #expect(block["a"] == "x   y z")
        #expect(block["b"] == "")
        #expect(block["c"] == "tab\tinside, ünïcode")
    }

    @Test("Numbers are written as they are", arguments: [0, 7, 10, 4096, Int.max])
    func numbers(value: Int) {
        let block = HeaderBlock()
        block.append(known: "n", value: value)
        #expect(block["n"] == "\(value)")
    }
}
