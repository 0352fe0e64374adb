/// A unit that numbers are given in.
private struct Unit: Sendable {
    let name: String
    let size: Int

    static let times = [
        Unit(name: "d", size: 86_400_000), Unit(name: "h", size: 3_600_000), Unit(name: "m", size: 60_000),
        Unit(name: "s", size: 1000), Unit(name: "ms", size: 1),
    ]

    static let sizes = [
        Unit(name: "GiB", size: 1 << 30), Unit(name: "MiB", size: 1 << 20), Unit(name: "KiB", size: 1 << 10),
        Unit(name: "B", size: 1),
    ]

    /// Reads `1.5h` or `64KiB`. A number without a unit is in `plain`.
    static func read(_ text: String, _ units: [Unit], plain: Int) -> Int? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let name = text.dropFirst(number.count).drop { $0 == " " }
        let unit = name.isEmpty ? plain : units.first { $0.name.lowercased() == name.lowercased() }?.size
        guard let unit, let value = Double(number), value.isFinite else { return nil }
        return Int(exactly: (value * Double(unit)).rounded())
    }

    /// In the largest unit that needs no fraction.
    static func write(_ value: Int, _ units: [Unit]) -> String {
        let unit = units.first { value != 0 && value.isMultiple(of: $0.size) } ?? units[units.count - 1]
        return "\(value / unit.size)\(unit.name)"
    }
}

extension SettingFormat where Value == Duration {
    /// A time: `1.5s`, `30s`, `5m`, `2h`, `1d`, `250ms`; seconds without a unit.
    static func time(_ range: ClosedRange<Duration>) -> SettingFormat {
        SettingFormat(
            "a time from \(text(range.lowerBound)) to \(text(range.upperBound))",
            read: { given throws(BadValue) in
                guard let milliseconds = Unit.read(given, Unit.times, plain: 1000) else { throw BadValue() }
                let time = Duration.milliseconds(milliseconds)
                guard range.contains(time) else { throw BadValue() }
                return time
            }, write: { text($0) })
    }

    private static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return Unit.write(Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000), Unit.times)
    }
}

extension SettingFormat where Value == Int {
    /// A size: `64KiB`, `1MiB`, `2GiB`; bytes without a unit.
    static func size(_ range: ClosedRange<Int>) -> SettingFormat {
        SettingFormat(
            "a size from \(Unit.write(range.lowerBound, Unit.sizes)) to \(Unit.write(range.upperBound, Unit.sizes))",
            read: { text throws(BadValue) in
                guard let bytes = Unit.read(text, Unit.sizes, plain: 1), range.contains(bytes) else { throw BadValue() }
                return bytes
            }, write: { Unit.write($0, Unit.sizes) })
    }
}
