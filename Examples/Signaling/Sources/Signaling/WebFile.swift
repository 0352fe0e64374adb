import Heliograph

/// A file of the demo page.
struct WebFile: Sendable {
    let contentType: String
    let bytes: [UInt8]

    /// By their paths.
    static let all: [String: WebFile] = [
        "/": html(PackageResources.index_html),
        "/index.html": html(PackageResources.index_html),
        "/chat.css": style(PackageResources.chat_css),
        "/lobby.css": style(PackageResources.lobby_css),
        "/room.css": style(PackageResources.room_css),
        "/style.css": style(PackageResources.style_css),
        "/app.js": script(PackageResources.app_js),
        "/link.js": script(PackageResources.link_js),
        "/media.js": script(PackageResources.media_js),
        "/signaling.d.ts": types(PackageResources.signaling_d_ts),
        "/signaling.js": script(PackageResources.signaling_js),
        "/view.js": script(PackageResources.view_js),
        "/words.js": script(PackageResources.words_js),
    ]

    /// The page loads its own files, talks to its own server, and stands in nobody's frame.
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static func html(_ bytes: [UInt8]) -> WebFile {
        WebFile(contentType: "text/html; charset=utf-8", bytes: bytes)
    }

    private static func style(_ bytes: [UInt8]) -> WebFile {
        WebFile(contentType: "text/css; charset=utf-8", bytes: bytes)
    }

    private static func types(_ bytes: [UInt8]) -> WebFile {
        WebFile(contentType: "application/typescript; charset=utf-8", bytes: bytes)
    }

    private static func script(_ bytes: [UInt8]) -> WebFile {
        WebFile(contentType: "text/javascript; charset=utf-8", bytes: bytes)
    }
}

extension Exchange {
    func respond(_ file: WebFile) {
        addHeader("cache-control", "no-cache")
        addHeader("content-security-policy", WebFile.contentSecurityPolicy)
        addHeader("x-content-type-options", "nosniff")
        respond(.ok, contentType: file.contentType, bytes: file.bytes)
    }
}
