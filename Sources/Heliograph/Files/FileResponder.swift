public import HelioHTTP
public import HelioReactor

/// Serves the files under a root: a handler, and a help for other handlers. One for each loop.
///
/// As a handler it takes the path from the route's parameter `path`, where it has one, else from the whole of the request's
/// path. It answers GET and HEAD, with conditions, ranges, compressed siblings and the index files of directories; a directory
/// whose path has no slash at its end is answered by a redirect to the path with one.
///
/// Nothing outside of the root is reached, whatever the path says: see <doc:ServingFiles>. Files are opened by the loop's
/// blocking pool and kept open for a while; what is known is answered at once.
///
/// ```swift
/// let site = try FileRoot("/srv/site")
/// let router = Router(on: loop) { routes in routes.get("/static/{path...}", FileResponder(site, on: loop)) }
/// ```
public final class FileResponder: Handler {
    let root: FileRoot
    let loop: EventLoop
    let cache: FileCache

    public init(_ root: FileRoot, on loop: EventLoop) {
        self.root = root
        self.loop = loop
        cache = FileCache(root, on: loop)
    }

    public func request(_ exchange: Exchange) {
        guard admits(exchange) else { return }
        let showsHidden = root.options.showsHidden
        let path =
            exchange.withParameter("path") { FilePath.parse($0, from: 0, showsHidden: showsHidden) }
            ?? exchange.withPath { FilePath.parse($0, from: 1, showsHidden: showsHidden) }
        answer(exchange, path)
    }

    /// Answers with a file that the program chooses.
    ///
    /// - Parameter path: relative to the root, not encoded: `reports/2026 Q1.pdf`.
    public func respond(_ exchange: Exchange, path: String) {
        guard admits(exchange) else { return }
        let showsHidden = root.options.showsHidden
        answer(
            exchange, Result { () throws(FilePath.Refusal) in try FilePath(path, showsHidden: showsHidden) })
    }

    private func admits(_ exchange: Exchange) -> Bool {
        switch exchange.method {
        case .get, .head: return true
        case .options:
            exchange.addHeader("allow", Self.allowed)
            exchange.respond(.noContent)
        default:
            exchange.addHeader("allow", Self.allowed)
            exchange.respond(.methodNotAllowed)
        }
        return false
    }

    private static let allowed = "GET, HEAD, OPTIONS"

    private func answer(_ exchange: Exchange, _ path: Result<FilePath, FilePath.Refusal>) {
        switch path {
        case .success(let path): lookUp(exchange, path)
        case .failure(.malformed): exchange.respond(.badRequest)
        case .failure(.hidden): exchange.respond(.notFound)
        }
    }

    private func lookUp(_ exchange: Exchange, _ path: FilePath) {
        if let known = cache.known(path) { return answer(exchange, path, known) }
        cache.load(path) { [self] lookup in answer(exchange, path, lookup) }
    }

    private func answer(_ exchange: Exchange, _ path: FilePath, _ lookup: FileLookup) {
        switch lookup {
        case .file(let file): send(file, exchange)
        case .directory: enter(exchange, path)
        case .missing: exchange.respond(.notFound)
        case .forbidden: exchange.respond(.forbidden)
        case .exhausted: exchange.respond(.serviceUnavailable)
        case .failed: exchange.respond(.internalServerError)
        }
    }

    /// Relative links of an index file hold only from below the directory.
    private func enter(_ exchange: Exchange, _ path: FilePath) {
        guard !exchange.isClosed else { return }
        guard !exchange.pathHasSuffix("/") else { return lookUp(exchange, FilePath(path, adding: "/")) }
        exchange.addHeader("location", FilePath.redirect(fromLastNameOf: exchange.path, query: exchange.query))
        exchange.respond(.movedPermanently)
    }
}

extension FilePath {
    fileprivate static func parse(
        _ encoded: RawSpan, from start: Int, showsHidden: Bool
    ) -> Result<FilePath, Refusal> {
        Result { () throws(Refusal) in try FilePath(encoded: encoded, from: start, showsHidden: showsHidden) }
    }

    /// The reference from a path without a slash at its end to the same with one.
    ///
    /// It names no host and no path from the top, so that no path, `//host/..` say, makes it lead elsewhere; and begins with
    /// `./`, so that no name is taken for a scheme.
    static func redirect(fromLastNameOf path: String, query: String?) -> String {
        let start = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex
        var name = ""
        for byte in path[start...].utf8 {
            switch byte {
            case 0x21...0x7e where byte != UInt8(ascii: "\\"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                name += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return "./\(name)/\(query.map { "?\($0)" } ?? "")"
    }
}
