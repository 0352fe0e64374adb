import Heliograph

extension Setting {
    static let operators: [Setting] = [
        Setting(
            "ticket-secret-file", \.ticketSecret, optional: .path,
            "Keys that sign resume tickets, so that they are good after a restart: one in each line, the newest first.",
            .atStart),
        Setting(
            "drain-timeout", \.drainTimeout, .time(.zero...hour),
            "How long sessions have to go elsewhere when it ends.", .atStart),
        Setting(
            "admin-host", \.admin.host, .text, "A numeric address, or 'localhost', to listen at for operators.",
            .atStart),
        Setting(
            "admin-port", \.admin.port, optional: .integer(0...65_535), unset: "none: it does not listen",
            "The port for operators, such as 9443; 0 takes a free one.", .atStart),
        Setting(
            "admin-token-file", \.admin.token, optional: .secret(atLeast: 16),
            "A file with the bearer token of operators, of at least 16 bytes. Beyond loopback it is needed.",
            .whileRunning),
        Setting(
            "webhook-url", \.webhooks.url, optional: .url, "Where events of sessions and rooms are posted to.",
            .atStart, isSecret: true),
        Setting(
            "webhook-secret-file", \.webhooks.secret, optional: .secret(atLeast: 16),
            "A file with the secret that they are signed with, of at least 16 bytes.", .whileRunning),
    ]
}

extension SettingFormat where Value == String {
    /// Where a request can be sent.
    static let url = SettingFormat(
        "a URL of http or https",
        read: { text throws(BadValue) in
            guard (try? ClientRequest(.post, text)) != nil else { throw BadValue() }
            return text
        }, write: { $0 })
}
