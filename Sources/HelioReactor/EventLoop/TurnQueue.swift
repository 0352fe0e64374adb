/// First in, first out: taken a bounded number at a time, while more may come in.
struct TurnQueue<Element> {
    private var elements: ContiguousArray<Element?> = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func append(contentsOf more: ContiguousArray<Element>) {
        for element in more { elements.append(element) }
    }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        var first: Element?
        swap(&first, &elements[head])
        head += 1
        if head == elements.count {
            // A flood's memory is given back.
            elements.removeAll(keepingCapacity: elements.count <= 4096)
            head = 0
        } else if head >= 1024, head >= elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return first
    }

    mutating func removeAll() {
        elements = []
        head = 0
    }
}
