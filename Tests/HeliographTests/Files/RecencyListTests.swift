import Testing

@testable import Heliograph

@Suite struct RecencyListTests {
    @Test func whatWasUsedLongestAgoGoesFirst() {
        var list = RecencyList<Int>()
        for number in 0..<4 { list.insert("\(number)", number) }
        #expect(list.use("0") == 0)
        #expect(list.use("2") == 2)
        #expect(list.use("9") == nil)
        #expect(list.insert("1", 10) == 1)
        #expect(list.count == 4)
        #expect((0..<5).map { _ in list.removeOldest() } == [3, 0, 2, 10, nil])
        #expect(list.count == 0)
    }

    @Test func itIsTheSameAsAnArrayInOrder() {
        var list = RecencyList<Int>()
        var model: [(String, Int)] = []
        var generator = SeededGenerator(seed: 3)
        for step in 0..<20_000 {
            let name = "\(Int.random(in: 0..<20, using: &generator))"
            let place = model.firstIndex { $0.0 == name }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                #expect(list.use(name) == place.map { model[$0].1 })
                if let place { model.append(model.remove(at: place)) }
            case 1:
                if let place { model.remove(at: place) }
                model.append((name, step))
                list.insert(name, step)
            case 2:
                #expect(list.remove(name) == place.map { model.remove(at: $0).1 })
            default:
                let oldest = model.isEmpty ? nil : model.removeFirst().1
                #expect(list.removeOldest() == oldest)
            }
            #expect(list.count == model.count)
        }
    }
}
