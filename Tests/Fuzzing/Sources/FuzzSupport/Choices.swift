/// An input read as a row of choices. When it is used up all choices are 0.
public struct Choices {
    private let bytes: [UInt8]
    private var position: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
    }

    public var isAtEnd: Bool { position == bytes.count }

    public mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func bool() -> Bool { byte() & 1 != 0 }

    /// Less than `bound`, which is at most 256.
    public mutating func number(below bound: Int) -> Int { Int(byte()) % bound }

    /// The next `count` bytes, or as many as there are.
    public mutating func take(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    /// A length in one byte, and so many bytes.
    public mutating func counted() -> [UInt8] { take(Int(byte())) }

    public mutating func rest() -> [UInt8] { take(bytes.count) }

    public mutating func word() -> UInt32 { (0..<4).reduce(0) { value, _ in value << 8 | UInt32(byte()) } }

    public mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(below: elements.count)] }
}

/// Places to cut bytes at, from a seed that is part of the input.
public struct Cuts {
    private var state: UInt64
    private let style: UInt8

    /// - Parameter seed: 0: no cut; 1: each byte by itself; another: pieces of random sizes.
    public init(_ seed: UInt8) {
        style = seed
        state = UInt64(seed)
    }

    /// The pieces of `bytes`, in order.
    public mutating func pieces(of bytes: [UInt8]) -> [[UInt8]] {
        guard !bytes.isEmpty else { return [] }
        if style == 0 { return [bytes] }
        if style == 1 { return bytes.map { [$0] } }
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + size())
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    /// Mostly small, at times large.
    private mutating func size() -> Int {
        let number = next()
        let widest: UInt64 = style & 2 == 0 ? 16 : 600
        return 1 + Int((number >> 8) % (number & 7 == 0 ? widest * 8 : widest))
    }

    /// SplitMix64.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
