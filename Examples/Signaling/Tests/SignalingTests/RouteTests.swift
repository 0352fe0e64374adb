import Foundation
import Testing

@testable import signaling

@Suite struct RouteTests {
    private func name(_ path: String) -> String {
        switch Route(path) {
        case .file: "file"
        case .sessions: "sessions"
        case .session(let sid): "session \(sid)"
        case .events(let sid): "events \(sid)"
        case .messages(let sid): "messages \(sid)"
        case nil: "none"
        }
    }

    @Test(arguments: [
        ("/", "file"), ("/app.js", "file"), ("/v1/sessions", "sessions"), ("/v1/sessions/0-a", "session 0-a"),
        ("/v1/sessions/0-a/events", "events 0-a"), ("/v1/sessions/%00/messages", "messages %00"),
        ("", "none"), ("*", "none"), ("/app.js/", "none"), ("//", "none"), ("/v1", "none"), ("/v1/sessions/", "none"),
        ("/v1/sessions/a/b", "none"), ("/v1/sessions/a/events/", "none"), ("/v1/sessionsa/a", "none"),
        ("v1/sessions", "none"), ("/../app.js", "none"), ("/V1/sessions", "none"),
    ])
    func pathsNameWhatTheyAreFor(_ path: String, _ expected: String) { #expect(name(path) == expected) }

    @Test func everyFileOfThePageIsServed() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let folder = package.appending(path: "Sources/Signaling/Web")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let served = WebFile.all["/\(file.lastPathComponent)"]
            #expect(served?.bytes == Array(try Data(contentsOf: file)), "WebFile.all lacks \(file.lastPathComponent)")
        }
        #expect(WebFile.all.count == files.count + 1)
    }
}
