extension Exchange {
    /// The part of the path that stands in place of `{name}` or `{name...}` in the route's pattern, percent-decoded
    /// (RFC 3986 section 2.1); nil when the route has no such parameter.
    ///
    /// What is no escape (`%zz`) stays as it is, and what is not UTF-8 becomes U+FFFD. A `%2F` becomes a slash here and
    /// nowhere else: who makes a file's name of it checks what it got.
    ///
    /// ```swift
    /// exchange.respond(.ok, contentType: "text/plain", "Hello, \(exchange.parameter("name") ?? "nobody")!")
    /// ```
    public func parameter(_ name: String) -> String? {
        guard let bytes = unsafe parameterBytes(name) else { return nil }
        return unsafe percentDecoded(bytes)
    }

    /// As ``parameter(_:)``, read as a number or another type that has a text; nil also where it is none.
    ///
    /// ```swift
    /// guard let id = exchange.parameter("id", as: Int.self) else { return exchange.reset() }
    /// ```
    public func parameter<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type) -> Value? {
        parameter(name).flatMap { Value($0) }
    }

    /// Calls `body` with a parameter's bytes as they stand in the path, not decoded; they are valid for the call only.
    ///
    /// - Returns: what `body` returns, or nil when the route has no such parameter.
    public func withParameter<Result>(_ name: String, _ body: (RawSpan) -> Result) -> Result? {
        guard let bytes = unsafe parameterBytes(name) else { return nil }
        return body(unsafe bytes.bytes)
    }

    /// Calls `body` with the bytes of the path as it was sent; they are valid for the call only.
    public func withPath<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(unsafe pathBytes.bytes)
    }

    /// Calls `body` with the bytes of the target, path and query, as they were sent; they are valid for the call only.
    public func withTarget<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(unsafe requestFields.bytes(targetSlice).bytes)
    }

    /// Says what the path's parameters are, for a handler that routes.
    public func setParameters(_ parameters: PathParameters) { pathParameters = parameters }

    private var pathBytes: UnsafeRawBufferPointer {
        unsafe requestFields.bytes(.init(offset: targetSlice.offset, length: UInt32(pathLength)))
    }

    private func parameterBytes(_ name: String) -> UnsafeRawBufferPointer? {
        guard let range = pathParameters.range(of: name), range.upperBound <= pathLength else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: pathBytes[range])
    }
}

private func percentDecoded(_ bytes: UnsafeRawBufferPointer) -> String {
    let percent = UInt8(ascii: "%")
    guard unsafe bytes.contains(percent) else { return unsafe String(decoding: bytes, as: UTF8.self) }
    return unsafe String(unsafeUninitializedCapacity: bytes.count) { text in
        var (read, written) = (0, 0)
        while read < bytes.count {
            unsafe text[written] = bytes[read]
            if unsafe bytes[read] == percent, read + 2 < bytes.count,
                let high = unsafe hexadecimal(bytes[read + 1]), let low = unsafe hexadecimal(bytes[read + 2])
            {
                unsafe text[written] = high << 4 | low
                read += 2
            }
            read += 1
            written += 1
        }
        return written
    }
}

private func hexadecimal(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
