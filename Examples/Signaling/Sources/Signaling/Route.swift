import Heliograph

/// What a path names.
enum Route {
    case file(WebFile)
    case sessions
    case session(_ sid: String)
    case events(_ sid: String)
    case messages(_ sid: String)

    init?(_ path: String) {
        if let file = WebFile.all[path] {
            self = .file(file)
            return
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard parts.starts(with: ["v1", "sessions"]) else { return nil }
        switch (parts.count, parts.last) {
        case (2, _): self = .sessions
        case (3, let sid?) where !sid.isEmpty: self = .session(sid)
        case (4, "events"): self = .events(parts[2])
        case (4, "messages"): self = .messages(parts[2])
        default: return nil
        }
    }

    var methods: [Method] {
        switch self {
        case .file: [.get, .head]
        case .sessions, .messages: [.post]
        case .session: [.delete]
        case .events: [.get]
        }
    }
}
