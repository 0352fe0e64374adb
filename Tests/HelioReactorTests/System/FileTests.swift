internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

/// A directory that goes with the test.
final class Folder {
    let path: String

    init() throws {
        let name = "helio-\(UUID().uuidString.prefix(8))"
        path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String = "text") throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }
}

@Suite struct FileTests {
    private func read(_ file: borrowing File, at offset: Int = 0, cached: Bool = false) -> (File.Transfer, String) {
        var bytes = [UInt8](repeating: 0, count: 100)
        var transfer = File.Transfer.end
        unsafe bytes.withUnsafeMutableBytes { region in
            transfer =
                cached
                ? unsafe file.readCached(into: region, at: offset) : unsafe file.read(into: region, at: offset)
        }
        guard case .bytes(let count) = transfer else { return (transfer, "") }
        return (transfer, String(decoding: bytes[..<count], as: UTF8.self))
    }

    @Test func aFileIsReadFromAnyPlace() throws {
        let folder = try Folder()
        try folder.write("a", "0123456789")
        let file = try File(reading: folder.path + "/a")
        let status = try file.status()
        #expect(status.kind == .regular && status.size == 10)
        #expect(abs(Double(status.modified) / 1e9 - Date().timeIntervalSince1970) < 60)
        #expect(read(file).1 == "0123456789")
        #expect(read(file, at: 7).1 == "789")
        #expect(read(file, at: 10).0 == .end)
        #expect(read(file, at: 1000).0 == .end)
    }

    @Test func whatWasJustWrittenIsInMemoryOrTheFileSystemCannotTell() throws {
        let folder = try Folder()
        try folder.write("a", "0123456789")
        let file = try File(reading: folder.path + "/a")
        let (transfer, text) = read(file, at: 3, cached: true)
        #expect(text == "3456789" || transfer == .wouldBlock)
    }

    @Test func aFileSystemInMemoryIsNeverWaitedFor() throws {
        let path = "/dev/shm/helio-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: path, contents: Data("shared".utf8)) else { return }
        defer { unsafe unlink(path) }
        let file = try File(reading: path)
        #expect(read(file, cached: true).1 == "shared")
    }

    @Test func aPipeWithoutAWriterIsNotWaitedFor() throws {
        let folder = try Folder()
        unsafe #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let file = try File(reading: folder.path + "/pipe")
        #expect(try file.status().kind == .other)
    }

    @Test func whatIsNotThereIsAnError() throws {
        let folder = try Folder()
        #expect(throws: Errno(ENOENT, in: "open")) { _ = try File(reading: folder.path + "/none") }
        #expect(throws: Errno(EINVAL, in: "open")) { _ = try File(reading: folder.path + "/a\u{0}b") }
    }

    @Test func itClosesWithItsOwner() throws {
        let folder = try Folder()
        try folder.write("a")
        var descriptor: Int32 = -1
        do {
            let file = try File(reading: folder.path + "/a")
            descriptor = file.descriptor
            #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
        }
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        #expect(target != folder.path + "/a")
    }
}
