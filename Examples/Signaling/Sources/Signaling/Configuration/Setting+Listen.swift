import Heliograph

extension Setting {
    static let listen: [Setting] = [
        Setting("host", \.listen.host, .text, "A numeric address to listen at, or 'localhost'.", .atStart),
        Setting("port", \.listen.port, .integer(0...65_535), "The port; 0 takes a free one.", .atStart),
        Setting(
            "unix-socket", \.listen.unixSocket, optional: .path, unset: "no Unix socket",
            "A Unix socket to listen at, instead of a host and a port; '@name' is abstract.", .atStart),
        Setting(
            "threads", \.listen.threads, optional: .integer(1...1024), unset: "one for each CPU",
            "Event loops, each a thread.", .atStart),
        Setting(
            "proxy-protocol", \.listen.proxyProtocol, .onOff,
            "Connections begin with a PROXY protocol header, version 1 or 2.", .atStart),
        Setting(
            "proxy-protocol-from", \.listen.proxies, list: .network, unset: "nobody",
            "Who may send that header: it is believed.", .atStart),
        Setting(
            "dev-lan", \.listen.isDevelopmentOnLAN, .onOff,
            "Development mode for other machines too, such as a phone: prints links to a room, good for an hour.",
            .atStart),
    ]

    static let tls: [Setting] = [
        Setting(
            "certificate", \.tls.certificate, optional: .path, unset: "a development certificate",
            "A PEM file with the certificate and its chain; SIGHUP reads it again.", .whileRunning),
        Setting(
            "private-key", \.tls.privateKey, optional: .path, unset: "that of the development certificate",
            "The PEM file with the certificate's private key; SIGHUP reads it again.", .whileRunning),
        Setting(
            "plaintext", \.tls.plaintext, .onOff, "Speaks without TLS, behind a proxy that has the certificate.",
            .atStart),
    ]
}

extension SettingFormat where Value == AddressRange {
    /// A network, or one address.
    static let network = SettingFormat(
        "an address or a network such as 10.0.0.0/8, or 'unix'",
        read: { text throws(BadValue) in
            if text == "unix" { return .unix }
            guard let range = AddressRange(text) else { throw BadValue() }
            return range
        }, write: { $0 == .unix ? "unix" : "\($0)" })
}
