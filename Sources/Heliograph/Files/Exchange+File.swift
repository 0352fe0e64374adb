public import HelioHTTP
public import HelioReactor

extension Exchange {
    /// Answers with a range of a file, which is read as it is sent: none of it waits in memory for a slow peer, and no disk is
    /// waited for on the loop.
    ///
    /// The file closes when the exchange ends, whenever that is. Where it turns out to be shorter than it was, or was written
    /// to while it was sent, the response is cut off (over HTTP/2 by RST_STREAM(INTERNAL_ERROR)).
    ///
    /// Outside of a server's connection, as in tests in memory, reads block.
    ///
    /// ```swift
    /// exchange.respond(.ok, contentType: "application/pdf", file: try File(reading: "/srv/report.pdf"))
    /// ```
    ///
    /// - Parameters:
    ///   - file: a regular file; for anything else, and for a range that is not in it, the answer is 500.
    ///   - offset: where the range begins; in bytes, not negative.
    ///   - length: its length, in bytes, not negative; nil is all up to the end that the file has now.
    /// - Returns: false when the exchange has ended, and nothing was sent.
    @discardableResult
    public func respond(
        _ status: Status, contentType: String, file: consuming File, offset: Int = 0, length: Int? = nil
    ) -> Bool {
        precondition(offset >= 0 && length ?? 0 >= 0, "a range of a file has no negative bounds")
        guard !isClosed else { return false }
        guard let open = try? OpenFile(file), open.status.kind == .regular, offset <= open.status.size,
            length ?? 0 <= open.status.size - offset
        else { return respond(.internalServerError) }
        let end = length.map { offset + $0 } ?? open.status.size
        let body = FileBody(open, offset..<end, on: connection?.eventLoop)
        return respond(status, contentType: contentType, reading: body)
    }
}
