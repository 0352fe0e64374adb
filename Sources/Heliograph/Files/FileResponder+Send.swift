internal import HelioHTTP
internal import HelioReactor

/// What is said of a file that is there, and which of its bytes are sent.
extension FileResponder {
    func send(_ file: ServedFile, _ exchange: Exchange) {
        guard !exchange.isClosed else { return }
        let variant = variant(of: file, for: exchange)
        let validators = Validators(entityTag: variant.entityTag, lastModified: file.lastModified)
        describe(file, variant, exchange)
        switch validators.evaluate(exchange.headers, method: exchange.method, now: Self.now) {
        case .failed: exchange.respond(.preconditionFailed)
        case .notModified: exchange.respond(.notModified)
        case .met:
            if let coding = variant.coding { exchange.addHeader("content-encoding", coding.rawValue) }
            exchange.addHeader("accept-ranges", "bytes")
            switch ranges(of: variant, exchange, validators) {
            case .parts(let parts): send(parts, of: variant, file, exchange)
            case .unsatisfiable:
                exchange.removeHeader("content-encoding")
                exchange.addHeader("content-range", "bytes */\(variant.size)")
                exchange.respond(.rangeNotSatisfiable)
            case .whole, .tooMany:
                respond(exchange, .ok, file.contentType, variant, 0..<variant.size)
            }
        }
    }

    private static var now: HTTPDate { HTTPDate(secondsSince1970: unixTime()) }

    /// The form that the client likes most.
    private func variant(of file: ServedFile, for exchange: Exchange) -> ServedFile.Variant {
        guard !file.encoded.isEmpty, let accept = AcceptEncoding(exchange.headers),
            let coding = accept.best(of: file.codings)
        else { return file.plain }
        return file.encoded.first { $0.coding?.rawValue == coding } ?? file.plain
    }

    /// The fields that 200, 206 and 304 share (RFC 9110 section 15.4.5).
    private func describe(_ file: ServedFile, _ variant: ServedFile.Variant, _ exchange: Exchange) {
        exchange.addHeader("etag", variant.entityTag.description)
        exchange.addHeader("last-modified", file.lastModifiedText)
        if let cacheControl = root.options.cacheControl { exchange.addHeader("cache-control", cacheControl) }
        if !file.encoded.isEmpty { exchange.addHeader("vary", "accept-encoding") }
    }

    /// Only GET has ranges (RFC 9110 section 14.2).
    private func ranges(
        of variant: ServedFile.Variant, _ exchange: Exchange, _ validators: Validators
    ) -> ByteRanges {
        guard exchange.method == .get, let field = exchange.headers["range"], validators.allowsRange(exchange.headers)
        else { return .whole }
        let ranges = ByteRanges.select(field, of: variant.size, atMost: root.options.maxRanges)
        if ranges == .tooMany { exchange.count(.byteRanges) }
        return ranges
    }

    private func send(
        _ parts: [Range<Int>], of variant: ServedFile.Variant, _ file: ServedFile, _ exchange: Exchange
    ) {
        if parts.count == 1 {
            exchange.addHeader("content-range", Self.contentRange(parts[0], of: variant))
            return respond(exchange, .partialContent, file.contentType, variant, parts[0])
        }
        let boundary = Self.boundary
        var sources: [any BodySource] = []
        for part in parts {
            let head = """
                \(sources.isEmpty ? "" : "\r\n")--\(boundary)\r\ncontent-type: \(file.contentType)\r\n\
                content-range: \(Self.contentRange(part, of: variant))\r\n\r\n
                """
            sources.append(BytesBody(Array(head.utf8)))
            sources.append(source(of: variant, part, exchange))
        }
        sources.append(BytesBody(Array("\r\n--\(boundary)--\r\n".utf8)))
        exchange.respond(
            .partialContent, contentType: "multipart/byteranges; boundary=\(boundary)", reading: SequenceBody(sources))
    }

    /// What no file holds but by a chance of one in 2^128.
    private static var boundary: String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private static func contentRange(_ range: Range<Int>, of variant: ServedFile.Variant) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(variant.size)"
    }

    private func respond(
        _ exchange: Exchange, _ status: Status, _ type: String, _ variant: ServedFile.Variant, _ range: Range<Int>
    ) {
        switch variant.contents {
        case .memory(let bytes):
            let isWhole = range.count == bytes.count
            exchange.respond(status, contentType: type, bytes: isWhole ? bytes : Array(bytes[range]))
        case .open(let file):
            exchange.respond(status, contentType: type, reading: FileBody(file, range, on: loop))
        }
    }

    private func source(
        of variant: ServedFile.Variant, _ range: Range<Int>, _ exchange: Exchange
    ) -> any BodySource {
        switch variant.contents {
        case .memory(let bytes): BytesBody(Array(bytes[range]))
        case .open(let file): FileBody(file, range, on: loop)
        }
    }
}
