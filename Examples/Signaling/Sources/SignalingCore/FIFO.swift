/// A queue whose elements keep their positions: the first ever is at 0.
package struct FIFO<Element> {
    private var elements: [Element?] = []
    /// Position of the first slot of `elements`.
    private var base = 0
    private(set) var startIndex = 0

    package init() {}

    var endIndex: Int { base + elements.count }
    var count: Int { endIndex - startIndex }
    package var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[startIndex - base] }

    /// Nil outside of `startIndex..<endIndex`.
    subscript(position: Int) -> Element? {
        (startIndex..<endIndex).contains(position) ? elements[position - base] : nil
    }

    package mutating func append(_ element: Element) { elements.append(element) }

    @discardableResult
    package mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        var element: Element?
        swap(&element, &elements[startIndex - base])
        startIndex += 1
        // Spent slots go when they are half of all, so that each element is moved once on average.
        if startIndex - base > 32, (startIndex - base) * 2 > elements.count {
            elements.removeFirst(startIndex - base)
            base = startIndex
        }
        return element
    }
}
