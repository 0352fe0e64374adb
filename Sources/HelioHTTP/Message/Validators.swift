/// What a request's conditions are measured by: the entity tag of the selected representation, and when it last changed
/// (RFC 9110 section 13).
///
/// ```swift
/// let validators = Validators(entityTag: EntityTag("v7"))
/// switch validators.evaluate(exchange.headers, method: exchange.method, now: HTTPDate(secondsSince1970: 0)) {
/// case .met: exchange.respond(.ok, contentType: "text/plain", "version 7")
/// case .notModified: exchange.respond(.notModified)
/// case .failed: exchange.respond(.preconditionFailed)
/// }
/// ```
public struct Validators: Sendable {
    public var entityTag: EntityTag?
    public var lastModified: HTTPDate?

    public init(entityTag: EntityTag? = nil, lastModified: HTTPDate? = nil) {
        self.entityTag = entityTag
        self.lastModified = lastModified
    }

    /// What a request's conditions have come to.
    public enum Outcome: Hashable, Sendable {
        /// The request is to be done.
        case met
        /// Answer 304.
        case notModified
        /// Answer 412.
        case failed
    }

    /// Evaluates `if-match`, `if-unmodified-since`, `if-none-match` and `if-modified-since` in the order of section 13.2.2.
    /// A date that cannot be read is no condition; a list of tags that cannot be read names none.
    public func evaluate(_ headers: HeaderBlock, method: Method, now: HTTPDate) -> Outcome {
        let reads = method == .get || method == .head
        if headers.has("if-match") {
            guard isNamed(in: headers.values(of: "if-match"), weakly: false) else { return .failed }
        } else if let date = date(headers["if-unmodified-since"], now), let lastModified, lastModified > date {
            return .failed
        }
        if headers.has("if-none-match") {
            guard isNamed(in: headers.values(of: "if-none-match"), weakly: true) else { return .met }
            return reads ? .notModified : .failed
        }
        if reads, let date = date(headers["if-modified-since"], now), let lastModified, lastModified <= date {
            return .notModified
        }
        return .met
    }

    /// Whether `if-range` lets a `range` be answered with a part (section 13.1.5). Without one it may.
    ///
    /// A date does only where the tag is a strong one: the file has not changed within the second that the date stands for.
    public func allowsRange(_ headers: HeaderBlock) -> Bool {
        guard let condition = headers["if-range"] else { return true }
        guard let entityTag, !entityTag.isWeak else { return false }
        return entityTag.isExactly(condition) || condition == lastModified?.description
    }

    private func isNamed(in lists: [String], weakly: Bool) -> Bool {
        if let entityTag { return lists.contains { entityTag.isNamed(in: $0, weakly: weakly) } }
        return lists == ["*"]
    }

    private func date(_ text: String?, _ now: HTTPDate) -> HTTPDate? {
        text.flatMap { HTTPDate(parsing: $0, now: now) }
    }
}
