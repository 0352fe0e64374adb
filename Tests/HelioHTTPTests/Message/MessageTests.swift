import Testing

@testable import HelioHTTP

@Suite("Methods, statuses, rates")
struct MessageTests {
    @Test("A method is known by its exact name")
    func methods() {
        let known: [Method] = [.get, .head, .post, .put, .delete, .connect, .options, .trace, .patch]
        for method in known {
            #expect(Method(method.rawValue) == method)
            #expect(Method(method.rawValue.lowercased()) == .other(method.rawValue.lowercased()))
            #expect(Method(method.rawValue + "X") == .other(method.rawValue + "X"))
        }
        #expect(Set(known.map(\.rawValue)).count == known.count)
        #expect(Method("") == .other(""))
        #expect(Method("GEX") == .other("GEX"))
    }

    @Test("A status has three digits, and knows whether it may have content")
    func statuses() {
        #expect(Status(99) == nil)
        #expect(Status(1000) == nil)
        #expect(Status(-200) == nil)
        #expect(Status(204) == .noContent)
        #expect(Status.notFound.description == "404")
        #expect(Status.earlyHints.isInformational)
        #expect(!Status.ok.isInformational)
        let bodiless = (100...599).filter { Status($0)?.forbidsContent == true }
        #expect(bodiless == Array(100...199) + [204, 304])
    }

    @Test("Error codes have the names of RFC 9113")
    func errorCodes() {
        #expect(HTTP2ErrorCode.noError.description == "NO_ERROR")
        #expect(HTTP2ErrorCode.enhanceYourCalm.description == "ENHANCE_YOUR_CALM")
        #expect(HTTP2ErrorCode.http11Required.description == "HTTP_1_1_REQUIRED")
        #expect(HTTP2ErrorCode(rawValue: .max).description == "0xffffffff")
    }

    @Test("A rate allows its burst at once, then one event each interval")
    func rate() {
        var limiter = RateLimiter()
        let bound = RateLimiter.Bound(.init(burst: 3, perSecond: 10))
        func allowed(_ count: Int, at now: UInt64) -> [Bool] { (0..<count).map { _ in limiter.allow(bound, now: now) } }
        #expect(allowed(5, at: 5_000_000_000) == [true, true, true, false, false])
        #expect(allowed(1, at: 5_099_999_999) == [false])
        #expect(allowed(2, at: 5_100_000_000) == [true, false])
        #expect(allowed(4, at: 15_000_000_000) == [true, true, true, false])
    }

    @Test("The largest rates are no bound, and none is a trap")
    func extremeRates() {
        func allowed(_ count: Int, _ rate: Limits.Rate) -> Int {
            var limiter = RateLimiter()
            return (0..<count).filter { _ in limiter.allow(.init(rate), now: 1) }.count
        }
        var rate = Limits.Rate(burst: .max, perSecond: .max)
        #expect(allowed(1000, rate) == 1000)
        rate.perSecond = 1
        #expect(allowed(1000, rate) == 1000)
        rate.burst = 0
        rate.perSecond = -1
        #expect(allowed(1000, rate) == 1)
    }

    @Test("Durations become nanoseconds within a clock's range")
    func durations() {
        #expect(LimitNanoseconds.nanoseconds(.milliseconds(1500)) == 1_500_000_000)
        #expect(LimitNanoseconds.nanoseconds(.seconds(-1)) == 0)
        #expect(LimitNanoseconds.nanoseconds(.seconds(Int64.max)) == UInt64.max / 4)
    }

    @Test("Frames are found in any cut, each once")
    func scanner() {
        let frames: [[UInt8]] = [
            [0, 0, 3, 1, 5, 0, 0, 0, 1, 9, 9, 9], [0, 0, 0, 4, 0, 0, 0, 0, 0], [0, 1, 0, 0, 1, 0, 0, 0, 1],
        ]
        let bytes = [UInt8](repeating: 0xff, count: 24) + frames.flatMap { $0 } + [UInt8](repeating: 0, count: 256)
        for cut in 1...bytes.count {
            var scanner = FrameScanner()
            var found: [String] = []
            for start in stride(from: 0, to: bytes.count, by: cut) {
                let piece = Array(bytes[start..<min(bytes.count, start + cut)])
                unsafe piece.withUnsafeBytes { piece in
                    var position = 0
                    while let frame = unsafe scanner.next(in: piece, from: &position) {
                        found.append("\(frame.type) \(frame.length) \(frame.endsStream)")
                    }
                }
            }
            #expect(found == ["1 3 true", "4 0 false", "0 256 true"], "cut \(cut)")
        }
    }
}
