internal import Testing

@testable internal import HelioReactor

@Suite struct MailboxesTests {
    private struct Letter: Sendable {
        let from: Int
        let number: Int
    }

    @Test func keepsTheOrderOfEachPairUnderLoad() throws {
        let loops = 4
        let each = 2000
        let received = (0..<loops).map { _ in Shared<[[Int]]>(Array(repeating: [], count: loops)) }
        try withGroup(threads: loops) { group in
            let mail = Mailboxes<Letter>(loops: group.loops, capacity: 1 << 24)
            for loop in group.loops {
                onLoop(loop) {
                    mail.receive(on: loop) { letter in
                        received[loop.index].change { $0[letter.from].append(letter.number) }
                    }
                }
            }
            let refused = Shared(0)
            for sender in group.loops {
                sender.execute { Self.send(0, of: each, sender, mail, loops, refused) }
            }
            for box in received { #expect(box.wait { $0.allSatisfy { $0.count == each } }) }
            #expect(refused.value == 0)
        }
        for box in received { #expect(box.value == Array(repeating: Array(0..<each), count: loops)) }
    }

    /// In batches, so that all loops send and receive at the same time.
    private static func send(
        _ start: Int, of each: Int, _ sender: EventLoop, _ mail: Mailboxes<Letter>, _ loops: Int, _ refused: Shared<Int>
    ) {
        for number in start..<min(start + 50, each) {
            for index in 0..<loops {
                let letter = Letter(from: sender.index, number: number)
                if !mail.post(letter, size: 100, from: sender, to: index) { refused.change { $0 += 1 } }
            }
        }
        guard start + 50 < each else { return }
        sender.execute { send(start + 50, of: each, sender, mail, loops, refused) }
    }

    @Test func isBoundedAndTakesMailAgainAfterTheDrain() throws {
        let received = Shared<[Int]>([])
        try withGroup { group in
            let loop = group[0]
            let mail = Mailboxes<Int>(loops: group.loops, capacity: 100)
            let taken = onLoop(loop) {
                mail.receive(on: loop) { number in received.change { $0.append(number) } }
                // To itself: nothing is drained before this returns.
                let taken = (0..<5).map { mail.post($0, size: 40, from: loop, to: 0) }
                #expect(received.value.isEmpty, "never within the call")
                return taken
            }
            #expect(taken == [true, true, false, false, false])
            #expect(received.wait { $0.count == 2 })
            #expect(onLoop(loop) { mail.post(9, size: 100, from: loop, to: 0) })
            #expect(received.wait { $0.count == 3 })
            let large = onLoop(loop) {
                [Int.max, 1].map { mail.post(10, size: $0, from: loop, to: 0) }
            }
            #expect(large == [true, false], "an empty box takes any size, and it counts")
        }
        #expect(received.value == [0, 1, 9, 10])
    }

    @Test func refusesMailToALoopThatHasEnded() throws {
        let sender = try EventLoopGroup(threads: 1)
        defer { sender.stop() }
        let receiver = try EventLoop(index: 1)
        let thread = try LoopThread(name: "receiver") { receiver.run() }
        let loop = sender[0]
        let mail = Mailboxes<Int>(loops: [loop, receiver], capacity: 1000)
        receiver.stop()
        thread.join()
        let taken = onLoop(loop) { (0..<3).map { mail.post($0, size: 1, from: loop, to: 1) } }
        #expect(taken == [false, false, false])
    }
}
