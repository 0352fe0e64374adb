import Glibc
import Testing

@testable import Heliograph

extension LogShard {
    fileprivate func append(_ line: String) -> Bool {
        unsafe Array(line.utf8).withUnsafeBytes { unsafe append($0) }
    }
}

extension TemporaryDirectory {
    fileprivate func read(_ name: String) throws -> String {
        String(decoding: try FileContents.read("\(path)/\(name)"), as: UTF8.self)
    }
}

@Suite("Where the lines of a log go")
struct LogSinkTests {
    @Test("Lines of several queues are all written, each whole and in its order")
    func queues() throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file("\(directory.path)/log"))
        for name in ["a", "b", "c"] {
            let shard = sink.makeShard()
            let thread = try LoopThread(name: "test") {
                for number in 0..<1000 {
                    if shard.append("\(name) \(number)\n") { sink.wake() }
                }
            }
            thread.join()
        }
        sink.close()
        let lines = try directory.read("log").split(separator: "\n")
        for name in ["a", "b", "c"] {
            #expect(lines.filter { $0.hasPrefix(name) } == (0..<1000).map { "\(name) \($0)" })
        }
        #expect(sink.dropped == 0)
    }

    @Test("A file that was moved away is made again when it is opened again")
    func reopening() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/log"
        let sink = try LogSink(.file(path))
        let shard = sink.makeShard()
        if shard.append("one\n") { sink.wake() }
        while try directory.read("log") != "one\n" { usleep(1000) }
        unsafe rename(path, path + ".1")
        sink.reopen()
        while unsafe access(path, F_OK) != 0 { usleep(1000) }
        if shard.append("two\n") { sink.wake() }
        sink.close()
        #expect(try directory.read("log.1") == "one\n")
        #expect(try directory.read("log") == "two\n")
    }

    @Test("A queue that is full drops lines and counts them")
    func bound() throws {
        let directory = try TemporaryDirectory()
        let sink = try LogSink(.file("\(directory.path)/log"), queue: 100)
        let shard = sink.makeShard()
        for _ in 0..<15 { _ = shard.append("nine char\n") }
        sink.close()
        #expect(try directory.read("log").utf8.count == 100)
        #expect(sink.dropped == 5)
    }

    @Test("A disk that is full loses lines, and they are counted")
    func fullDisk() throws {
        let sink = try LogSink(.file("/dev/full"))
        let shard = sink.makeShard()
        if shard.append("lost\n") { sink.wake() }
        sink.close()
        #expect(sink.dropped == 1)
    }

    @Test("A file that cannot be opened is an error that names it")
    func mistakes() {
        let error = #expect(throws: ServerError.self) { try LogSink(.file("/nowhere/log")) }
        #expect(error?.description.contains("/nowhere/log") == true)
    }
}
