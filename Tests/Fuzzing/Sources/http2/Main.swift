import FuzzSupport

@c(LLVMFuzzerInitialize)
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    Fuzzing.begin { HTTP2Target.seeds }
}

@c(LLVMFuzzerTestOneInput)
public func input(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    Fuzzing.input(start, size) { HTTP2Target.run($0) }
}
