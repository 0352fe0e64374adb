/// Types that programs name. Texts are UTF-8.
extension MediaType {
    public static let plainText = MediaType("text", "plain", parameters: [utf8])
    public static let html = MediaType("text", "html", parameters: [utf8])
    public static let css = MediaType("text", "css", parameters: [utf8])
    public static let csv = MediaType("text", "csv", parameters: [utf8])
    public static let markdown = MediaType("text", "markdown", parameters: [utf8])
    public static let javascript = MediaType("text", "javascript", parameters: [utf8])
    /// Server-sent events.
    public static let eventStream = MediaType("text", "event-stream")
    /// JSON is UTF-8 without saying so (RFC 8259 section 8.1).
    public static let json = MediaType("application", "json")
    /// RFC 9457.
    public static let problemJSON = MediaType("application", "problem+json")
    public static let xml = MediaType("application", "xml")
    public static let octetStream = MediaType("application", "octet-stream")
    public static let pdf = MediaType("application", "pdf")
    public static let zip = MediaType("application", "zip")
    public static let gzip = MediaType("application", "gzip")
    public static let wasm = MediaType("application", "wasm")
    public static let formURLEncoded = MediaType("application", "x-www-form-urlencoded")
    /// RFC 7578; with a `boundary` where it is sent.
    public static let formData = MediaType("multipart", "form-data")
    /// RFC 2046 section 5.1.3; with a `boundary` where it is sent.
    public static let mixed = MediaType("multipart", "mixed")
    /// RFC 9110 section 14.6; with a `boundary` where it is sent.
    public static let byteranges = MediaType("multipart", "byteranges")
    public static let message = MediaType("message", "rfc822")
    public static let png = MediaType("image", "png")
    public static let jpeg = MediaType("image", "jpeg")
    public static let gif = MediaType("image", "gif")
    public static let webp = MediaType("image", "webp")
    public static let svg = MediaType("image", "svg+xml")

    private static let utf8 = Parameter("charset", "utf-8")
}
