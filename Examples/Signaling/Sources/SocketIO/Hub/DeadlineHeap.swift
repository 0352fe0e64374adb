/// What is due some time, the earliest first. What has become needless meanwhile is found out when it comes.
struct DeadlineHeap<Element> {
    private var entries: [(due: UInt64, element: Element)] = []

    /// When the first is due.
    var first: UInt64? { entries.first?.due }

    mutating func insert(_ element: Element, at due: UInt64) {
        entries.append((due, element))
        var index = entries.count - 1
        while index > 0, entries[index].due < entries[(index - 1) / 2].due {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Takes out the first, if it is due.
    mutating func popDue(now: UInt64) -> Element? {
        guard let first = entries.first, first.due <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var index = 0
        while true {
            let left = 2 * index + 1
            var least = index
            if left < entries.count, entries[left].due < entries[least].due { least = left }
            if left + 1 < entries.count, entries[left + 1].due < entries[least].due { least = left + 1 }
            guard least != index else { return first.element }
            entries.swapAt(index, least)
            index = least
        }
    }
}
