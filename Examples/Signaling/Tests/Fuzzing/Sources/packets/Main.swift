import FuzzSupport

@c(LLVMFuzzerInitialize)
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    Fuzzing.begin { PacketsTarget.seeds }
}

@c(LLVMFuzzerTestOneInput)
public func input(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    Fuzzing.input(start, size) { PacketsTarget.run($0) }
}
