/// An element of a list that a client sends in the order of its liking, with its weight (RFC 9110 section 12.4.2).
public struct Weighted<Value: Hashable & Sendable>: Hashable, Sendable {
    public let value: Value
    /// In thousandths: 0 ("not acceptable") to 1000.
    public let weight: Int

    /// - Precondition: `weight` is from 0 to 1000.
    public init(_ value: Value, weight: Int = 1000) {
        precondition((0...1000).contains(weight), "a weight is 0 to 1000 thousandths")
        self.value = value
        self.weight = weight
    }
}

extension FieldScanner {
    /// Elements of a list that are looked at: none that a browser sends has a third of them, and each is compared with each
    /// offer.
    static let maxElements = 64

    /// Calls `element` at each element of a list (RFC 9110 section 5.6.1); it takes the element, up to the comma.
    mutating func list(
        _ element: (inout FieldScanner) throws(FieldSyntaxError) -> Void
    ) throws(FieldSyntaxError) {
        var count = 0
        while true {
            skipBlanks()
            if isAtEnd { return }
            // Empty elements are allowed.
            if take(UInt8(ascii: ",")) { continue }
            count += 1
            guard count <= Self.maxElements else { throw .tooMany(limit: Self.maxElements) }
            try element(&self)
            skipBlanks()
            guard isAtEnd || next == UInt8(ascii: ",") else { throw .expected("','", at: position) }
        }
    }

    /// The weight that may follow a token: `;q=0.5`. In thousandths.
    mutating func weight() throws(FieldSyntaxError) -> Int {
        skipBlanks()
        guard take(UInt8(ascii: ";")) else { return 1000 }
        skipBlanks()
        let start = position
        guard take(UInt8(ascii: "q")) || take(UInt8(ascii: "Q")), take(UInt8(ascii: "=")) else {
            throw .expected("a weight", at: start)
        }
        let digits = try token("a weight")
        guard let weight = unsafe Self.weight(bytes(digits)) else { throw .expected("a weight", at: digits.lowerBound) }
        return weight
    }

    /// qvalue: 0 or 1 with at most three decimals, not above 1. In thousandths.
    static func weight(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let first = unsafe text.first, (1...5).contains(text.count), unsafe text.count == 1 || text[1] == 0x2e
        else { return nil }
        guard let whole = digit(first), whole <= 1 else { return nil }
        var weight = whole * 1000
        var scale = 100
        for index in stride(from: 2, to: text.count, by: 1) {
            guard let digit = digit(unsafe text[index]) else { return nil }
            weight += digit * scale
            scale /= 10
        }
        return weight <= 1000 ? weight : nil
    }

    private static func digit(_ byte: UInt8) -> Int? {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte ? Int(byte - UInt8(ascii: "0")) : nil
    }
}

extension HeaderBlock {
    /// Several fields of one name are one list (RFC 9110 section 5.3).
    func list(_ name: String) -> String? {
        let values = values(of: name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}
