internal import Glibc
internal import HelioHTTP

/// What an access log writes of an exchange.
extension LogLine {
    mutating func appendCombined(
        _ exchange: Exchange, _ peer: String, at now: UInt64, by clock: inout WallClock
    ) {
        append(peer)
        append(" - - [")
        clock.appendCommon(now, to: &self)
        append("] \"")
        appendEscaped(exchange.method.rawValue)
        append(UInt8(ascii: " "))
        exchange.withTarget { appendEscaped($0) }
        append(UInt8(ascii: " "))
        append(exchange.version.description)
        append("\" ")
        if let status = exchange.responseStatus {
            append(Int(status.rawValue))
        } else {
            append(UInt8(ascii: "-"))
        }
        append(UInt8(ascii: " "))
        append(exchange.sentBytes)
        appendQuoted(exchange.headers, "referer")
        appendQuoted(exchange.headers, "user-agent")
        append(UInt8(ascii: " "))
        appendDuration(exchange)
        appendQuoted(exchange.responseHeaders, "x-request-id")
    }

    private mutating func appendQuoted(_ fields: HeaderBlock, _ name: String) {
        append(" \"")
        if fields.withValue(of: name, { appendEscaped($0) }) == nil { append(UInt8(ascii: "-")) }
        append(UInt8(ascii: "\""))
    }

    mutating func appendJSON(
        _ exchange: Exchange, _ reason: CloseReason, _ peer: String, at now: UInt64, by clock: inout WallClock
    ) {
        append("{\"time\":\"")
        clock.appendInternet(now, to: &self)
        append("\",\"peer\":\"")
        appendJSON(peer)
        append("\",\"method\":\"")
        appendJSON(exchange.method.rawValue)
        append("\",\"target\":\"")
        exchange.withTarget { appendJSON($0) }
        append("\",\"protocol\":\"")
        append(exchange.version.description)
        append("\",\"status\":")
        if let status = exchange.responseStatus { append(Int(status.rawValue)) } else { append("null") }
        append(",\"bytes\":")
        append(exchange.sentBytes)
        append(",\"duration\":")
        appendDuration(exchange)
        append(",\"referer\":")
        appendJSON(exchange.headers, "referer")
        append(",\"user_agent\":")
        appendJSON(exchange.headers, "user-agent")
        append(",\"request_id\":")
        appendJSON(exchange.responseHeaders, "x-request-id")
        append(",\"end\":\"")
        appendReason(reason)
        append("\"}")
    }

    private mutating func appendJSON(_ fields: HeaderBlock, _ name: String) {
        let isThere: Void? = fields.withValue(of: name) { value in
            append(UInt8(ascii: "\""))
            appendJSON(value)
            append(UInt8(ascii: "\""))
        }
        if isThere == nil { append("null") }
    }

    /// To this moment, and not to the loop's, which stands still for as long as an iteration takes.
    private mutating func appendDuration(_ exchange: Exchange) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        appendSeconds(nanoseconds: now > exchange.receivedAt ? now - exchange.receivedAt : 0)
    }

    private mutating func appendReason(_ reason: CloseReason) {
        switch reason {
        case .finished: append("finished")
        case .connectionLost: append("connection lost")
        case .shutdown: append("shutdown")
        case .reset(let code):
            append("reset ")
            append(Int(code.rawValue))
        case .limit(let name):
            append("limit ")
            append(name.rawValue)
        }
    }
}
