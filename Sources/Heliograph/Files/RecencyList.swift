/// Values by name, in the order of their last use. All in constant time.
struct RecencyList<Value> {
    private struct Node {
        var name: String
        var value: Value?
        var newer: Int
        var older: Int
    }

    private var places: [String: Int] = [:]
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1

    var count: Int { places.count }

    /// The value of that name, which is now the last one used.
    mutating func use(_ name: String) -> Value? {
        guard let place = places[name] else { return nil }
        if place != newest {
            unlink(place)
            linkNewest(place)
        }
        return nodes[place].value
    }

    /// Adds a value; answers the one that had its name.
    @discardableResult
    mutating func insert(_ name: String, _ value: Value) -> Value? {
        let earlier = remove(name)
        let node = Node(name: name, value: value, newer: -1, older: -1)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            nodes[place] = node
        } else {
            place = nodes.count
            nodes.append(node)
        }
        places[name] = place
        linkNewest(place)
        return earlier
    }

    @discardableResult
    mutating func remove(_ name: String) -> Value? {
        guard let place = places.removeValue(forKey: name) else { return nil }
        unlink(place)
        free.append(place)
        defer {
            nodes[place].value = nil
            nodes[place].name = ""
        }
        return nodes[place].value
    }

    /// Takes out what was used longest ago.
    mutating func removeOldest() -> Value? {
        oldest < 0 ? nil : remove(nodes[oldest].name)
    }

    private mutating func linkNewest(_ place: Int) {
        nodes[place].newer = -1
        nodes[place].older = newest
        if newest >= 0 { nodes[newest].newer = place }
        newest = place
        if oldest < 0 { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (nodes[place].newer, nodes[place].older)
        if newer >= 0 { nodes[newer].older = older } else { newest = older }
        if older >= 0 { nodes[older].newer = newer } else { oldest = newer }
    }
}
