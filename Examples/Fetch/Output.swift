import Glibc

/// A descriptor that text and bodies are printed to.
struct Output {
    static let standard = Output(descriptor: 1)
    static let error = Output(descriptor: 2)
    let descriptor: Int32

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
