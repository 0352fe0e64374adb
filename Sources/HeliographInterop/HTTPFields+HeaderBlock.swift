public import HTTPTypes
public import HelioHTTP

extension HTTPFields {
    /// A copy of a block of fields, in its order, each value byte by byte as the peer has sent it.
    ///
    /// It costs some allocations for each field; to look at one or two, ask the block itself. Call it on the loop of the
    /// block's exchange; the copy may go anywhere.
    ///
    /// ```swift
    /// let fields = HTTPFields(exchange.headers)
    /// print(fields[.userAgent] ?? "no agent", fields[values: .acceptLanguage])
    /// ```
    public init(_ block: HeaderBlock) {
        self.init()
        // HTTPFields traps at 65,535 fields. A block has fewer than 32,768: a header list has at most 1 MiB, and each field
        // counts for 32 bytes and its name.
        reserveCapacity(block.count)
        block.forEachBytes { name, value in
            let name = unsafe name.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            // The codec passes on no name that is not a token.
            guard let name = HTTPField.Name(name) else { return }
            unsafe value.withUnsafeBytes { unsafe append(HTTPField(name: name, value: $0)) }
        }
    }
}
