/// Types of files by the ends of their names.
extension MediaType {
    /// The type of files whose names end so (without the dot, in any case), or nil for an end that is not known.
    ///
    /// Allocates nothing for one in lower case. Texts are taken for UTF-8.
    public static func forExtension(_ name: String) -> MediaType? {
        if let type = byExtension[name] { return type }
        guard name.utf8.contains(where: { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }) else { return nil }
        return byExtension[name.lowercased()]
    }

    /// The type of a file by what follows the last dot of its name, `application/octet-stream` for one that is not known.
    ///
    /// - Parameter path: a name or a path; a name that begins with its only dot has no extension.
    public static func forFile(_ path: String) -> MediaType {
        let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return .octetStream }
        return forExtension(String(name[name.index(after: dot)...])) ?? .octetStream
    }

    private static let byExtension: [String: MediaType] = {
        var table: [String: MediaType] = [:]
        for (type, extensions) in known {
            for name in extensions.split(separator: " ") { table[String(name)] = type }
        }
        return table
    }()

    private static let known: [(MediaType, String)] =
        [
            (html, "html htm"), (css, "css"), (javascript, "js mjs cjs"), (plainText, "txt text log conf ini"),
            (csv, "csv"), (markdown, "md markdown"), (json, "json map"), (xml, "xml xsl xsd"), (pdf, "pdf"),
            (zip, "zip"), (gzip, "gz"), (wasm, "wasm"), (svg, "svg"), (png, "png"), (jpeg, "jpg jpeg jpe"),
            (gif, "gif"), (webp, "webp"), (message, "eml"), (octetStream, "bin exe dll iso img dmg deb so"),
        ]
        + [
            ("application/atom+xml", "atom"), ("application/epub+zip", "epub"), ("application/geo+json", "geojson"),
            ("application/java-archive", "jar war"), ("application/ld+json", "jsonld"),
            ("application/manifest+json", "webmanifest"), ("application/msword", "doc"),
            ("application/postscript", "ps eps ai"), ("application/rss+xml", "rss"), ("application/rtf", "rtf"),
            ("application/vnd.apple.mpegurl", "m3u8"), ("application/vnd.ms-excel", "xls"),
            ("application/vnd.ms-fontobject", "eot"), ("application/vnd.ms-powerpoint", "ppt"),
            ("application/vnd.oasis.opendocument.presentation", "odp"),
            ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
            ("application/vnd.oasis.opendocument.text", "odt"),
            ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
            ("application/vnd.rar", "rar"), ("application/x-7z-compressed", "7z"), ("application/x-bzip2", "bz2"),
            ("application/x-sh", "sh"), ("application/x-tar", "tar"), ("application/x-xz", "xz"),
            ("application/xhtml+xml", "xhtml"), ("application/yaml", "yaml yml"), ("application/zstd", "zst"),
            ("application/dash+xml", "mpd"), ("application/sql", "sql"), ("application/x-x509-ca-cert", "der crt"),
            ("application/x-pem-file", "pem"),
            ("audio/aac", "aac"), ("audio/flac", "flac"), ("audio/midi", "mid midi"), ("audio/mp4", "m4a"),
            ("audio/mpeg", "mp3"), ("audio/ogg", "ogg oga opus"), ("audio/wav", "wav"), ("audio/webm", "weba"),
            ("font/otf", "otf"), ("font/ttf", "ttf"), ("font/collection", "ttc"), ("font/woff", "woff"),
            ("font/woff2", "woff2"),
            ("image/apng", "apng"), ("image/avif", "avif"), ("image/bmp", "bmp"), ("image/heic", "heic"),
            ("image/jxl", "jxl"), ("image/tiff", "tif tiff"), ("image/vnd.microsoft.icon", "ico"),
            ("model/gltf+json", "gltf"), ("model/gltf-binary", "glb"), ("text/calendar", "ics"),
            ("text/vcard", "vcf"), ("text/vtt", "vtt"), ("video/3gpp", "3gp"), ("video/mp2t", "ts"),
            ("video/mp4", "mp4 m4v"), ("video/mpeg", "mpeg mpg"), ("video/ogg", "ogv"), ("video/quicktime", "mov"),
            ("video/webm", "webm"), ("video/x-matroska", "mkv"), ("video/x-msvideo", "avi"),
        ].compactMap { text, extensions in (try? MediaType(parsing: text)).map { ($0, extensions) } }
}
