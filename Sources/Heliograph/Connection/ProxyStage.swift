/// The beginning of a connection that a proxy's header comes first on, and what it said from then on. Connections without a
/// proxy have none.
final class ProxyStage {
    private var parser: ProxyHeaderParser?
    private(set) var header: ProxyHeader?
    /// Why the connection was closed over it.
    var error: ProxyHeaderError?

    init(limit: Int) { parser = ProxyHeaderParser(limit: limit) }

    /// Whether the header has not come whole.
    var isAwaited: Bool { parser != nil }

    /// Takes the next bytes. Answers how many of them were the header's when it is whole, else nil.
    func take(_ bytes: UnsafeRawBufferPointer) throws(ProxyHeaderError) -> Int? {
        guard let step = unsafe parser?.take(bytes) else { return nil }
        switch step {
        case .incomplete: return nil
        case .failed(let error): throw error
        case .header(let header, let taken):
            self.header = header
            parser = nil
            return taken
        }
    }
}
