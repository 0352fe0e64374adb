/// A moment as HTTP's fields have it: whole seconds of Universal Time (RFC 9110 section 5.6.7).
///
/// ```swift
/// let date = HTTPDate(secondsSince1970: 784_111_777)
/// print(date)  // Sun, 06 Nov 1994 08:49:37 GMT
/// ```
public struct HTTPDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From the years 0 to 9999.
    public let secondsSince1970: Int64

    /// - Parameter secondsSince1970: what lies outside of the years 0 to 9999 becomes the nearest moment inside.
    public init(secondsSince1970: Int64) {
        self.secondsSince1970 = min(max(secondsSince1970, -62_167_219_200), 253_402_300_799)
    }

    /// Reads any of the three forms: IMF-fixdate, that of RFC 850, and that of C's asctime.
    ///
    /// - Parameters:
    ///   - text: the field's value, without blanks around it. Nothing is forgiven but a name of a day that is not the date's.
    ///   - now: the time, for the form of RFC 850, whose years have two digits: none is more than 50 years ahead.
    public init?(parsing text: String, now: HTTPDate) {
        let date = unsafe withBytes(text) { bytes -> HTTPDate? in
            var reader = unsafe DateReader(bytes)
            return reader.date(now: now)
        }
        guard let date else { return nil }
        self = date
    }

    public static func < (left: HTTPDate, right: HTTPDate) -> Bool { left.secondsSince1970 < right.secondsSince1970 }

    /// The moment as an IMF-fixdate, the only form that is written.
    public var description: String {
        let days = (secondsSince1970 - Self.modulo(secondsSince1970, 86_400)) / 86_400
        let second = Self.modulo(secondsSince1970, 86_400)
        let date = CivilDate(daysSince1970: days)
        let weekday = Self.weekdays[Int(Self.modulo(days + 4, 7))]
        return """
            \(weekday), \(Self.two(date.day)) \(Self.months[Int(date.month) - 1]) \(Self.two(date.year / 100))\
            \(Self.two(date.year % 100)) \(Self.two(second / 3600)):\(Self.two(second / 60 % 60)):\
            \(Self.two(second % 60)) GMT
            """
    }

    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let longWeekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }
}

/// A day of the Gregorian calendar, for any year.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    // Both ways by years that begin in March, in eras of 400 years, of 146,097 days each.

    init(daysSince1970: Int64) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Whether there is such a day.
    var exists: Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return day <= lengths[Int(month) - 1]
    }
}

/// Reads a date's parts one after the other.
@safe private struct DateReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

    mutating func date(now: HTTPDate) -> HTTPDate? {
        if name(HTTPDate.longWeekdays) != nil { return rfc850(now) }
        guard name(HTTPDate.weekdays) != nil else { return nil }
        return take(",") ? fixdate() : asctime()
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private mutating func fixdate() -> HTTPDate? {
        guard take(" "), let day = number(2), take(" "), let month = name(HTTPDate.months), take(" "),
            let year = number(4), take(" "), let time = time(), take(" GMT")
        else { return nil }
        return moment(CivilDate(year: year, month: Int64(month) + 1, day: day), time)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private mutating func rfc850(_ now: HTTPDate) -> HTTPDate? {
        guard take(", "), let day = number(2), take("-"), let month = name(HTTPDate.months), take("-"),
            let shortYear = number(2), take(" "), let time = time(), take(" GMT")
        else { return nil }
        let thisYear = CivilDate(daysSince1970: now.secondsSince1970 / 86_400).year
        var year = thisYear - thisYear % 100 + shortYear
        if year > thisYear + 50 { year -= 100 }
        if year <= thisYear - 50 { year += 100 }
        return moment(CivilDate(year: year, month: Int64(month) + 1, day: day), time)
    }

    /// `Sun Nov  6 08:49:37 1994`
    private mutating func asctime() -> HTTPDate? {
        guard take(" "), let month = name(HTTPDate.months), take(" ") else { return nil }
        guard let day = take(" ") ? number(1) : number(2), take(" "), let time = time(), take(" "),
            let year = number(4)
        else { return nil }
        return moment(CivilDate(year: year, month: Int64(month) + 1, day: day), time)
    }

    /// `08:49:37`, in seconds; a leap second is one.
    private mutating func time() -> Int64? {
        guard let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private func moment(_ date: CivilDate, _ time: Int64) -> HTTPDate? {
        guard unsafe position == bytes.count, date.exists else { return nil }
        return HTTPDate(secondsSince1970: date.daysSince1970 * 86_400 + time)
    }

    private mutating func number(_ digits: Int) -> Int64? {
        guard unsafe bytes.count - position >= digits else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            let digit = unsafe bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
            position += 1
        }
        return value
    }

    private mutating func name(_ names: [String]) -> Int? { names.firstIndex { take($0) } }

    private mutating func take(_ text: String) -> Bool {
        let length = text.utf8.count
        guard unsafe bytes.count - position >= length,
            unsafe bytes[position..<position + length].elementsEqual(text.utf8)
        else { return false }
        position += length
        return true
    }
}
