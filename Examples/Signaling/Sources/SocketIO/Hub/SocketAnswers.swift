/// What the receivers of an event have acknowledged it with.
public struct SocketAnswers: Sendable, Equatable {
    /// One for each that has, in the order in which they came.
    public internal(set) var responses: [SocketArguments] = []
    /// Receivers of which none has come: in time, or because they are gone, owe too many already, or have answered more than is kept.
    public internal(set) var missing = 0

    /// Whether all have answered.
    public var isComplete: Bool { missing == 0 }
}

/// Answers that this loop gathers. Each loop tells how many of its sockets were asked, and then of one after the other what came of it.
struct AnswerGathering {
    private var unheard: Set<Int>
    private var owed = 0
    private var bytes = 0
    private let maxBytes: Int
    private var answers = SocketAnswers()
    private let done: (Result<SocketAnswers, SocketAckError>) -> Void

    init(
        loops: Set<Int>, maxBytes: Int, _ done: @escaping (Result<SocketAnswers, SocketAckError>) -> Void
    ) {
        unheard = loops
        self.maxBytes = maxBytes
        self.done = done
    }

    /// Nothing more will come.
    var isOver: Bool { unheard.isEmpty && owed == 0 }

    mutating func asked(_ count: Int, on loop: Int) {
        guard unheard.remove(loop) != nil else { return }
        owed += count
    }

    /// - Parameter response: nil when there will be none.
    /// - Returns: false when it is not kept.
    mutating func take(_ response: SocketArguments?) -> Bool {
        owed -= 1
        guard let response, bytes + response.size <= maxBytes else {
            answers.missing += 1
            return response == nil
        }
        bytes += response.size
        answers.responses.append(response)
        return true
    }

    func finish() {
        var answers = answers
        answers.missing += owed
        done(.success(answers))
    }
}
