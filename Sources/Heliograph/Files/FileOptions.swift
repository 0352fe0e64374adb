public import HelioReactor

/// How the files under a ``FileRoot`` are served.
///
/// ```swift
/// var options = FileOptions()
/// options.cacheControl = "public, max-age=3600"
/// options.links = .never
/// ```
public struct FileOptions: Sendable {
    /// Which symbolic links are followed.
    public var links = Directory.Links.within
    /// Whether names that begin with a dot are served. `.well-known` always is (RFC 8615).
    public var showsHidden = false
    /// The names of the file that stands for a directory, the first that is there. None: directories are answered by 404.
    public var indexFiles = ["index.html"]
    /// The codings for which a file may have a compressed sibling (`site.css.br`). One that is older than the file is passed
    /// over. The client's liking decides, then this order.
    public var precompressed = [Coding.brotli, .gzip]
    /// The `cache-control` of every file.
    public var cacheControl: String?
    /// Ranges that a request may ask for. Past it the answer is the whole file.
    public var maxRanges = 16
    /// What each loop keeps of files.
    public var cache = Cache()

    public init() {}

    /// A content coding of which files are made ahead of time.
    public enum Coding: String, Hashable, Sendable {
        case brotli = "br"
        case gzip = "gzip"

        var suffix: String {
            switch self {
            case .brotli: ".br"
            case .gzip: ".gz"
            }
        }
    }

    /// What a loop keeps of the files that were asked for last. What has not been asked for longest goes first.
    public struct Cache: Sendable {
        /// For how long what was found is answered without another look; so long may a change go unseen.
        public var validity = Duration.seconds(1)
        /// Paths that are known, and as many that are known to be missing.
        public var maxEntries = 1024
        /// Files that are kept open.
        public var maxDescriptors = 128
        /// Files up to this size are kept in memory, in bytes.
        public var largestInMemory = 16 * 1024
        /// What those files take together, in bytes.
        public var maxMemory = 4 * 1024 * 1024

        public init() {}
    }
}
