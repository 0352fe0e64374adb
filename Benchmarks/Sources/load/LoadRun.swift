import ArgumentParser
import Foundation
import Heliograph

/// A kind of load: what it does with the pool of a loop, on that loop.
struct LoadRun {
    let options: LoadOptions
    /// Connections of this process.
    let connections: Int

    init(_ options: LoadOptions) {
        self.options = options
        connections = options.part(of: options.connections)
    }

    /// What a load works with. Belongs to the loop.
    struct Bench {
        let loop: EventLoop
        let pool: ClientPool
        let schedule: Schedule
        let recorder: Recorder
        /// Of this process.
        let connections: Int
    }

    /// Runs the load until it is over, on a loop of its own or in several processes, and prints what it found.
    ///
    /// - Parameters:
    ///   - spare: connections beside those that the load is told to have.
    ///   - start: on the loop; begins all, and starts the schedule.
    func run(perConnection: Int, spare: Int = 0, _ start: @escaping @Sendable (Bench) -> Void) async throws {
        if options.processes > 1, options.share == nil { return try Processes(options).run() }
        let found = try await measure(perConnection: perConnection, spare: spare, start)
        if options.share != nil {
            FileHandle.standardOutput.write(try JSONEncoder().encode(found))
        } else {
            found.print(as: options.format)
        }
        if found.operations == 0 { throw ExitCode.failure }
    }

    private func measure(
        perConnection: Int, spare: Int, _ start: @escaping @Sendable (Bench) -> Void
    ) async throws -> Measurement {
        let group = try EventLoopGroup(threads: 1)
        let loop = group[0]
        let client = try Client(
            on: group,
            configuration: options.configuration(connections: connections + spare, perConnection: perConnection))
        let operations = options.operations.map(options.part)
        let duration = operations == nil ? options.duration ?? 10 : options.duration
        let rate = options.rate.map { $0 / Double(options.processes) }
        let (warmUp, connections) = (options.warmUp, connections)
        // A program that reads JSON measures the server meanwhile.
        let announces = options.format == .json && options.share == nil
        let found = await withCheckedContinuation { (ended: CheckedContinuation<Measurement, Never>) in
            loop.execute {
                let schedule = Schedule(on: loop, rate: rate)
                let recorder = Recorder(
                    goal: operations, duration: duration.map { .seconds($0) }, warmUp: .seconds(warmUp),
                    announce: { what in if announces { announce(what) } }
                ) { found in
                    schedule.stop()
                    ended.resume(returning: found)
                }
                Progress.show(on: loop) { recorder.isOver ? nil : recorder.progress }
                start(
                    Bench(
                        loop: loop, pool: client.pool, schedule: schedule, recorder: recorder, connections: connections)
                )
            }
        }
        await client.stop(within: .zero)
        group.stop()
        await group.stopped()
        return found
    }
}

private func announce(_ what: String) {
    let line = Array("\(what)\n".utf8)
    write(STDOUT_FILENO, line, line.count)
}
