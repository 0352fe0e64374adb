import Heliograph

/// The files of the operators' page.
enum AdminDashboard {
    static let files: [String: (contentType: String, bytes: [UInt8])] = [
        "/": ("text/html; charset=utf-8", PackageResources.dashboard_html),
        "/dashboard.css": ("text/css; charset=utf-8", PackageResources.dashboard_css),
        "/dashboard.js": ("text/javascript; charset=utf-8", PackageResources.dashboard_js),
    ]

    /// The page loads its own files and asks its own server.
    private static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    static func respond(_ exchange: Exchange, _ file: (contentType: String, bytes: [UInt8])) {
        exchange.addHeader("cache-control", "no-cache")
        exchange.addHeader("content-security-policy", contentSecurityPolicy)
        exchange.addHeader("x-content-type-options", "nosniff")
        exchange.addHeader("referrer-policy", "no-referrer")
        exchange.respond(.ok, contentType: file.contentType, bytes: file.bytes)
    }
}
