import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    /// What happens when loops are slow, are left, or are not there: nothing of QoS 1 is lost.
    @Suite struct BackPressure {
        let simulator: Simulator

        init() throws {
            simulator = try Simulator()
        }

        @Test func theServerHoldsQoS1BackUntilTheLoopIsDone() async throws {
            try await live {
                let publisher = try await simulator.connected()
                let client = try await simulator.connected { $0.receiveMaximum = 4 }
                let subscription = try await client.subscribe("slow", capacity: 1)
                let numbers = (0..<50).map(String.init)
                let deliveries = try numbers.map { try publisher.enqueue(Message("slow", $0)) }
                for delivery in deliveries { _ = try await delivery.ack }
                try await eventually("no message came") { try client.stats().messagesReceived == 4 }
                #expect(await take(10, subscription) == Array(numbers[..<10]))
                // One more for each that is done, and not one more than that.
                try await eventually("no further messages came") { try client.stats().messagesReceived == 14 }
                // The client works meanwhile: nothing of it waits for the loop.
                try await client.publish("elsewhere", "x")
                #expect(try client.stats().messagesReceived == 14)
                #expect(await take(40, subscription) == Array(numbers[10...]))
                #expect(subscription.dropped == 0)
            }
        }

        @Test func aLoopCanPublishAndWaitForIt() async throws {
            try await live {
                let client = try await simulator.connected { $0.receiveMaximum = 2 }
                let questions = try await client.subscribe("question", capacity: 1)
                let answers = try await client.subscribe("answer", capacity: 1)
                let answering = Task {
                    for await question in questions.messages {
                        try await client.publish("answer", "to \(question.text)")
                    }
                }
                for number in 0..<100 { try client.enqueue(Message("question", "\(number)")) }
                #expect(await take(100, answers) == (0..<100).map { "to \($0)" })
                answering.cancel()
                _ = await answering.result
            }
        }

        @Test func qos0IsBoundedAndWhatIsDroppedIsCounted() async throws {
            try await live {
                let publisher = try await simulator.connected()
                let client = try await simulator.connected()
                let subscription = try await client.subscribe("fast", qos: .atMostOnce, capacity: 10)
                for number in 0..<100 { try publisher.enqueue(Message("fast", "\(number)", qos: .atMostOnce)) }
                try await eventually("not all came") {
                    try client.stats().messagesReceived == 100 && subscription.dropped == 90
                }
                // The newest are there.
                #expect(await take(10, subscription) == (90..<100).map(String.init))
            }
        }

        @Test func whatALoopHadInHandWhenItWasLeftComesToTheNextOne() async throws {
            try await live {
                let client = try await simulator.connected()
                let subscription = try await client.subscribe("jobs")
                for number in 0..<5 { try await client.publish("jobs", "\(number)") }
                // By an error.
                await #expect(throws: NotThrown.self) {
                    for await job in subscription.messages {
                        #expect(job.text == "0")
                        throw NotThrown()
                    }
                }
                // By a cancellation while it works.
                let (began, begin) = AsyncStream.makeStream(of: String.self)
                let working = Task {
                    for await job in subscription.messages {
                        begin.yield(job.text)
                        try await Task.sleep(for: .seconds(3600))
                    }
                }
                var begun = began.makeAsyncIterator()
                #expect(await begun.next() == "0")
                working.cancel()
                await #expect(throws: CancellationError.self) { try await working.value }
                // By break; what was acknowledged does not come again.
                for await job in subscription.messages {
                    #expect(job.text == "0")
                    #expect(job.acknowledge())
                    #expect(!job.acknowledge())
                    break
                }
                // By a cancellation while it waits, which takes nothing.
                #expect(await take(3, subscription) == ["1", "2", "3"])
                #expect(await take(1, subscription) == ["4"])
                let waiting = Task { await subscription.next() }
                waiting.cancel()
                #expect(await waiting.value == nil)
                try await client.publish("jobs", "last")
                #expect(await take(1, subscription) == ["last"])
            }
        }

        @Test func whatWasNotTakenComesAgainAfterALostConnectionAndOnlyOnce() async throws {
            let proxy = try Proxy(simulator.plainPort)
            defer { proxy.close() }
            try await live {
                let publisher = try await simulator.connected()
                let client = try GeckoMqttClient {
                    $0.brokerURL = "mqtt://127.0.0.1:\(proxy.port)"
                    $0.receiveMaximum = 8
                    $0.reconnect.maxAttempts = 0
                    $0.reconnect.initialDelay = .milliseconds(10)
                }
                try await client.connect(timeout: limit)
                let subscription = try await client.subscribe("again")
                for number in 0..<20 { _ = try await publisher.publish("again", "\(number)") }
                #expect(await take(3, subscription) == ["0", "1", "2"])
                // They are acknowledged when eight others are there.
                try await eventually("no further messages came") { try client.stats().messagesReceived == 11 }
                for _ in 0..<3 {
                    let events = client.events
                    proxy.cut()
                    #expect(try await first(.connected, events).sessionPresent)
                }
                try await client.publish("again", "last")
                #expect(await take(18, subscription) == (3..<20).map(String.init) + ["last"])
            }
        }

        @Test func whatWasNotTakenIsKeptByTheServerWhenTheClientIsClosed() async throws {
            try await live {
                func client() throws -> GeckoMqttClient {
                    try simulator.client {
                        $0.clientID = "keeps-its-session"
                        $0.cleanStart = false
                    }
                }
                let first = try client()
                try await first.connect(timeout: limit)
                // Nobody keeps the object: what comes stays with the server all the same.
                _ = try await first.subscribe("kept/jobs")
                for number in 0..<5 { try await first.publish("kept/jobs", "\(number)") }
                try await eventually("no messages came") { try first.stats().messagesReceived == 5 }
                first.close()

                let second = try client()
                // In force before the connection is there, so that nothing of the session passes by.
                let subscription = try second.requestSubscription(TopicSubscription("kept/jobs"))
                try await second.connect(timeout: limit)
                #expect(await take(5, subscription) == (0..<5).map(String.init))
                _ = try await subscription.granted
                try await subscription.unsubscribe()
            }
        }

        @Test func messagesThatMatchNothingGoToWhoWantsThemOrAway() async throws {
            try await live {
                func client() async throws -> GeckoMqttClient {
                    try await simulator.connected {
                        $0.clientID = "forgets-its-subscriptions"
                        $0.cleanStart = false
                        $0.receiveMaximum = 2
                    }
                }
                let publisher = try await simulator.connected()
                let first = try await client()
                _ = try await first.subscribe("forgotten/#")
                first.close()
                let second = try await client()
                // Nobody wants them: acknowledged all the same, else the server would stop after two.
                for number in 0..<10 { try await publisher.publish("forgotten/a", "\(number)") }
                try await eventually("the server holds messages back") { try second.stats().messagesReceived == 10 }
                var rest = second.unmatchedMessages.makeAsyncIterator()
                for number in 0..<5 { try await publisher.publish("forgotten/b", "\(number)") }
                var heard: [String] = []
                while heard.count < 5, let message = await rest.next() {
                    // The last of the others may still have been on their way.
                    if message.topic == "forgotten/b" { heard.append(message.text) }
                }
                #expect(heard == (0..<5).map(String.init))
                try await second.unsubscribe("forgotten/#")
            }
        }

        @Test func acknowledgedByHandInAnyOrder() async throws {
            try await live {
                let client = try await simulator.connected {
                    $0.manualAck = true
                    $0.receiveMaximum = 3
                }
                let subscription = try await client.subscribe("work")
                for number in 0..<9 { try client.enqueue(Message("work", "\(number)")) }
                for round in 0..<3 {
                    var three: [ReceivedMessage] = []
                    for await message in subscription.messages {
                        three.append(message)
                        if three.count == 3 { break }
                    }
                    #expect(three.map { $0.message.text } == (0..<3).map { "\(3 * round + $0)" })
                    #expect(try client.stats().messagesReceived == UInt64(3 * (round + 1)))
                    for message in three.reversed() { #expect(message.acknowledge()) }
                    #expect(!three[0].acknowledge())
                }
            }
        }
    }
}
