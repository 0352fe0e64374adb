import Glibc
import HelioReactor
import Testing

@Suite("Temporary files")
struct TemporaryFileTests {
    /// A directory of its own, removed at the end.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/heliograph-test-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { template -> String? in
            guard let base = template.baseAddress, unsafe mkdtemp(base) != nil else { return nil }
            return unsafe String(cString: base)
        }
        let path = try #require(made)
        defer { _ = unsafe rmdir(path) }
        try body(path)
    }

    private func entries(_ directory: String) -> [String] {
        guard let handle = unsafe opendir(directory) else { return [] }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    @Test("What is written at any place is read again; the file has no name")
    func readsAndWrites() throws {
        try withDirectory { directory in
            let file = try TemporaryFile(in: directory)
            try file.write([1, 2, 3], at: 0)
            try file.write([4], at: 5)
            #expect(try file.size == 6)
            #expect(try file.read(10, at: 1) == [2, 3, 0, 0, 4])
            #expect(try file.read(10, at: 6) == [])
            #expect(entries(directory).isEmpty)
        }
    }

    @Test("A file that is let go is gone; one that is kept has its name, and takes nobody's")
    func keeps() throws {
        try withDirectory { directory in
            let path = directory + "/kept"
            do {
                let file = try TemporaryFile(in: directory)
                try file.write([7], at: 0)
                try file.keep(as: path)
                let other = try TemporaryFile(in: directory)
                #expect(throws: Errno(EEXIST, in: "linkat")) { try other.keep(as: path) }
            }
            #expect(entries(directory) == ["kept"])
            #expect(unsafe unlink(path) == 0)
        }
    }

    @Test("A directory that is not there is an error")
    func missingDirectory() {
        #expect(throws: Errno(ENOENT, in: "open")) { try TemporaryFile(in: "/nowhere/at/all") }
    }

    @Test("The default directory is the environment's")
    func defaultDirectory() {
        #expect(!TemporaryFile.defaultDirectory.isEmpty)
        #expect(throws: Never.self) { try TemporaryFile() }
    }
}
