extension HeaderBlock {
    /// Calls `body` with the bytes of each field's name and value, in the order in which they came. They are valid for the
    /// call only.
    ///
    /// A value may be other than UTF-8 (RFC 9110 section 5.5, `obs-text`): a string of it is not what the peer has sent.
    public func forEachBytes(_ body: (_ name: RawSpan, _ value: RawSpan) -> Void) {
        for index in 0..<fieldCount {
            body(unsafe bytes(nameSlice(index)).bytes, unsafe bytes(valueSlice(index)).bytes)
        }
    }
}
