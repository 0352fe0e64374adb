import FuzzSupport

@c(LLVMFuzzerInitialize)
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    Fuzzing.begin { DescriptionsTarget.seeds }
}

@c(LLVMFuzzerTestOneInput)
public func input(_ start: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    Fuzzing.input(start, size) { DescriptionsTarget.run($0) }
}
