/// A result that comes once, and that any number of tasks may wait for.
final class Promise<Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Value, any Error>

    private struct State {
        var result: Result<Value, any Error>?
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Locked(State())

    /// Tells everybody who waits. Only the first call counts.
    func resolve(_ result: Result<Value, any Error>) {
        let waiters = state.withLock { state -> [UInt64: Waiter] in
            guard state.result == nil else { return [:] }
            state.result = result
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values {
            waiter.resume(with: result)
        }
    }

    /// Waits for it. Cancellation ends the wait alone.
    var value: Value {
        get async throws {
            let id = state.withLock { state in
                state.nextWaiter += 1
                return state.nextWaiter
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { waiter in
                    let known = state.withLock { state -> Result<Value, any Error>? in
                        if let result = state.result { return result }
                        // A cancellation that came before found nobody to wake.
                        if Task.isCancelled { return .failure(CancellationError()) }
                        state.waiters[id] = waiter
                        return nil
                    }
                    if let known { waiter.resume(with: known) }
                }
            } onCancel: {
                state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(throwing: CancellationError())
            }
        }
    }
}
