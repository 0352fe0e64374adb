/// Mailboxes between the loops of a group: one for each pair, first in, first out, bounded in bytes, taken out in batches.
///
/// A loop may post to itself too; the message then comes after the call, in order with the others.
///
/// ```swift
/// let mail = Mailboxes<RoomMessage>(loops: group.loops, capacity: 1 << 20)
/// mail.receive(on: loop) { message in room.handle(message) }      // on each loop
/// guard mail.post(message, size: 100, from: loop, to: 1) else { return }
/// ```
public final class Mailboxes<Message: Sendable>: Sendable {
    private let loops: [EventLoop]
    private let capacity: Int
    private let boxes: [Lock<Box>]
    private let receivers: [Receiver]

    private struct Box {
        var messages: [Message] = []
        var size = 0
        /// The receiving loop has ended.
        var isClosed = false
    }

    /// Set and read on its loop's thread only.
    private final class Receiver: @unchecked Sendable {
        var body: ((Message) -> Void)?
    }

    /// - Parameters:
    ///   - loops: all loops of the group, in the order of their indices.
    ///   - capacity: how many bytes a box holds, as `post` counts them.
    public init(loops: [EventLoop], capacity: Int) {
        self.loops = loops
        self.capacity = capacity
        boxes = (0..<loops.count * loops.count).map { _ in Lock(Box()) }
        receivers = loops.map { _ in Receiver() }
    }

    /// Sets what takes the messages to `loop`. On that loop, before the first message is posted to it.
    public func receive(on loop: EventLoop, _ body: @escaping (Message) -> Void) {
        receivers[loop.index].body = body
    }

    /// Posts a message. On the thread of `sender`.
    ///
    /// - Parameter size: what it counts against the capacity, in bytes; not negative. An empty box takes a message of any
    ///   size.
    /// - Returns: false when the box is full or the receiving loop has ended, and the message was not taken.
    public func post(_ message: sending Message, size: Int, from sender: EventLoop, to index: Int) -> Bool {
        assert(sender.isCurrent, "post on the thread of the sending loop")
        precondition(size >= 0, "a message cannot free room")
        let box = boxes[sender.index * loops.count + index]
        let capacity = capacity
        let wasEmpty = box.withLock { box -> Bool? in
            guard !box.isClosed, box.messages.isEmpty || size <= capacity - box.size else { return nil }
            box.messages.append(message)
            box.size = box.messages.count == 1 ? size : box.size + size
            return box.messages.count == 1
        }
        guard let wasEmpty else { return false }
        guard wasEmpty else { return true }
        let receiver = receivers[index]
        let isTaken = loops[index].execute {
            var batch: [Message] = []
            box.withLock { box in
                swap(&batch, &box.messages)
                box.size = 0
            }
            for message in batch { receiver.body?(message) }
        }
        guard !isTaken else { return true }
        var dropped: [Message] = []
        box.withLock { box in
            swap(&dropped, &box.messages)
            box.isClosed = true
        }
        return false
    }
}
