/// Tells everybody who listens, and ends their streams when it is closed. Nobody can hold it up: a listener that is
/// `capacity` behind misses the oldest.
final class Broadcast<Value: Sendable>: Sendable {
    private typealias Listener = AsyncStream<Value>.Continuation

    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var nextListener: UInt64 = 0
        var last: Value?
        var closed = false
    }

    static var capacity: Int { 256 }

    private let state: Locked<State>

    /// - Parameter first: what new listeners are told at once, until something else was told; nil: nothing.
    init(first: Value? = nil) {
        state = Locked(State(last: first))
        repeats = first != nil
    }

    private let repeats: Bool

    /// What is told from now on, after what was told last if this broadcast repeats it.
    ///
    /// - Parameter owner: lives for as long as the stream does.
    func stream(owner: some AnyObject & Sendable) -> AsyncStream<Value> {
        let (stream, listener) = AsyncStream.makeStream(of: Value.self, bufferingPolicy: .bufferingNewest(Self.capacity))
        let id = state.withLock { state -> UInt64? in
            if repeats, let last = state.last { listener.yield(last) }
            guard !state.closed else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = listener
            return state.nextListener
        }
        guard let id else {
            listener.finish()
            return stream
        }
        listener.onTermination = { [self] _ in
            remove(id)
            withExtendedLifetime(owner) {}
        }
        // It may have been closed in between, and so ended before anybody minded.
        if state.withLock({ $0.closed }) { remove(id) }
        return stream
    }

    private func remove(_ id: UInt64) {
        _ = state.withLock { $0.listeners.removeValue(forKey: id) }
    }

    func tell(_ value: Value) {
        // Under the lock, so that all hear it in order; a stream calls nobody back for this.
        state.withLock { state in
            if repeats { state.last = value }
            for listener in state.listeners.values {
                listener.yield(value)
            }
        }
    }

    /// What was told last.
    var last: Value? { state.withLock { $0.last } }

    func close() {
        let listeners = state.withLock { state in
            state.closed = true
            defer { state.listeners = [:] }
            return state.listeners
        }
        for listener in listeners.values {
            listener.finish()
        }
    }
}
