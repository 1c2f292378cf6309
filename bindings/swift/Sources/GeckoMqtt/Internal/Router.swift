/// Takes each message to the subscriptions that it matches. The binding does so itself, and not C's handlers, which are told of
/// a message one after the other: only here it is known how many have it, and so when all are done with it.
final class Router: Sendable {
    struct Route: Sendable {
        let filter: String
        let matcher: TopicFilter
        let inbox: Inbox

        init(filter: String, inbox: Inbox) {
            self.filter = filter
            matcher = TopicFilter(filter)
            self.inbox = inbox
        }
    }

    private struct State {
        var routes: [Route] = []
        // Of those who want what matches no route.
        var others: [Inbox] = []
        var closed = false
    }

    private let manual: Bool
    private let state = Locked(State())

    init(manual: Bool) {
        self.manual = manual
    }

    func add(_ route: Route) {
        state.withLock { $0.routes.append(route) }
    }

    /// - Returns: whether it was there, and the last one of its filter.
    func remove(_ route: Route) -> Bool {
        state.withLock { state in
            guard let index = state.routes.firstIndex(where: { $0.inbox === route.inbox }) else { return false }
            state.routes.remove(at: index)
            return !state.routes.contains { $0.filter == route.filter }
        }
    }

    func has(_ route: Route) -> Bool {
        state.withLock { $0.routes.contains { $0.inbox === route.inbox } }
    }

    /// Whether another subscription has its filter too.
    func isShared(_ route: Route) -> Bool {
        state.withLock { $0.routes.contains { $0.inbox !== route.inbox && $0.filter == route.filter } }
    }

    /// All of one filter.
    func routes(_ filter: String) -> [Route] {
        state.withLock { $0.routes.filter { $0.filter == filter } }
    }

    func addOther(_ inbox: Inbox) {
        let closed = state.withLock { state in
            if !state.closed { state.others.append(inbox) }
            return state.closed
        }
        if closed { inbox.end() }
    }

    func removeOther(_ inbox: Inbox) {
        state.withLock { $0.others.removeAll { $0 === inbox } }
        inbox.discard()
    }

    func route(_ message: ReceivedMessage) {
        let acknowledgement = message.acknowledgement
        // So that a fast loop does not count as the last one while others have not got it.
        acknowledgement.hold()
        let (routes, others) = state.withLock { ($0.routes, $0.others) }
        let matching = routes.filter { $0.matcher.matches(message.topic) }.map(\.inbox)
        let inboxes = matching.isEmpty ? others : matching
        let taken = inboxes.map { $0.offer(message) }
        if taken.allSatisfy({ $0 }) { acknowledgement.release() }
        // Nobody was told, so nobody else can.
        if manual, inboxes.isEmpty { acknowledgement.send() }
    }

    func forgetWhatComesAgain() {
        for inbox in inboxes() {
            inbox.forgetWhatComesAgain()
        }
    }

    /// No message comes any more.
    func close() {
        state.withLock { $0.closed = true }
        for inbox in inboxes() {
            inbox.end()
        }
    }

    private func inboxes() -> [Inbox] {
        state.withLock { $0.routes.map(\.inbox) + $0.others }
    }
}
