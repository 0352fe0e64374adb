public import HelioReactor
public import HelioTLS

/// Why a server does not start. The description says what is wrong and what to do, in one line.
public enum ServerError: Error, CustomStringConvertible {
    /// An address cannot be listened at.
    case listen(ServerConfiguration.Endpoint, Errno)
    /// A host is neither a numeric address nor `localhost`, or a path is too long.
    case address(ServerConfiguration.Endpoint)
    /// A file cannot be read or written.
    case file(path: String, Errno)
    /// A certificate, a key or another setting of TLS is wrong.
    case tls(TLSError)
    /// Threads or descriptors run out.
    case resources(Errno)
    /// A server starts once.
    case alreadyStarted

    public var description: String {
        switch self {
        case .listen(let endpoint, let error) where error.isAddressInUse:
            "cannot listen on \(endpoint): the address is in use; stop what listens there, or choose another port or path"
        case .listen(let endpoint, let error): "cannot listen on \(endpoint): \(error.reason)"
        case .address(let endpoint):
            if case .unix(let path) = endpoint.place {
                "cannot listen on '\(path)': a socket's path has 1 to 107 bytes"
            } else {
                "cannot listen on \(endpoint): the host is a numeric address or 'localhost'"
            }
        case .file(let path, let error): "\(path): \(error.reason)"
        case .tls(let error): "\(error)"
        case .resources(let error): "cannot start: \(error)"
        case .alreadyStarted: "this server has been started already; make another one"
        }
    }
}
