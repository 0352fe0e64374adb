import Testing

@testable import HelioHTTP

@Suite struct HTTPDateTests {
    /// 2026-11-24.
    private static let now = HTTPDate(secondsSince1970: 1_795_500_000)

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func theThreeFormsOfTheStandardAreTheSameMoment(text: String) {
        #expect(HTTPDate(parsing: text, now: Self.now)?.secondsSince1970 == 784_111_777)
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)])
    func aMomentIsWrittenAndReadBack(seconds: Int64, text: String) {
        #expect(HTTPDate(secondsSince1970: seconds).description == text)
        #expect(HTTPDate(parsing: text, now: Self.now)?.secondsSince1970 == seconds)
    }

    @Test func everyDayOfFourCenturiesIsReadBackAsItWasWritten() {
        let wrong = (Int64(-50_000)..<100_000).first { day in
            let civil = CivilDate(daysSince1970: day)
            return !civil.exists || civil.daysSince1970 != day
        }
        #expect(wrong == nil)
    }

    @Test func whatLiesOutsideOfTheYearsThatHaveAFormBecomesTheNearestMoment() {
        #expect(HTTPDate(secondsSince1970: Int64.max).description == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(HTTPDate(secondsSince1970: Int64.min).description == "Sat, 01 Jan 0000 00:00:00 GMT")
    }

    @Test func aYearOfTwoDigitsIsNeverMoreThanFiftyYearsAhead() {
        #expect(
            HTTPDate(parsing: "Sunday, 06-Nov-76 08:49:37 GMT", now: Self.now)?.description.contains("2076") == true)
        #expect(
            HTTPDate(parsing: "Sunday, 06-Nov-77 08:49:37 GMT", now: Self.now)?.description.contains("1977") == true)
        let late = HTTPDate(secondsSince1970: 3_786_912_000)  // 2090
        #expect(HTTPDate(parsing: "Sunday, 06-Nov-10 08:49:37 GMT", now: late)?.description.contains("2110") == true)
    }

    @Test(arguments: [
        "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Foo, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 06 08:49:37 94", "Sunday, 06-Nov-1994 08:49:37 GMT", "784111777", "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun Nov   6 08:49:37 1994", "\u{0}", "Sun, 06 Nov 1994 08:49:3\u{661} GMT",
    ])
    func whatIsNoDateIsRefused(text: String) {
        #expect(HTTPDate(parsing: text, now: Self.now) == nil)
    }
}
