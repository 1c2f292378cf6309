import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    @Suite struct MainJob {
        let simulator: Simulator

        init() throws {
            simulator = try Simulator()
        }

        @Test func connectsByTokenSubscribesPublishesReceivesAndLeaves() async throws {
            try await live {
                let client = try simulator.client()
                let events = client.events
                var states = client.connectionStates.makeAsyncIterator()
                #expect(await states.next() == .disconnected)
                try await client.connect(timeout: limit)
                #expect(client.isConnected)
                #expect(try client.clientID.hasPrefix("gecko-"))
                #expect(await states.next() == .connecting)
                #expect(await states.next() == .connected)
                #expect(client.connectionState == .connected)

                let subscription = try await client.subscribe("spa/+")
                #expect(try await subscription.granted.reasonCode == 1)
                var sent = Message("spa/Zustand", #"{"Wärme":38.5}"#)
                sent.contentType = "application/json"
                sent.responseTopic = "spa/answer"
                sent.correlationData = Data([0, 1, 255])
                sent.userProperties = [UserProperty("empty", ""), UserProperty("unit", "°C")]
                sent.expiry = .seconds(60)
                #expect(try await client.publish(sent).reasonCode == 0)
                let heard = try #require(await subscription.next())
                let expiry = try #require(heard.expiry)
                #expect(expiry > .zero && expiry <= .seconds(60))
                var expected = heard.message
                expected.expiry = .seconds(60)
                #expect(expected == sent)
                #expect(!heard.duplicate)

                // Received messages can be published again.
                try await client.publish(heard.message)
                #expect(await take(1, subscription) == [sent.text])

                try await client.publish("spa/bare", Data())
                let bare = try #require(await subscription.next())
                #expect(bare.message == Message("spa/bare", Data()))
                #expect(try await client.publish("spa/nobody/hears", "x", qos: .atMostOnce).reasonCode == nil)

                try await subscription.unsubscribe()
                #expect(await subscription.next() == nil)
                try await client.disconnect(timeout: limit)
                #expect(!client.isConnected)
                var kinds: [EventKind] = []
                for await event in events {
                    #expect(event.status == .ok && !event.message.isEmpty && event.error.isEmpty)
                    kinds.append(event.kind)
                    // Once the last one is told, so that it is not lost with the client.
                    if event.kind == .disconnected { client.close() }
                }
                #expect(kinds == [.attempting, .connected, .disconnected])
            }
        }

        @Test func manyAtATimeInOrderAndEachOnce() async throws {
            try await live {
                let client = try await simulator.connected()
                let subscription = try await client.subscribe("numbers")
                let numbers = (0..<500).map(String.init)
                let deliveries = try numbers.map { try client.enqueue(Message("numbers", $0)) }
                var heard: [String] = []
                for await message in subscription.messages {
                    heard.append(message.text)
                    if heard.count == 500 {
                        message.acknowledge()
                        break
                    }
                }
                #expect(heard == numbers)
                for delivery in deliveries {
                    #expect(try await delivery.ack.reasonCode == 0)
                }
                let stats = try client.stats()
                #expect(stats.messagesSent == 500)
                // Acknowledged to the server by the loop alone: else it had stopped after 256.
                #expect(stats.messagesReceived == 500)
                #expect(stats.successRate == 1)
                #expect(stats.meanRoundTrip > .zero)
                #expect(try #require(stats.connectedSince) > Date(timeIntervalSince1970: 1_600_000_000))
                #expect(try client.statsJSON().contains(#""messages_sent":500"#))
                try client.resetStats()
                #expect(try client.stats().messagesSent == 0)
            }
        }

        @Test func overlappingSubscriptionsEachHaveAllMessages() async throws {
            try await live {
                let client = try await simulator.connected { $0.receiveMaximum = 4 }
                let all = try await client.subscribe("home/#")
                let one = try await client.subscribe("home/+/lamp")
                let same = try await client.subscribe("home/+/lamp")
                let numbers = (0..<20).map(String.init)
                for number in numbers { try client.enqueue(Message("home/hall/lamp", number)) }
                async let first = take(20, all)
                async let second = take(20, one)
                async let third = take(20, same)
                let heard = await [first, second, third]
                #expect(heard == [numbers, numbers, numbers])
                // The others go on.
                try await same.unsubscribe()
                try await client.publish("home/hall/lamp", "last")
                #expect(await take(1, one) == ["last"])
                #expect(await take(1, all) == ["last"])
                // Also one whose object might be gone can be ended.
                try await client.unsubscribe("home/+/lamp")
                #expect(await one.next() == nil)
            }
        }

        @Test func severalTopicFiltersInOneRequest() async throws {
            try await live {
                let requests = Locked<[String]>([])
                try GeckoMqttLog.setLogger("gecko_mqtt::packet=trace") { record in
                    if record.text.contains("SUBSCRIBE") { requests.withLock { $0.append(record.text) } }
                }
                let client = try await simulator.connected()
                let topics = [
                    TopicSubscription("many/+/a"), TopicSubscription("many/1/#", qos: .atMostOnce), TopicSubscription("many/b"),
                ]
                let subscription = try await client.subscribe(topics)
                #expect(subscription.topics == topics)
                #expect(try await subscription.granted.reasonCode == 1)
                #expect(requests.withLock { $0.count } == 1)
                // One that matches two of them comes once.
                let names = ["many/0/a", "many/1/a", "many/1/c", "many/b"]
                for name in names { try await client.publish(name, name) }
                #expect(await take(4, subscription) == names)

                // One of its filters can be ended, and the others go on.
                try await client.unsubscribe("many/+/a")
                for name in ["many/0/a", "many/1/a"] { try await client.publish(name, name) }
                #expect(await take(1, subscription) == ["many/1/a"])
                // The server hears of each that nobody else has.
                let other = try await client.subscribe("many/b")
                try await subscription.unsubscribe()
                #expect(await subscription.next() == nil)
                for name in ["many/1/a", "many/b"] { try await client.publish(name, name) }
                #expect(await take(1, other) == ["many/b"])
                #expect(try client.stats().messagesReceived == 6)

                let twice = ["a", "a"].map { TopicSubscription($0) }
                #expect(try await failure { _ = try await client.subscribe(twice) }.status == .invalidArgument)
                #expect(try await failure { _ = try await client.subscribe([]) }.status == .invalidArgument)
                try GeckoMqttLog.removeLogger()
            }
        }

        @Test func theLastOfSeveralThatUnsubscribeAtATimeTellsTheServer() async throws {
            try await live {
                let client = try await simulator.connected()
                var twins: [Subscription] = []
                for _ in 0..<3 { twins.append(try await client.subscribe("twins")) }
                async let first: Void = twins[0].unsubscribe()
                async let second: Void = twins[1].unsubscribe()
                async let third: Void = twins[2].unsubscribe()
                _ = try await (first, second, third)
                let end = try await client.subscribe("end")
                for name in ["twins", "end"] { try await client.publish(name, name) }
                #expect(await take(1, end) == ["end"])
                #expect(try client.stats().messagesReceived == 1)
            }
        }

        @Test func aLoopSubscribesWhileItRuns() async throws {
            try await live {
                let client = try await simulator.connected()
                try await client.publish("looped/kept", "for later", retain: true)
                func firstOne() async throws -> ReceivedMessage? {
                    for try await message in client.messages("looped/+") { return message }
                    return nil
                }
                let kept = try #require(try await firstOne())
                #expect(kept.text == "for later" && kept.retain)
                // It unsubscribed: what comes now matches nothing.
                let end = try await client.subscribe("end")
                for name in ["looped/new", "end"] { try await client.publish(name, name) }
                #expect(await take(1, end) == ["end"])
                #expect(try client.stats().messagesReceived == 2)
                // The same again subscribes anew.
                #expect(try await firstOne()?.text == "for later")
                try await client.publish("looped/kept", "", retain: true)
            }
        }

        @Test func aFilterIsSubscribedForAsLongAsOneLoopIsThere() async throws {
            try await live {
                let client = try await simulator.connected()
                let looping = client.messages(["looping/a", "looping/b"].map { TopicSubscription($0) })
                let heard = Locked<[String]>([])
                let stays = Task {
                    var texts: [String] = []
                    for try await message in looping {
                        texts.append(message.text)
                        if message.text == "last" { break }
                    }
                    return texts
                }
                let leaves = Task {
                    for try await message in looping { heard.withLock { $0.append(message.text) } }
                }
                try await eventually("it does not subscribe") { client.listener.router.routes("looping/b").count == 2 }
                // Behind their requests.
                _ = try await client.subscribe("begun")
                try await client.publish("looping/b", "first")
                try await eventually("nothing came") { heard.withLock { $0.count } == 1 }
                leaves.cancel()
                try await leaves.value
                #expect(client.listener.router.routes("looping/a").count == 1)
                try await client.publish("looping/a", "last")
                #expect(try await stays.value == ["first", "last"])
                let end = try await client.subscribe("end")
                for name in ["looping/a", "looping/b", "end"] { try await client.publish(name, name) }
                #expect(await take(1, end) == ["end"])
                #expect(try client.stats().messagesReceived == 3)
            }
        }

        @Test func subscriptionsHaveOptions() async throws {
            try await live {
                let client = try await simulator.connected()
                try await client.publish("options/kept", "old", retain: true)
                var skipped = TopicSubscription("options/kept")
                skipped.retainAsPublished = true
                skipped.retainHandling = .doNotSend
                let kept = try await client.subscribe(skipped)
                var topic = TopicSubscription("options/own")
                topic.noLocal = true
                let own = try await client.subscribe(topic)
                let last = try await client.subscribe("options/last", qos: .atMostOnce)
                try await client.publish("options/own", "mine")
                try await client.publish("options/kept", "new", retain: true)
                try await client.publish("options/last", "end")
                let heard = try #require(await kept.next())
                #expect(heard.text == "new" && heard.retain)
                #expect(try #require(await last.next()).qos == .atMostOnce)
                try await client.disconnect(timeout: limit)
                client.close()
                #expect(await own.next() == nil)
            }
        }

        @Test func theApplicationsStateIsToldAndWhatHappenedIsRemembered() async throws {
            try await live {
                let client = try simulator.client()
                var told = client.stateChanges.makeAsyncIterator()
                for state in ["booting", "ready", "ready", "füllt"] { try client.changeState(state) }
                for state in ["booting", "ready", "füllt"] { #expect(await told.next() == state) }
                try await client.connect(timeout: limit)
                try await client.disconnect(timeout: limit)
                let history = try client.connectionHistory()
                #expect(history.map(\.kind) == [.attempting, .connected, .disconnected])
                #expect(history[0].attempt == 1)
                #expect(history[1].state == .connected)
                #expect(try client.historyJSON().contains(#""kind":"CONNECTED""#))
            }
        }

        @Test func aClientCertificateFromFilesAndFromMemory() async throws {
            try await live {
                let paths = ["client.pem", "client.key"].map(simulator.file)
                let data = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
                let options = try {
                    var options = GeckoMqttOptions()
                    options.endpoint = "localhost"
                    options.port = simulator.mtlsPort
                    options.caPEM = try Data(contentsOf: URL(fileURLWithPath: simulator.caFile))
                    return options
                }()
                var files = options
                files.certificate = .files(certificate: paths[0], key: paths[1])
                let client = try GeckoMqttClient(files)
                try await client.connect(timeout: limit)
                let events = client.events
                try client.setCertificate(.pem(certificate: data[0], key: data[1]))
                #expect(try await first(.tokenRefreshed, events).sessionPresent)
                client.close()
                var memory = options
                memory.certificate = .pem(certificate: data[0], key: data[1])
                try await GeckoMqttClient(memory).connect(timeout: limit)
            }
        }

        @Test func theWillIsPublishedWhenTheClientIsClosed() async throws {
            try await live {
                let listener = try await simulator.connected()
                let wills = try await listener.subscribe("will")
                do {
                    let client = try await simulator.connected { $0.will = Message("will", "gone") }
                    client.close()
                }
                #expect(await take(1, wills) == ["gone"])
            }
        }
    }
}
