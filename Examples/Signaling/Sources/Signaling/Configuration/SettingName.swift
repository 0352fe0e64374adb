/// Helps who has mistyped a setting's name.
enum SettingName {
    /// " (is it room-capacity?)", or nothing when no name is near.
    static func suggestion(for name: String) -> String {
        let near = Setting.byName.keys.lazy.map { (name: $0, distance: distance(name, $0)) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let near, near.distance <= max(2, name.count / 4) else { return "" }
        return " (is it \(near.name)?)"
    }

    /// Insertions, deletions and replacements from one to the other (Levenshtein).
    private static func distance(_ from: String, _ to: String) -> Int {
        let to = Array(to.utf8)
        var row = Array(0...to.count)
        for (index, byte) in from.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in to.indices {
                let replaced = diagonal + (to[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[to.count]
    }
}
