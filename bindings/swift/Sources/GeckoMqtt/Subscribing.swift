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
        let subscription = try requestSubscription(topic, capacity: capacity)
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
        let client = try live()
        let route = Router.Route(filter: topic.filter, inbox: try newInbox(capacity))
        let router = listener.router
        let answer = Promise<Ack>()
        router.add(route)
        do {
            try begin(
                { userdata in
                    topic.withC {
                        gecko_mqtt_subscribe_many(client.pointer, $0, 1, nil, nil, nil, Completion.function, userdata)
                    }
                },
                { result in
                    if case .failure = result {
                        _ = router.remove(route)
                        route.inbox.end()
                    }
                    answer.resolve(result)
                })
        } catch {
            _ = router.remove(route)
            throw error
        }
        return Subscription(client: self, topic: topic, route: route, answer: answer)
    }

    /// Ends all subscriptions to a filter, also those whose object is gone, and waits for the server's confirmation.
    public func unsubscribe(_ filter: String) async throws {
        try await unsubscribeFromServer(filter)
        for route in listener.router.routes(filter) {
            _ = listener.router.remove(route)
            route.inbox.end()
        }
    }

    func unsubscribe(_ route: Router.Route) async throws {
        guard listener.router.has(route) else { return }
        if !listener.router.isShared(route) { try await unsubscribeFromServer(route.filter) }
        _ = listener.router.remove(route)
        route.inbox.end()
    }

    private func unsubscribeFromServer(_ filter: String) async throws {
        let client = try live()
        let answer = Promise<Ack>()
        try begin(
            { userdata in
                withText(filter) { gecko_mqtt_unsubscribe(client.pointer, $0, Completion.function, userdata) }
            },
            { answer.resolve($0) })
        _ = try await answer.value
    }

    /// Nobody wants its messages any more, also those that wait; the server is told without waiting.
    private func leave(_ route: Router.Route) {
        let last = listener.router.remove(route)
        guard let client = try? live() else { return }
        route.inbox.discard()
        // Where C refuses, the client is closed or its queue full: messages that still come match no subscription.
        if last { withText(route.filter) { _ = gecko_mqtt_unsubscribe(client.pointer, $0, nil, nil) } }
    }
}

extension TopicSubscription {
    /// Shows it to C for one call.
    fileprivate func withC<Result>(_ body: (UnsafePointer<gecko_mqtt_subscription_t>) throws -> Result) rethrows -> Result {
        try withText(filter) { text in
            var subscription = gecko_mqtt_subscription_t()
            subscription.filter = text
            subscription.qos = qos.rawValue
            subscription.no_local = noLocal ? 1 : 0
            subscription.retain_as_published = retainAsPublished ? 1 : 0
            subscription.retain_handling = retainHandling.rawValue
            return try body(&subscription)
        }
    }
}
