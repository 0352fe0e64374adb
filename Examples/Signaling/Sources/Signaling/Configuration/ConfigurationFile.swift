import Yams

/// The settings of a YAML file. A key may be a setting's name, or mappings may share the first words of several:
///
/// ```yaml
/// port: 443
/// session: {grace: 1m, log: {messages: 512}}
/// ```
struct ConfigurationFile {
    /// By their names.
    private(set) var values: [String: GivenValue] = [:]
    /// What is wrong with the file itself.
    private(set) var problems: [String] = []
    private let path: String

    /// A configuration that is longer is none. In bytes.
    private static let maxSize = 1 << 20
    private static let maxDepth = 8

    /// - Throws: when the file cannot be read or is no YAML.
    init(path: String) throws(ConfigurationError) {
        do throws(FileError) {
            let bytes = try FileReader.read(path, maxSize: Self.maxSize)
            try self.init(path: path, text: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ConfigurationError("\(path): \(error.reason)")
        }
    }

    init(path: String, text: String) throws(FileError) {
        self.path = path
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch {
            throw FileError(reason: Self.sentence(error))
        }
        switch root {
        case nil: break
        case .mapping(let mapping): add(mapping, prefix: "", depth: 0)
        case .scalar(let scalar) where Self.isNull(scalar): break
        case .scalar, .sequence, .alias: problems.append("\(path): this is not a mapping of settings")
        }
    }

    private mutating func add(_ mapping: Node.Mapping, prefix: String, depth: Int) {
        for (key, node) in mapping {
            let line = key.mark?.line ?? 0
            guard let word = key.string else {
                problems.append("\(path):\(line): a key is not a text")
                continue
            }
            let name = prefix + word
            let source = SettingSource.file(path, line: line)
            if case .mapping(let inner) = node, depth < Self.maxDepth {
                add(inner, prefix: name + "-", depth: depth + 1)
            } else if Setting.byName[name] == nil {
                problems.append("\(source): \(name): there is no such setting\(SettingName.suggestion(for: name))")
            } else if let earlier = values[name] {
                problems.append("\(source): \(name): it is given at \(earlier.source) already")
            } else if let texts = Self.texts(node) {
                values[name] = GivenValue(texts: texts, source: source)
            } else {
                problems.append("\(source): \(name): this is neither a value nor a list of values")
            }
        }
    }

    /// nil for what nests. A key without a value gives the setting none.
    private static func texts(_ node: Node) -> [String]? {
        switch node {
        case .scalar(let scalar): return isNull(scalar) ? [] : [scalar.string]
        case .sequence(let sequence):
            let texts = sequence.compactMap { $0.scalar?.string }
            return texts.count == sequence.count ? texts : nil
        case .mapping, .alias: return nil
        }
    }

    private static func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    /// An error of the parser without the piece of the file that it quotes.
    private static func sentence(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(let keys, let context):
            return "line \(context.mark.line): \(keys.joined(separator: ", ")): given twice"
        default: return "this is no YAML"
        }
    }
}
