import ArgumentParser
import Foundation

/// One load in several processes: each takes its share, and what they found is added up.
struct Processes {
    let options: LoadOptions

    init(_ options: LoadOptions) { self.options = options }

    func run() throws {
        let outputs = (0..<options.processes).map { _ in Pipe() }
        let children = try outputs.enumerated().map { try Self.start(share: $0, output: $1) }
        // Each is read to its end in turn: what they print fits their pipes or waits there.
        let results = outputs.map { $0.fileHandleForReading.readDataToEndOfFile() }
        for process in children { process.waitUntilExit() }
        var whole = Measurement()
        for output in results {
            guard let part = try? JSONDecoder().decode(Measurement.self, from: output) else {
                throw ValidationError("one of the processes ended without a result; its message stands above")
            }
            whole.add(part)
        }
        whole.print(as: options.format)
        if whole.operations == 0 { throw ExitCode.failure }
    }

    /// This program again, with the same arguments.
    ///
    /// - Parameter output: where it prints to; nil: where this one does.
    static func start(share: Int, output: Pipe? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = CommandLine.arguments.dropFirst() + ["--share", "\(share)"]
        if let output { process.standardOutput = output }
        try process.run()
        return process
    }
}
