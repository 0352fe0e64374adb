import Heliograph

/// The smallest answers: `/hello`, the same by an async closure, and `/status/{code}`.
func addHello(to router: Routes) {
    router.get("/hello") { exchange in exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
    router.get("/hello/async") { exchange async in
        exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
    }
    router.get("/status/{code}") { exchange in
        guard let code = exchange.parameter("code", as: Int.self), (200...599).contains(code), let status = Status(code)
        else {
            exchange.respond(.notFound)
            return
        }
        exchange.respond(status)
    }
}
