// Events to many that are acknowledged: by the loop that has sent one, and by those whose sockets are asked.
extension SocketHub {
    func gather(
        _ number: UInt64, from loops: Set<Int>, timeout: Duration,
        _ done: @escaping (Result<SocketAnswers, SocketAckError>) -> Void
    ) {
        gatherings[number] = AnswerGathering(loops: loops, maxBytes: options.maxGatheredBytes, done)
        deadlines.insert(.gathering(number), at: now + timeout.wholeNanoseconds)
    }

    /// Another loop, or this one, has asked so many sockets.
    func asked(_ number: UInt64, _ count: Int, on loop: Int) {
        gatherings[number]?.asked(count, on: loop)
        finishIfOver(number)
    }

    /// One of them has answered, or will not.
    func answered(_ number: UInt64, _ response: SocketArguments?) {
        guard gatherings[number]?.take(response) == false else { return finishIfOver(number) }
        tripped(.gatheredBytes)
        finishIfOver(number)
    }

    private func finishIfOver(_ number: UInt64) {
        if gatherings[number]?.isOver == true { finishGathering(number) }
    }

    func finishGathering(_ number: UInt64) { gatherings.removeValue(forKey: number)?.finish() }

    // MARK: On the loops of the sockets

    /// Asks sockets of this loop on behalf of another.
    func ask(_ sockets: [ServerSocket], _ packets: [EnginePacket], _ request: Broadcast.Request) {
        post(.asked(request.number, count: sockets.count, on: loop), to: request.loop)
        for socket in sockets {
            socket.ask(request.number, packets, timeout: request.timeout) { [self] result in
                post(.answered(request.number, try? result.get()), to: request.loop)
            }
        }
    }
}
