import Heliograph

extension Exchange {
    /// The fields of a query of simple values, in order: nothing in them is decoded, and one without `=` has no value.
    var queryFields: [(name: String, value: String?)] {
        (query ?? "").split(separator: "&").map { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
        }
    }
}
