/// Deadlines that are all the same time ahead when they are set, so that a queue keeps them in order. After a change of that time
/// those that were set before it still go first.
struct DeadlineQueue<Element> {
    private var entries = FIFO<(deadline: UInt64, element: Element)>()
    /// In nanoseconds.
    var delay: UInt64

    init(delay: Duration) { self.delay = delay.nanoseconds }

    mutating func schedule(_ element: Element, now: UInt64) { entries.append((now + delay, element)) }

    /// The next element whose deadline has passed.
    mutating func popDue(now: UInt64) -> Element? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        entries.popFirst()
        return first.element
    }
}
