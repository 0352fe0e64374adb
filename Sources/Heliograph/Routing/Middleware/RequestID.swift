public import HelioHTTP

/// Gives each request an id, for logs and for those that ask: `x-request-id` of the request when it is sane, else a new one of
/// 32 hexadecimal digits. The response carries it, and handlers read it as ``HelioHTTP/Exchange/requestID``. One for each loop.
///
/// ```swift
/// let server = Server { loop in RequestID(wrapping: MyHandler()) }
/// ```
public final class RequestID: Handler {
    private let next: any Handler
    private let takesGiven: Bool
    private var state: (UInt64, UInt64)
    private var digits = InlineArray<32, UInt8>(repeating: 0)

    /// The longest id that is taken from a request.
    public static let longest = 128

    /// - Parameters:
    ///   - takesGiven: whether a request's own id is taken: 1 to ``longest`` letters, digits and `-_.:/+=@`. Say false where
    ///     strangers ask, and their ids are not to show in the logs.
    ///   - next: who answers.
    public init(takesGiven: Bool = true, wrapping next: any Handler) {
        self.takesGiven = takesGiven
        self.next = next
        var random = SystemRandomNumberGenerator()
        state = (random.next(), random.next())
    }

    public func request(_ exchange: Exchange) {
        // One in front of this one has given it an id.
        guard !exchange.responseHeaders.has("x-request-id") else { return exchange.hand(to: next) }
        let isTaken =
            takesGiven
            && exchange.headers.withValue(of: "x-request-id") { value in
                guard Self.isSane(value) else { return false }
                exchange.addHeader("x-request-id", value)
                return true
            } == true
        if !isTaken { addNew(to: exchange) }
        exchange.hand(to: next)
    }

    private func addNew(to exchange: Exchange) {
        write(Self.scramble(&state.0), at: 0)
        write(Self.scramble(&state.1), at: 16)
        unsafe exchange.addHeader("x-request-id", digits.span.bytes)
    }

    private func write(_ number: UInt64, at offset: Int) {
        var rest = number
        for index in offset..<offset + 16 {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            digits[index] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
            rest >>= 4
        }
    }

    /// splitmix64: an id is to be unique, not secret.
    private static func scramble(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    private static func isSane(_ value: RawSpan) -> Bool {
        unsafe value.withUnsafeBytes { value in
            unsafe !value.isEmpty && value.count <= longest
                && value.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                        UInt8(ascii: "="), UInt8(ascii: "@"):
                        true
                    default: false
                    }
                }
        }
    }
}

extension Exchange {
    /// The request's id, where a ``RequestID`` has given it one.
    public var requestID: String? { responseHeaders["x-request-id"] }
}
