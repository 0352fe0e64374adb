internal import HelioHTTP
public import HelioReactor

/// A directory whose files are served. Loops share it; each has a ``FileResponder`` of its own for it.
///
/// ```swift
/// let site = try FileRoot("/srv/site")
/// let server = Server { loop in
///     Router(on: loop) { routes in routes.get("/{path...}", FileResponder(site, on: loop)) }
/// }
/// ```
public final class FileRoot: Sendable {
    let directory: Directory
    /// As they were given.
    public let options: FileOptions

    /// Opens the directory: what comes in its place later under the same name is not served. Blocks.
    ///
    /// - Throws: `Errno` of open(2).
    public init(_ path: String, options: FileOptions = FileOptions()) throws(Errno) {
        directory = try Directory(path)
        self.options = options
    }
}

/// What there is at a path.
enum FileLookup: Sendable {
    case file(ServedFile)
    /// A directory whose path has no slash at its end.
    case directory
    /// Nothing that is served.
    case missing
    /// The system does not let us read it.
    case forbidden
    /// The system has no room for another open file, or the blocking pool none for more work.
    case exhausted
    /// The disk or the file system is broken.
    case failed
}

extension FileRoot {
    /// Looks a path up. Blocks.
    ///
    /// - Parameters:
    ///   - previous: what was there when it was last looked up; given back where it still is.
    ///   - now: nanoseconds since 1970.
    func load(_ path: FilePath, previous: ServedFile?, now: Int64) -> FileLookup {
        guard path.isDirectory else { return load(file: path, previous, now) }
        for name in options.indexFiles {
            let found = load(file: FilePath(path, adding: name), previous, now)
            if case .missing = found { continue }
            if case .directory = found { continue }
            return found
        }
        return .missing
    }

    private func load(file path: FilePath, _ previous: ServedFile?, _ now: Int64) -> FileLookup {
        do throws(Errno) {
            let open = try OpenFile(directory.open(path.text, links: options.links))
            switch open.status.kind {
            case .directory: return .directory
            case .regular: return .file(serve(open, path, previous, now))
            default: return .missing
            }
        } catch {
            return Self.lookup(for: error)
        }
    }

    private func serve(_ open: OpenFile, _ path: FilePath, _ previous: ServedFile?, _ now: Int64) -> ServedFile {
        let siblings = siblings(of: open, path, now)
        if let previous, previous.isStill(open.status, siblings) { return previous }
        let type = MediaType.forFile(path.text).description
        return ServedFile(
            open, contentType: type, inMemoryUpTo: options.cache.largestInMemory, siblings: siblings, now: now)
    }

    private func siblings(of file: OpenFile, _ path: FilePath, _ now: Int64) -> [ServedFile.Sibling] {
        options.precompressed.compactMap { coding in
            let path = FilePath(path, adding: coding.suffix)
            guard let open = try? OpenFile(directory.open(path.text, links: options.links)),
                open.status.kind == .regular, open.status.modified >= file.status.modified
            else { return nil }
            return ServedFile.Sibling(coding: coding, file: open)
        }
    }

    private static func lookup(for error: Errno) -> FileLookup {
        if error.isOutOfDescriptors { return .exhausted }
        if error.isPermissionDenied { return .forbidden }
        return error.isInputOutput ? .failed : .missing
    }
}
