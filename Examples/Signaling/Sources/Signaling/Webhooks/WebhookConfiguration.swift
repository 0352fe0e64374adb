import Heliograph

/// Where events of sessions and rooms are sent, and the bounds of it.
struct WebhookConfiguration: Sendable {
    /// `https://…`, or `http://…` on loopback.
    let url: String
    /// What deliveries are signed with.
    let secret: Secret
    /// Whom it trusts over TLS.
    var trust = ClientTrust.system

    /// Events of one loop that wait. Past it new ones are dropped, and counted.
    var queue = 10_000
    /// Events of one delivery.
    var batch = 100
    /// Tries of one delivery. Past it its events are dropped, and counted.
    var attempts = 8
    /// How long the receiver may take to answer.
    var timeout = Duration.seconds(10)
    /// Before the second try; doubled for each one more, up to `maxPause`, and then a random part of it, so that many senders do not
    /// come back at once.
    var pause = Duration.milliseconds(500)
    var maxPause = Duration.seconds(60)
}
