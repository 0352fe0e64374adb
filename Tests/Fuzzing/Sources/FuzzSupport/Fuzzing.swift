internal import Glibc

/// What the two functions that libFuzzer calls in each target have in common.
public enum Fuzzing {
    /// For `LLVMFuzzerInitialize`. With a directory in the environment as `HELIOGRAPH_SEEDS` the target writes its seeds there,
    /// a file for each, and ends.
    public static func begin(seeds: () -> [(name: String, bytes: [UInt8])]) -> CInt {
        guard let directory = getenv("HELIOGRAPH_SEEDS") else { return 0 }
        for (name, bytes) in seeds() { write(bytes, to: "\(String(cString: directory))/\(name)") }
        exit(0)
    }

    /// For `LLVMFuzzerTestOneInput`.
    public static func input(_ start: UnsafePointer<UInt8>?, _ size: Int, _ run: ([UInt8]) -> Void) -> CInt {
        run(Array(UnsafeBufferPointer(start: start, count: size)))
        return 0
    }

    private static func write(_ bytes: [UInt8], to path: String) {
        guard let file = fopen(path, "wb") else { fatalError("\(path) cannot be written") }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}

/// Ends the process, for libFuzzer to keep the input, unless `condition` holds.
public func check(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #file,
    line: UInt = #line
) {
    if !condition() { fatalError("broken: \(message())", file: file, line: line) }
}

/// Calls `body` with a copy of `bytes` in a block of just their size, so that a read beyond them is seen.
public func withExactCopy<Result>(
    of bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return body(UnsafeRawBufferPointer(copy))
}
