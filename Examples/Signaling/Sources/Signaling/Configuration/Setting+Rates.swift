import SignalingCore

/// How often things may be done.
extension Setting {
    static let rates: [Setting] = [
        Setting(
            "session-rate", \.limits.sessionRate, .rate, "Messages of one session, a second and at once.",
            .whileRunning),
        Setting(
            "subject-rate", \.limits.subjectRate, .rate, "Messages of one token's subject, a second and at once.",
            .atStart),
        Setting(
            "room-rate", \.limits.roomRate, .rate, "Messages in one room, a second and at once.", .atStart),
        Setting(
            "address-rate", \.limits.addressRate, .rate, "Sessions from one address, a second and at once.", .atStart),
    ]
}

extension SettingFormat where Value == TokenBucket.Rate {
    /// `200/1000`: so many a second, and so many at once.
    static let rate = SettingFormat(
        "two whole numbers from 1 to 1000000000 such as 200/1000: so many a second, and so many at once",
        read: { text throws(BadValue) in
            let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            guard numbers.count == 2, numbers.allSatisfy((1...1_000_000_000).contains) else { throw BadValue() }
            return TokenBucket.Rate(perSecond: Double(numbers[0]), burst: Double(numbers[1]))
        }, write: { "\(Int($0.perSecond))/\(Int($0.burst))" })
}
