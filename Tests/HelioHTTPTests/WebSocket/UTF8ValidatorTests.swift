@testable import HelioHTTP
import Testing

@Suite("UTF-8 as it comes")
struct UTF8ValidatorTests {
    private func accepts(_ pieces: [[UInt8]]) -> Bool {
        var validator = UTF8Validator()
        for piece in pieces {
            guard unsafe piece.withUnsafeBytes({ unsafe validator.accept($0) }) else { return false }
        }
        return validator.isComplete
    }

    /// The standard library's answer.
    private func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    @Test("Every sequence of one and two bytes is judged as the standard library judges it")
    func short() {
        for first in UInt8.min...UInt8.max {
            #expect(accepts([[first]]) == isUTF8([first]))
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                if accepts([bytes]) != isUTF8(bytes) { Issue.record("\(bytes)") }
            }
        }
    }

    @Test("So are three and four bytes at the bounds of what each may be")
    func bounds() {
        let edges: [UInt8] = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
            0xf0,
            0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ]
        for first in edges {
            for second in edges {
                for third in edges {
                    if accepts([[first, second, third]]) != isUTF8([first, second, third]) {
                        Issue.record("\([first, second, third])")
                    }
                    for fourth in edges
                    where accepts([[first, second, third, fourth]]) != isUTF8([first, second, third, fourth]) {
                        Issue.record("\([first, second, third, fourth])")
                    }
                }
            }
        }
    }

    @Test("A text is accepted at every cut, and begun characters are not the end")
    func cuts() {
        let text = Array("aé€😀 sixteen ASCII letters and more é".utf8)
        for cut in 0...text.count { #expect(accepts([Array(text[..<cut]), Array(text[cut...])])) }
        #expect(!accepts([Array("a€".utf8.dropLast())]))
    }

    @Test("It fails at the first byte that no text has there")
    func failsFast() {
        var validator = UTF8Validator()
        let surrogate: [UInt8] = [0xed, 0xa0]
        #expect(unsafe !surrogate.withUnsafeBytes { unsafe validator.accept($0) })
        validator.reset()
        let tooLarge: [UInt8] = [0xf4, 0x90]
        #expect(unsafe !tooLarge.withUnsafeBytes { unsafe validator.accept($0) })
    }
}
