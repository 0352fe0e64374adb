import Foundation
import Glibc
import HelioReactor

/// A directory of files that goes with the test. What is written is old enough for its tags to be strong ones.
final class Site: Sendable {
    private let directory: TemporaryDirectory
    /// Where the files are; beside it is what must not be served.
    let root: String
    static let time = 1_700_000_000

    init() throws {
        directory = try TemporaryDirectory()
        root = directory.path + "/root"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8], time: Int = Site.time) throws -> String {
        let path = root + "/" + name
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        try setTime(name, time)
        return path
    }

    @discardableResult
    func write(_ name: String, _ text: String, time: Int = Site.time) throws -> String {
        try write(name, Array(text.utf8), time: time)
    }

    func setTime(_ name: String, _ time: Int) throws {
        let date = Date(timeIntervalSince1970: Double(time))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: root + "/" + name)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
    }

    /// Drops a file from the page cache.
    ///
    /// - Returns: whether the file system can tell. What is looked at there comes back: it is not asked again.
    func chill(_ name: String) throws -> Bool {
        let file = try File(reading: root + "/" + name)
        fsync(file.descriptor)
        var byte: UInt8 = 0
        let transfer = unsafe withUnsafeMutableBytes(of: &byte) { unsafe file.readCached(into: $0, at: 0) }
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
        return transfer == .bytes(1)
    }

    /// Files of this site that the process has open.
    var openFiles: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
            return target?.hasPrefix(root + "/") == true
        }
    }
}
