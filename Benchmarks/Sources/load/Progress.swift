import Glibc
import Heliograph

/// A line on a terminal that says how far a run has come.
enum Progress {
    /// - Parameter line: nil at the end.
    static func show(on loop: EventLoop, _ line: @escaping () -> String?) {
        guard isatty(2) == 1 else { return }
        loop.schedule(after: .milliseconds(500)) {
            let text = line()
            let bytes = Array(("\r\u{1B}[K" + (text ?? "")).utf8)
            write(2, bytes, bytes.count)
            if text != nil { show(on: loop, line) }
        }
    }
}
