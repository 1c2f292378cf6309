import CGeckoMqtt

extension GeckoMqttClient {
    /// Subscribes to a topic filter, and comes back when the server has granted it. The library restores it whenever the server
    /// has lost it. A cancelled task takes it back.
    ///
    /// - Parameters:
    ///   - filter: the topic filter.
    ///   - qos: the highest quality of service wanted.
    ///   - capacity: how many messages may wait for the loop before those of QoS 0 are dropped, the oldest first.
    public func subscribe(
        _ filter: String, qos: QoS = .atLeastOnce, capacity: Int = defaultCapacity
    ) async throws -> Subscription {
        try await subscribe(TopicSubscription(filter, qos: qos), capacity: capacity)
    }

    /// The same with all options of MQTT 5.
    public func subscribe(
        _ topic: TopicSubscription, capacity: Int = defaultCapacity
    ) async throws -> Subscription {
        try await subscribe([topic], capacity: capacity)
    }

    /// Subscribes to several topic filters in one request, of which AWS IoT allows eight. The ``Subscription`` has the messages
    /// of all, in order, one that matches several of them once. Where the server refuses one of them this throws, and none stays
    /// subscribed.
    public func subscribe(
        _ topics: [TopicSubscription], capacity: Int = defaultCapacity
    ) async throws -> Subscription {
        let subscription = try requestSubscription(topics, capacity: capacity)
        do {
            _ = try await subscription.granted
        } catch let error as CancellationError {
            leave(subscription.route)
            throw error
        }
        return subscription
    }

    /// Subscribes without waiting, also before ``connect(timeout:)``: messages are taken from now on, so that a session which
    /// the server still has loses none. ``Subscription/granted`` waits for the server's answer.
    public func requestSubscription(
        _ topic: TopicSubscription, capacity: Int = defaultCapacity
    ) throws -> Subscription {
        try requestSubscription([topic], capacity: capacity)
    }

    /// The same for several topic filters in one request.
    public func requestSubscription(
        _ topics: [TopicSubscription], capacity: Int = defaultCapacity
    ) throws -> Subscription {
        let client = try live()
        guard !topics.isEmpty else {
            throw GeckoMqttError(.invalidArgument, "a SUBSCRIBE has at least one topic filter [MQTT-3.8.3-2]")
        }
        let route = Router.Route(filters: topics.map(\.filter), inbox: try newInbox(capacity))
        let answer = Promise<Ack>()
        let (router, several) = (listener.router, topics.count > 1)
        router.add(route)
        do {
            try begin(
                { userdata in
                    topics.withC {
                        gecko_mqtt_subscribe_many(client.pointer, $0, topics.count, nil, nil, nil, Completion.function, userdata)
                    }
                },
                { result in
                    if case let .failure(error) = result {
                        let unwanted = router.remove(route)
                        route.inbox.end()
                        // The server answered no to one of them at least, and perhaps yes to others.
                        let answered = (error as? GeckoMqttError)?.reasonCode != nil
                        if answered, several { unwanted.forEach { forsake($0, client) } }
                    }
                    answer.resolve(result)
                })
        } catch {
            _ = router.remove(route)
            throw error
        }
        return Subscription(client: self, topics: topics, route: route, answer: answer)
    }

    /// Ends all that is subscribed to a topic filter, also where nobody has the ``Subscription`` any more, or a process before
    /// this one made it, and waits for the server's confirmation.
    public func unsubscribe(_ filter: String) async throws {
        let routes = listener.router.routes(filter)
        _ = try await requestUnsubscription(filter).value
        for route in routes {
            listener.router.remove(route, filter)
        }
    }

    func unsubscribe(_ route: Router.Route) async throws {
        guard let unwanted = listener.router.leave(route) else { return }
        do {
            // Begun in order, and waited for together.
            for answer in try unwanted.map({ try requestUnsubscription($0.text) }) { _ = try await answer.value }
        } catch {
            listener.router.stay(route)
            throw error
        }
        _ = listener.router.remove(route)
        route.inbox.end()
    }

    private func requestUnsubscription(_ filter: String) throws -> Promise<Ack> {
        let client = try live()
        let answer = Promise<Ack>()
        try begin(
            { userdata in
                withText(filter) { gecko_mqtt_unsubscribe(client.pointer, $0, Completion.function, userdata) }
            },
            { answer.resolve($0) })
        return answer
    }

    /// Nobody wants its messages any more, also those that wait; the server is told without waiting.
    func leave(_ route: Router.Route) {
        let unwanted = listener.router.remove(route)
        guard let client = try? live() else { return }
        route.inbox.discard()
        unwanted.forEach { forsake($0, client) }
    }
}

/// Where C refuses, the client is closed or its queue full: messages that still come match no subscription.
private func forsake(_ filter: TopicFilter, _ client: Handle) {
    withText(filter.text) { _ = gecko_mqtt_unsubscribe(client.pointer, $0, nil, nil) }
}

extension [TopicSubscription] {
    /// Shows them to C for one call.
    fileprivate func withC<Result>(_ body: (UnsafePointer<gecko_mqtt_subscription_t>?) throws -> Result) rethrows -> Result {
        let arena = Arena()
        let subscriptions = map { topic in
            var subscription = gecko_mqtt_subscription_t()
            (subscription.filter, subscription.filter_len) = arena.text(topic.filter)
            subscription.qos = topic.qos.rawValue
            subscription.no_local = topic.noLocal ? 1 : 0
            subscription.retain_as_published = topic.retainAsPublished ? 1 : 0
            subscription.retain_handling = topic.retainHandling.rawValue
            return subscription
        }
        return try withExtendedLifetime(arena) {
            try subscriptions.withUnsafeBufferPointer { try body($0.baseAddress) }
        }
    }
}
