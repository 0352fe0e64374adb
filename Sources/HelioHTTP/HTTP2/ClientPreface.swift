/// Tells HTTP/2 from HTTP/1.1 by what a client sends first (RFC 9113 section 3.4).
public enum ClientPreface {
    private static let bytes: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    public enum Match: Hashable, Sendable {
        /// It is HTTP/2's preface, as far as its first line goes.
        case http2
        /// It is not.
        case other
        /// All of it may be, but there is too little to know.
        case undecided
    }

    /// Compares the first bytes of a connection. Their first line decides: no request of HTTP/1.1 is like it.
    public static func match(_ start: UnsafeRawBufferPointer) -> Match {
        let line = 16
        let count = min(start.count, line)
        let isEqual = bytes.withUTF8Buffer { unsafe $0[..<count].elementsEqual(start[..<count]) }
        guard isEqual else { return .other }
        return count == line ? .http2 : .undecided
    }
}
