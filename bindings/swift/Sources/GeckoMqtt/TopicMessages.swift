extension GeckoMqttClient {
    /// The messages of a topic filter, for `for try await`: a loop subscribes when it begins, and unsubscribes when it ends.
    ///
    /// - Parameters:
    ///   - filter: the topic filter.
    ///   - qos: the highest quality of service wanted.
    ///   - capacity: how many messages may wait for the loop before those of QoS 0 are dropped, the oldest first.
    public func messages(
        _ filter: String, qos: QoS = .atLeastOnce, capacity: Int = defaultCapacity
    ) -> TopicMessages {
        messages([TopicSubscription(filter, qos: qos)], capacity: capacity)
    }

    /// The same for several topic filters.
    public func messages(_ topics: [TopicSubscription], capacity: Int = defaultCapacity) -> TopicMessages {
        TopicMessages(client: self, topics: topics, capacity: capacity)
    }
}

/// What ``GeckoMqttClient/messages(_:qos:capacity:)`` gives.
///
/// Each loop has a subscription of its own, and all messages. It throws a ``GeckoMqttError`` where the server refuses, and
/// `CancellationError` for a task that was cancelled before it had answered. When it is left, in whatever way, the server is told,
/// without waiting, of the topic filters that no other subscription of this client has.
///
/// A message of QoS 1 or 2 is acknowledged when the loop asks for the next one, and the one in hand when it is left, together with
/// those that wait: nobody is there to whom they could come again. Where that matters, take
/// ``GeckoMqttClient/subscribe(_:qos:capacity:)``, whose subscription outlives a loop.
public struct TopicMessages: AsyncSequence, Sendable {
    /// The element.
    public typealias Element = ReceivedMessage

    let client: GeckoMqttClient
    let topics: [TopicSubscription]
    let capacity: Int

    /// Begins a loop, which subscribes when it asks for the first message.
    public func makeAsyncIterator() -> Iterator {
        Iterator(messages: self)
    }

    /// One loop.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let messages: TopicMessages
        private var loop: Messages.Iterator?
        private var begun = false

        fileprivate init(messages: TopicMessages) {
            self.messages = messages
        }

        /// Is done with the last message, and takes the next one.
        public mutating func next() async throws -> ReceivedMessage? {
            if !begun {
                begun = true
                let client = messages.client
                let route = try await client.subscribe(messages.topics, capacity: messages.capacity).route
                loop = Messages.Iterator(
                    hand: .init(inbox: route.inbox, owner: client, leave: { client.leave(route) }))
            }
            let message = await loop?.next()
            // The end of the subscription, though the iterator may be kept.
            if message == nil { loop = nil }
            return message
        }
    }
}
