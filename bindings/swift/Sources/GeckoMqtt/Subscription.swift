/// Retained messages, when a topic filter is subscribed.
public enum RetainHandling: UInt8, Hashable, Sendable {
    /// The server sends them.
    case send
    /// Only if the subscription is new.
    case sendIfNew
    /// It does not.
    case doNotSend
}

/// One topic filter with its options.
public struct TopicSubscription: Hashable, Sendable {
    /// The topic filter.
    public var filter: String
    /// The highest quality of service wanted.
    public var qos: QoS
    /// Do not send what this client published itself.
    public var noLocal = false
    /// Keep the retain flag as it was published.
    public var retainAsPublished = false
    /// What to do with retained messages.
    public var retainHandling = RetainHandling.send

    /// A filter.
    public init(_ filter: String, qos: QoS = .atLeastOnce) {
        self.filter = filter
        self.qos = qos
    }
}

/// What ``GeckoMqttClient/subscribe(_:qos:capacity:)`` and ``GeckoMqttClient/requestSubscription(_:capacity:)`` give. Keep it, or
/// its ``messages``, for as long as messages are wanted. ``unsubscribe()`` ends it, and not the end of a loop: for one that does, see
/// ``GeckoMqttClient/messages(_:qos:capacity:)``.
public final class Subscription: Sendable {
    /// What was subscribed.
    public let topics: [TopicSubscription]
    let route: Router.Route
    private let client: GeckoMqttClient
    private let answer: Promise<Ack>

    init(client: GeckoMqttClient, topics: [TopicSubscription], route: Router.Route, answer: Promise<Ack>) {
        self.client = client
        self.topics = topics
        self.route = route
        self.answer = answer
    }

    /// The messages, in order, from the moment of the subscription on: those that come before a loop begins wait for it.
    public var messages: Messages { Messages(.inbox(route.inbox), owner: self) }

    /// Takes one message, and acknowledges it.
    ///
    /// - Returns: nil when none comes any more, or the task was cancelled.
    public func next() async -> ReceivedMessage? {
        let message = await route.inbox.next()
        message?.acknowledgement.release()
        return message
    }

    /// QoS 0 messages that were dropped because too many waited. Those of QoS 1 and 2 are never dropped: the server holds them
    /// back.
    public var dropped: Int { route.inbox.dropped }

    /// The server's answer, whose reason code is the quality of service granted, that of the first topic filter. It comes when
    /// there is a connection.
    ///
    /// Throws a ``GeckoMqttError`` where the server refused, one of several topic filters perhaps; the whole subscription is gone
    /// then.
    public var granted: Ack { get async throws { try await answer.value } }

    /// Ends the subscription, and waits for the server's confirmation. Messages that wait are still delivered, then the loop
    /// ends. The server hears of the topic filters that no other subscription of this client has.
    public func unsubscribe() async throws {
        try await client.unsubscribe(route)
    }
}

/// Messages for `for await`.
///
/// A message of QoS 1 or 2 is acknowledged when the loop asks for the next one. When the loop is left, by `break`, `return`,
/// an error or a cancellation, the message in hand comes again to the next loop, unless ``ReceivedMessage/acknowledge()`` was
/// called: whether the work was done only the application knows. QoS 0 does not come again.
///
/// It ends after ``Subscription/unsubscribe()`` and ``GeckoMqttClient/close()``, and for a cancelled task. Several loops share
/// the messages among them; for each to have all, subscribe once more.
public struct Messages: AsyncSequence, Sendable {
    /// The element.
    public typealias Element = ReceivedMessage

    enum Source: Sendable {
        case inbox(Inbox)
        /// Each loop has an inbox of its own.
        case unmatched(Router, @Sendable () -> Inbox)
    }

    private let source: Source
    private let owner: any AnyObject & Sendable

    init(_ source: Source, owner: any AnyObject & Sendable) {
        self.source = source
        self.owner = owner
    }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator {
        switch source {
        case let .inbox(inbox):
            return Iterator(hand: Iterator.Hand(inbox: inbox, owner: owner, leave: {}))
        case let .unmatched(router, newInbox):
            let inbox = newInbox()
            router.addOther(inbox)
            return Iterator(hand: Iterator.Hand(inbox: inbox, owner: owner, leave: { router.removeOther(inbox) }))
        }
    }

    /// One loop.
    public struct Iterator: AsyncIteratorProtocol {
        let hand: Hand

        /// Is done with the last message, and takes the next one.
        public mutating func next() async -> ReceivedMessage? {
            hand.finish()
            let message = await hand.inbox.next()
            hand.message = message
            return message
        }

        /// What a loop has in hand. Its end is the loop's.
        final class Hand {
            let inbox: Inbox
            let owner: any AnyObject & Sendable
            let leave: @Sendable () -> Void
            var message: ReceivedMessage?

            init(inbox: Inbox, owner: any AnyObject & Sendable, leave: @escaping @Sendable () -> Void) {
                self.inbox = inbox
                self.owner = owner
                self.leave = leave
            }

            func finish() {
                message?.acknowledgement.release()
                message = nil
            }

            deinit {
                if let message {
                    if message.acknowledgement.isFinal {
                        message.acknowledgement.release()
                    } else {
                        inbox.putBack(message)
                    }
                }
                leave()
            }
        }
    }
}
