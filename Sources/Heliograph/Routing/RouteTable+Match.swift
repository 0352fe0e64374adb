internal import Glibc
internal import HelioHTTP

extension RouteTable {
    /// The route for a request; `parameters` gets the places of its values.
    func match(_ path: RawSpan, _ method: Method, _ parameters: inout PathParameters) -> Match {
        unsafe path.withUnsafeBytes { path in
            guard unsafe path.first == UInt8(ascii: "/") else { return .nothing }
            var search = unsafe Search(path: path, method: methods.code(of: method))
            // HEAD is a GET without its content (RFC 9110 section 9.3.2), and what is a GET with Upgrade elsewhere is a CONNECT
            // that has a path over HTTP/2 (RFC 8441 section 4).
            if search.method == RouteMethods.head || search.method == RouteMethods.connect {
                search.substitute = RouteMethods.get
            }
            let route = walk(0, from: 1, &search)
            parameters = search.parameters
            if route >= 0 { return .route(Int(route)) }
            return search.endpoint < 0 ? .nothing : .otherMethods(search.methods, endpoint: Int(search.endpoint))
        }
    }

    /// What one search has found out so far.
    @safe private struct Search {
        let path: UnsafeRawBufferPointer
        var count: Int { unsafe path.count }
        let method: UInt8
        /// A method whose route will do where there is none for the first.
        var substitute = RouteMethods.unknown
        var parameters = PathParameters()
        /// The first endpoint that the path led to, and the methods of all of them.
        var endpoint: Int32 = -1
        var methods: UInt64 = 0
    }

    /// The route for what follows `start`, where a segment begins; -1 when there is none.
    private func walk(_ index: Int32, from start: Int, _ search: inout Search) -> Int32 {
        let node = nodes[Int(index)]
        var end = start
        while end < search.count, unsafe search.path[end] != UInt8(ascii: "/") { end += 1 }
        let literal = unsafe edge(of: node, UnsafeRawBufferPointer(rebasing: search.path[start..<end]))
        if literal >= 0 {
            let route = enter(literal, at: end, &search)
            if route >= 0 { return route }
        }
        if node.parameter >= 0, end > start {
            search.parameters.append(start..<end)
            let route = enter(node.parameter, at: end, &search)
            if route >= 0 { return route }
            search.parameters.removeLast()
        }
        if node.wildcard >= 0 {
            search.parameters.append(start..<search.count)
            let route = choose(node.wildcard, &search)
            if route >= 0 { return route }
            search.parameters.removeLast()
        }
        return -1
    }

    /// The route behind a segment that ends at `end`.
    private func enter(_ index: Int32, at end: Int, _ search: inout Search) -> Int32 {
        if end < search.count { return walk(index, from: end + 1, &search) }
        let endpoint = nodes[Int(index)].endpoint
        return endpoint < 0 ? -1 : choose(endpoint, &search)
    }

    /// The endpoint's route for the method.
    private func choose(_ index: Int32, _ search: inout Search) -> Int32 {
        let endpoint = endpoints[Int(index)]
        var substitute: Int32 = -1
        for (method, route) in endpoint.routes {
            if method == search.method { return route }
            if method == search.substitute { substitute = route }
        }
        if substitute >= 0 { return substitute }
        if endpoint.any >= 0 { return endpoint.any }
        if search.endpoint < 0 { search.endpoint = index }
        search.methods |= endpoint.methods
        return -1
    }

    /// The node behind a literal segment; -1 when the node has no such one.
    private func edge(of node: Node, _ segment: UnsafeRawBufferPointer) -> Int32 {
        var low = Int(node.firstEdge)
        var high = low + Int(node.edgeCount)
        while low < high {
            let middle = (low + high) / 2
            let edge = edges[middle]
            var order = Int(edge.length) - segment.count
            if order == 0, let bytes = segment.baseAddress {
                order = unsafe text.withUnsafeBytes { unsafe compare($0, edge, bytes) }
            }
            if order == 0 { return edge.node }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return -1
    }

    private func compare(_ text: UnsafeRawBufferPointer, _ edge: Edge, _ bytes: UnsafeRawPointer) -> Int {
        guard edge.length > 0, let base = text.baseAddress else { return 0 }
        return unsafe Int(memcmp(base + Int(edge.offset), bytes, Int(edge.length)))
    }
}
