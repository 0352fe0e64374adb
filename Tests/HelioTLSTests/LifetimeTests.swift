import COpenSSL
import Glibc
import Testing

@testable import HelioTLS

@Suite("Closing")
struct ClosingTests {
    @Test("close_notify goes both ways, each side for itself", arguments: [TLSVersion.tls12, .tls13])
    func bothWays(version: TLSVersion) throws {
        let pair = try TLSPair(client: { $0.versions = version...version }).connect()
        pair.toServer(try pair.client.sealed(bytes("last words")))
        pair.client.close()
        #expect(throws: TLSError.closed) { try pair.client.sealed(bytes("more")) }
        pair.pump()
        #expect(pair.serverReceived == bytes("last words"))
        #expect(pair.server.isPeerClosed)
        #expect(!pair.client.isPeerClosed)
        // The other direction is still open.
        pair.toClient(try pair.server.sealed(bytes("reply")))
        #expect(pair.clientReceived == bytes("reply"))
        pair.server.close()
        pair.pump()
        #expect(pair.client.isPeerClosed)
        #expect(pair.serverError == nil && pair.clientError == nil)
    }

    @Test("What comes after close_notify is ignored, in the same receive and later")
    func afterClose() throws {
        let pair = try TLSPair().connect()
        pair.client.close()
        pair.toServer(pair.client.takeAllOutput() + pattern(100))
        pair.toServer(pattern(100))
        #expect(pair.server.isPeerClosed)
        #expect(pair.serverReceived.isEmpty)
        #expect(pair.serverError == nil)
    }

    @Test("Closing before the handshake, twice, or after free says nothing more")
    func earlyClose() throws {
        let pair = try TLSPair()
        pair.server.close()
        #expect(pair.server.pendingOutput == 0)
        pair.connect()
        pair.server.close()
        let size = pair.server.pendingOutput
        #expect(size > 0)
        pair.server.close()
        #expect(pair.server.pendingOutput == size)
        pair.server.free()
        pair.server.close()
        #expect(pair.server.pendingOutput == 0)
        pair.toServer(pattern(10))
        #expect(pair.server.negotiatedProtocol == nil)
        #expect(pair.server.version == "")
        #expect(pair.server.session == nil)
    }
}

@Suite("Memory")
struct MemoryTests {
    /// Puts a mark on an `SSL*` that counts when OpenSSL really frees it.
    private static let mark: Int32 = unsafe CRYPTO_get_ex_new_index(
        CRYPTO_EX_INDEX_SSL, 0, nil, nil, nil,
        { _, data, _, _, _, _ in
            guard let data = unsafe data else { return }
            unsafe data.assumingMemoryBound(to: Int.self).pointee += 1
        })

    @Test("Every engine's SSL is freed, in whatever state it ends")
    func everyState() throws {
        let freed = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        unsafe freed.initialize(to: 0)
        defer { unsafe freed.deallocate() }
        var made = 0
        func mark(_ pair: TLSPair) {
            for engine in [pair.client, pair.server] {
                unsafe _ = SSL_set_ex_data(engine.raw, Self.mark, freed)
                made += 1
            }
        }
        for round in 0..<50 {
            let pair = try TLSPair()
            mark(pair)
            switch round % 5 {
            case 0: break
            case 1: try pair.client.start()
            case 2: pair.connect()
            case 3: pair.toServer(pattern(100))
            default:
                pair.connect()
                pair.toServer(Array(try pair.client.sealed(pattern(1_000)).prefix(500)))
                pair.server.free()
            }
        }
        #expect(unsafe freed.pointee == made)
    }

    @Test("Making, using and freeing engines without end takes no memory")
    func noLeak() async {
        await #expect(processExitsWith: .success) {
            CountingAllocator.install()
            let pair = try TLSPair()
            let io = TLSRecordIO()
            func use(_ count: Int) throws {
                for _ in 0..<count {
                    let fresh = TLSPair(client: pair.client.context, server: pair.server.context, io: io).connect()
                    fresh.toServer(try fresh.client.sealed(pattern(100)))
                    guard fresh.serverReceived.count == 100 else { exit(2) }
                    fresh.toServer(pattern(30))
                    guard fresh.serverError != nil else { exit(3) }
                }
            }
            try use(10)
            let before = CountingAllocator.bytes
            try use(1_000)
            let growth = CountingAllocator.bytes - before
            if before == 0 || growth > 1_000 {
                print("\(growth) bytes of \(before) leaked by 1,000 connections")
                exit(4)
            }
        }
    }

    @Test("An idle engine of a server takes less than 20 KiB", arguments: [TLSVersion.tls12, .tls13])
    func idleSize(version: TLSVersion) async {
        await #expect(processExitsWith: .success) { [number = version.rawValue as Int] in
            CountingAllocator.install()
            let version = try #require(TLSVersion(rawValue: number))
            let prototype = try TLSPair(client: { $0.versions = version...version })
            let io = TLSRecordIO()
            let clientIO = TLSRecordIO()
            let count = 200
            var clients: [TLSEngine] = []
            var servers: [TLSEngine] = []
            let before = CountingAllocator.bytes
            for _ in 0..<count {
                let pair = TLSPair(
                    client: prototype.client.context, server: prototype.server.context, io: io, clientIO: clientIO)
                pair.connect()
                pair.toServer(try pair.client.sealed(pattern(100)))
                pair.toClient(try pair.server.sealed(pattern(100)))
                guard pair.clientReceived.count == 100 else { exit(2) }
                clients.append(pair.client)
                servers.append(pair.server)
            }
            for client in clients { client.free() }
            let size = (CountingAllocator.bytes - before) / count
            print("an idle engine of a server with \(version): \(size) bytes of OpenSSL")
            withExtendedLifetime(servers) {}
            if size > 20 * 1_024 || size < 1_000 { exit(3) }
        }
    }
}

/// OpenSSL's memory, counted as glibc's malloc spends it: each block with 8 bytes more, in steps of 16.
///
/// For a process of its own: OpenSSL takes an allocator only before it has allocated anything.
enum CountingAllocator {
    nonisolated(unsafe) private static var live = 0

    static var bytes: Int { unsafe live }

    static func install() {
        let status = unsafe CRYPTO_set_mem_functions(
            { size, _, _ in unsafe CountingAllocator.allocate(size) },
            { old, size, _, _ in
                guard let old = unsafe old else { return unsafe CountingAllocator.allocate(size) }
                guard size > 0, let new = unsafe CountingAllocator.allocate(size) else { return nil }
                let kept = unsafe min(size, CountingAllocator.header(old).pointee)
                unsafe new.copyMemory(from: old, byteCount: kept)
                unsafe CountingAllocator.deallocate(old)
                return unsafe new
            },
            { block, _, _ in
                if let block = unsafe block { unsafe CountingAllocator.deallocate(block) }
            })
        if status != 1 { exit(9) }
    }

    private static func header(_ block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Int> {
        unsafe (block - 16).assumingMemoryBound(to: Int.self)
    }

    private static func cost(_ size: Int) -> Int { max(32, (size + 8 + 15) & ~15) }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size > 0, let raw = unsafe malloc(size + 16) else { return nil }
        unsafe header(raw + 16).pointee = size
        unsafe live += cost(size)
        return unsafe raw + 16
    }

    private static func deallocate(_ block: UnsafeMutableRawPointer) {
        unsafe live -= cost(header(block).pointee)
        unsafe Glibc.free(block - 16)
    }
}
