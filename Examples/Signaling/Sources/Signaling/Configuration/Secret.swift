import SignalingCore

/// A secret that was read from a file. Neither it nor what holds it can be printed by accident.
///
/// ```swift
/// Setting("turn-secret-file", \.turn.secret, optional: .secret(), "The secret shared with the TURN server.", .whileRunning)
/// ```
struct Secret: Sendable, CustomStringConvertible, CustomReflectable {
    /// Where it stands.
    var path = ""
    /// Without the newline at its end.
    let bytes: [UInt8]

    var description: String { "[redacted]" }

    var customMirror: Mirror { Mirror(self, children: ["path": path]) }

    func matches(_ other: [UInt8]) -> Bool { isSameSecret(bytes, other) }
}

extension SettingFormat where Value == Secret {
    /// A file with a secret of at most 64 KiB, which is read when the configuration is.
    ///
    /// - Parameter minimum: bytes that it has at least.
    static func secret(atLeast minimum: Int = 1) -> SettingFormat {
        SettingFormat(
            "the path of a file with the secret in it",
            read: { path throws(BadValue) in
                var bytes: [UInt8]
                do throws(FileError) {
                    bytes = try FileReader.read(path, maxSize: 64 << 10)
                } catch {
                    throw BadValue(reason: "cannot be read: \(error.reason)")
                }
                while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
                    bytes.removeLast()
                }
                guard bytes.count >= minimum else {
                    throw BadValue(reason: "holds a secret of less than \(minimum) bytes: take a longer one")
                }
                return Secret(path: path, bytes: bytes)
            }, write: { $0.path })
    }
}
