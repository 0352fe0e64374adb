internal import CLinux
internal import Foundation
internal import Testing

@testable internal import HelioReactor

/// What openat2(2) does for us, and what is done where it is missing, are the same.
@Suite(.serialized) struct DirectoryTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        try folder.write("root/a.txt")
        try folder.write("root/dir/b.txt")
        try folder.write("root/dir/deep/c.txt")
        try folder.write("outside/secret.txt")
        try folder.link("root/link", to: "a.txt")
        try folder.link("root/dirlink", to: "dir/deep")
        try folder.link("root/dir/up", to: "../a.txt")
        try folder.link("root/dir/around", to: "../../root/a.txt")
        try folder.link("root/out", to: "../outside")
        try folder.link("root/outfile", to: "../outside/secret.txt")
        try folder.link("root/absolute", to: folder.path + "/root/a.txt")
        try folder.link("root/etc", to: "/etc")
        try folder.link("root/loop", to: "loop")
        try folder.link("root/chain", to: "link")
        try folder.link("root/dangling", to: "none")
        try folder.link("root/slash", to: "a.txt/")
        try folder.link("root/process", to: "/proc/self/root/etc/passwd")
    }

    private enum Found: Equatable { case file, directory, refused }

    private func open(_ path: String, _ links: Directory.Links, walking: Bool) throws -> Found {
        let root = try Directory(folder.path + "/root", avoidsOpenat2: walking)
        do throws(Errno) {
            let file = try root.open(path, links: links)
            return try file.status().kind == .directory ? .directory : .file
        } catch {
            return .refused
        }
    }

    @Test(
        arguments: [
            // path, never, within, anywhere
            ("a.txt", .file, .file, .file),
            ("dir/b.txt", .file, .file, .file),
            ("dir//b.txt", .file, .file, .file),
            ("./dir/./b.txt", .file, .file, .file),
            ("dir", .directory, .directory, .directory),
            ("dir/", .directory, .directory, .directory),
            ("dir/.", .directory, .directory, .directory),
            ("dir/../a.txt", .file, .file, .file),
            ("link", .refused, .file, .file),
            ("chain", .refused, .file, .file),
            ("dirlink", .refused, .directory, .directory),
            ("dirlink/c.txt", .refused, .file, .file),
            ("dirlink/../b.txt", .refused, .file, .file),
            ("dir/up", .refused, .file, .file),
            // What leads out.
            ("dir/around", .refused, .refused, .file),
            ("out/secret.txt", .refused, .refused, .file),
            ("outfile", .refused, .refused, .file),
            ("etc/passwd", .refused, .refused, .file),
            ("absolute", .refused, .refused, .file),
            ("..", .refused, .refused, nil),
            ("../outside/secret.txt", .refused, .refused, nil),
            ("dir/../../outside/secret.txt", .refused, .refused, nil),
            ("dirlink/../../../outside/secret.txt", .refused, .refused, nil),
            // What is not there.
            ("none", .refused, .refused, .refused),
            ("a.txt/", .refused, .refused, .refused),
            ("a.txt/b", .refused, .refused, .refused),
            ("slash", .refused, .refused, .refused),
            ("dangling", .refused, .refused, .refused),
            ("loop", .refused, .refused, .refused),
            ("", .refused, .refused, .refused),
            ("/etc/passwd", .refused, .refused, .refused),
            ("a.txt\u{0}b", .refused, .refused, .refused),
            (String(repeating: "x", count: 300), .refused, .refused, .refused),
            (String(repeating: "x/", count: 3000), .refused, .refused, .refused),
        ] as [(String, Found, Found, Found?)], [false, true])
    private func aPathLeadsNowhereElse(row: (String, Found, Found, Found?), walking: Bool) throws {
        let (path, never, within, anywhere) = row
        #expect(try open(path, .never, walking: walking) == never)
        #expect(try open(path, .within, walking: walking) == within)
        if let anywhere { #expect(try open(path, .anywhere, walking: walking) == anywhere) }
    }

    @Test(arguments: [false, true]) func theDirectoryStaysTheOneThatWasOpened(walking: Bool) throws {
        let root = try Directory(folder.path + "/root", avoidsOpenat2: walking)
        try FileManager.default.moveItem(atPath: folder.path + "/root", toPath: folder.path + "/moved")
        try folder.write("root/a.txt", "another one")
        let file = try root.open("a.txt", links: .within)
        #expect(try file.status().size == 4)
    }

    @Test func whatIsNoDirectoryIsAnError() throws {
        #expect(throws: Errno(ENOTDIR, in: "open")) { _ = try Directory(folder.path + "/root/a.txt") }
        #expect(throws: Errno(ENOENT, in: "open")) { _ = try Directory(folder.path + "/none") }
    }

    /// A directory that is swapped for a link to the outside, over and over, while files are opened through it.
    @Test(arguments: [false, true]) func aRaceLeadsNowhereElse(walking: Bool) throws {
        let root = try Directory(folder.path + "/root", avoidsOpenat2: walking)
        try folder.write("root/door/secret.txt", "inside")
        try folder.link("root/evil", to: "../outside")
        let base = folder.path + "/root/"
        let isOver = Shared(false)
        let swapper = Thread {
            while !isOver.value {
                unsafe rename(base + "door", base + "spare")
                unsafe rename(base + "evil", base + "door")
                unsafe rename(base + "door", base + "evil")
                unsafe rename(base + "spare", base + "door")
            }
        }
        swapper.start()
        defer { isOver.change { $0 = true } }
        var opened = 0
        for _ in 0..<2000 {
            guard let file = try? root.open("door/secret.txt", links: .within) else { continue }
            opened += 1
            #expect(try file.status().size == 6)
        }
        #expect(opened > 0)
    }
}
