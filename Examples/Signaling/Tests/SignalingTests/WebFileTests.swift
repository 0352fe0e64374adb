import Foundation
import Testing

@testable import signaling

@Suite struct WebFileTests {
    @Test func everyFileOfThePageIsServed() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let folder = package.appending(path: "Sources/Signaling/Web")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let served = WebFile.all["/\(file.lastPathComponent)"]
            #expect(served?.bytes == Array(try Data(contentsOf: file)), "WebFile.all lacks \(file.lastPathComponent)")
        }
        #expect(WebFile.all.count == files.count + 1)
    }
}
