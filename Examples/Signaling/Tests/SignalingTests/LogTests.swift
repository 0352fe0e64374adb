import Foundation
import Logging
import Testing

@testable import signaling

@Suite(.serialized) struct LogTests {
    private func line(_ log: ServiceConfiguration.Log, _ body: (Logger) -> Void) throws -> String {
        let path = NSTemporaryDirectory() + "log-" + UUID().uuidString
        defer { unsafe unlink(path) }
        let descriptor = unsafe open(path, O_CREAT | O_RDWR, 0o600)
        defer { close(descriptor) }
        let output = LogOutput(descriptor: descriptor)
        output.configure(log)
        body(output.logger(label: "test"))
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    private func log(_ format: LogFormat, addresses: Bool = false) -> ServiceConfiguration.Log {
        ServiceConfiguration.Log(level: .info, format: format, addresses: addresses)
    }

    @Test func `a line of JSON is an object with the metadata as fields`() throws {
        let text = try line(log(.auto)) { $0.warning("it \"happened\"\n", metadata: ["session": "s\u{1}"]) }
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
        #expect(text.hasSuffix("}\n") && text.filter { $0 == "\n" }.count == 1)
        #expect(object["message"] == "it \"happened\"\n" && object["session"] == "s\u{1}")
        #expect(object["level"] == "warning" && object["ts"]?.hasSuffix("Z") == true)
    }

    @Test func `a line of text is one line, without what commands a terminal`() throws {
        let text = try line(log(.text)) { $0.error("a\nb\u{1b}[2J", metadata: ["x": "c d"]) }
        #expect(text.hasSuffix(" error test: a\\u{a}b\\u{1b}[2J x=\"c d\"\n"))
    }

    @Test func `addresses of clients are shown only when that is asked for, secrets never`() throws {
        let metadata: Logger.Metadata = [
            "peer": "192.0.2.7", "token": "hunter2", "more": .dictionary(["sdp": "v=0"]), "address": "127.0.0.1:1",
        ]
        let hidden = try line(log(.json)) { $0.info("x", metadata: metadata) }
        #expect(!hidden.contains("192.0.2.7") && !hidden.contains("hunter2") && !hidden.contains("v=0"))
        #expect(hidden.contains("127.0.0.1:1"))
        let shown = try line(log(.json, addresses: true)) { $0.info("x", metadata: metadata) }
        #expect(shown.contains("192.0.2.7") && !shown.contains("hunter2") && !shown.contains("v=0"))
    }

    @Test func `a change of the level reaches loggers that are there already`() throws {
        let text = try line(log(.text)) { logger in
            logger.debug("one")
            LogThreshold.level = .debug
            logger.debug("two")
        }
        LogThreshold.level = .info
        #expect(!text.contains("one") && text.contains("two"))
    }
}
