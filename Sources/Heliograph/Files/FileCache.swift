internal import HelioHTTP
internal import HelioReactor

/// What a loop knows of the files under a root. What it knows is answered at once; what it does not, or not any more, is
/// looked up by the blocking pool, once for all who ask meanwhile. Loop thread.
final class FileCache {
    private let root: FileRoot
    private let loop: EventLoop
    private var present = RecencyList<Entry>()
    /// Apart, so that guesses at names do not drive out what is there.
    private var missing = RecencyList<Entry>()
    private var loading: [String: [(FileLookup) -> Void]] = [:]
    /// Files that are kept open, and bytes that are kept in memory.
    private(set) var descriptors = 0
    private(set) var memory = 0
    /// Lookups that the blocking pool has done.
    private(set) var loads = 0

    private struct Entry {
        let lookup: FileLookup
        let validUntil: UInt64
    }

    init(_ root: FileRoot, on loop: EventLoop) {
        self.root = root
        self.loop = loop
    }

    var count: Int { present.count + missing.count }

    /// What is known.
    func known(_ path: FilePath) -> FileLookup? {
        guard let entry = present.use(path.text) ?? missing.use(path.text), loop.now < entry.validUntil else {
            return nil
        }
        return entry.lookup
    }

    /// Has the path looked up, and calls `done` with what is there, later.
    func load(_ path: FilePath, _ done: @escaping (FileLookup) -> Void) {
        if loading[path.text]?.append(done) != nil { return }
        loading[path.text] = [done]
        var previous: ServedFile?
        if case .file(let file)? = present.use(path.text)?.lookup { previous = file }
        let isQueued = loop.blockingPool.submit(on: loop) { [root, previous] in
            root.load(path, previous: previous, now: unixTime() &* 1_000_000_000)
        } then: { [self] lookup in
            loads += 1
            settle(path, lookup)
        }
        if !isQueued { settle(path, .exhausted) }
    }

    private func settle(_ path: FilePath, _ lookup: FileLookup) {
        keep(path, lookup)
        guard let waiting = loading.removeValue(forKey: path.text) else { return }
        for done in waiting { done(lookup) }
    }

    private func keep(_ path: FilePath, _ lookup: FileLookup) {
        let entry = Entry(lookup: lookup, validUntil: loop.now &+ root.options.cache.validity.nanoseconds)
        switch lookup {
        case .file(let file):
            missing.remove(path.text)
            descriptors += file.descriptors
            memory += file.memory
            letGo(present.insert(path.text, entry))
        case .directory:
            missing.remove(path.text)
            letGo(present.insert(path.text, entry))
        case .missing, .forbidden:
            letGo(present.remove(path.text))
            missing.insert(path.text, entry)
        case .exhausted:
            // What is not in use gives its descriptors back.
            while let oldest = present.removeOldest() { letGo(oldest) }
        case .failed: break
        }
        let limits = root.options.cache
        while present.count > limits.maxEntries || descriptors > limits.maxDescriptors || memory > limits.maxMemory {
            guard let oldest = present.removeOldest() else { break }
            letGo(oldest)
        }
        while missing.count > limits.maxEntries { _ = missing.removeOldest() }
    }

    private func letGo(_ entry: Entry?) {
        guard case .file(let file)? = entry?.lookup else { return }
        descriptors -= file.descriptors
        memory -= file.memory
    }
}
