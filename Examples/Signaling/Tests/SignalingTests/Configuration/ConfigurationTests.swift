import Foundation
import SignalingCore
import Testing

@testable import signaling

@Suite struct ConfigurationTests {
    /// A file that is there for one test.
    private final class TemporaryFile {
        let path = NSTemporaryDirectory() + "signaling-" + UUID().uuidString + ".yaml"

        init(_ text: String) throws { try text.write(toFile: path, atomically: false, encoding: .utf8) }

        deinit { unsafe unlink(path) }
    }

    private func problems(_ sources: ConfigurationSources) -> [String] {
        do throws(ConfigurationError) {
            _ = try sources.load()
            return []
        } catch {
            return error.problems
        }
    }

    @Test func `flags go before the environment, that before the file, and that before the defaults`() throws {
        let file = try TemporaryFile("room-capacity: 3\nsession: {grace: 2m, rooms: 7}\nport: 443\n")
        let loaded = try ConfigurationSources(
            flags: ["port": ["1"]], environment: ["SIGNALING_PORT": "2", "SIGNALING_SESSION_ROOMS": "9"],
            file: file.path
        ).load()
        #expect(loaded.values.listen.port == 1)
        #expect(loaded.values.limits.roomsPerSession == 9)
        #expect(loaded.values.limits.sessionGrace == .seconds(120))
        #expect(loaded.values.limits.roomCapacity == 3)
        #expect(loaded.values.limits.batch == ServiceLimits().batch)
        #expect(loaded.sources["room-capacity"] == .file(file.path, line: 1))
        #expect(loaded.report.contains("port: 1  # --port\n"))
        #expect(loaded.report.contains("session-rooms: 9  # SIGNALING_SESSION_ROOMS\n"))
        #expect(loaded.report.contains("message-batch: 64  # default\n"))
        #expect(loaded.report.contains("webhook-url:   # default\n"), "what is not there is not redacted")
    }

    @Test func `a rate is so many a second and so many at once`() throws {
        let good = ConfigurationSources(flags: ["session-rate": ["5/20"]], environment: [:], file: nil)
        let rate = try good.load().values.limits.sessionRate
        #expect(rate.perSecond == 5 && rate.burst == 20)
        for bad in ["5", "5/", "0/5", "5/0", "5/20/1", "-5/20", "a/b"] {
            let sources = ConfigurationSources(flags: ["room-rate": [bad]], environment: [:], file: nil)
            #expect(problems(sources).count == 1, "\(bad)")
        }
    }

    @Test func `each fault is one line with the setting, its place and what it takes`() throws {
        let file = try TemporaryFile("room-capacity: many\nroom-capasity: 3\nlog: {level: loud}\nport: [1, 2]\n")
        let found = problems(ConfigurationSources(flags: ["threads": ["0"]], environment: [:], file: file.path))
        #expect(
            found.contains("\(file.path):1: room-capacity: 'many' is not a whole number from 1 to 100000"), "\(found)")
        #expect(found.contains("\(file.path):2: room-capasity: there is no such setting (is it room-capacity?)"))
        #expect(found.contains { $0.hasPrefix("\(file.path):3: log-level: 'loud' is not one of trace, debug") })
        #expect(found.contains { $0.hasPrefix("\(file.path):4: port: ") })
        #expect(found.contains("--threads: '0' is not a whole number from 1 to 1024"))
        #expect(found.count == 5)
    }

    @Test(arguments: ["a: [", "- 1", "port: 1\nport: 2", "room: {capacity: 1}\nroom-capacity: 2"])
    func `a file that is none is refused`(text: String) throws {
        let file = try TemporaryFile(text)
        let found = problems(ConfigurationSources(file: file.path))
        #expect(found.count == 1 && found[0].hasPrefix(file.path), "\(found)")
        #expect(!found[0].contains("\n"))
    }

    @Test func `an empty file changes nothing, and a key without a value gives the setting none`() throws {
        let file = try TemporaryFile("# nothing\nthreads:\n")
        #expect(try ConfigurationSources(file: file.path).load().values.listen.threads == nil)
    }

    @Test func `a variable that is no setting is told of, not refused`() throws {
        let loaded = try ConfigurationSources(environment: ["SIGNALING_SERVICE_HOST": "10.0.0.1"]).load()
        #expect(loaded.warnings.count == 1 && loaded.warnings[0].contains("SIGNALING_SERVICE_HOST"))
    }

    @Test(arguments: [
        (["host": ["::"]], "--certificate"), (["certificate": ["x"]], "--private-key"),
        (["plaintext": ["true"], "certificate": ["x"], "private-key": ["y"]], "--plaintext"),
    ])
    func `settings that exclude each other are refused`(flags: [String: [String]], words: String) {
        let found = problems(ConfigurationSources(flags: flags))
        #expect(found.count == 1 && found[0].contains(words))
    }

    @Test func `what a setting writes it reads again`() throws {
        for setting in Setting.all {
            var configuration = ServiceConfiguration()
            let texts = setting.write(configuration)
            guard !texts.isEmpty else { continue }
            try setting.read(texts, &configuration)
            #expect(setting.write(configuration) == texts, "\(setting.name)")
        }
        #expect(Setting.byName.count == Setting.all.count, "no name twice")
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
    }

    @Test func `a reload takes what may change and names what may not`() throws {
        var current = try ConfigurationSources(flags: ["port": ["0"]]).load()
        let newer = try ConfigurationSources(flags: ["port": ["1"], "room-capacity": ["5"]]).load()
        let (changed, left) = current.update(from: newer)
        #expect(changed == ["room-capacity"] && left == ["port"])
        #expect(current.values.limits.roomCapacity == 5 && current.values.listen.port == 0)
    }

    @Test(arguments: [
        ("30", 30_000), ("1.5s", 1500), ("250ms", 250), ("2m", 120_000), ("1H", 3_600_000), ("1 d", 86_400_000),
    ])
    func `times have units`(text: String, milliseconds: Int) throws {
        let format = SettingFormat<Duration>.time(.zero ... .seconds(100_000))
        #expect(try format.read([text]) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "s", "-1", "1x", "1e3", "nan", "99999999999999999999d", "1.2.3"])
    func `a text that is no time is refused`(text: String) {
        let format = SettingFormat<Duration>.time(.zero ... .seconds(100_000))
        #expect(throws: BadValue.self) { try format.read([text]) }
    }

    @Test func `sizes have units`() throws {
        let format = SettingFormat<Int>.size(0...(1 << 40))
        #expect(try format.read(["64KiB"]) == 65_536)
        #expect(try format.read(["1.5 mib"]) == 1_572_864)
        #expect(format.write(65_536) == ["64KiB"] && format.write(1000) == ["1000B"] && format.write(0) == ["0B"])
    }

    @Test func `a secret is read from its file, without its newline, and never printed`() throws {
        let file = try TemporaryFile("hunter2\n")
        let secret = try SettingFormat<Secret>.secret().read([file.path])
        #expect(secret.bytes == Array("hunter2".utf8))
        #expect(!"\(secret)".contains("hunter2") && !String(reflecting: secret).contains("hunter2"))
        #expect(!"\(Mirror(reflecting: secret).children.map { "\($0)" })".contains("104"))
        #expect(throws: BadValue.self) { try SettingFormat<Secret>.secret().read(["/nowhere/at/all"]) }
    }
}
