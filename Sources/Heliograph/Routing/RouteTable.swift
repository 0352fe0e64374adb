internal import HelioHTTP

/// Which route takes a path and a method: a tree of segments, laid out in arrays.
///
/// It matches the bytes of the path as they came: nothing is decoded, no slashes are merged, no dots resolved. A literal
/// goes before a parameter, and a parameter before a wildcard; where the better way turns out a dead end, or has no route
/// for the method, the next one is tried. Each node of the tree stands for one place of a pattern and is visited at most
/// once, whatever the path is.
struct RouteTable {
    /// One place in patterns. -1: there is none.
    struct Node {
        var firstEdge: Int32 = 0
        var edgeCount: Int32 = 0
        /// The node behind a parameter.
        var parameter: Int32 = -1
        /// The endpoint of a wildcard that begins here.
        var wildcard: Int32 = -1
        /// The endpoint of patterns that end here.
        var endpoint: Int32 = -1
    }

    /// A literal segment that leads to another node. Those of a node lie together, shorter before longer and then by bytes.
    struct Edge {
        var offset: Int32
        var length: Int32
        var node: Int32
    }

    /// Where patterns end: the routes that are there, by method.
    struct Endpoint {
        /// The method's number and the route.
        var routes: [(method: UInt8, route: Int32)] = []
        /// Methods that have a route here, as bits.
        var methods: UInt64 = 0
        /// The route of all other methods.
        var any: Int32 = -1
    }

    enum Match: Equatable {
        case route(Int)
        /// There are routes for the path, but for these methods only. `endpoint` is the first that the path leads to.
        case otherMethods(UInt64, endpoint: Int)
        case nothing
    }

    var nodes: ContiguousArray<Node> = []
    var edges: ContiguousArray<Edge> = []
    /// The literals' bytes.
    var text: ContiguousArray<UInt8> = []
    var endpoints: ContiguousArray<Endpoint> = []
    var methods = RouteMethods()
}
