/// Where a configuration is read from: flags go before the environment, the environment before the file, the file before the
/// defaults. It can be read again, and only the file is then another one.
///
/// This merges three small dictionaries itself: swift-configuration looks up the keys that it is asked for, and so cannot tell of
/// a key that nobody asks for, nor in which line of the file a wrong value stands.
struct ConfigurationSources: Sendable {
    /// By the names of settings.
    var flags: [String: [String]] = [:]
    /// All variables; those of settings begin with `SIGNALING_`.
    var environment: [String: String] = [:]
    var file: String?
    /// What the service manager has opened.
    var sockets: [HandedOverSocket] = []

    /// The variable that names the file; `--config` goes before it.
    static let fileVariable = "SIGNALING_CONFIG"

    /// - Throws: all that is wrong, at once.
    func load() throws(ConfigurationError) -> LoadedConfiguration {
        var given: [String: GivenValue] = [:]
        var problems: [String] = []
        if let path = file ?? environment[Self.fileVariable] {
            let file = try ConfigurationFile(path: path)
            given = file.values
            problems = file.problems
        }
        given.merge(environmentValues) { $1 }
        given.merge(flagValues) { $1 }
        var loaded = LoadedConfiguration()
        loaded.warnings = strangers
        for setting in Setting.all {
            guard let value = given[setting.name] else { continue }
            do throws(BadValue) {
                if setting.shape != .list, value.texts.isEmpty { continue }
                try setting.read(value.texts, &loaded.values)
                loaded.sources[setting.name] = value.source
            } catch {
                problems.append(value.problem(setting, error.reason))
            }
        }
        loaded.values.listen.handedOver = sockets.filter { !$0.isAdmin }
        loaded.values.admin.handedOver = sockets.first(where: \.isAdmin)
        problems += problems.isEmpty ? loaded.values.conflicts : []
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        if loaded.values.listen.isDevelopmentOnLAN {
            let network = DevelopmentNetwork()
            loaded.values.network = network
            loaded.values.access.runSecret = network.secret
        }
        loaded.warnings += exposedFiles(loaded)
        return loaded
    }

    private var flagValues: [String: GivenValue] {
        var values: [String: GivenValue] = [:]
        for (name, texts) in flags { values[name] = GivenValue(texts: texts, source: .flag("--" + name)) }
        return values
    }

    private var environmentValues: [String: GivenValue] {
        var values: [String: GivenValue] = [:]
        for setting in Setting.all {
            guard let text = environment[setting.variable] else { continue }
            values[setting.name] = GivenValue(
                texts: setting.shape == .list ? Self.items(text) : [text], source: .environment(setting.variable))
        }
        return values
    }

    private static func items(_ text: String) -> [String] {
        text.split(separator: ",").map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Variables that look like settings. An environment is shared, so they are no error: Kubernetes sets
    /// `SIGNALING_SERVICE_HOST` for a service of this name.
    private var strangers: [String] {
        let known = Set(Setting.all.map(\.variable) + [Self.fileVariable])
        return environment.keys.filter { $0.hasPrefix("SIGNALING_") && !known.contains($0) }.sorted()
            .map { "\($0): there is no such setting, so it is ignored" }
    }

    private func exposedFiles(_ loaded: LoadedConfiguration) -> [String] {
        Setting.all.filter { $0.name.hasSuffix("-file") || $0.name == "private-key" }.flatMap { setting in
            setting.write(loaded.values).filter(FileReader.isWorldReadable).map { path in
                "\(setting.name): everyone on this machine can read \(path): chmod 640 it"
            }
        }
    }
}

/// A configuration and where it came from.
struct LoadedConfiguration: Sendable {
    var values = ServiceConfiguration()
    /// By the names of settings; those that have their default are not there.
    var sources: [String: SettingSource] = [:]
    /// What an operator should know, though it can be used.
    var warnings: [String] = []

    func source(of setting: Setting) -> SettingSource { sources[setting.name] ?? .standard }

    /// Takes from a newer one what may change while the service runs.
    ///
    /// - Returns: the names of the settings that have changed, and of those that would need a restart.
    mutating func update(from newer: LoadedConfiguration) -> (changed: [String], left: [String]) {
        var changed: [String] = []
        var left: [String] = []
        for setting in Setting.all {
            let differs = setting.write(values) != setting.write(newer.values)
            switch setting.effect {
            case .whileRunning:
                // Even when the text is the same: what stands in the file that it names may not be.
                setting.copy(newer.values, &values)
                sources[setting.name] = newer.sources[setting.name]
                if differs { changed.append(setting.name) }
            case .atStart: if differs { left.append(setting.name) }
            }
        }
        return (changed, left)
    }

    /// As YAML, with the source of each value behind it.
    var report: String {
        Setting.all.map { setting in
            let written = setting.write(values)
            let texts = setting.isSecret && !written.isEmpty ? ["[redacted]"] : written
            let value =
                switch setting.shape {
                case .list: "[" + texts.map(Self.quoted).joined(separator: ", ") + "]"
                case .one, .onOff: texts.map(Self.quoted).joined()
                }
            return "\(setting.name): \(value)  # \(source(of: setting))\n"
        }.joined()
    }

    /// In quotes where YAML would take it for something else.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "0123456789/._-".utf8.contains(byte)
        }
        return isPlain && !text.isEmpty && !text.hasPrefix("-")
            ? text : "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}
