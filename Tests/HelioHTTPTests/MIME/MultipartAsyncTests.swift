import HelioHTTP
import HeliographTesting
import Testing

/// The async face, with the session driven from the same actor as its tasks.
@MainActor
@Suite("The parts of a request as a sequence")
struct MultipartAsyncTests {
    @MainActor
    private final class Outcome {
        var lines: [String] = []
        var error: (any Error)?
        var isFinished = false
    }

    private static let body =
        "--b\r\ncontent-disposition: form-data; name=a\r\n\r\none\r\n--b\r\ncontent-disposition: form-data; name=b\r\n"
        + "content-type: multipart/mixed; boundary=c\r\n\r\n--c\r\ncontent-transfer-encoding: base64\r\n\r\nSGVsbG8=\r\n--c--\r\n"
        + "--b\r\ncontent-disposition: form-data; name=z\r\n\r\nlast\r\n--b--"

    /// Reads a request's parts as `read` does.
    private func run(
        _ body: String, limits: MultipartLimits = MultipartLimits(), cut: Int = .max,
        _ read: @escaping @MainActor (Exchange, MultipartLimits, Outcome) async throws -> Void
    ) async -> Outcome {
        let outcome = Outcome()
        let handler = RecordingHandler { exchange in
            // The suite, the session and its handlers are all on the main actor.
            nonisolated(unsafe) let exchange = exchange
            MainActor.assumeIsolated {
                unsafe exchange.pullBody()
                Task { @MainActor in
                    do { try await read(unsafe exchange, limits, outcome) } catch { outcome.error = error }
                    outcome.isFinished = true
                    unsafe exchange.respond(.noContent)
                }
            }
        }
        let peer = RawPeer(handler: handler)
        peer.post(1, [("content-type", "multipart/form-data; boundary=b")])
        var rest = Array(body.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(cut))
            rest = rest.dropFirst(piece.count)
            peer.send(FrameBuilder.data(stream: 1, piece, endsStream: rest.isEmpty))
            for _ in 0..<10 { await Task.yield() }
        }
        for _ in 0..<10_000 where !outcome.isFinished { await Task.yield() }
        #expect(outcome.isFinished)
        peer.read()
        #expect(peer.isAnswered(1))
        peer.leave()
        return outcome
    }

    @Test("Parts and their data come in order, in any cut", arguments: [1, 3, 50, 10_000])
    func inOrder(cut: Int) async {
        let outcome = await run(Self.body, cut: cut) { exchange, limits, outcome in
            for try await part in exchange.parts(limits: limits) {
                var data: [UInt8] = []
                for try await chunk in part.body { data += chunk }
                outcome.lines.append("\(part.name ?? "-") \(part.depth) \(String(decoding: data, as: UTF8.self))")
            }
        }
        #expect(outcome.error == nil)
        #expect(outcome.lines == ["a 1 one", "b 1 ", "- 2 Hello", "z 1 last"])
    }

    @Test("What is not read of a part is passed over")
    func passedOver() async {
        let outcome = await run(Self.body) { exchange, limits, outcome in
            var first: MultipartPart?
            for try await part in exchange.parts(limits: limits) {
                if first == nil { first = part }
                if part.name == "z" {
                    outcome.lines.append(String(decoding: try await part.collect(upTo: 10), as: UTF8.self))
                }
                // One that is gone has nothing more.
                if part !== first, try await first?.nextChunk() != nil { outcome.lines.append("too late") }
            }
        }
        #expect(outcome.error == nil)
        #expect(outcome.lines == ["last"])
    }

    @Test("A malformed body and a crossed limit are thrown")
    func thrown() async {
        func read(_ exchange: Exchange, _ limits: MultipartLimits, _ outcome: Outcome) async throws {
            for try await part in exchange.parts(limits: limits) { _ = try await part.collect(upTo: 5) }
        }
        var outcome = await run("--b!", read)
        #expect(outcome.error as? MultipartError == .malformedDelimiter)
        outcome = await run(Self.body, limits: multipartLimits { $0.maxParts = 1 }, read)
        #expect(outcome.error as? MultipartError == .tooManyParts(limit: 1))
        outcome = await run(Self.body.replacing("one", with: "sixsix"), read)
        #expect(outcome.error as? MultipartError == .partTooLarge(limit: 5))
        outcome = await run(String(Self.body.dropLast(4)), read)
        #expect(outcome.error as? MultipartError == .truncated)
    }

    @Test("A reader that leaves in the midst leaves nothing behind")
    func leaves() async {
        weak var left: MultipartPart?
        let outcome = await run(Self.body) { exchange, limits, _ in
            for try await part in exchange.parts(limits: limits) {
                left = part
                break
            }
        }
        #expect(outcome.error == nil)
        #expect(left == nil)
    }
}
