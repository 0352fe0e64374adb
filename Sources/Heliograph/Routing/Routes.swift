public import HelioHTTP
internal import HelioReactor
internal import Logging

/// A handler in front of another one, made of it: what wraps the handlers of a group of routes.
///
/// ```swift
/// let identified: Middleware = { next in RequestID(wrapping: next) }
/// ```
public typealias Middleware = (_ next: any Handler) -> any Handler

/// The routes of a ``Router`` while it is made, or a group of them.
///
/// ```swift
/// let router = Router(on: loop) { routes in
///     routes.group("/api") { api in
///         api.get("/status") { exchange in exchange.respond(.noContent) }
///     }
/// }
/// ```
public final class Routes {
    private let list: RouteList
    private let prefix: String
    private let middleware: [Middleware]

    struct Route {
        let handler: any Handler
        let names: [String]
        let middleware: [Middleware]

        /// Puts the route's middleware around a handler, the first of it outermost.
        func wrap(_ handler: any Handler) -> any Handler {
            middleware.reversed().reduce(handler) { $1($0) }
        }
    }

    init(_ list: RouteList, prefix: String = "", middleware: [Middleware] = []) {
        self.list = list
        self.prefix = prefix
        self.middleware = middleware
    }

    /// Routes whose patterns begin with a prefix, and whose handlers are wrapped.
    ///
    /// - Parameters:
    ///   - prefix: as `/api`, or nothing; it may have parameters, which count among the route's.
    ///   - middleware: the first is outermost. It is made anew for each route, and goes around the group's own.
    ///   - define: adds the routes.
    public func group(_ prefix: String = "", through middleware: [Middleware] = [], _ define: (Routes) -> Void) {
        define(Routes(list, prefix: self.prefix + prefix, middleware: self.middleware + middleware))
    }

    /// The handler of a method and a pattern. `method` nil takes every method that has no route of its own there.
    public func on(_ method: Method?, _ pattern: String, _ handler: any Handler) {
        list.add(method, prefix + pattern, handler, middleware)
    }

    /// A closure for a method and a pattern; it runs on the loop and must not block.
    public func on(_ method: Method?, _ pattern: String, _ body: @escaping (Exchange) -> Void) {
        on(method, pattern, ClosureHandler(body))
    }

    /// An async closure for a method and a pattern; see ``AsyncHandler``.
    @_disfavoredOverload
    public func on(
        _ method: Method?, _ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void
    ) {
        on(method, pattern, AsyncHandler(loop: list.loop, logger: list.logger, body))
    }

    /// What answers where no route matches, instead of a bare 404. The group's prefix and middleware do not matter to it.
    public func otherwise(_ handler: any Handler) { list.fallback = handler }

    /// As ``otherwise(_:)-(Handler)``, a closure.
    public func otherwise(_ body: @escaping (Exchange) -> Void) { otherwise(ClosureHandler(body)) }

    /// What answers where routes match the path for other methods only, instead of a bare 405 (RFC 9110 section 15.5.6). The
    /// field `allow` is added already. The group's prefix and middleware do not matter to it.
    public func methodNotAllowed(_ handler: any Handler) { list.otherMethods = handler }

    /// As ``methodNotAllowed(_:)-(Handler)``, a closure.
    public func methodNotAllowed(_ body: @escaping (Exchange) -> Void) { methodNotAllowed(ClosureHandler(body)) }
}

/// What the groups of one router add to.
final class RouteList {
    let loop: EventLoop
    let logger: Logger
    private(set) var tree = RouteTree()
    private(set) var routes: [Routes.Route] = []
    var fallback: (any Handler)?
    var otherMethods: (any Handler)?

    init(loop: EventLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
    }

    func add(_ method: Method?, _ text: String, _ handler: any Handler, _ middleware: [Middleware]) {
        do throws(RouteError) {
            let pattern = try RoutePattern(text)
            try tree.add(pattern, method)
            let bare = Routes.Route(handler: handler, names: pattern.names, middleware: middleware)
            routes.append(Routes.Route(handler: bare.wrap(handler), names: pattern.names, middleware: middleware))
        } catch {
            // A precondition would say nothing in a release build.
            fatalError("\(error)")
        }
    }
}

/// A closure as a handler.
final class ClosureHandler: Handler {
    private let body: (Exchange) -> Void

    init(_ body: @escaping (Exchange) -> Void) { self.body = body }

    func request(_ exchange: Exchange) { body(exchange) }
}
