import Foundation

/// A value that one thread at a time may touch. `Mutex` would ask for newer systems than the rest does.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Nothing that could call back into the owner may be called, or released for the last time, in here.
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
