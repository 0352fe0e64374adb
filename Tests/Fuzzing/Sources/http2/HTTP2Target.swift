import FuzzSupport
import HelioHTTP
import HeliographTesting

/// A server's session of HTTP/2, given bytes and time.
///
/// An input is a byte of ``Options``, a seed for the places to cut at, and then a peer's bytes, or the operations of a
/// ``Script``.
enum HTTP2Target {
    struct Options: OptionSet {
        let rawValue: UInt8
        /// The peer begins as it should: else its preface too is the input's.
        static let preface = Options(rawValue: 1 << 0)
        static let script = Options(rawValue: 1 << 1)
        /// Bounds that are soon crossed.
        static let tight = Options(rawValue: 1 << 2)
        /// The server says goodbye in the middle.
        static let shutdown = Options(rawValue: 1 << 3)
        /// The peer reads nothing before the end.
        static let deaf = Options(rawValue: 1 << 4)
        /// Time passes between the pieces.
        static let slow = Options(rawValue: 1 << 5)
        /// No extended CONNECT, and origins to tell of.
        static let plain = Options(rawValue: 1 << 6)
    }

    static func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let options = Options(rawValue: choices.byte())
        let cuts = Cuts(choices.byte())
        let peer = Peer(options, cuts)
        if options.contains(.preface) {
            peer.send(FrameBuilder.preface + FrameBuilder.settings() + FrameBuilder.frame(.settings, flags: 1))
        }
        if options.contains(.script) {
            var script = Script(choices)
            while script.step(peer) {}
        } else {
            peer.send(choices.rest())
        }
        peer.finish()
    }
}
