import FuzzSupport

@testable import SignalingCore

/// The scanner against another parser, and the reader of messages with and without a policy: what it relays is one line of JSON.
enum MessagesTarget {
    static func run(_ input: [UInt8]) {
        let isJSON = ReferenceJSON.isValid(input, maxDepth: 32)
        check(scans(input) == isJSON, "the parsers differ: \(isJSON)")
        tree(input)
        read(input, ServiceLimits(), isJSON)
        var limits = ServiceLimits()
        if let policies = try? SDPPolicies(["*: relay-only, candidates=8, size=4096"]) { limits.sdpPolicies = policies }
        read(input, limits, isJSON)
    }

    private static func scans(_ input: [UInt8]) -> Bool {
        var scanner = JSONScanner(input, maxDepth: 32)
        do throws(JSONError) {
            try scanner.skipValue(depth: 0)
            try scanner.expectEnd()
            return true
        } catch {
            check((0...input.count).contains(error.offset), "the error is outside of the text")
            return false
        }
    }

    private static func tree(_ input: [UInt8]) {
        guard (try? JSONValue(parsing: input)) != nil else { return }
        check(ReferenceJSON.isValid(input, maxDepth: 64), "a tree of what is no JSON")
    }

    private static func read(_ input: [UInt8], _ limits: ServiceLimits, _ isJSON: Bool) {
        guard let sender = SessionID("0-00000000000000000000000000000001") else { return }
        let reader = MessageReader(sender: Sender(session: sender), loops: 2, limits: limits)
        guard let messages = try? reader.read(input) else { return }
        check(isJSON, "messages in what is no JSON")
        for message in messages {
            guard case .success(let read) = message.content, case .relay(let relayed) = read.kind else { continue }
            let event = [UInt8(ascii: "{")] + relayed.tail
            check(ReferenceJSON.isValid(event, maxDepth: 64), "an event that is no JSON")
            check(!event.contains(0x0A) && !event.contains(0x0D), "an event of several lines")
        }
    }

    static var seeds: [(name: String, bytes: [UInt8])] {
        let peer = "1-00000000000000000000000000000002"
        let sdp =
            "v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=audio 54 x 0\\r\\nc=IN IP4 10.0.0.1\\r\\n"
        let line = "candidate:1 1 udp 1 10.1.2.3 9 typ host"
        let texts = [
            #"{"t":"offer","id":"1","to":{"peer":"\#(peer)"},"room":"r","call":"k","neg":1,"body":{"sdp":"\#(sdp)"}}"#,
            #"[{"t":"candidates","to":{"peer":"\#(peer)"},"room":"r","body":{"candidates":[{"candidate":"\#(line)"}],"end":true}}]"#,
            #"{"t":"join","room":"\u00e9","body":{"name":"Ada"}}"#, #"{"t":"ack","seq":3}"#,
            "[1.5e-3,true,null,\"\\ud800\"]",
        ]
        return texts.enumerated().map { (name: "message-\($0)", bytes: Array($1.utf8)) }
    }
}
