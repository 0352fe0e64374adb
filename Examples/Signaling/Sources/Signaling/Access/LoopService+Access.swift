import Heliograph
import SignalingAuth
import SignalingCore

// Who a client is. Verifying is asynchronous; what comes of it is done on the loop.
extension LoopService {
    /// What belongs to a loop, on its way through a task that does not touch it.
    private struct Confined<Value>: @unchecked Sendable {
        let value: Value
    }

    /// Calls `done` on the loop, at once when nobody needs to be asked.
    func identify(
        _ credential: [UInt8]?, _ done: @escaping (_ result: Result<Identity, TokenRefusal>) -> Void
    ) {
        guard access.verifier != nil else { return done(.success(.development)) }
        guard let credential else {
            return done(.failure(TokenRefusal(.tokenMissing, "Authorization: Bearer with a token is missing")))
        }
        let time = now.unixMilliseconds
        let (loop, access) = (loop, access)
        let confined = Confined(value: done)
        Task {
            let result = await access.identity(credential, unixMilliseconds: time)
            loop.execute { confined.value(result) }
        }
    }

    /// As ``identify(_:_:)``, for a request: it is refused when the client is nobody, and `done` is called when it may come in
    /// and still waits.
    func identify(_ request: RequestKey, _ credential: [UInt8]?, _ done: @escaping (Identity) -> Void) {
        identify(credential) { [unowned self] result in
            guard outlet.exchanges[request] != nil else { return }
            switch result {
            case .failure(let refusal): outlet.reply(request, refusal.reply)
            case .success(let identity): done(identity)
            }
        }
    }

    func verify(_ check: TokenCheck) {
        identify(check.token) { [unowned self] result in node.verified(check, result, now: now) }
    }

    /// What is wrong with a request for a session, whoever it is from.
    func refusal(of exchange: Exchange) -> Reply? {
        refusalOfURL(exchange)
            ?? node.refusal(of: exchange.clientAddress, now: now)
    }

    /// A token in a URL ends up in logs and histories.
    func refusalOfURL(_ exchange: Exchange) -> Reply? {
        let names = exchange.queryFields.map(\.name)
        guard names.contains("token") || names.contains("access_token") else { return nil }
        return Problem.tokenInURL.reply("a token has no place in a URL: send Authorization: Bearer")
    }

    /// The token of a request that browsers make without a way to set its fields (EventSource, WebSocket): where the operator allows it,
    /// that of `access_token` counts when there is no other.
    ///
    /// - Returns: the refusal of a URL that may have none.
    func credential(of exchange: Exchange, beside field: [UInt8]?) -> Result<[UInt8]?, Refusal> {
        let tokens = exchange.queryFields.filter { $0.name == "access_token" || $0.name == "token" }
        guard access.takesTokensInURLs, tokens.count == 1, tokens[0].name == "access_token" else {
            return refusalOfURL(exchange).map { .failure(Refusal(reply: $0)) } ?? .success(field)
        }
        return .success(field ?? tokens[0].value.map { Array($0.utf8) })
    }
}

/// What a request is answered that is refused.
struct Refusal: Error {
    let reply: Reply
}

extension Exchange {
    /// Whose rate the request counts for.
    var clientAddress: ClientAddress { ClientAddress(connection?.peerHost ?? "-") }
}
