import Glibc
import Heliograph

/// Why a file does not give a secret.
struct SecretFileError: Error, CustomStringConvertible {
    let description: String
}

extension Secret {
    /// The first line of a file.
    ///
    /// - Parameters:
    ///   - purpose: what it is for, as an error names it.
    ///   - minimum: bytes that it has at least.
    static func read(_ path: String, for purpose: String, atLeast minimum: Int) throws -> Secret {
        guard let file = unsafe fopen(path, "re") else {
            throw SecretFileError(description: "the \(purpose) cannot be read from \(path): \(reason(errno))")
        }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        guard unsafe ferror(file) == 0 else {
            throw SecretFileError(description: "the \(purpose) cannot be read from \(path): \(reason(errno))")
        }
        let line = bytes[..<count].prefix { $0 != 0x0A && $0 != 0x0D }
        guard line.count >= minimum else {
            throw SecretFileError(
                description: "the \(purpose) in \(path) is shorter than \(minimum) bytes: take a longer one")
        }
        return Secret(bytes: Array(line))
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
