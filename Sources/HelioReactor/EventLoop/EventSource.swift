internal import CLinux

/// What a loop calls: something with a descriptor, or with work that it puts off. Always on the loop's thread.
public protocol EventSource: AnyObject {
    /// The descriptor is ready for something. With an edge-triggered registration the next call comes only after a
    /// further change.
    func ready(_ readiness: Readiness)
    /// The turn that was asked for by ``EventLoop/again(_:)``, in the next iteration.
    func resume()
    /// The iteration that called ``EventLoop/atEndOfIteration(_:)`` ends.
    func iterationEnds()
}

extension EventSource {
    public func ready(_ readiness: Readiness) {}
    public func resume() {}
    public func iterationEnds() {}
}

/// What epoll reports of a descriptor (epoll_ctl(2)).
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// EPOLLIN: there is something to read.
    public static let input = Readiness(rawValue: EPOLLIN.rawValue)
    /// EPOLLOUT: there is room to write.
    public static let output = Readiness(rawValue: EPOLLOUT.rawValue)
    /// EPOLLRDHUP: the peer sends no more. What it sent before may still wait.
    public static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// EPOLLHUP: both directions are over.
    public static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// EPOLLERR: an error waits to be read.
    public static let error = Readiness(rawValue: EPOLLERR.rawValue)

    /// Anything after which no further edge announces the end of the input: read to the end.
    public static let lastWords: Readiness = [.peerClosed, .hangUp, .error]
}

/// How a descriptor is watched.
public enum Interest: Sendable {
    /// Edge-triggered, in both directions, once and for all.
    case connection
    /// Level-triggered, for input.
    case input
    /// Level-triggered, for input, of a descriptor that stands in several loops: one of them is woken (EPOLLEXCLUSIVE).
    case sharedInput

    var events: UInt32 {
        switch self {
        case .connection: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        case .input: EPOLLIN.rawValue
        case .sharedInput: EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue
        }
    }
}
