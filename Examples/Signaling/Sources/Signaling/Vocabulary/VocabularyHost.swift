import SignalingCore
import SocketIO

/// What carries a client of the vocabulary: its socket, and the node that has its session.
protocol VocabularyHost: AnyObject {
    var limits: ServiceLimits { get }
    func emit(_ event: String, _ arguments: [SocketValue])
    /// Gives the node a message of the session, and `done` the code of its error, nil when it was taken. What the message causes
    /// for the session itself comes before.
    func send(_ message: [UInt8], _ done: @escaping (_ error: String?) -> Void)
    /// Asks for what may be known of a room: nil when there is none.
    func ask(_ room: RoomName, _ done: @escaping (SocketJSON?) -> Void)
    /// Asks the operators' side, for clients that may see which rooms there are: nil when this one may not.
    func enquire(_ enquiry: VocabularyEnquiry, _ done: @escaping (SocketValue?) -> Void)
    func trip(_ limit: ServiceLimitName)
}

extension ServiceLimitName {
    static let vocabularyExtra = ServiceLimitName("vocabulary_extra")
    static let vocabularyWaiting = ServiceLimitName("vocabulary_waiting")
    static let vocabularyEvents = ServiceLimitName("vocabulary_events")
}
