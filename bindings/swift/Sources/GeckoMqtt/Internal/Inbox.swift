/// The messages that wait for one subscription's loop.
///
/// The thread that brings them is never held up, since it brings the ends of operations too, and a loop that waits for one
/// would wait for ever. What bounds QoS 1 and 2 is the receive maximum: a message is acknowledged when the loop is done with
/// it, and the server sends no more before. QoS 0 has no such bound, so the oldest is dropped and counted when `capacity`
/// messages wait.
final class Inbox: Sendable {
    private typealias Waiter = CheckedContinuation<ReceivedMessage?, Never>

    private struct State {
        var waiting: [ReceivedMessage] = []
        var waiters: [(id: UInt64, waiter: Waiter)] = []
        var nextWaiter: UInt64 = 0
        var dropped = 0
        var ended = false
        var discarded = false
    }

    private let capacity: Int
    private let reliableLimit: Int
    private let state = Locked(State())

    /// - Parameters:
    ///   - capacity: how many messages may wait, as far as QoS 0 is concerned.
    ///   - reliableLimit: how many of QoS 1 and 2; further ones are left to the server. It is only reached where servers
    ///     lose sessions while the loop does nothing.
    init(capacity: Int, reliableLimit: Int) {
        self.capacity = capacity
        self.reliableLimit = reliableLimit
    }

    /// QoS 0 messages that were dropped.
    var dropped: Int { state.withLock { $0.dropped } }

    /// False where it must be left to the server: it is not acknowledged, and comes again on the next connection.
    func offer(_ message: ReceivedMessage) -> Bool {
        let (taken, waiter) = state.withLock { state -> (Bool, Waiter?) in
            if state.ended { return (true, nil) }
            if let next = state.waiters.first {
                state.waiters.removeFirst()
                message.acknowledgement.hold()
                return (true, next.waiter)
            }
            if message.qos == .atMostOnce {
                guard makeRoom(&state) else { return (true, nil) }
            } else if state.waiting.count(where: { $0.qos != .atMostOnce }) >= reliableLimit {
                return (false, nil)
            }
            message.acknowledgement.hold()
            state.waiting.append(message)
            return (true, nil)
        }
        waiter?.resume(returning: message)
        return taken
    }

    private func makeRoom(_ state: inout State) -> Bool {
        if state.waiting.count < capacity { return true }
        state.dropped += 1
        guard let oldest = state.waiting.firstIndex(where: { $0.qos == .atMostOnce }) else { return false }
        state.waiting.remove(at: oldest)
        return true
    }

    /// The next message; nil when none comes any more, or the task was cancelled.
    func next() async -> ReceivedMessage? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known = state.withLock { state -> ReceivedMessage?? in
                    // A cancellation that came before found nobody to wake.
                    if Task.isCancelled { return .some(nil) }
                    if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                    if state.ended { return .some(nil) }
                    state.waiters.append((id, waiter))
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index).waiter
            }
            waiter?.resume(returning: nil)
        }
    }

    /// A loop was left with this message in hand: the next one gets it.
    func putBack(_ message: ReceivedMessage) {
        let (wanted, waiter) = state.withLock { state -> (Bool, Waiter?) in
            if state.discarded { return (false, nil) }
            if let next = state.waiters.first {
                state.waiters.removeFirst()
                return (true, next.waiter)
            }
            state.waiting.insert(message, at: 0)
            return (true, nil)
        }
        waiter?.resume(returning: message)
        if !wanted { message.acknowledgement.release() }
    }

    /// A new connection resumed the session: the server sends again what was not acknowledged over the old one.
    func forgetWhatComesAgain() {
        state.withLock { $0.waiting.removeAll { $0.qos == .atLeastOnce && !$0.acknowledgement.isSent } }
    }

    /// No message comes any more; the loop gets those that wait, then it ends.
    func end() {
        let waiters = state.withLock { state in
            state.ended = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for (_, waiter) in waiters {
            waiter.resume(returning: nil)
        }
    }

    /// Nobody wants those that wait.
    func discard() {
        end()
        let rest = state.withLock { state in
            state.discarded = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for message in rest {
            message.acknowledgement.release()
        }
    }
}
