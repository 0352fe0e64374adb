import FuzzSupport

@c(LLVMFuzzerInitialize)
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    Fuzzing.begin { HTTP1Target.seeds }
}

@c(LLVMFuzzerTestOneInput)
public func input(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    Fuzzing.input(start, size) { HTTP1Target.run($0) }
}
