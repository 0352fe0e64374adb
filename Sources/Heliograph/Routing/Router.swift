public import HelioHTTP
public import HelioReactor
public import Logging

/// A handler that gives each request to the route that its path and method name. One for each loop.
///
/// A pattern is literal segments, parameters (`{id}`: one segment that is not empty) and at its end perhaps a wildcard
/// (`{path...}`: the rest, which may be empty). A literal goes before a parameter, a parameter before a wildcard. A path is
/// matched as it was sent: no escape is decoded, no slashes are merged, no dots resolved, and a slash at the end counts.
///
/// A path with routes for other methods only is answered with 405 and `allow`; HEAD goes to the route of GET, and so does
/// the CONNECT that opens a WebSocket over HTTP/2; OPTIONS without a route is answered with 204 and `allow`; all else with
/// 404. Matching allocates nothing.
///
/// ```swift
/// let server = Server { loop in
///     Router(on: loop) { routes in
///         routes.get("/") { exchange in exchange.respond(.ok, contentType: "text/plain", "Welcome") }
///         routes.get("/users/{id}") { exchange in
///             guard let id = exchange.parameter("id", as: Int.self) else { return _ = exchange.respond(.notFound) }
///             exchange.respond(.ok, contentType: "text/plain", "user \(id)")
///         }
///         routes.post("/notes") { exchange in
///             let note = try await exchange.collectBody(upTo: 1 << 16)
///             exchange.respond(.created, contentType: "text/plain", "\(note.count) bytes")
///         }
///     }
/// }
/// ```
public final class Router: Handler {
    private let table: RouteTable
    private let routes: ContiguousArray<Routes.Route>
    /// What answers OPTIONS at each endpoint.
    private let options: ContiguousArray<any Handler>
    private let fallback: (any Handler)?
    private let otherMethods: (any Handler)?

    /// Makes the routes, once. Two that take the same requests, or a pattern that is none, end the process with a message
    /// that says which.
    ///
    /// - Parameters:
    ///   - loop: where its async closures run.
    ///   - logger: what they throw is logged there.
    ///   - define: adds the routes.
    public init(on loop: EventLoop, logger: Logger = Logger(label: "heliograph"), _ define: (Routes) -> Void) {
        let all = RouteList(loop: loop, logger: logger)
        define(Routes(all))
        table = all.tree.table()
        routes = ContiguousArray(all.routes)
        fallback = all.fallback
        otherMethods = all.otherMethods
        let automatic = AutomaticOptions(table)
        options = ContiguousArray(
            all.tree.endpoints.map { endpoint in
                guard let route = endpoint.routes.first?.route else { return automatic }
                return all.routes[Int(route)].wrap(automatic)
            })
    }

    public func request(_ exchange: Exchange) {
        var parameters = PathParameters()
        switch exchange.withPath({ table.match($0, exchange.method, &parameters) }) {
        case .route(let index):
            let route = routes[index]
            if parameters.count > 0 {
                parameters.names = route.names
                exchange.setParameters(parameters)
            }
            exchange.hand(to: route.handler)
        case .otherMethods(_, let endpoint) where exchange.method == .options:
            exchange.hand(to: options[endpoint])
        case .otherMethods(let methods, _):
            exchange.addHeader("allow", table.methods.allow(methods))
            if let otherMethods { exchange.hand(to: otherMethods) } else { exchange.respond(.methodNotAllowed) }
        case .nothing:
            if let fallback { exchange.hand(to: fallback) } else { exchange.respond(.notFound) }
        }
    }
}

/// Answers OPTIONS where no route does (RFC 9110 section 9.3.7).
private final class AutomaticOptions: Handler {
    private let table: RouteTable

    init(_ table: RouteTable) { self.table = table }

    func request(_ exchange: Exchange) {
        var parameters = PathParameters()
        if case .otherMethods(let methods, _) = exchange.withPath({ table.match($0, .options, &parameters) }) {
            exchange.addHeader("allow", table.methods.allow(methods))
        }
        exchange.respond(.noContent)
    }
}
