import Heliograph

final class Hello: Handler {
    func request(_ exchange: Exchange) {
        guard exchange.pathIs("/") else {
            exchange.respond(.notFound)
            return
        }
        exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
    }
}

do {
    let server = Server(ServerConfiguration(host: "localhost", port: 8443)) { _ in Hello() }
    print("Hello is at https://localhost:8443 (Ctrl-C ends it)")
    try await server.run()
} catch {
    print(error)
}
