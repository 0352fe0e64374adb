/// What a duplex stream remembers of a frame that it took until that is answered.
package struct FrameMark: Sendable, Hashable {
    /// In bytes.
    let size: Int
    /// Names it to the stream, when its answer goes back another way than events.
    let tag: UInt64?
}
