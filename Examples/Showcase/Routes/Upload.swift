import Heliograph

/// Multipart bodies in both directions: `POST /upload` answers with a JSON list of the parts that it got, `/parts` with parts.
func addUpload(to router: Routes) {
    router.post("/upload") { exchange in try await upload(exchange) }
    router.get("/parts") { exchange in parts(exchange) }
}

/// What writes temporary files: shared by all loops.
private let disk = BlockingPool()

/// A part over this many bytes goes to a temporary file.
private let keptInMemory = 1 << 20

private func upload(_ exchange: Exchange) async throws {
    var limits = MultipartLimits()
    limits.maxPartSize = 16 << 30
    limits.maxTotalSize = 32 << 30
    var items: [String] = []
    for try await part in exchange.parts(limits: limits) {
        var checksum = CRC32()
        let saved = try await part.save(keeping: keptInMemory, by: disk) { chunk in checksum.add(chunk) }
        items.append(describe(part, saved, checksum))
    }
    exchange.respond(.ok, contentType: "application/json", "[\(items.joined(separator: ",\n"))]\n")
}

private func describe(_ part: MultipartPart, _ saved: SavedPart, _ checksum: CRC32) -> String {
    let storage = if case .file = saved { "file" } else { "memory" }
    var members = [
        "\"index\":\(part.index)", "\"depth\":\(part.depth)", "\"type\":\(quoted(part.contentType.description))",
        "\"encoding\":\"\(part.encoding)\"",
    ]
    if let name = part.name { members.append("\"name\":\(quoted(name))") }
    if let filename = part.filename { members.append("\"filename\":\(quoted(filename))") }
    if let safe = part.disposition?.safeFilename { members.append("\"safe_filename\":\(quoted(safe))") }
    if !part.isMultipart {
        members.append("\"size\":\(saved.size),\"crc32\":\"\(checksum.text)\",\"storage\":\"\(storage)\"")
    }
    return "{\(members.joined(separator: ","))}"
}

private func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": quoted += "\\\(scalar)"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}

/// A text, a file of base64, and two parts within a part.
private func parts(_ exchange: Exchange) {
    let parts = exchange.respond(.ok, multipart: .mixed)
    parts.beginPart(contentType: .plainText)
    parts.write("Parts follow.\n")
    parts.beginPart(
        contentType: .octetStream, disposition: .attachment(filename: "größe.bin"), encoding: .base64)
    parts.write((0...255).map { UInt8($0) })
    parts.beginMultipart(.mixed)
    parts.beginPart(contentType: .plainText, encoding: .quotedPrintable)
    parts.write("Schöne Grüße = best wishes\r\n")
    parts.beginPart(contentType: .json)
    parts.write("{}")
    parts.endMultipart()
    parts.finish()
}

/// The checksum of gzip and PNG (ISO 3309).
private struct CRC32 {
    private var value: UInt32 = ~0

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    mutating func add(_ bytes: [UInt8]) {
        let table = Self.table
        for byte in bytes { value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] }
    }

    /// Eight hexadecimal digits.
    var text: String {
        let digits = String(~value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
