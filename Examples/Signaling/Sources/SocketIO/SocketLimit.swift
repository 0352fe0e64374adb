/// The names of the bounds that a peer can reach, for counting them.
public enum SocketLimit: String, Sendable, CaseIterable {
    case payloadSize = "max_payload"
    case packetsPerPayload = "max_packets_per_payload"
    case bufferedBytes = "max_buffered_bytes"
    case sessions = "max_sessions_per_loop"
    case sockets = "max_sockets_per_session"
    case connectTimeout = "connect_timeout"
    case packetSize = "max_packet_size"
    case attachments = "max_attachments"
    case depth = "max_depth"
    case values = "max_values"
    case acknowledgements = "max_pending_acknowledgements"
    case rooms = "max_rooms_per_socket"
    case recoveryLog = "recovery_max_bytes"
    case recoverySessions = "recovery_max_sockets"
    case mailbox = "mailbox_bytes"
    case backlog = "max_backlog_bytes"
}
