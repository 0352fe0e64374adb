internal import HelioHTTP

/// The path of a file under a root, such as `css/site.css`: names with slashes between them, none of which is empty, `.` or
/// `..`. One that is empty or ends with a slash is a directory's.
struct FilePath: Hashable, Sendable {
    let text: String

    /// No system has longer ones (PATH_MAX). In bytes.
    private static let longest = 4096

    /// Why a path names no file.
    enum Refusal: Error, Hashable {
        /// No client means this: it is an escape that is none, or a way around what looks at paths. 400.
        case malformed
        /// It names what is not shown. 404.
        case hidden
    }

    /// A path as a request has it, which is decoded once; `%2F` is no slash.
    ///
    /// - Parameters:
    ///   - start: where in the text it begins.
    ///   - showsHidden: whether names may begin with a dot. `.well-known` always may (RFC 8615).
    init(encoded: RawSpan, from start: Int = 0, showsHidden: Bool) throws(Refusal) {
        guard encoded.byteCount - start < Self.longest else { throw .hidden }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(encoded.byteCount)
        var position = start
        while position < encoded.byteCount {
            var byte = encoded[position]
            if byte == UInt8(ascii: "%") {
                guard position + 2 < encoded.byteCount, let high = Self.digit(encoded[position + 1]),
                    let low = Self.digit(encoded[position + 2])
                else { throw .malformed }
                byte = high << 4 | low
                guard byte != UInt8(ascii: "/") else { throw .malformed }
                position += 2
            }
            decoded.append(byte)
            position += 1
        }
        try self.init(decoded, showsHidden: showsHidden)
    }

    /// A path as it is.
    init(_ text: String, showsHidden: Bool) throws(Refusal) {
        try self.init(Array(text.utf8), showsHidden: showsHidden)
    }

    /// The path of a name in this directory, or of a name with a suffix.
    init(_ base: FilePath, adding suffix: String) { text = base.text + suffix }

    private init(_ bytes: [UInt8], showsHidden: Bool) throws(Refusal) {
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw .malformed }
        let names = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, name) in names.enumerated() {
            if name.isEmpty {
                guard index == names.count - 1 else { throw .hidden }
            } else if name.first == UInt8(ascii: ".") {
                if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { throw .malformed }
                guard showsHidden || name.elementsEqual(".well-known".utf8) else { throw .hidden }
            }
        }
        self.text = text
    }

    var isDirectory: Bool { text.isEmpty || text.utf8.last == UInt8(ascii: "/") }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension RawSpan {
    fileprivate subscript(position: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: position, as: UInt8.self) }
}
