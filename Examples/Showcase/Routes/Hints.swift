import Heliograph

/// What a page needs, ahead of it: `/early-hints` tells of it, `/push` brings it along.
func addHints(to router: Routes, _ context: RouteContext) {
    let loop = context.loop
    let page = "<!doctype html><link rel=stylesheet href=/push/style.css><p>A page with a style sheet.\n"
    router.get("/early-hints") { exchange in
        exchange.sendInformational(.earlyHints, headers: [("link", "</push/style.css>; rel=preload; as=style")])
        // The page takes its time; the client fetches the style sheet meanwhile.
        try await loop.sleep(for: .milliseconds(50))
        exchange.respond(.ok, contentType: "text/html", page)
    }
    router.get("/push") { exchange in
        // More than one may be asked for, to see where it ends.
        let wanted = min(max(exchange.queryNumber("n") ?? 1, 0), 1000)
        let pushed = (0..<wanted).count { number in
            let query = number == 0 ? "" : "?\(number)"
            return exchange.push("/push/style.css" + query, headers: [("accept", "text/css")])
        }
        exchange.addHeader("x-pushed", "\(pushed)")
        exchange.respond(.ok, contentType: "text/html", page)
    }
    router.get("/push/style.css") { exchange in
        exchange.addHeader("cache-control", "max-age=60")
        exchange.respond(.ok, contentType: "text/css", "p { font-family: sans-serif }\n")
    }
}

/// The priority that a request has, and one that the handler gives it: `/priority`.
func addPriority(to router: Routes) {
    router.get("/priority") { exchange in
        if let urgency = exchange.queryNumber("urgency") {
            exchange.setPriority(Priority(urgency: urgency, incremental: exchange.priority.isIncremental))
        }
        let (urgency, isIncremental) = (exchange.priority.urgency, exchange.priority.isIncremental)
        let answer = "{\"urgency\":\(urgency),\"incremental\":\(isIncremental)}\n"
        let count = min(max(exchange.queryNumber("bytes") ?? 0, 0), 1 << 24)
        exchange.respond(
            .ok, contentType: "application/json",
            bytes: Array(answer.utf8) + [UInt8](repeating: UInt8(ascii: "\n"), count: count))
    }
}
