internal import HelioReactor

/// The sockets that a server listens on, for all its loops.
struct Binding {
    /// For each address: one socket for each loop, or one that all share.
    private var sockets: [[ListeningSocket]] = []
    /// The endpoint of each of them.
    private var endpoints: [ServerConfiguration.Endpoint] = []

    var addresses: [SocketAddress] { sockets.compactMap { $0.first?.address } }

    func sockets(for loop: Int) -> [(ListeningSocket, ServerConfiguration.Endpoint)] {
        zip(sockets, endpoints).map { ($0.count == 1 ? $0[0] : $0[loop], $1) }
    }

    static func bind(_ endpoints: [ServerConfiguration.Endpoint], loops: Int) throws(ServerError) -> Binding {
        var binding = Binding()
        for endpoint in endpoints {
            guard try binding.add(endpoint, loops: loops) else { throw .address(endpoint) }
            let added = binding.sockets.count - binding.endpoints.count
            binding.endpoints += Array(repeating: endpoint, count: added)
        }
        return binding
    }

    /// Answers false when the endpoint names no address.
    private mutating func add(_ endpoint: ServerConfiguration.Endpoint, loops: Int) throws(ServerError) -> Bool {
        do throws(Errno) {
            switch endpoint.place {
            case .tcp(let host, let port):
                return try bind(host == "localhost" ? ["127.0.0.1", "::1"] : [host], port: port, loops: loops)
            case .unix(let path):
                guard let address = SocketAddress(unixPath: path) else { return false }
                sockets.append(try ListeningSocket.bind(address, count: loops))
            case .descriptor(let descriptor):
                sockets.append([try ListeningSocket.adopt(descriptor)])
            }
            return true
        } catch {
            throw .listen(endpoint, error)
        }
    }

    /// Binds all addresses of one name to the same port. Answers false when one is not an address.
    private mutating func bind(_ hosts: [String], port: UInt16, loops: Int) throws(Errno) -> Bool {
        let bound = sockets.count
        for _ in 1..<(port == 0 ? Self.portTries : 1) {
            do throws(Errno) {
                return try bindOnce(hosts, port: port, loops: loops)
            } catch {
                // The port that the kernel chose for one address may be taken on another: it chooses again.
                guard error.isAddressInUse, sockets.count > bound else { throw error }
                sockets.removeSubrange(bound...)
            }
        }
        return try bindOnce(hosts, port: port, loops: loops)
    }

    private static let portTries = 16

    private mutating func bindOnce(_ hosts: [String], port: UInt16, loops: Int) throws(Errno) -> Bool {
        var port = port
        for (index, host) in hosts.enumerated() {
            guard let address = SocketAddress(host: host, port: port) else { return false }
            do throws(Errno) {
                let bound = try ListeningSocket.bind(address, count: loops)
                sockets.append(bound)
                port = bound.first?.address.port ?? port
            } catch {
                // A machine without IPv6 has no ::1.
                guard index > 0, error.isAddressNotAvailable else { throw error }
            }
        }
        return true
    }
}
