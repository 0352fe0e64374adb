import Heliograph
import Logging

/// Reads the configuration again while the service runs. A bad one changes nothing.
final class Reloader: Sendable {
    private let sources: ConfigurationSources
    private let current: Lock<LoadedConfiguration>
    private let output: LogOutput
    private let logger: Logger

    init(_ loaded: LoadedConfiguration, from sources: ConfigurationSources, output: LogOutput, logger: Logger) {
        self.sources = sources
        current = Lock(loaded)
        self.output = output
        self.logger = logger
    }

    /// Blocks while files are read.
    ///
    /// - Returns: what holds from now on; nil when the sources are faulty, and all stays as it is.
    func reload() -> ServiceConfiguration? {
        let newer: LoadedConfiguration
        do throws(ConfigurationError) {
            newer = try sources.load()
        } catch {
            for problem in error.problems {
                logger.error("the configuration is faulty, the old one stays", metadata: ["problem": "\(problem)"])
            }
            return nil
        }
        for warning in newer.warnings { logger.warning("\(warning)") }
        let (values, changed, left) = current.withLock { current in
            let (changed, left) = current.update(from: newer)
            return (current.values, changed, left)
        }
        output.configure(values.log)
        for name in left {
            logger.warning("a change takes effect at the next start only", metadata: ["setting": "\(name)"])
        }
        logger.info("configuration read again", metadata: ["changed": "\(changed.joined(separator: " "))"])
        return values
    }
}
