import Heliograph

/// Handlers inside of others: `/request-id`, `/cors` and `/deadline`.
func addWrapped(to router: Routes, _ context: RouteContext) {
    let loop = context.loop
    router.group(through: [{ RequestID(wrapping: $0) }]) { identified in
        identified.get("/request-id") { exchange in
            exchange.respond(.ok, contentType: "text/plain", "\(exchange.requestID ?? "")\n")
        }
    }
    let origins = CORS.Origins.list(["https://app.example", "https://localhost:8443"])
    let sharing: Middleware = { next in
        CORS(origins, allowsCredentials: true, exposed: ["x-cors"], maxAge: .seconds(600), wrapping: next)
    }
    router.group(through: [sharing]) { shared in
        shared.on(nil, "/cors") { exchange in
            exchange.addHeader("x-cors", "readable")
            exchange.respond(.ok, contentType: "text/plain", "shared\n")
        }
    }
    let bounding: Middleware = { next in
        Timeout(.milliseconds(200), answering: .gatewayTimeout, on: loop, wrapping: next)
    }
    router.group(through: [bounding]) { bounded in
        bounded.get("/deadline") { exchange in
            let milliseconds = min(max(exchange.queryNumber("ms") ?? 0, 0), 60_000)
            if exchange.query?.contains("begun") == true { exchange.start(.ok, contentType: "text/plain") }
            try await loop.sleep(for: .milliseconds(milliseconds))
            guard !exchange.isResponseStarted else { return }
            exchange.respond(.ok, contentType: "text/plain", "in time\n")
        }
    }
}
