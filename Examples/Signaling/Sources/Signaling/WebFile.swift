import Heliograph

/// A file of the demo page, or of the operators' page.
struct WebFile: Sendable {
    let contentType: String
    let bytes: [UInt8]

    /// The demo page's, by their paths.
    static let all: [String: WebFile] = [
        "/": html(PackageResources.index_html),
        "/index.html": html(PackageResources.index_html),
        "/chat.css": style(PackageResources.chat_css),
        "/moderation.css": style(PackageResources.moderation_css),
        "/lobby.css": style(PackageResources.lobby_css),
        "/room.css": style(PackageResources.room_css),
        "/style.css": style(PackageResources.style_css),
        "/app.js": script(PackageResources.app_js),
        "/link.js": script(PackageResources.link_js),
        "/media.js": script(PackageResources.media_js),
        "/moderation.js": script(PackageResources.moderation_js),
        "/signaling.d.ts": types(PackageResources.signaling_d_ts),
        "/signaling.js": script(PackageResources.signaling_js),
        "/view.js": script(PackageResources.view_js),
        "/words.js": script(PackageResources.words_js),
    ]

    /// The operators' page's.
    static let dashboard: [String: WebFile] = [
        "/": html(PackageResources.dashboard_html),
        "/dashboard.css": style(PackageResources.dashboard_css),
        "/dashboard.js": script(PackageResources.dashboard_js),
    ]

    /// The page loads its own files, talks to its own server, and stands in nobody's frame.
    fileprivate static func contentSecurityPolicy(images: String) -> String {
        """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src \(images); \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """
    }

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
    /// - Parameter images: where the page may have pictures from.
    func respond(_ file: WebFile, images: String = "'self' data:") {
        addHeader("cache-control", "no-cache")
        addHeader("content-security-policy", WebFile.contentSecurityPolicy(images: images))
        addHeader("x-content-type-options", "nosniff")
        respond(.ok, contentType: file.contentType, bytes: file.bytes)
    }
}
