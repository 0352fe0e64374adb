import ArgumentParser

/// The flags of all settings, as the argument parser takes them: one for each entry of ``Setting/all``.
///
/// The parser finds a type's flags by its mirror and decodes them by their labels, so a mirror made from the table stands for as
/// many properties.
struct SettingFlags: ParsableArguments, CustomReflectable {
    /// What was given, by the names of settings.
    private(set) var values: [String: [String]] = [:]

    init() {}

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for setting in Setting.all {
            let key = Key(stringValue: setting.name)
            switch setting.shape {
            case .one:
                let text = try container.decode(Option<String?>.self, forKey: key).wrappedValue
                values[setting.name] = text.map { [$0] }
            case .onOff:
                let isOn = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue
                values[setting.name] = isOn.map { ["\($0)"] }
            case .list:
                let texts = try container.decode(Option<[String]>.self, forKey: key).wrappedValue
                values[setting.name] = texts.isEmpty ? nil : texts
            }
        }
    }

    var customMirror: Mirror {
        Mirror(self, children: Setting.all.map { (label: $0.name, value: Self.option($0)) })
    }

    private static func option(_ setting: Setting) -> Any {
        let name = NameSpecification.customLong(setting.name)
        let standard = setting.shown(ServiceConfiguration())
        let help = ArgumentHelp(
            "\(setting.help) [default: \(standard)]", valueName: setting.valueName,
            visibility: setting.audience == .everyone ? .default : .hidden)
        switch setting.shape {
        case .one: return Option<String?>(wrappedValue: nil, name: name, help: help)
        case .onOff: return Flag<Bool?>(wrappedValue: nil, name: name, inversion: .prefixedNo, help: help)
        case .list: return Option<[String]>(wrappedValue: [], name: name, help: help)
        }
    }
}

extension Setting {
    /// What stands for the value in the help.
    fileprivate var valueName: String {
        let ends = ["size": "size", "timeout": "time", "grace": "time", "interval": "time", "age": "time"]
        let last = name.split(separator: "-").last.map(String.init) ?? name
        return ends[last] ?? last
    }
}

/// What every command that reads the configuration takes.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "A YAML file with settings. [default: $SIGNALING_CONFIG]") var config: String?
    @OptionGroup var settings: SettingFlags

    var sources: ConfigurationSources {
        let environment = ProcessEnvironment.all
        return ConfigurationSources(
            flags: settings.values, environment: environment, file: config,
            sockets: HandedOverSocket.all(environment: environment))
    }
}
