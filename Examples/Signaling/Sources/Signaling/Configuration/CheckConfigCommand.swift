import ArgumentParser
import Glibc

/// Says whether a configuration can be used, without using it.
struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Says what is wrong with the configuration, one line for each fault.",
        discussion: "It reads what the service would read. The exit code is 0 when it could start with it, else 64.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let loaded = try options.sources.load()
        for warning in loaded.warnings { SignalingCommand.complain("warning: \(warning)") }
        print("the configuration is in order: \(loaded.sources.count) settings are given")
    }
}
