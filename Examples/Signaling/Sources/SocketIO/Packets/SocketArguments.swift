/// What came with an event or an acknowledgement: values that are read when they are asked for, and can be passed on
/// without.
///
/// ```swift
/// socket.on("message") { arguments, ack in
///     socket.to(arguments[0].string ?? "").emit("message", arguments.relayed(1))
///     ack("ok")
/// }
/// ```
public struct SocketArguments: Sendable, Equatable {
    private let storage: Storage

    private enum Storage: Equatable {
        /// The array's text, which was checked, and where the elements lie.
        case text([UInt8], ArraySlice<Range<Int>>)
        /// A packet with attachments, and the size of its text and of them.
        case values(ArraySlice<SocketValue>, size: Int)
    }

    init(text: [UInt8], _ ranges: ArraySlice<Range<Int>>) { storage = .text(text, ranges) }

    init(_ values: ArraySlice<SocketValue>, size: Int) { storage = .values(values, size: size) }

    public var count: Int {
        switch storage {
        case .text(_, let ranges): ranges.count
        case .values(let values, _): values.count
        }
    }

    /// The value at that place; null where there is none.
    public subscript(index: Int) -> SocketValue { relayed(index).decoded }

    /// The value at that place as it came, to be passed on.
    public func relayed(_ index: Int) -> SocketValue {
        guard index >= 0, index < count else { return .null }
        switch storage {
        case .text(let text, let ranges):
            return .json(SocketJSON(valid: Array(text[ranges[ranges.startIndex + index]])))
        case .values(let values, _): return values[values.startIndex + index]
        }
    }

    /// All of them.
    public var values: [SocketValue] { (0..<count).map { self[$0] } }

    /// All of them, as they came.
    public var allRelayed: [SocketValue] { (0..<count).map(relayed) }

    /// About how much they take, in bytes.
    var size: Int {
        switch storage {
        case .text(let text, let ranges): text.count + ranges.count * MemoryLayout<Range<Int>>.stride
        case .values(let values, let size): size + values.count * MemoryLayout<SocketValue>.stride
        }
    }

    /// Without the first.
    func dropFirst() -> SocketArguments {
        switch storage {
        case .text(let text, let ranges): SocketArguments(text: text, ranges.dropFirst())
        case .values(let values, let size): SocketArguments(values.dropFirst(), size: size)
        }
    }
}
