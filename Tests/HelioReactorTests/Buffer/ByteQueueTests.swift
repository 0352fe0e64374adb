internal import Testing

@testable internal import HelioReactor

@Suite struct ByteQueueTests {
    private static func contents(_ queue: borrowing ByteQueue) -> [UInt8] {
        unsafe queue.withBytes { unsafe Array($0) }
    }

    @Test func givesBytesBackInOrder() {
        var queue = ByteQueue()
        let none = Self.contents(queue)
        #expect(none == [])
        unsafe [UInt8(1), 2, 3].withUnsafeBytes { unsafe queue.append($0) }
        queue.consume(1)
        unsafe [UInt8(4)].withUnsafeBytes { unsafe queue.append($0) }
        let rest = Self.contents(queue)
        #expect(rest == [2, 3, 4])
        queue.consume(3)
        unsafe queue.append(UnsafeRawBufferPointer(start: nil, count: 0))
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test(arguments: [1, 2, 3, 4]) func agreesWithAnArray(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = ByteQueue()
        var model: [UInt8] = []
        for _ in 0..<2000 {
            if Bool.random(using: &random) {
                let more = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                unsafe more.withUnsafeBytes { unsafe queue.append($0) }
                model += more
            } else {
                let amount = Int.random(in: 0...model.count, using: &random)
                queue.consume(amount)
                model.removeFirst(amount)
            }
            let count = queue.count
            #expect(count == model.count)
        }
        let rest = Self.contents(queue)
        #expect(rest == model)
    }

    @Test func turnsAreTakenInOrderWhileMoreComeIn() {
        var queue = TurnQueue<Int>()
        var next = 0
        var expected = 0
        for _ in 0..<3000 {
            for _ in 0..<3 {
                queue.append(next)
                next += 1
            }
            for _ in 0..<2 {
                #expect(queue.popFirst() == expected)
                expected += 1
            }
        }
        #expect(queue.count == 3000)
        while let number = queue.popFirst() {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == next && queue.isEmpty && queue.popFirst() == nil)
    }
}
