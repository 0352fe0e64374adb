import FuzzSupport

@testable import HelioHTTP

/// The check of UTF-8 beside the standard library's.
enum TextRun {
    static func compare(_ choices: inout Choices) {
        var cuts = Cuts(choices.byte())
        let bytes = choices.rest()
        let isText = String(validating: bytes, as: UTF8.self) != nil
        check(accepts([bytes]) == isText, "as a whole it is \(isText ? "text" : "no text")")
        check(accepts(cuts.pieces(of: bytes)) == isText, "in pieces it is \(isText ? "text" : "no text")")
        check(accepts(bytes.map { [$0] }) == isText, "byte by byte it is \(isText ? "text" : "no text")")
    }

    private static func accepts(_ pieces: [[UInt8]]) -> Bool {
        var validator = UTF8Validator()
        for piece in pieces {
            guard withExactCopy(of: piece, { validator.accept($0) }) else { return false }
        }
        return validator.isComplete
    }
}
