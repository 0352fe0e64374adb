import Foundation
import HeliographTesting
import Testing

@testable import HelioReactor
@testable import Heliograph

extension LiveTests {
    /// What a loop keeps of files, watched from its thread.
    @Suite struct FileCacheTests {
        private let site: Site

        init() throws { site = try Site() }

        /// A cache on a loop of its own, asked one path after the other.
        private final class Asked: Sendable {
            let group: EventLoopGroup
            private let cache: LoopBound<FileCache>

            init(_ root: FileRoot) throws {
                group = try EventLoopGroup(threads: 1)
                cache = LoopBound(FileCache(root, on: group[0]))
            }

            /// What is there, as a word; and whether it was known.
            func ask(_ path: String) async throws -> (String, wasKnown: Bool) {
                let path = try FilePath(path, showsHidden: false)
                return await withCheckedContinuation { continuation in
                    group[0].execute { [cache] in
                        if let known = cache.value.known(path) {
                            return continuation.resume(returning: (Self.word(known), true))
                        }
                        cache.value.load(path) { continuation.resume(returning: (Self.word($0), false)) }
                    }
                }
            }

            func look<Result: Sendable>(_ body: @escaping @Sendable (FileCache) -> Result) async -> Result {
                await withCheckedContinuation { continuation in
                    group[0].execute { [cache] in continuation.resume(returning: body(cache.value)) }
                }
            }

            private static func word(_ lookup: FileLookup) -> String {
                guard case .file(let file) = lookup else { return "\(lookup)" }
                if case .memory(let bytes) = file.plain.contents { return String(decoding: bytes, as: UTF8.self) }
                return "\(file.plain.size) bytes"
            }
        }

        private final class LoopBound<Value>: @unchecked Sendable {
            let value: Value
            init(_ value: Value) { self.value = value }
        }

        private func asked(_ change: (inout FileOptions) -> Void = { _ in }) throws -> Asked {
            var options = FileOptions()
            options.cache.validity = .seconds(100)
            change(&options)
            return try Asked(FileRoot(site.root, options: options))
        }

        @Test func whatIsKnownIsNotLookedUpAgain() async throws {
            try site.write("a", "one")
            let files = try asked()
            defer { files.group.stop() }
            #expect(try await files.ask("a") == ("one", false))
            try site.write("a", "two")
            #expect(try await files.ask("a") == ("one", true))
            #expect(try await files.ask("none") == ("missing", false))
            try site.write("none", "there")
            #expect(try await files.ask("none") == ("missing", true))
            #expect(await files.look { $0.loads } == 2)
        }

        @Test func whatIsNotValidAnyMoreIsLookedUpAgain() async throws {
            try site.write("a", "one")
            try site.write("same", "same")
            try site.write("big", pattern(100_000))
            let files = try asked { $0.cache.validity = .zero }
            defer { files.group.stop() }
            #expect(try await files.ask("a") == ("one", false))
            try site.write("a", "two")
            #expect(try await files.ask("a") == ("two", false))
            try FileManager.default.removeItem(atPath: site.root + "/a")
            #expect(try await files.ask("a") == ("missing", false))
            try FileManager.default.createDirectory(atPath: site.root + "/a", withIntermediateDirectories: true)
            #expect(try await files.ask("a") == ("directory", false))
            #expect(await files.look { $0.memory } == 0)
            for _ in 0..<5 { #expect(try await files.ask("big") == ("100000 bytes", false)) }
            #expect(await files.look { $0.descriptors } == 1)
            #expect(site.openFiles == 1)
        }

        @Test func thoseWhoAskMeanwhileWaitForOneLookup() async throws {
            try site.write("a", "one")
            let files = try asked()
            defer { files.group.stop() }
            let answers = await withTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { (try? await files.ask("a").0) ?? "-" } }
                return await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(answers == Array(repeating: "one", count: 50))
            #expect(await files.look { $0.loads } < 10)
        }

        @Test func entriesDescriptorsAndMemoryAreBounded() async throws {
            for index in 0..<20 {
                try site.write("small\(index)", pattern(1000))
                try site.write("large\(index)", pattern(20_000))
            }
            let files = try asked {
                $0.cache.maxEntries = 8
                $0.cache.maxDescriptors = 3
                $0.cache.maxMemory = 5000
            }
            defer { files.group.stop() }
            for index in 0..<20 {
                #expect(try await files.ask("large\(index)").0 == "20000 bytes")
                #expect(await files.look { $0.descriptors } <= 3)
            }
            #expect(site.openFiles == 3)
            for index in 0..<20 {
                #expect(try await files.ask("small\(index)").0.utf8.count > 0)
                #expect(await files.look { $0.memory } <= 5000)
            }
            #expect(try await files.ask("small19").wasKnown)
            #expect(try await files.ask("small0").wasKnown == false)
            for index in 0..<100 { #expect(try await files.ask("none\(index)").0 == "missing") }
            #expect(await files.look { $0.count } <= 16)
            // Guesses have driven nothing out.
            #expect(try await files.ask("small19").wasKnown)
        }

        @Test func allIsClosedWithTheCache() async throws {
            try site.write("large", pattern(20_000))
            var files: Asked? = try asked()
            #expect(try await files?.ask("large").0 == "20000 bytes")
            #expect(site.openFiles == 1)
            files?.group.stop()
            files = nil
            #expect(site.openFiles == 0)
        }

        @Test func aPoolThatTakesNoMoreIsToldAsExhausted() async throws {
            try site.write("a", "one")
            let pool = BlockingPool(threads: 1, queue: 1)
            pool.stop()
            let group = try EventLoopGroup(threads: 1, blockingPool: pool)
            defer { group.stop() }
            let root = try FileRoot(site.root)
            let answer = await withCheckedContinuation { continuation in
                group[0].execute {
                    let cache = FileCache(root, on: group[0])
                    guard let path = try? FilePath("a", showsHidden: false) else { return }
                    cache.load(path) { continuation.resume(returning: "\($0)") }
                }
            }
            #expect(answer == "exhausted")
        }
    }
}
