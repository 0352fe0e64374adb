@testable import HelioHTTP
import Testing

@Suite("Masks of WebSocket frames")
struct WebSocketMaskTests {
    @Test("Bytes are masked alike at every alignment and length")
    func alignments() {
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        let word: UInt32 = 0x7856_3412
        let source = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for from in 0..<33 {
            for to in 0..<9 {
                for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 32, 33, 40, 63, 64, 65, 100] {
                    var target = [UInt8](repeating: 0xee, count: 128)
                    unsafe source.withUnsafeBytes { source in
                        unsafe target.withUnsafeMutableBytes { target in
                            unsafe WebSocketMask.copy(
                                from: source.baseAddress.unsafelyUnwrapped + from,
                                to: target.baseAddress.unsafelyUnwrapped + to, count: count, key: word)
                        }
                    }
                    let masked = (0..<count).map { source[from + $0] ^ key[$0 % 4] }
                    #expect(Array(target[to..<to + count]) == masked)
                    // Nothing beside it.
                    #expect(
                        target[..<to].allSatisfy { $0 == 0xee } && target[(to + count)...].allSatisfy { $0 == 0xee })
                }
            }
        }
    }

    @Test("Masking in place is its own inverse")
    func inPlace() {
        let source = (0..<100).map { UInt8($0) }
        var bytes = source
        for _ in 0..<2 {
            unsafe bytes.withUnsafeMutableBytes { bytes in
                let start = unsafe bytes.baseAddress.unsafelyUnwrapped
                unsafe WebSocketMask.copy(
                    from: UnsafeRawPointer(start), to: start, count: bytes.count, key: 0xdead_beef)
            }
        }
        #expect(bytes == source)
    }

    @Test("A key goes on where a cut was")
    func keys() {
        #expect(WebSocketMask.key(0x7856_3412, after: 0) == 0x7856_3412)
        #expect(WebSocketMask.key(0x7856_3412, after: 1) == 0x1278_5634)
        #expect(WebSocketMask.key(0x7856_3412, after: 7) == 0x5634_1278)
        #expect(WebSocketMask.key(0x7856_3412, after: 8) == 0x7856_3412)
    }
}
