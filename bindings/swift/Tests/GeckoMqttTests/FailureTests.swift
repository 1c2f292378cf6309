import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    /// Errors by class, cancellation, and ends in the middle of everything.
    @Suite struct Failures {
        let simulator: Simulator

        init() throws {
            simulator = try Simulator("--deny", "forbidden/#")
        }

        private func once(_ options: inout GeckoMqttOptions) {
            options.reconnect.maxAttempts = 1
            options.reconnect.cooldown = .zero
        }

        @Test func connectionsThatFailSayWhy() async throws {
            let (socket, port) = try Socket.listening()
            socket.close()
            try await live {
                let nobody = try GeckoMqttClient {
                    $0.brokerURL = "mqtt://127.0.0.1:\(port)"
                    once(&$0)
                }
                let refused = try await failure { try await nobody.connect(timeout: limit) }
                guard case .connection = refused else { throw refused }
                #expect(refused.status == .connectionRefused)
                #expect(refused.message.contains("\(port)"))

                let stranger = try simulator.client {
                    $0.caFile = nil
                    once(&$0)
                }
                let unknown = try await failure { try await stranger.connect(timeout: limit) }
                #expect(unknown.status == .tlsUnknownIssuer)

                let late = try simulator.client {
                    $0.brokerURL = try simulator.minter(ttl: 0)()
                    once(&$0)
                }
                let expired = try await failure { try await late.connect(timeout: limit) }
                guard case .authentication = expired else { throw expired }
            }
        }

        @Test func operationsThatTheServerRefusesSayWhy() async throws {
            try await live {
                let client = try await simulator.connected()
                #expect(try await failure { try await client.publish("forbidden/a", "x") }.reasonCode == 135)
                #expect(try await failure { _ = try await client.subscribe("forbidden/b") }.reasonCode == 135)
                let big = try await failure { try await client.publish("a", Data(count: 1_000_000)) }
                guard case .operation = big else { throw big }
                #expect(big.status == .packetTooLarge)
                // None of that costs the connection.
                #expect(try await client.publish("a", "x").reasonCode == 0)
                #expect(try client.stats().attempts == 1)
            }
        }

        @Test func whereOneOfSeveralTopicFiltersIsRefusedNoneStaysSubscribed() async throws {
            try await live {
                let client = try await simulator.connected()
                let kept = try await client.subscribe("allowed/kept")
                let topics = ["allowed/a", "forbidden/b", "allowed/kept"].map { TopicSubscription($0) }
                let error = try await failure { _ = try await client.subscribe(topics) }
                #expect(error.reasonCode == 135)
                #expect(error.message.contains("forbidden/b"))
                let looping = try await failure { for try await _ in client.messages("forbidden/c") {} }
                #expect(looping.reasonCode == 135)
                // Behind the requests that give the others back.
                let end = try await client.subscribe("allowed/end")
                for name in ["allowed/a", "allowed/kept", "allowed/end"] { try await client.publish(name, name) }
                #expect(await take(1, end) == ["allowed/end"])
                #expect(await take(1, kept) == ["allowed/kept"])
                #expect(try client.stats().messagesReceived == 2)
            }
        }

        @Test func aFullQueueRefuses() async throws {
            try await live {
                let client = try GeckoMqttClient {
                    $0.endpoint = "localhost"
                    $0.queue.maxMessages = 2
                }
                let deliveries = try (0..<2).map { try client.enqueue(Message("a", "\($0)")) }
                #expect(try await failure { try await client.publish("a", "x") }.status == .queueFull)
                client.close()
                for delivery in deliveries {
                    #expect(try await failure { _ = try await delivery.ack }.status == .cancelled)
                }
            }
        }

        @Test func aPublishThatIsCancelledIsPublishedAllTheSame() async throws {
            try await live {
                let listener = try await simulator.connected()
                let subscription = try await listener.subscribe("cancelled")
                let client = try simulator.client()
                let waiting = Task { try await client.publish("cancelled", "waits for a connection") }
                try await eventually("it was not accepted") { try client.stats().queuedMessages == 1 }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                try await client.connect(timeout: limit)
                #expect(await take(1, subscription) == ["waits for a connection"])
            }
        }

        @Test func aSubscribeThatIsCancelledLeavesNothing() async throws {
            try await live {
                let client = try simulator.client()
                let waiting = Task { _ = try await client.subscribe("nobody/waits") }
                try await eventually("it was not begun") { !client.listener.router.routes("nobody/waits").isEmpty }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                try await client.connect(timeout: limit)
                let other = try await client.subscribe("somebody/waits")
                try await client.publish("nobody/waits", "x")
                try await client.publish("somebody/waits", "y")
                #expect(await take(1, other) == ["y"])
                #expect(try client.stats().messagesReceived == 1)
            }
        }

        @Test func aConnectThatIsCancelledGoesOn() async throws {
            // Takes connections, and says nothing.
            let (silent, port) = try Socket.listening()
            defer { silent.close() }
            try await live {
                let client = try GeckoMqttClient {
                    $0.brokerURL = "mqtt://127.0.0.1:\(port)"
                    $0.connectTimeout = .seconds(20)
                }
                let connecting = Task { try await client.connect(timeout: limit) }
                for await state in client.connectionStates where state == .connecting { break }
                connecting.cancel()
                await #expect(throws: CancellationError.self) { try await connecting.value }
                #expect(client.connectionState == .connecting)
                #expect(try await failure { try await client.connect(timeout: .milliseconds(50)) }.status == .timeout)
                client.close()
            }
        }

        @Test func closedWhileItIsBusyOnAllSides() async throws {
            try await live {
                for round in 0..<5 {
                    let client = try await simulator.connected { $0.clientID = "busy-\(round)" }
                    let subscription = try await client.subscribe("busy")
                    let hearing = Task {
                        var count = 0
                        for await _ in subscription.messages { count += 1 }
                        return count
                    }
                    let events = client.events
                    let publishing = (0..<4).map { _ in
                        Task {
                            do {
                                while true { try await client.publish("busy", "x") }
                            } catch let error as GeckoMqttError {
                                return error.status
                            }
                        }
                    }
                    try await eventually("nothing was received") { try client.stats().messagesReceived > 20 }
                    client.close()
                    for task in publishing {
                        #expect(try await [.cancelled, .closed, .outcomeUnknown].contains(task.value))
                    }
                    // Its loops and streams end, too.
                    #expect(await hearing.value > 0)
                    for await _ in events {}
                }
            }
        }

        @Test func closedByItsOwnLoop() async throws {
            try await live {
                let client = try await simulator.connected()
                let subscription = try await client.subscribe("suicide")
                try client.enqueue(Message("suicide", "x"))
                for await _ in subscription.messages { client.close() }
                #expect(try await failure { _ = try client.stats() }.status == .closed)
            }
        }

        @Test func itLivesAsLongAsAnybodyHasPartOfItAndNoLonger() async throws {
            try await live {
                weak var gone: GeckoMqttClient?
                do {
                    let messages: Messages
                    let events: AsyncStream<ConnectionEvent>
                    do {
                        let client = try await simulator.connected()
                        gone = client
                        events = client.events
                        messages = try await client.subscribe("alive").messages
                        try await client.publish("alive", "x")
                    }
                    #expect(gone != nil)
                    for await message in messages {
                        #expect(message.text == "x")
                        break
                    }
                    try gone?.disableForGood()
                    _ = try await first(.disconnected, events)
                }
                try await eventually("it is kept by something") { gone == nil }
            }
        }

        @Test func manyClientsAtATime() async throws {
            try await live {
                let clients = try (0..<20).map { _ in try simulator.client() }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in clients {
                        group.addTask {
                            try await client.connect(timeout: limit)
                            try await client.publish("many", "x")
                            client.close()
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}

extension GeckoMqttClient {
    /// Disconnects without waiting.
    fileprivate func disableForGood() throws {
        Task { try await disconnect(timeout: limit) }
    }
}
