import FuzzSupport
import HelioHTTP

/// Multipart bodies, and the encodings of parts: in any cut the same.
enum MultipartTarget {
    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let flags = choices.byte()
        let seed = choices.byte()
        if flags & 1 == 0 {
            var bytes = choices.rest()
            // LF stands for CRLF: then fewer changes break a line.
            if flags & 2 != 0 { bytes = bytes.flatMap { $0 == 10 ? [13, 10] : [$0] } }
            body(bytes, seed, flags)
        } else {
            coding(choices.rest(), seed, TransferEncoding.allCases[Int(flags >> 1) % TransferEncoding.allCases.count])
        }
    }

    // MARK: Bodies

    private struct Outcome: Equatable {
        /// Those that came whole; of the others it depends on the cut how much was told before a fault.
        var parts: [PartRecorder.Part]
        var events: [String]
        var error: MultipartError?
    }

    private static func body(_ bytes: [UInt8], _ seed: UInt8, _ flags: UInt8) {
        var limits = MultipartLimits()
        if flags & 4 != 0 {
            limits.maxParts = 3
            limits.maxDepth = 2
            limits.maxHeaderSize = 80
            limits.maxHeaderCount = 2
            limits.maxPartSize = 40
            limits.maxIgnoredSize = 16
        }
        let type = flags & 8 == 0 ? "multipart/form-data; boundary=b" : "multipart/mixed; boundary=\"a b\""
        let whole = outcome([bytes], type, limits, stops: false)
        var cuts = Cuts(seed)
        let pieces = cuts.pieces(of: bytes)
        for (cut, stops) in [(pieces, false), (pieces, true), (bytes.map { [$0] }, false)] {
            let other = outcome(cut, type, limits, stops: stops)
            check(other.error == whole.error, "a cut changes the fault: \(whole), not \(other)")
            if whole.error == nil { check(other == whole, "a cut changes the parts: \(whole), not \(other)") }
            // Who stops at each event may not come to the last one before the fault.
            guard !stops else { continue }
            check(other.parts == whole.parts, "a cut changes the parts that are whole: \(whole), not \(other)")
        }
        check(whole.parts.count <= limits.maxParts, "more parts than are allowed")
        check(whole.parts.allSatisfy { $0.data.count <= limits.maxPartSize }, "a part larger than is allowed")
        check(whole.parts.allSatisfy { $0.depth <= limits.maxDepth }, "a part deeper than is allowed")
        check(whole.parts.reduce(0) { $0 + $1.data.count } <= bytes.count, "more data than has come")
    }

    private static func outcome(
        _ pieces: [[UInt8]], _ type: String, _ limits: MultipartLimits, stops: Bool
    ) -> Outcome {
        let recorder = PartRecorder()
        recorder.stops = stops
        var failure: MultipartError?
        do throws(MultipartError) {
            guard let media = try? MediaType(parsing: type) else { throw .notMultipart }
            let parser = try MultipartParser(contentType: media, limits: limits)
            recorder.parser = parser
            defer { recorder.parser = nil }
            for piece in pieces {
                var rest = piece[...]
                while !rest.isEmpty {
                    let result = withExactCopy(of: rest) { bytes -> Result<Int, MultipartError> in
                        do throws(MultipartError) {
                            return .success(try parser.receive(bytes.bytes, for: recorder))
                        } catch {
                            return .failure(error)
                        }
                    }
                    rest = rest.dropFirst(try result.get())
                }
            }
            try parser.finish()
        } catch { failure = error }
        check(recorder.parts.count <= limits.maxParts, "more parts begin than are allowed")
        return Outcome(parts: recorder.parts.filter(\.isComplete), events: recorder.events, error: failure)
    }

    // MARK: Encodings

    private static func coding(_ bytes: [UInt8], _ seed: UInt8, _ encoding: TransferEncoding) {
        var cuts = Cuts(seed)
        let pieces = cuts.pieces(of: bytes)
        let whole = decoded([bytes], encoding)
        check(decoded(pieces, encoding) == whole, "a cut changes what is decoded")
        check(decoded(bytes.map { [$0] }, encoding) == whole, "byte by byte other things are decoded")
        guard encoding.changesBytes else { return }
        var encoder = TransferEncoder(encoding)
        var encoded: [UInt8] = []
        for piece in pieces { encoder.encode(piece.span.bytes) { $0.withUnsafeBytes { encoded += $0 } } }
        encoder.finish { $0.withUnsafeBytes { encoded += $0 } }
        check(decoded([encoded], encoding) == bytes, "what is encoded is decoded to something else")
        check(encoded.split(separator: 10).allSatisfy { $0.count <= 78 }, "a line is too long")
    }

    /// Nil for what is not of the encoding.
    private static func decoded(_ pieces: [[UInt8]], _ encoding: TransferEncoding) -> [UInt8]? {
        var decoder = TransferDecoder(encoding)
        var decoded: [UInt8] = []
        do throws(TransferEncodingError) {
            for piece in pieces {
                let result = withExactCopy(of: piece) { bytes -> Result<Void, TransferEncodingError> in
                    do throws(TransferEncodingError) {
                        return .success(try decoder.decode(bytes.bytes) { $0.withUnsafeBytes { decoded += $0 } })
                    } catch { return .failure(error) }
                }
                try result.get()
            }
            try decoder.finish()
        } catch { return nil }
        return decoded
    }
}
