import Foundation
import Testing

@testable import SignalingCore

/// An object as Foundation reads it: a second opinion.
typealias JSONFields = [String: Any]

func parse(_ bytes: [UInt8]) -> Any? {
    try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
}

func object(_ bytes: [UInt8]) throws -> JSONFields { try #require(parse(bytes) as? JSONFields) }

func object(_ text: String) throws -> JSONFields { try object(Array(text.utf8)) }

func areEqual(_ one: Any?, _ other: Any?) -> Bool { (one as? NSObject) == (other as? NSObject) }

let sender = SessionID("0-00000000000000000000000000000001")
let target = SessionID("1-00000000000000000000000000000002")

func read(
    _ text: String, limits: ServiceLimits = ServiceLimits()
) throws(MessageReader.Refusal) -> [ReceivedMessage] {
    try read(Array(text.utf8), limits: limits)
}

func read(
    _ body: [UInt8], limits: ServiceLimits = ServiceLimits()
) throws(MessageReader.Refusal) -> [ReceivedMessage] {
    guard let sender else { return [] }
    return try MessageReader(sender: Sender(session: sender), loops: 2, limits: limits).read(body)
}

extension ReceivedMessage {
    /// What the target is sent of it, as one JSON object.
    var relayed: JSONFields? {
        guard case .success(let message) = content, case .relay(let relayed) = message.kind else { return nil }
        return parse(Array("{".utf8) + relayed.tail) as? JSONFields
    }

    var errorCode: MessageError.Code? {
        if case .failure(let error) = content { error.code } else { nil }
    }
}
