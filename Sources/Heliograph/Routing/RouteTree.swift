internal import HelioHTTP

/// Routes while they are added: a tree of segments, of which a ``RouteTable`` is made.
struct RouteTree {
    private struct Node {
        var literals: [(segment: [UInt8], node: Int)] = []
        var parameter: Int?
        var wildcard: Int?
        var endpoint: Int?
    }

    private var nodes = [Node()]
    private(set) var methods = RouteMethods()
    private(set) var endpoints: [RouteTable.Endpoint] = []
    /// The pattern of each route, by its number.
    private var patterns: [String] = []

    /// Adds a route; the first is number 0. `method` nil: it takes the methods that have no route there.
    ///
    /// - Throws: when there is a route for the same requests already.
    mutating func add(_ pattern: RoutePattern, _ method: Method?) throws(RouteError) {
        let route = Int32(patterns.count)
        let place = endpoint(of: pattern)
        let code = method.map { methods.add($0) } ?? RouteMethods.any
        let earlier =
            method == nil
            ? (endpoints[place].any >= 0 ? endpoints[place].any : nil)
            : endpoints[place].routes.first { $0.method == code }?.route
        if let earlier {
            throw .conflict(
                method: methods.name(of: code), pattern: pattern.text, earlier: patterns[Int(earlier)])
        }
        patterns.append(pattern.text)
        if method == nil {
            endpoints[place].any = route
        } else {
            endpoints[place].routes.append((code, route))
            endpoints[place].methods |= 1 << UInt64(code)
        }
    }

    private mutating func endpoint(of pattern: RoutePattern) -> Int {
        var current = 0
        for segment in pattern.segments {
            switch segment {
            case .literal(let bytes):
                if let known = nodes[current].literals.first(where: { $0.segment == bytes }) {
                    current = known.node
                } else {
                    nodes[current].literals.append((bytes, nodes.count))
                    current = addNode()
                }
            case .parameter:
                if nodes[current].parameter == nil { nodes[current].parameter = nodes.count }
                current = nodes[current].parameter.map { $0 < nodes.count ? $0 : addNode() } ?? current
            case .wildcard:
                if let known = nodes[current].wildcard { return known }
                nodes[current].wildcard = endpoints.count
                endpoints.append(RouteTable.Endpoint())
                return endpoints.count - 1
            }
        }
        if let known = nodes[current].endpoint { return known }
        nodes[current].endpoint = endpoints.count
        endpoints.append(RouteTable.Endpoint())
        return endpoints.count - 1
    }

    private mutating func addNode() -> Int {
        nodes.append(Node())
        return nodes.count - 1
    }

    /// The tree as a table, which does not change any more.
    func table() -> RouteTable {
        var table = RouteTable()
        table.methods = methods
        table.endpoints = ContiguousArray(endpoints)
        for node in nodes {
            let sorted = node.literals.sorted { one, other in
                one.segment.count == other.segment.count
                    ? one.segment.lexicographicallyPrecedes(other.segment)
                    : one.segment.count < other.segment.count
            }
            var flat = RouteTable.Node()
            flat.firstEdge = Int32(table.edges.count)
            flat.edgeCount = Int32(sorted.count)
            flat.parameter = Int32(node.parameter ?? -1)
            flat.wildcard = Int32(node.wildcard ?? -1)
            flat.endpoint = Int32(node.endpoint ?? -1)
            table.nodes.append(flat)
            for (segment, next) in sorted {
                table.edges.append(
                    RouteTable.Edge(
                        offset: Int32(table.text.count), length: Int32(segment.count), node: Int32(next)))
                table.text.append(contentsOf: segment)
            }
        }
        return table
    }
}
