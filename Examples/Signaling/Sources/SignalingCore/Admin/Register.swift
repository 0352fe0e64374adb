/// The members of a changing set in the order in which they came, to go through in pages. A page costs what it holds, however
/// large the set is.
struct Register<Member: Hashable> {
    private var entries: [(number: UInt64, member: Member?)] = []
    private var numbers: [Member: UInt64] = [:]
    private var last: UInt64 = 0

    var count: Int { numbers.count }

    mutating func insert(_ member: Member) {
        guard numbers[member] == nil else { return }
        last += 1
        numbers[member] = last
        entries.append((last, member))
    }

    mutating func remove(_ member: Member) {
        guard let number = numbers.removeValue(forKey: member) else { return }
        entries[index(of: number)].member = nil
        // What is gone takes at most as much room as what is there.
        if entries.count > 64, entries.count > numbers.count * 2 { entries.removeAll { $0.member == nil } }
    }

    /// The first `limit` members that came after the one numbered `number`.
    ///
    /// - Returns: with each its number; and whether there are more.
    func page(after number: UInt64, limit: Int) -> (members: [(number: UInt64, member: Member)], hasMore: Bool) {
        var page: [(number: UInt64, member: Member)] = []
        guard number < UInt64.max else { return (page, false) }
        for entry in entries[index(of: number + 1)...] {
            guard let member = entry.member else { continue }
            guard page.count < limit else { return (page, true) }
            page.append((entry.number, member))
        }
        return (page, false)
    }

    /// Where the first entry of that number or a higher one is.
    private func index(of number: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
