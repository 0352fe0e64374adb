import Testing

@testable import HelioHTTP

@Suite struct ValidatorsTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let later = "Sun, 06 Nov 1994 08:49:38 GMT"
    private static let now = HTTPDate(secondsSince1970: 1_795_500_000)
    private static let validators = Validators(
        entityTag: EntityTag("a"), lastModified: HTTPDate(secondsSince1970: 784_111_777))

    private static func block(_ fields: [(String, String)]) -> HeaderBlock {
        let block = HeaderBlock()
        for (name, value) in fields { block.append(name: name, value: value) }
        return block
    }

    /// RFC 9110 section 13.2.2, step by step.
    @Test(
        arguments: [
            ([], .met),
            ([("if-match", "\"a\"")], .met),
            ([("if-match", "*")], .met),
            ([("if-match", "\"b\"")], .failed),
            ([("if-match", "W/\"a\"")], .failed),
            ([("if-match", "\"b\""), ("if-match", "\"a\"")], .met),
            ([("if-match", "\"b\"  , ,\"a\"")], .met),
            ([("if-match", "nonsense")], .failed),
            // 2 counts only without 1.
            ([("if-unmodified-since", date)], .met),
            ([("if-unmodified-since", later)], .met),
            ([("if-unmodified-since", earlier)], .failed),
            ([("if-unmodified-since", "nonsense")], .met),
            ([("if-match", "\"a\""), ("if-unmodified-since", earlier)], .met),
            // 3, after either.
            ([("if-none-match", "\"a\"")], .notModified),
            ([("if-none-match", "W/\"a\"")], .notModified),
            ([("if-none-match", "*")], .notModified),
            ([("if-none-match", "\"b\", \"a\"")], .notModified),
            ([("if-none-match", "\"b\"")], .met),
            ([("if-none-match", "\"b")], .met),
            ([("if-none-match", "")], .met),
            ([("if-match", "\"a\""), ("if-none-match", "\"a\"")], .notModified),
            ([("if-unmodified-since", later), ("if-none-match", "\"a\"")], .notModified),
            ([("if-match", "\"b\""), ("if-none-match", "\"a\"")], .failed),
            // 4 counts only without 3.
            ([("if-modified-since", date)], .notModified),
            ([("if-modified-since", later)], .notModified),
            ([("if-modified-since", earlier)], .met),
            ([("if-modified-since", "yesterday")], .met),
            ([("if-none-match", "\"b\""), ("if-modified-since", later)], .met),
            ([("if-none-match", "\"a\""), ("if-modified-since", earlier)], .notModified),
            ([("if-match", "\"a\""), ("if-modified-since", date)], .notModified),
        ] as [([(String, String)], Validators.Outcome)])
    func conditionsAreEvaluatedInTheirOrder(fields: [(String, String)], expected: Validators.Outcome) {
        let block = Self.block(fields)
        #expect(Self.validators.evaluate(block, method: .get, now: Self.now) == expected)
        #expect(Self.validators.evaluate(block, method: .head, now: Self.now) == expected)
    }

    @Test func whatIsNotAReadFailsWhereAReadIsNotModified() {
        let none = Self.block([("if-none-match", "\"a\"")])
        #expect(Self.validators.evaluate(none, method: .put, now: Self.now) == .failed)
        let since = Self.block([("if-modified-since", Self.date)])
        #expect(Self.validators.evaluate(since, method: .put, now: Self.now) == .met)
    }

    @Test func withoutValidatorsOnlyAStarNames() {
        let nothing = Validators()
        #expect(nothing.evaluate(Self.block([("if-match", "*")]), method: .get, now: Self.now) == .met)
        #expect(nothing.evaluate(Self.block([("if-match", "\"a\"")]), method: .get, now: Self.now) == .failed)
        #expect(nothing.evaluate(Self.block([("if-modified-since", Self.later)]), method: .get, now: Self.now) == .met)
    }

    @Test(
        arguments: [
            (nil, true), ("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), (date, true), (later, false),
            ("a", false),
        ] as [(String?, Bool)])
    func aRangeHoldsOnlyForTheRepresentationThatIfRangeNames(condition: String?, allowed: Bool) {
        let block = Self.block(condition.map { [("if-range", $0)] } ?? [])
        #expect(Self.validators.allowsRange(block) == allowed)
    }

    @Test func aWeakTagMakesNoPartsFitTogether() {
        var weak = Self.validators
        weak.entityTag = EntityTag("a", isWeak: true)
        for condition in ["W/\"a\"", "\"a\"", Self.date] {
            #expect(!weak.allowsRange(Self.block([("if-range", condition)])))
        }
        #expect(weak.evaluate(Self.block([("if-none-match", "\"a\"")]), method: .get, now: Self.now) == .notModified)
        #expect(weak.evaluate(Self.block([("if-match", "W/\"a\"")]), method: .get, now: Self.now) == .failed)
    }
}
