internal import HelioReactor

/// Reads a PROXY header from the first bytes of a connection, in any cut, and not one byte more.
///
/// The two versions are told apart by the first byte; what fits neither is refused at the byte where it shows.
struct ProxyHeaderParser {
    enum Step: Equatable {
        /// There is no more of it yet.
        case incomplete
        /// It is whole, with so many of the bytes that were given.
        case header(ProxyHeader, taken: Int)
        case failed(ProxyHeaderError)
    }

    private var buffer: [UInt8] = []
    /// The length of a header of version 2, once it is known.
    private var total: Int?
    /// The most that may follow the first 16 bytes of version 2.
    private let limit: Int

    private static let signature1 = Array("PROXY ".utf8)
    static let signature2: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    /// The longest line of version 1, CRLF included.
    static let longestLine = 107
    private static let prefixLength = 16

    init(limit: Int) { self.limit = limit }

    /// Takes the next bytes. After a header or a failure it is done.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Step {
        var position = 0
        while position < bytes.count {
            if let total {
                let count = min(total - buffer.count, bytes.count - position)
                unsafe buffer.append(contentsOf: bytes[position..<position + count])
                position += count
            } else {
                unsafe buffer.append(bytes[position])
                position += 1
                if let error = check() { return .failed(error) }
            }
            guard isWhole else { continue }
            do throws(ProxyHeaderError) {
                return .header(try total == nil ? readLine() : readBinary(), taken: position)
            } catch {
                return .failed(error)
            }
        }
        return .incomplete
    }

    private var isWhole: Bool {
        if let total { return buffer.count == total }
        return buffer[0] == Self.signature1[0] && buffer.last == UInt8(ascii: "\n")
    }

    /// Looks at the byte that was added last.
    private mutating func check() -> ProxyHeaderError? {
        let last = buffer.count - 1
        if buffer[0] == Self.signature1[0] {
            if last < Self.signature1.count { return buffer[last] == Self.signature1[last] ? nil : .missing }
            return buffer.count == Self.longestLine && buffer[last] != UInt8(ascii: "\n") ? .tooLong : nil
        }
        guard buffer[0] == Self.signature2[0] else { return .missing }
        if last < Self.signature2.count { return buffer[last] == Self.signature2[last] ? nil : .missing }
        guard buffer.count == Self.prefixLength else { return nil }
        let length = Int(buffer[14]) << 8 | Int(buffer[15])
        guard length <= limit else { return .tooLong }
        total = Self.prefixLength + length
        return nil
    }

    // MARK: Version 1

    /// `PROXY TCP4 192.0.2.1 198.51.100.2 56324 443`
    private func readLine() throws(ProxyHeaderError) -> ProxyHeader {
        guard buffer.dropLast().last == UInt8(ascii: "\r") else { throw .malformed("the line does not end with CRLF") }
        let line = String(decoding: buffer.dropLast(2), as: UTF8.self)
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        var header = ProxyHeader(version: 1)
        // What follows it is to be ignored.
        if words.count >= 2, words[1] == "UNKNOWN" { return header }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6" else {
            throw .malformed("the line is no 'PROXY TCP4' or 'TCP6' with two addresses and two ports")
        }
        header.source = try address(words[2], words[4], isIPv6: words[1] == "TCP6")
        header.destination = try address(words[3], words[5], isIPv6: words[1] == "TCP6")
        return header
    }

    private func address(
        _ host: Substring, _ port: Substring, isIPv6: Bool
    ) throws(ProxyHeaderError) -> SocketAddress {
        guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (48...57).contains($0) }),
            port == "0" || !port.hasPrefix("0"), let number = UInt16(port)
        else { throw .malformed("a port is no number up to 65535") }
        guard host.contains(":") == isIPv6, let address = SocketAddress(numericHost: String(host), port: number) else {
            throw .malformed("an address is none of its family")
        }
        return address
    }

    // MARK: Version 2

    private func readBinary() throws(ProxyHeaderError) -> ProxyHeader {
        guard buffer[12] >> 4 == 2 else { throw .malformed("the version is not 2") }
        let (family, transport) = (buffer[13] >> 4, buffer[13] & 15)
        guard family <= 3, transport <= 2 else { throw .malformed("the family is unknown") }
        var header = ProxyHeader(version: 2)
        switch buffer[12] & 15 {
        case 0:
            header.isLocal = true
            return header
        case 1: break
        default: throw .malformed("the command is unknown")
        }
        let addresses = [0, 12, 36, 216][Int(family)]
        guard buffer.count >= Self.prefixLength + addresses else {
            throw .malformed("there is no room for its addresses")
        }
        // Datagrams do not come over a stream: their addresses are not this connection's.
        if transport == 1 { readAddresses(family, into: &header) }
        try header.read(ProxyFields(buffer, from: Self.prefixLength + addresses))
        return header
    }

    private func readAddresses(_ family: UInt8, into header: inout ProxyHeader) {
        let start = Self.prefixLength
        switch family {
        case 1, 2:
            let length = family == 1 ? 4 : 16
            let ports = start + 2 * length
            header.source = SocketAddress(octets: Array(buffer[start..<start + length]), port: number(at: ports))
            let destination = Array(buffer[start + length..<ports])
            header.destination = SocketAddress(octets: destination, port: number(at: ports + 2))
        case 3:
            header.source = unixAddress(buffer[start..<start + 108])
            header.destination = unixAddress(buffer[start + 108..<start + 216])
        default: break
        }
    }

    private func number(at offset: Int) -> UInt16 { UInt16(buffer[offset]) << 8 | UInt16(buffer[offset + 1]) }

    /// A path with zeros behind it; an abstract name has one in front. Nil for one without a name.
    private func unixAddress(_ path: ArraySlice<UInt8>) -> SocketAddress? {
        let isAbstract = path.first == 0
        let name = (isAbstract ? path.dropFirst() : path).prefix { $0 != 0 }
        return SocketAddress(unixPath: (isAbstract ? "@" : "") + String(decoding: name, as: UTF8.self))
    }
}
