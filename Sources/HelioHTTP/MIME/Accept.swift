/// What media types a client takes, and how gladly (RFC 9110 section 12.5.1).
///
/// ```swift
/// let accept = try Accept(parsing: "text/html, application/json;q=0.9, */*;q=0.1")
/// let type = accept.best(of: [.json, .html])
/// ```
public struct Accept: Hashable, Sendable {
    /// A set of media types: one, all of a type, or all.
    public struct Range: Hashable, Sendable {
        /// In lower case, or `*`.
        public let type: String
        /// In lower case, or `*`.
        public let subtype: String
        /// Those that a media type must have; names in lower case.
        public let parameters: [MediaType.Parameter]

        /// How closely the range fits the type: 0 for all, then all of a type, then one, then with each parameter; nil
        /// when the type is not of the range.
        func specificity(for media: MediaType) -> Int? {
            if type == "*" { return parameters.isEmpty ? 0 : nil }
            guard type == media.type else { return nil }
            if subtype == "*" { return parameters.isEmpty ? 1 : nil }
            guard subtype == media.subtype else { return nil }
            let fits = parameters.allSatisfy { parameter in
                media[parameter.name].map { $0.lowercased() == parameter.value.lowercased() } ?? false
            }
            return fits ? 2 + parameters.count : nil
        }
    }

    /// In the order in which they came.
    public let ranges: [Weighted<Range>]

    /// - Throws: for anything that is not a list of weighted ranges, and for more than 64 of them.
    public init(parsing text: String) throws(FieldSyntaxError) {
        ranges = try FieldScanner.scan(text) { (scanner: inout FieldScanner) throws(FieldSyntaxError) in
            var ranges: [Weighted<Range>] = []
            try scanner.list { scanner throws(FieldSyntaxError) in ranges.append(try Self.range(&scanner)) }
            return ranges
        }
    }

    /// What a request's fields say; nil when they say nothing, or nothing that can be read (which says nothing either).
    public init?(_ headers: HeaderBlock) {
        guard let text = headers.list("accept"), let accept = try? Accept(parsing: text) else { return nil }
        self = accept
    }

    /// How gladly the type is taken, in thousandths; the range that fits most closely decides. 0: not at all.
    public func weight(of type: MediaType) -> Int {
        var closest = -1
        var weight = 0
        for range in ranges {
            guard let specificity = range.value.specificity(for: type), specificity > closest else { continue }
            closest = specificity
            weight = range.weight
        }
        return weight
    }

    /// The offer that is taken most gladly, of several the first; nil when none is acceptable.
    ///
    /// An empty list accepts everything, as the absence of the field does.
    public func best(of offers: [MediaType]) -> MediaType? {
        if ranges.isEmpty { return offers.first }
        return offers.best { weight(of: $0) }
    }

    private static func range(_ scanner: inout FieldScanner) throws(FieldSyntaxError) -> Weighted<Range> {
        let start = scanner.position
        let type = scanner.lowercased(try scanner.token("a type"))
        try scanner.take(UInt8(ascii: "/"), "'/'")
        let subtype = scanner.lowercased(try scanner.token("a subtype"))
        guard type != "*" || subtype == "*" else { throw .expected("'*/*'", at: start) }
        var weight = 1000
        var parameters: [MediaType.Parameter] = []
        // A parameter "q" is the weight, wherever it stands.
        for (name, value) in try scanner.parameters() {
            guard name == "q" else {
                parameters.append(.init(name, value))
                continue
            }
            guard let read = unsafe withBytes(value, { unsafe FieldScanner.weight($0) }) else {
                throw .expected("a weight", at: start)
            }
            weight = read
        }
        return Weighted(Range(type: type, subtype: subtype, parameters: parameters), weight: weight)
    }
}

extension Exchange {
    /// The type that the client takes most gladly, of several the first; nil when it takes none of them (406). A client that says
    /// nothing, or nothing that can be read, takes the first.
    public func preferredType(of offers: [MediaType]) -> MediaType? {
        guard let accept = Accept(requestFields) else { return offers.first }
        return accept.best(of: offers)
    }
}

extension Array {
    /// The element of the largest weight above 0, of several the first.
    func best(_ weight: (Element) -> Int) -> Element? {
        var found: Element?
        var largest = 0
        for element in self {
            let weight = weight(element)
            if weight > largest {
                largest = weight
                found = element
            }
        }
        return found
    }
}
