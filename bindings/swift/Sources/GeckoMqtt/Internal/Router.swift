/// Takes each message to the subscriptions that it matches. The binding does so itself, and not C's handlers, which are told of
/// a message one after the other: only here it is known how many have it, and so when all are done with it.
final class Router: Sendable {
    /// Where the messages of one subscription go.
    struct Route: Sendable {
        let inbox: Inbox
        /// Those that are in force; of the router's own copy.
        fileprivate(set) var filters: [TopicFilter]
        /// Being unsubscribed, so that it keeps no filter in force.
        fileprivate var leaving = false

        init(filters: [String], inbox: Inbox) {
            self.inbox = inbox
            self.filters = filters.map(TopicFilter.init)
        }

        func has(_ filter: TopicFilter) -> Bool { filters.contains(filter) }
    }

    private struct State {
        var routes: [Route] = []
        // Of those who want what matches no route.
        var others: [Inbox] = []
        var closed = false

        func index(_ route: Route) -> Int? { routes.firstIndex { $0.inbox === route.inbox } }
    }

    private let manual: Bool
    private let state = Locked(State())

    init(manual: Bool) {
        self.manual = manual
    }

    func add(_ route: Route) {
        state.withLock { $0.routes.append(route) }
    }

    /// Takes it away.
    ///
    /// - Returns: which of its filters nobody has any more.
    func remove(_ route: Route) -> [TopicFilter] {
        state.withLock { state in
            guard let index = state.index(route) else { return [] }
            let filters = state.routes.remove(at: index).filters
            return filters.filter { filter in !state.routes.contains { $0.has(filter) } }
        }
    }

    /// The same, but messages still go to it: until it is removed, or stays.
    ///
    /// - Returns: nil where it is not there.
    func leave(_ route: Route) -> [TopicFilter]? {
        state.withLock { state in
            guard let index = state.index(route) else { return nil }
            state.routes[index].leaving = true
            return state.routes[index].filters.filter { filter in
                !state.routes.contains { !$0.leaving && $0.has(filter) }
            }
        }
    }

    func stay(_ route: Route) {
        state.withLock { state in
            if let index = state.index(route) { state.routes[index].leaving = false }
        }
    }

    /// Those that have a filter.
    func routes(_ filter: String) -> [Route] {
        state.withLock { $0.routes.filter { $0.has(TopicFilter(filter)) } }
    }

    /// Takes a filter from one of them, and the whole away with its last one.
    func remove(_ route: Route, _ filter: String) {
        let last = state.withLock { state in
            guard let index = state.index(route) else { return false }
            state.routes[index].filters.removeAll { $0 == TopicFilter(filter) }
            guard state.routes[index].filters.isEmpty else { return false }
            state.routes.remove(at: index)
            return true
        }
        if last { route.inbox.end() }
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
        let matching = routes.filter { $0.filters.contains { $0.matches(message.topic) } }.map(\.inbox)
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
