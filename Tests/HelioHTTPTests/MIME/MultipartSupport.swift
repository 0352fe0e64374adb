import HelioHTTP

/// Gathers the parts of a body as texts: one line for the beginning and the end of each, its data between.
final class PartRecorder: MultipartConsumer {
    struct Part: Equatable {
        var name: String?
        var depth = 1
        var data: [UInt8] = []
        var isComplete = false
        var text: String { String(decoding: data, as: UTF8.self) }
    }

    private(set) var parts: [Part] = []
    private(set) var events: [String] = []
    private(set) var objects: [MultipartPart] = []
    /// Pauses at each event.
    var stops = false
    var parser: MultipartParser?

    func partBegan(_ part: MultipartPart) {
        parts.append(Part(name: part.name, depth: part.depth))
        objects.append(part)
        events.append("+\(part.index)")
        if stops { parser?.pause() }
    }

    func partData(_ part: MultipartPart, _ data: RawSpan) {
        unsafe data.withUnsafeBytes { unsafe parts[part.index].data += $0 }
        if events.last != "\(part.index)" { events.append("\(part.index)") }
        if stops { parser?.pause() }
    }

    func partEnded(_ part: MultipartPart) {
        parts[part.index].isComplete = true
        events.append("-\(part.index)")
        if stops { parser?.pause() }
    }
}

/// What a parser makes of a body that comes in pieces of `cut` bytes.
func parse(
    _ body: [UInt8], type: String = "multipart/mixed; boundary=b", cut: Int = .max, stops: Bool = false,
    limits: MultipartLimits = MultipartLimits()
) -> (recorder: PartRecorder, error: MultipartError?) {
    let recorder = PartRecorder()
    recorder.stops = stops
    do throws(MultipartError) {
        guard let media = try? MediaType(parsing: type) else { throw .notMultipart }
        let parser = try MultipartParser(contentType: media, limits: limits)
        recorder.parser = parser
        defer { recorder.parser = nil }
        var rest = body[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = unsafe rest.dropFirst(try parser.receive(piece.span.bytes, for: recorder))
        }
        try parser.finish()
    } catch { return (recorder, error) }
    return (recorder, nil)
}

func parse(
    _ text: String, type: String = "multipart/mixed; boundary=b", cut: Int = .max, stops: Bool = false,
    limits: MultipartLimits = MultipartLimits()
) -> (recorder: PartRecorder, error: MultipartError?) {
    parse(Array(text.utf8), type: type, cut: cut, stops: stops, limits: limits)
}

func multipartLimits(_ change: (inout MultipartLimits) -> Void) -> MultipartLimits {
    var limits = MultipartLimits()
    change(&limits)
    return limits
}
