/// The events that clients of the vocabulary send.
enum VocabularyEvent: String, CaseIterable {
    // Channels.
    case presence
    case openChannel = "open-channel"
    case openScreenChannel = "open-channel-screenshare"
    case joinChannel = "join-channel"
    case updateChannel = "update-channel"
    case adminEnquire = "admin_enquire"

    // Rooms.
    case checkPresence = "check-presence"
    case openRoom = "open-room"
    case joinRoom = "join-room"
    case setPassword = "set-password"
    case closeEntireSession = "close-entire-session"

    // Users.
    case changedUserID = "changed-uuid"
    case extraDataUpdated = "extra-data-updated"
    case getExtraData = "get-remote-user-extra-data"
    case disconnectWith = "disconnect-with"
    case becomePublicModerator = "become-a-public-moderator"
    case dontMakeMeModerator = "dont-make-me-moderator"
    case getPublicModerators = "get-public-moderators"
    case setCustomEvent = "set-custom-socket-event-listener"
}
