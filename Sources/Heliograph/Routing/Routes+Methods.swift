public import HelioHTTP

/// The methods that routes mostly have. Each takes a handler, a closure that runs on the loop and must not block, or an async
/// closure (see ``AsyncHandler``).
extension Routes {
    /// A handler for GET, and HEAD unless that has a route of its own; also the CONNECT that opens a WebSocket over HTTP/2.
    public func get(_ pattern: String, _ handler: any Handler) { on(.get, pattern, handler) }

    /// A closure for GET.
    public func get(_ pattern: String, _ body: @escaping (Exchange) -> Void) { on(.get, pattern, body) }

    /// An async closure for GET.
    @_disfavoredOverload
    public func get(_ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void) {
        on(.get, pattern, body)
    }

    /// A handler for POST.
    public func post(_ pattern: String, _ handler: any Handler) { on(.post, pattern, handler) }

    /// A closure for POST.
    public func post(_ pattern: String, _ body: @escaping (Exchange) -> Void) { on(.post, pattern, body) }

    /// An async closure for POST.
    @_disfavoredOverload
    public func post(_ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void) {
        on(.post, pattern, body)
    }

    /// A handler for PUT.
    public func put(_ pattern: String, _ handler: any Handler) { on(.put, pattern, handler) }

    /// A closure for PUT.
    public func put(_ pattern: String, _ body: @escaping (Exchange) -> Void) { on(.put, pattern, body) }

    /// An async closure for PUT.
    @_disfavoredOverload
    public func put(_ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void) {
        on(.put, pattern, body)
    }

    /// A handler for PATCH.
    public func patch(_ pattern: String, _ handler: any Handler) { on(.patch, pattern, handler) }

    /// A closure for PATCH.
    public func patch(_ pattern: String, _ body: @escaping (Exchange) -> Void) { on(.patch, pattern, body) }

    /// An async closure for PATCH.
    @_disfavoredOverload
    public func patch(_ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void) {
        on(.patch, pattern, body)
    }

    /// A handler for DELETE.
    public func delete(_ pattern: String, _ handler: any Handler) { on(.delete, pattern, handler) }

    /// A closure for DELETE.
    public func delete(_ pattern: String, _ body: @escaping (Exchange) -> Void) { on(.delete, pattern, body) }

    /// An async closure for DELETE.
    @_disfavoredOverload
    public func delete(_ pattern: String, _ body: @escaping @Sendable (Exchange) async throws -> Void) {
        on(.delete, pattern, body)
    }
}
