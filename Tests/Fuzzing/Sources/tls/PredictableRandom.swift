import CRandom

/// Random numbers for OpenSSL that are the same in each run.
enum PredictableRandom {
    nonisolated(unsafe) private static var state: UInt64 = 1
    nonisolated(unsafe) private static var method = RAND_METHOD(
        seed: nil, bytes: { fill($0, $1) }, cleanup: nil, add: nil, pseudorand: { fill($0, $1) }, status: { 1 })

    static func install() { withUnsafePointer(to: &method) { _ = helio_set_random($0) } }

    static func restart() { state = 1 }

    private static func fill(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
        guard let bytes else { return 1 }
        for index in 0..<Int(count) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[index] = UInt8(truncatingIfNeeded: state >> 33)
        }
        return 1
    }
}
