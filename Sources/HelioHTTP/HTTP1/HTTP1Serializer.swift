/// Writes what a server sends over HTTP/1.1 (RFC 9112): heads, chunks, trailers.
///
/// No `date` is added: a handler's fields are what is sent, as over HTTP/2.
enum HTTP1Serializer {
    /// How the end of a response is told (RFC 9112 section 6.3).
    enum Framing: Equatable {
        /// There is no body, or the fields have its length.
        case asFieldsSay
        /// By this length, which the fields do not have.
        case length(Int)
        case chunked
        /// By the end of the connection; or both sides' bytes are another protocol's.
        case untilClose
    }

    /// What becomes of the connection (RFC 9112 section 9.3, RFC 9110 section 7.8).
    enum Persistence: Equatable {
        /// It persists, as connections of HTTP/1.1 do.
        case implied
        /// It persists, as those of HTTP/1.0 do not unless it is said.
        case keepAlive
        case close
        /// It goes on in the protocol that the request names.
        case upgrade
    }

    /// What the fields of a response say that concerns its framing.
    struct Summary {
        /// The first `content-length` that is one.
        var contentLength: Int?
        /// `connection: close`, by which a handler ends the connection.
        var closes = false
        /// Bytes that the head takes at most.
        var size = 0
    }

    static func summary(of fields: HeaderBlock) -> Summary {
        var summary = Summary()
        summary.size = 256
        for index in 0..<fields.count {
            let name = unsafe fields.bytes(fields.nameSlice(index))
            let value = unsafe fields.bytes(fields.valueSlice(index))
            summary.size += name.count + value.count + 4
            switch unsafe kind(of: name) {
            case .contentLength where summary.contentLength == nil:
                summary.contentLength = unsafe HTTP1Characters.number(value)
            case .connection: summary.closes = unsafe summary.closes || HTTP1Characters.equal(value, "close")
            default: break
            }
        }
        return summary
    }

    /// Writes a head. Fields of the connection itself are left out, as only the session knows about it; a `content-length`
    /// stays where it is the framing.
    ///
    /// - Parameters:
    ///   - summary: that of the fields.
    ///   - upgrade: the protocol that the connection goes on in.
    static func writeHead(
        _ status: Status, _ fields: HeaderBlock, _ summary: Summary, framing: Framing, _ persistence: Persistence,
        upgrade: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0),
        to output: inout HTTP1Output
    ) {
        writeStatusLine(status, to: &output)
        var keepsLength = framing == .asFieldsSay && !status.isInformational && status != .noContent
        var namesUpgrade = false
        for index in 0..<fields.count {
            let name = unsafe fields.bytes(fields.nameSlice(index))
            let value = unsafe fields.bytes(fields.valueSlice(index))
            switch unsafe kind(of: name) {
            case .ordinary: break
            case .connection:
                // RFC 9110 section 15.5.22: a 426 says what to upgrade to, and names that field in `connection`.
                guard status == .upgradeRequired, !namesUpgrade, unsafe HTTP1Characters.equal(name, "upgrade") else {
                    continue
                }
                namesUpgrade = true
                output.append("connection: upgrade\r\n")
            case .contentLength:
                guard keepsLength, let length = unsafe HTTP1Characters.number(value), length == summary.contentLength
                else { continue }
                keepsLength = false
            }
            unsafe writeField(name, value, to: &output)
        }
        switch framing {
        case .asFieldsSay, .untilClose: break
        case .length(let length):
            output.append("content-length: ")
            output.append(length)
            output.append("\r\n")
        case .chunked: output.append("transfer-encoding: chunked\r\n")
        }
        switch persistence {
        case .implied: break
        case .keepAlive: output.append("connection: keep-alive\r\n")
        case .close: output.append("connection: close\r\n")
        case .upgrade:
            output.append("connection: upgrade\r\nupgrade: ")
            unsafe output.append(upgrade)
            output.append("\r\n")
        }
        output.append("\r\n")
    }

    /// RFC 9110 section 15.2.1. A head's summary has room for it.
    static func writeContinue(to output: inout HTTP1Output) { output.append("HTTP/1.1 100 Continue\r\n\r\n") }

    /// A response without content that the connection ends after.
    static func writeRefusal(_ status: Status, to output: inout HTTP1Output) {
        writeStatusLine(status, to: &output)
        output.append("content-length: 0\r\nconnection: close\r\n\r\n")
    }

    /// A refusal is never longer.
    static let longestRefusal = 128

    /// RFC 9112 section 4. The version is the server's own, whatever the client's (RFC 9110 section 2.5).
    private static func writeStatusLine(_ status: Status, to output: inout HTTP1Output) {
        output.append("HTTP/1.1 ")
        output.append(Int(status.rawValue))
        output.append(" ")
        output.append(status.reason)
        output.append("\r\n")
    }

    private static func writeField(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to output: inout HTTP1Output
    ) {
        unsafe output.append(name)
        output.append(": ")
        unsafe output.append(value)
        output.append("\r\n")
    }

    // MARK: Chunks

    /// What a chunk takes beside its bytes: sixteen digits and two line ends.
    static let chunkOverhead = 20

    static func writeChunkHead(_ size: Int, to output: inout HTTP1Output) {
        output.append(size, radix: 16)
        output.append("\r\n")
    }

    /// What the end of a chunked body takes at most.
    static func sizeOfEnd(_ trailers: HeaderBlock?) -> Int {
        guard let trailers else { return 8 }
        return trailers.listSize + 8
    }

    /// The last chunk and the trailers (RFC 9112 section 7.1.2).
    static func writeEnd(_ trailers: HeaderBlock?, to output: inout HTTP1Output) {
        output.append("0\r\n")
        if let trailers {
            for index in 0..<trailers.count {
                let name = unsafe trailers.bytes(trailers.nameSlice(index))
                guard unsafe kind(of: name) == .ordinary else { continue }
                unsafe writeField(name, trailers.bytes(trailers.valueSlice(index)), to: &output)
            }
        }
        output.append("\r\n")
    }

    // MARK: Fields that frame

    private enum Kind { case ordinary, contentLength, connection }

    /// Names in responses are lower case. `connection` stands for all fields of the connection (RFC 9110 section 7.6.1).
    private static func kind(of name: UnsafeRawBufferPointer) -> Kind {
        switch name.count {
        case 7: unsafe HTTP1Characters.equal(name, "upgrade") ? .connection : .ordinary
        case 10:
            unsafe HTTP1Characters.equal(name, "connection") || HTTP1Characters.equal(name, "keep-alive")
                ? .connection : .ordinary
        case 14: unsafe HTTP1Characters.equal(name, "content-length") ? .contentLength : .ordinary
        case 16: unsafe HTTP1Characters.equal(name, "proxy-connection") ? .connection : .ordinary
        case 17: unsafe HTTP1Characters.equal(name, "transfer-encoding") ? .connection : .ordinary
        default: .ordinary
        }
    }
}
