/// A stored property of a class, kept outside of the object so that its accesses are not checked for exclusivity at run time.
///
/// A property that is changed by calls (an array that grows, a queue) costs a `swift_beginAccess` and `swift_endAccess` at
/// each use, some 90 instructions, as the compiler cannot prove that the calls do not come back to it; there are twenty such
/// uses in a request. What makes it safe here: one thread, and no call from within such a change reaches the
/// application or nghttp2.
///
/// The class deallocates it in its `deinit`.
@safe @propertyWrapper
struct Unguarded<Value> {
    private let storage: UnsafeMutablePointer<Value>

    init(wrappedValue: Value) {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: wrappedValue)
    }

    var wrappedValue: Value {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(storage) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe storage }
    }

    func deallocate() {
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }
}
