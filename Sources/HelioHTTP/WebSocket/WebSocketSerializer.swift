/// Writes frames (RFC 6455 section 5.2).
///
/// ```swift
/// var serializer = WebSocketSerializer(role: .server)
/// let frame = serializer.frame(.text, isFinal: true, isCompressed: false, Array("hello".utf8))
/// ```
public struct WebSocketSerializer {
    let role: WebSocketRole
    private var random = SystemRandomNumberGenerator()

    /// - Parameter role: who writes: a client masks, by keys from the system's random numbers (section 5.3).
    public init(role: WebSocketRole) { self.role = role }

    /// Two bytes, eight of length, four of mask.
    static let largestHead = 14

    /// The bytes of a head before `length` bytes of payload.
    func headSize(_ length: Int) -> Int {
        2 + (length <= 125 ? 0 : length <= 0xffff ? 2 : 8) + (role == .client ? 4 : 0)
    }

    /// Writes a head of ``headSize(_:)`` bytes.
    ///
    /// - Returns: the key for the payload, 0 for a server's, which is not masked.
    mutating func writeHead(
        _ opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, length: Int, to target: UnsafeMutableRawPointer
    ) -> UInt32 {
        let flags: UInt8 = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)
        unsafe target.storeBytes(of: flags | opcode.rawValue, as: UInt8.self)
        let mask: UInt8 = role == .client ? 0x80 : 0
        var end = 2
        if length <= 125 {
            unsafe target.storeBytes(of: mask | UInt8(length), toByteOffset: 1, as: UInt8.self)
        } else if length <= 0xffff {
            unsafe target.storeBytes(of: mask | 126, toByteOffset: 1, as: UInt8.self)
            unsafe target.storeBytes(of: UInt16(length).bigEndian, toByteOffset: 2, as: UInt16.self)
            end = 4
        } else {
            unsafe target.storeBytes(of: mask | 127, toByteOffset: 1, as: UInt8.self)
            unsafe target.storeBytes(of: UInt64(length).bigEndian, toByteOffset: 2, as: UInt64.self)
            end = 10
        }
        guard role == .client else { return 0 }
        let key = UInt32.random(in: 0...UInt32.max, using: &random)
        unsafe target.storeBytes(of: key.littleEndian, toByteOffset: end, as: UInt32.self)
        return key
    }

    /// Writes a frame of ``headSize(_:)`` and the payload's count of bytes.
    mutating func write(
        _ opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, _ payload: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawPointer
    ) {
        let key = unsafe writeHead(
            opcode, isFinal: isFinal, isCompressed: isCompressed, length: payload.count, to: target)
        guard let source = payload.baseAddress else { return }
        let body = unsafe target + headSize(payload.count)
        if role == .client {
            unsafe WebSocketMask.copy(from: source, to: body, count: payload.count, key: key)
        } else {
            unsafe body.copyMemory(from: source, byteCount: payload.count)
        }
    }

    /// A frame by itself.
    ///
    /// - Parameters:
    ///   - isFinal: it ends its message. Control frames always do.
    ///   - isCompressed: it begins a compressed message (RFC 7692 section 6).
    public mutating func frame(
        _ opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, _ payload: [UInt8]
    ) -> [UInt8] {
        let size = headSize(payload.count) + payload.count
        return unsafe Array(unsafeUninitializedCapacity: size) { target, count in
            guard let start = target.baseAddress else { return }
            unsafe payload.withUnsafeBytes {
                unsafe write(
                    opcode, isFinal: isFinal, isCompressed: isCompressed, $0, to: UnsafeMutableRawPointer(start))
            }
            count = size
        }
    }
}
