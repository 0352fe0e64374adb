/// Opens many, some of them at a time, and begins when all are there. Belongs to the loop.
final class Opening {
    private let count: Int
    private let open: (_ number: Int) -> Void
    private let begin: () -> Void
    private var ready = 0

    /// What is being opened at once: a server gives no handshake for ever.
    private static let atOnce = 128

    /// - Parameter begin: called once, when all are ready.
    init(_ count: Int, open: @escaping (_ number: Int) -> Void, begin: @escaping () -> Void) {
        self.count = count
        self.open = open
        self.begin = begin
    }

    func start() { for number in 0..<min(Self.atOnce, count) { open(number) } }

    /// One of them is there.
    func isReady() {
        ready += 1
        let next = ready + Self.atOnce - 1
        if next < count { open(next) }
        if ready == count { begin() }
    }
}
