/// The parameters of the route that took a request: their names, and where in the path their values lie.
///
/// A router fills it; handlers read them by ``Exchange/parameter(_:)``. It holds eight at most and allocates nothing.
///
/// ```swift
/// var parameters = PathParameters()
/// parameters.names = ["id"]
/// parameters.append(7..<9)  // Of /users/42.
/// exchange.setParameters(parameters)
/// ```
public struct PathParameters {
    /// The most that a route may have.
    public static let capacity = 8

    /// The names, in the order of the values.
    public var names: [String] = []
    /// How many values there are.
    public private(set) var count = 0
    private var places = InlineArray<8, Place>(repeating: Place())

    private struct Place {
        var offset: UInt32 = 0
        var length: UInt32 = 0
    }

    public init() {}

    /// Adds a value, by its bytes in the path.
    ///
    /// - Precondition: there are fewer than ``capacity``.
    public mutating func append(_ range: Range<Int>) {
        precondition(count < Self.capacity, "a route has at most \(Self.capacity) parameters")
        places[count] = Place(
            offset: UInt32(truncatingIfNeeded: range.lowerBound), length: UInt32(truncatingIfNeeded: range.count))
        count += 1
    }

    /// Takes the last value back.
    public mutating func removeLast() { count -= 1 }

    mutating func removeAll() { count = 0 }

    /// Where the values lie in the path.
    public var ranges: [Range<Int>] { (0..<count).map(range(at:)) }

    /// Where the value of that name lies.
    func range(of name: String) -> Range<Int>? {
        for index in 0..<min(count, names.count) where names[index] == name { return range(at: index) }
        return nil
    }

    private func range(at index: Int) -> Range<Int> {
        let place = places[index]
        return Int(place.offset)..<Int(place.offset) + Int(place.length)
    }
}
