internal import HelioHTTP
internal import HelioReactor

/// A file with all that a response says of it.
final class ServedFile: Sendable {
    /// A compressed form of the file, from a file of its own.
    struct Sibling: Sendable {
        let coding: FileOptions.Coding
        let file: OpenFile
    }

    /// A form of the file that is served.
    struct Variant: Sendable {
        let coding: FileOptions.Coding?
        let status: FileStatus
        let contents: Contents
        let entityTag: EntityTag
    }

    enum Contents: Sendable {
        case memory([UInt8])
        case open(OpenFile)
    }

    /// The file as it is.
    let plain: Variant
    /// Its compressed forms.
    let encoded: [Variant]
    /// The codings of those, as `accept-encoding` names them.
    let codings: [String]
    let contentType: String
    let lastModified: HTTPDate
    /// As the field has it.
    let lastModifiedText: String

    /// - Parameter now: nanoseconds since 1970.
    init(_ file: OpenFile, contentType: String, inMemoryUpTo largest: Int, siblings: [Sibling], now: Int64) {
        plain = Variant(file, nil, inMemoryUpTo: largest, now)
        encoded = siblings.map { Variant($0.file, $0.coding, inMemoryUpTo: largest, now) }
        codings = encoded.compactMap(\.coding?.rawValue)
        self.contentType = contentType
        // RFC 9110 section 8.8.2.1: not later than the response.
        let seconds = (min(file.status.modified, now) / 1_000_000_000)
        lastModified = HTTPDate(secondsSince1970: seconds)
        lastModifiedText = lastModified.description
    }

    /// Whether files that were just opened are those that this was made of, and nothing more can be said of them now.
    func isStill(_ status: FileStatus, _ siblings: [Sibling]) -> Bool {
        guard plain.status == status, !plain.entityTag.isWeak, encoded.count == siblings.count else { return false }
        return zip(encoded, siblings).allSatisfy { variant, sibling in
            variant.status == sibling.file.status && variant.coding == sibling.coding && !variant.entityTag.isWeak
        }
    }

    private var variants: [Variant] { [plain] + encoded }

    /// Files that it keeps open.
    var descriptors: Int {
        variants.reduce(0) { sum, variant in
            if case .open = variant.contents { sum + 1 } else { sum }
        }
    }

    /// What it keeps in memory, in bytes.
    var memory: Int {
        variants.reduce(0) { sum, variant in
            if case .memory(let bytes) = variant.contents { sum + bytes.count } else { sum }
        }
    }
}

extension ServedFile.Variant {
    fileprivate init(_ file: OpenFile, _ coding: FileOptions.Coding?, inMemoryUpTo largest: Int, _ now: Int64) {
        self.coding = coding
        status = file.status
        contents = file.contents(upTo: largest).map { .memory($0) } ?? .open(file)
        // Time of change and size tell versions apart, and are the same on every machine to which a site is copied with its
        // times. While the change is so young that another one might bear the same time, the tag is a weak one.
        let time = String(UInt64(bitPattern: status.modified), radix: 36)
        let size = String(status.size, radix: 36)
        let suffix = coding.map { "-\($0.rawValue)" } ?? ""
        entityTag = EntityTag("\(time)-\(size)\(suffix)", isWeak: status.modified > now - Self.settlingTime)
    }

    /// Clocks of file systems are as coarse as this, at worst. Nanoseconds.
    private static var settlingTime: Int64 { 2_000_000_000 }

    var size: Int { status.size }
}

extension OpenFile {
    /// All bytes of a small file; nil for one that is not, or that is being written to. Blocks.
    fileprivate func contents(upTo largest: Int) -> [UInt8]? {
        guard status.size <= largest else { return nil }
        var bytes = [UInt8](repeating: 0, count: status.size)
        var done = 0
        while done < bytes.count {
            let transfer = unsafe bytes.withUnsafeMutableBytes { target in
                unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: target[done...]), at: done)
            }
            guard case .bytes(let count) = transfer else { return nil }
            done += count
        }
        return (try? file.status()) == status ? bytes : nil
    }
}
