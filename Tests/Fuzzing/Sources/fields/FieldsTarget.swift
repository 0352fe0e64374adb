import FuzzSupport

@testable import HelioHTTP

/// The values of fields that have a grammar of their own. What is read can be written and is read again as the same.
enum FieldsTarget {
    private static let readers: [@Sendable (String) -> Void] = [
        mediaType, accept, encodings, languages, disposition, extended, priority, extensions, version, url,
    ]

    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let read = choices.pick(readers)
        read(String(decoding: choices.rest(), as: UTF8.self))
    }

    private static func mediaType(_ text: String) {
        guard let type = try? MediaType(parsing: text) else { return }
        _ = (type.charset, type.essence, type.isMultipart)
        check((try? MediaType(parsing: type.description)) == type, "'\(type)' is read as another")
        _ = MultipartBoundary.isValid(type["boundary"] ?? "")
        _ = try? MultipartParser(contentType: type)
    }

    private static func accept(_ text: String) {
        guard let accept = try? Accept(parsing: text) else { return }
        let offers: [MediaType] = [.plainText, .json, .png]
        check(offers.allSatisfy { (0...1000).contains(accept.weight(of: $0)) }, "a weight is out of range")
        if let best = accept.best(of: offers) { check(offers.contains(best), "the best is none of the offers") }
    }

    private static func encodings(_ text: String) {
        guard let accept = try? AcceptEncoding(parsing: text) else { return }
        let offers = ["br", "gzip", "identity"]
        check(offers.allSatisfy { (0...1000).contains(accept.weight(of: $0)) }, "a weight is out of range")
        if let best = accept.best(of: offers) {
            check(offers.allSatisfy { accept.weight(of: $0) <= accept.weight(of: best) }, "another is better")
        }
    }

    private static func languages(_ text: String) {
        guard let accept = try? AcceptLanguage(parsing: text) else { return }
        let offers = ["en", "en-GB", "de"]
        check(offers.allSatisfy { (0...1000).contains(accept.weight(of: $0)) }, "a weight is out of range")
        if let best = accept.best(of: offers) { check(offers.contains(best), "the best is none of the offers") }
    }

    private static func disposition(_ text: String) {
        guard let disposition = try? ContentDisposition(parsing: text) else { return }
        if let name = disposition.safeFilename {
            check(!name.isEmpty && name.utf8.count <= 200, "the file's name has \(name.utf8.count) bytes")
            check(
                !name.hasPrefix(".") && !name.utf8.contains { $0 < 32 || $0 == 47 || $0 == 92 }, "'\(name)' is not safe"
            )
        }
        let again = try? ContentDisposition(parsing: disposition.description)
        check(again?.type == disposition.type, "'\(disposition)' is read as another")
    }

    private static func extended(_ text: String) {
        check(ExtendedValue.decode(ExtendedValue.encode(text)) == text, "it is decoded to another")
        _ = ExtendedValue.decode(text)
    }

    private static func priority(_ text: String) {
        guard let priority = Priority(text) else { return }
        check(Priority(priority.description) == priority, "'\(priority)' is read as another")
    }

    private static func extensions(_ text: String) { _ = PermessageDeflate.parse([text, "permessage-deflate"]) }

    private static func version(_ text: String) {
        guard let version = try? MIMEVersion(parsing: text) else { return }
        check((try? MIMEVersion(parsing: version.description)) == version, "'\(version)' is read as another")
    }

    private static func url(_ text: String) {
        guard let request = try? ClientRequest(.get, text) else { return }
        check(request.target.hasPrefix("/"), "the target is no path")
        check(!request.target.utf8.contains { $0 <= 32 || $0 == 127 }, "the target has blanks")
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let texts: [String] = [
            "text/plain; charset=\"utf-8\"; x=y", "text/html;level=1, text/*;q=0.3, */*;q=0.5",
            "gzip;q=1.0, identity; q=0.5, *;q=0",
            "da, en-gb;q=0.8, en;q=0.7", "form-data; name=\"a\"; filename=\"../x.txt\"; filename*=UTF-8''%e2%82%ac.txt",
            "UTF-8'en'%c3%a9", "u=1, i, x=(1 \"a\" ?0 :YQ==:);p=2.5",
            "permessage-deflate; client_max_window_bits=10, x; y=\"z\"",
            "1.0 (made (by) hand)", "https://user@[::1]:8443/a/b?c=d#e",
        ]
        return texts.enumerated().map { index, text in (name: "text-\(index)", bytes: [UInt8(index)] + Array(text.utf8))
        }
    }
}
