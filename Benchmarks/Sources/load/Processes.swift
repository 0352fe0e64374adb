import ArgumentParser
import Foundation

/// One load in several processes: each takes its share, and what they found is added up.
struct Processes {
    let options: LoadOptions

    init(_ options: LoadOptions) { self.options = options }

    func run() throws {
        let children = try (0..<options.processes).map { try start(share: $0) }
        // Each is read to its end in turn: what they print fits their pipes or waits there.
        let outputs = children.map { $0.output.fileHandleForReading.readDataToEndOfFile() }
        for (process, _) in children { process.waitUntilExit() }
        var whole = Measurement()
        for output in outputs {
            guard let part = try? JSONDecoder().decode(Measurement.self, from: output) else {
                throw ValidationError("one of the processes ended without a result; its message stands above")
            }
            whole.add(part)
        }
        whole.print(as: options.format)
        if whole.operations == 0 { throw ExitCode.failure }
    }

    private func start(share: Int) throws -> (process: Process, output: Pipe) {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = CommandLine.arguments.dropFirst() + ["--share", "\(share)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        return (process, output)
    }
}
