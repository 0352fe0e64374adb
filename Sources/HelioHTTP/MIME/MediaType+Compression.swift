extension MediaType {
    /// Whether content of this type gets smaller by compression: texts and what is written as one, and what is known to be stored
    /// uncompressed. Pictures, films and archives are compressed already.
    public var gainsFromCompression: Bool {
        unsafe withBytes(essence) { unsafe Self.gainsFromCompression($0.bytes) }
    }

    /// The same of a `content-type` field's value; allocates nothing.
    public static func gainsFromCompression(_ value: RawSpan) -> Bool {
        unsafe value.withUnsafeBytes { bytes in
            var scanner = unsafe FieldScanner(bytes)
            scanner.skipBlanks()
            guard let type = try? scanner.token(""), scanner.take(UInt8(ascii: "/")),
                let subtype = try? scanner.token("")
            else { return false }
            if scanner.range(type, equals: "text") { return true }
            if scanner.range(subtype, endsIn: "+json") || scanner.range(subtype, endsIn: "+xml") { return true }
            if scanner.range(type, equals: "application") {
                return applications.contains { scanner.range(subtype, equals: $0) }
            }
            if scanner.range(type, equals: "font") { return fonts.contains { scanner.range(subtype, equals: $0) } }
            return scanner.range(type, equals: "image") && images.contains { scanner.range(subtype, equals: $0) }
        }
    }

    private static let applications: [StaticString] = [
        "json", "javascript", "xml", "wasm", "x-javascript", "x-ndjson", "yaml", "sql", "rtf", "graphql", "x-sh",
        "x-tar", "x-www-form-urlencoded", "postscript", "vnd.ms-fontobject", "vnd.apple.mpegurl",
    ]
    private static let fonts: [StaticString] = ["ttf", "otf", "collection"]
    private static let images: [StaticString] = ["bmp", "vnd.microsoft.icon", "x-icon"]
}
