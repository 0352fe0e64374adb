import FuzzSupport

@testable import HelioHTTP

/// A block and a list of fields, to which the same is done.
struct BlockModel {
    private let block = HeaderBlock()
    private var fields: [(name: [UInt8], value: [UInt8])] = []
    private var kept: [(slice: HeaderBlock.Slice, bytes: [UInt8])] = []

    static func run(_ choices: inout Choices) {
        var model = BlockModel()
        while !choices.isAtEnd {
            model.change(&choices)
            model.compare()
        }
    }

    private mutating func change(_ choices: inout Choices) {
        switch choices.number(below: 10) {
        case 0: append(choices.counted(), choices.counted())
        case 1: append(choices.counted(), Array(repeating: 7, count: Int(choices.byte()) * 64))
        case 2: appendOwn(choices.pick(names), choices.counted())
        case 3: repeatValue(choices.pick(names), of: choices.number(below: 256))
        case 4: remove(choices.bool() ? String(decoding: choices.counted(), as: UTF8.self) : choices.pick(names))
        case 5: joinCookies()
        case 6: keep(choices.counted())
        case 7: appendNumber(Int(truncatingIfNeeded: UInt64(choices.word()) << (choices.byte() & 31)))
        case 8: append(Array("cookie".utf8), choices.counted())
        default:
            guard choices.byte() == 9 else { return }
            block.removeAll()
            fields = []
            kept = []
        }
    }

    private let names = ["cookie", "x-a", "content-length", "x-b"]

    private mutating func append(_ name: [UInt8], _ value: [UInt8]) {
        withExactCopy(of: name) { name in withExactCopy(of: value) { block.append(name: name, value: $0) } }
        fields.append((name, value))
    }

    private mutating func appendOwn(_ name: String, _ value: [UInt8]) {
        withExactCopy(of: value) { block.append(name: name, bytes: $0) }
        fields.append((Array(name.utf8), Self.harmless(value)))
    }

    /// The value of another field of this block, which moves when the block grows.
    private mutating func repeatValue(_ name: String, of index: Int) {
        guard !fields.isEmpty else { return }
        let index = index % fields.count
        block.append(name: name, bytes: block.bytes(block.valueSlice(index)))
        fields.append((Array(name.utf8), Self.harmless(fields[index].value)))
    }

    private mutating func appendNumber(_ number: Int) {
        block.append(known: "content-length", value: number)
        fields.append((Array("content-length".utf8), Array(String(number.magnitude).utf8)))
    }

    private mutating func remove(_ name: String) {
        block.remove(named: name)
        fields.removeAll { !$0.name.isEmpty && $0.name == Array(name.utf8) }
    }

    private mutating func keep(_ bytes: [UInt8]) {
        kept.append((withExactCopy(of: bytes) { block.keep($0) }, bytes))
    }

    private mutating func joinCookies() {
        block.joinCookies()
        let cookie = Array("cookie".utf8)
        let crumbs = fields.filter { $0.name == cookie }.map(\.value)
        guard crumbs.count > 1, let first = fields.firstIndex(where: { $0.name == cookie }) else { return }
        fields[first].value = Array(crumbs.joined(separator: Array("; ".utf8)))
        fields = fields.indices.filter { $0 == first || fields[$0].name != cookie }.map { fields[$0] }
    }

    /// What a value of the program's own becomes.
    private static func harmless(_ value: [UInt8]) -> [UInt8] {
        let blanks: Set<UInt8> = [0, 9, 10, 13, 32]
        let start = value.firstIndex { !blanks.contains($0) } ?? value.count
        let end = (value.lastIndex { !blanks.contains($0) } ?? start - 1) + 1
        return value[start..<max(start, end)].map { [0, 10, 13].contains($0) ? 32 : $0 }
    }

    private func compare() {
        check(block.count == fields.count, "\(block.count) fields, not \(fields.count)")
        var index = 0
        block.forEachBytes { name, value in
            let (name, value) = (name.withUnsafeBytes { Array($0) }, value.withUnsafeBytes { Array($0) })
            check(name == fields[index].name, "field \(index) has the name \(name)")
            check(value == fields[index].value, "field \(index) has the value \(value), not \(fields[index].value)")
            index += 1
        }
        for name in names {
            let expected = fields.filter { $0.name == Array(name.utf8) }.map {
                String(decoding: $0.value, as: UTF8.self)
            }
            check(block.values(of: name) == expected, "the values of \(name) are others")
            check(block[name] == expected.first, "the first value of \(name) is another")
            check(block.has(name) == !expected.isEmpty, "\(name) is there and is not")
        }
        for (slice, bytes) in kept {
            check(Array(block.bytes(slice)) == bytes, "bytes that are kept have changed")
        }
        let size = fields.reduce(0) { $0 + $1.name.count + $1.value.count + 32 }
        check(block.listSize == size, "the list's size is \(block.listSize), not \(size)")
    }
}
