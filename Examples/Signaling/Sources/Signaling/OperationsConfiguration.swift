/// What operators have of a service, beside its clients.
struct OperationsConfiguration: Sendable {
    /// Nil: there is no second listener.
    var admin: AdminConfiguration?
    var webhooks: WebhookConfiguration?
    /// How long sessions have to go elsewhere when the service ends, or an operator drains it.
    var drainTimeout = Duration.seconds(10)
}
