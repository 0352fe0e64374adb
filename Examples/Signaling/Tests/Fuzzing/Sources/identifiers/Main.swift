import FuzzSupport

@c(LLVMFuzzerInitialize)
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    Fuzzing.begin { IdentifiersTarget.seeds }
}

@c(LLVMFuzzerTestOneInput)
public func input(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    Fuzzing.input(start, size) { IdentifiersTarget.run($0) }
}
