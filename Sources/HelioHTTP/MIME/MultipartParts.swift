/// The parts of a request's body as an asynchronous sequence; see ``Exchange/parts(limits:)``.
public struct MultipartParts: AsyncSequence {
    let exchange: Exchange
    let limits: MultipartLimits

    public struct AsyncIterator: AsyncIteratorProtocol {
        let reader: PartReader

        public mutating func next() async throws -> MultipartPart? { try await reader.nextPart() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> MultipartPart? {
            try await reader.nextPart()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: PartReader(exchange, limits)) }
}

/// The data of a part as an asynchronous sequence of chunks; see ``MultipartPart/body``.
public struct PartBody: AsyncSequence {
    let part: MultipartPart

    public struct AsyncIterator: AsyncIteratorProtocol {
        let part: MultipartPart

        public mutating func next() async throws -> [UInt8]? { try await part.nextChunk() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try await part.nextChunk()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(part: part) }
}

extension Exchange {
    /// The parts of the request's body as they come, each to be read before the next is asked for. What is not read of a part
    /// is passed over; the peer may send more as it is taken. Once.
    ///
    /// ```swift
    /// for try await part in exchange.parts() {
    ///     for try await chunk in part.body { print(part.name ?? "", chunk.count) }
    /// }
    /// exchange.respond(.noContent)
    /// ```
    ///
    /// A part that has parts comes first, and they after it. Throws ``MultipartError`` (an async handler that lets it through
    /// answers as ``refuse(_:)`` does) or ``ExchangeError``.
    public func parts(limits: MultipartLimits = MultipartLimits()) -> MultipartParts {
        MultipartParts(exchange: self, limits: limits)
    }
}

/// Of a part that came by ``Exchange/parts(limits:)``.
extension MultipartPart {
    /// The part's data, decoded, a chunk at a time.
    public var body: PartBody { PartBody(part: self) }

    /// The next chunk of the part's data, or nil at its end, or when the next part has been asked for.
    nonisolated(nonsending) public func nextChunk() async throws -> [UInt8]? {
        guard !isComplete, let reader else { return nil }
        return try await reader.nextChunk(of: self)
    }

    /// All of the part's data.
    ///
    /// - Throws: ``MultipartError/partTooLarge(limit:)`` past `limit` bytes.
    nonisolated(nonsending) public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let chunk = try await nextChunk() {
            guard all.count + chunk.count <= limit else { throw MultipartError.partTooLarge(limit: limit) }
            if all.isEmpty { all = chunk } else { all += chunk }
        }
        return all
    }
}

/// Pulls a request's body for a task that reads its parts: one event of the parser at a time.
final class PartReader: MultipartConsumer {
    private let exchange: Exchange
    private let limits: MultipartLimits
    private var parser: MultipartParser?
    /// What has come of the body, and how much of it the parser has taken.
    private var chunk: [UInt8] = []
    private var offset = 0
    private var isFinished = false
    /// The part whose data is wanted: that of others is passed over.
    private var wanted: MultipartPart?
    // The last event.
    private var began: MultipartPart?
    private var data: [UInt8] = []

    init(_ exchange: Exchange, _ limits: MultipartLimits) {
        self.exchange = exchange
        self.limits = limits
        exchange.pullBody()
    }

    nonisolated(nonsending) func nextPart() async throws -> MultipartPart? {
        while began == nil {
            guard try await advance() else { return nil }
        }
        defer { began = nil }
        return began
    }

    nonisolated(nonsending) func nextChunk(of part: MultipartPart) async throws -> [UInt8]? {
        wanted = part
        defer { wanted = nil }
        while !part.isComplete, began == nil, try await advance() {
            if !data.isEmpty { return data }
        }
        return nil
    }

    /// Goes on by one event.
    ///
    /// - Returns: false at the end of the body.
    nonisolated(nonsending) private func advance() async throws -> Bool {
        guard !isFinished else { return false }
        let parser = try parser ?? MultipartParser(contentType: exchange.multipartType(limits), limits: limits)
        self.parser = parser
        if offset == chunk.count {
            offset = 0
            chunk = []
            guard let next = try await exchange.nextChunk() else {
                try parser.finish()
                isFinished = true
                return false
            }
            chunk = next
        }
        data = []
        try feed(parser)
        return true
    }

    private func feed(_ parser: MultipartParser) throws(MultipartError) {
        let rest = chunk[offset...]
        unsafe offset += try parser.receive(rest.span.bytes, for: self)
    }

    func partBegan(_ part: MultipartPart) {
        part.reader = self
        began = part
        parser?.pause()
    }

    func partData(_ part: MultipartPart, _ data: RawSpan) {
        if part === wanted { unsafe data.withUnsafeBytes { unsafe self.data.append(contentsOf: $0) } }
        parser?.pause()
    }

    func partEnded(_ part: MultipartPart) { parser?.pause() }
}
