internal import CLinux

/// A system call that failed: which one, and why.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call, such as `bind`.
    public let call: String
    /// The error number, such as `EADDRINUSE`.
    public let code: Int32

    public init(_ code: Int32, in call: String) {
        self.code = code
        self.call = call
    }

    /// The calling thread's `errno`.
    static func last(_ call: String) -> Errno { Errno(helio_errno(), in: call) }

    /// The call and the reason, such as `bind: Address already in use`.
    public var description: String { "\(call): \(reason)" }

    /// The reason alone, as strerror(3) has it.
    public var reason: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, unsafe strerror_r(code, base, buffer.count) == 0 else {
                return "error \(code)"
            }
            return unsafe String(cString: base)
        }
    }

    public var isAddressInUse: Bool { code == EADDRINUSE }
    /// No interface has the address, or the machine does not speak its family.
    public var isAddressNotAvailable: Bool { code == EADDRNOTAVAIL || code == EAFNOSUPPORT }
    public var isTimeout: Bool { code == ETIMEDOUT }
    public var isPermissionDenied: Bool { code == EACCES || code == EPERM }
    /// What was asked for is not done with this kind of descriptor.
    public var isUnsupported: Bool { code == EINVAL || code == ENOSYS || code == EOPNOTSUPP }
    /// What stores files has failed.
    public var isInputOutput: Bool { code == EIO || code == ESTALE || code == EUCLEAN }
    /// The process (EMFILE), the system (ENFILE) or the kernel's memory has no room for another descriptor.
    public var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM }
}

/// Runs a call until a signal does not interrupt it; -1 becomes an error.
@inline(__always)
func checked(_ call: StaticString, _ body: () -> Int32) throws(Errno) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = helio_errno()
        if code != EINTR { throw Errno(code, in: call.description) }
    }
}
