import Logging

extension Setting {
    static let log: [Setting] = [
        Setting("log-level", \.log.level, .choice, "What is logged: this level and those above it.", .whileRunning),
        Setting(
            "log-format", \.log.format, .choice, "How a line looks: auto is text on a terminal and JSON otherwise.",
            .whileRunning),
        Setting(
            "log-addresses", \.log.addresses, .onOff,
            "Shows addresses of clients in the log; they are redacted otherwise.", .whileRunning),
    ]
}
