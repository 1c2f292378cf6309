import CGeckoMqtt
import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    /// What needs no server.
    @Suite struct Values {
        private func refused(_ configure: (inout GeckoMqttOptions) -> Void) async throws -> Status {
            let error = try await failure {
                _ = try GeckoMqttClient {
                    $0.endpoint = "localhost"
                    configure(&$0)
                }
            }
            guard case .configuration = error else { throw error }
            #expect(!error.message.isEmpty)
            return error.status
        }

        @Test func optionsThatAreWrongAreRefusedWithWords() async throws {
            try await live {
                _ = try await failure { _ = try GeckoMqttClient { _ in } }
                #expect(try await refused { $0.endpoint = "https://localhost" } == .invalidArgument)
                #expect(try await refused { $0.brokerURL = "localhost" } == .invalidURL)
                #expect(try await refused { $0.caFile = "/there/is/no/such/file" } == .file)
                #expect(try await refused { $0.caPEM = Data("no certificate".utf8) } == .invalidCertificate)
                #expect(try await refused { $0.certificate = .files(certificate: "/no/cert", key: "/no/key") } == .file)
                #expect(try await refused { $0.port = 65536 } == .outOfRange)
                #expect(try await refused { $0.port = -1 } == .outOfRange)
                #expect(try await refused { $0.keepAlive = .seconds(65536) } == .outOfRange)
                #expect(try await refused { $0.sessionExpiry = .seconds(-1) } == .outOfRange)
                #expect(try await refused { $0.receiveMaximum = 0 } == .outOfRange)
                #expect(try await refused { $0.historySize = 100_001 } == .outOfRange)
                #expect(try await refused { $0.reconnect.multiplier = 0 } == .outOfRange)
                #expect(try await refused { $0.queue.maxMessages = 0 } == .outOfRange)
                #expect(try await refused { $0.will = Message("a/+", "x") } == .invalidTopic)
                let error = try await failure {
                    _ = try GeckoMqttClient {
                        $0.endpoint = "localhost"
                        $0.token = Token("")
                    }
                }
                guard case .authentication = error else { throw error }
            }
        }

        @Test func allOptionsAreTaken() async throws {
            try await live {
                let client = try GeckoMqttClient {
                    $0.endpoint = "xxxx-ats"
                    $0.region = "eu-central-1"
                    $0.port = 0
                    $0.clientID = "Gerät-7"
                    $0.alpn = "mqtt"
                    $0.username = "user"
                    $0.password = Data("secret".utf8)
                    $0.authorizer = .init("gecko", tokenKey: "token", signature: "c2lnbmF0dXJl")
                    $0.tokenProvider = { throw NotThrown() }
                    $0.tokenTimeout = .seconds(5)
                    $0.refreshThreshold = .seconds(60)
                    $0.keepAlive = .zero
                    $0.cleanStart = false
                    $0.sessionExpiry = .seconds(Int64.max / 2)
                    $0.receiveMaximum = 65535
                    $0.maxIncomingPacket = 4096
                    $0.will = Message("will", "gone")
                    $0.willDelay = .seconds(30)
                    $0.connectTimeout = .seconds(3)
                    $0.operationTimeout = .seconds(4)
                    $0.reconnect.enabled = false
                    $0.queue.maxBytes = 10_000
                    $0.queue.policy = .dropOldest
                    $0.offlineQoS0 = false
                    $0.pacing = .init(publishesPerSecond: 50)
                    $0.historySize = 0
                }
                #expect(try client.clientID == "Gerät-7")
                #expect(!client.isReconnectionEnabled)
                try client.setReconnectionEnabled(true)
                #expect(client.isReconnectionEnabled)
                try client.networkChanged()
                #expect(client.connectionState == .disconnected)
                #expect(try client.connectionHistory().isEmpty)
                #expect(try client.stats().successRate == 0)
                #expect(try client.stats().connectedSince == nil)
            }
        }

        @Test func textThatCWouldCutIsRefused() async throws {
            try await live {
                #expect(try await refused { $0.clientID = "a\0b" } == .invalidUTF8)
                let client = try GeckoMqttClient { $0.endpoint = "localhost" }
                for topic in ["a\0b", ""] {
                    let statuses = [
                        try await failure { try client.enqueue(Message(topic, "x")) }.status,
                        try await failure { _ = try client.requestSubscription(TopicSubscription(topic)) }.status,
                    ]
                    for status in statuses {
                        #expect([.invalidUTF8, .invalidTopic, .invalidTopicFilter].contains(status), "\(status)")
                    }
                }
                #expect(try await failure { try client.changeState("a\0b") }.status == .invalidUTF8)
                let capacity = try await failure { _ = try client.requestSubscription(TopicSubscription("a"), capacity: 0) }
                #expect(capacity.status == .outOfRange)
            }
        }

        @Test(arguments: [
            ("a", "a"), ("a/b", "a/b"), ("a/+", "a/b"), ("a/+", "a/"), ("+/+", "/b"), ("/+", "/b"), ("+", "a"),
            ("#", "a/b/c"), ("a/#", "a/b/c"), ("a/#", "a"), ("a/+/c", "a/b/c"), ("$share/group/a/+", "a/b"),
            ("$SYS/#", "$SYS/uptime"),
        ])
        func topicFiltersMatchAsMQTTSays(filter: String, topic: String) {
            #expect(TopicFilter(filter).matches(topic))
        }

        @Test(arguments: [
            ("a", "b"), ("a", "a/b"), ("a/b", "a"), ("a/+", "a"), ("a/+", "a/b/c"), ("+", "/a"), ("a/#", "ab"),
            ("#", "$SYS/uptime"), ("+/uptime", "$SYS/uptime"), ("A", "a"), ("e\u{301}", "\u{E9}"),
        ])
        func topicFiltersMatchNothingElse(filter: String, topic: String) {
            #expect(!TopicFilter(filter).matches(topic))
        }

        @Test func aClientThatIsClosedSaysSo() async throws {
            try await live {
                let client = try GeckoMqttClient { $0.endpoint = "localhost" }
                let subscription = try client.requestSubscription(TopicSubscription("a"))
                client.close()
                client.close()
                let calls: [() async throws -> Void] = [
                    { try await client.connect() },
                    { try await client.disconnect() },
                    { try await client.publish("a", "x") },
                    { _ = try await client.subscribe("a") },
                    { _ = try client.stats() },
                    { _ = try client.clientID },
                    { _ = try client.connectionHistory() },
                    { try client.setToken(Token("token")) },
                    { try client.changeState("x") },
                    { try client.networkChanged() },
                ]
                for call in calls {
                    #expect(try await failure(call).status == .closed)
                }
                #expect(!client.isConnected)
                // What it had promised has an end.
                #expect(try await failure { _ = try await subscription.granted }.status == .cancelled)
                #expect(await subscription.next() == nil)
                for await _ in client.events { Issue.record("an event of a closed client") }
                for await _ in client.unmatchedMessages { Issue.record("a message of a closed client") }
            }
        }

        @Test func closedByAnotherThreadWithinACallItSaysSoToo() async throws {
            #expect(try await failure { try check(GECKO_MQTT_ERR_INVALID_HANDLE) }.status == .closed)
        }

        @Test func nothingPrintsASecret() throws {
            var options = GeckoMqttOptions()
            options.brokerURL = "wss://top-secret"
            options.password = Data("top-secret".utf8)
            options.token = Token("top-secret", signature: "top-secret")
            options.authorizer = .init("gecko", tokenKey: "token", signature: "top-secret")
            options.certificate = .pem(certificate: Data(), key: Data("top-secret".utf8))
            let values: [Any] = [
                options, options.token!, options.authorizer!, options.certificate!, Message("a", "top-secret"),
            ]
            for value in values {
                var dumped = ""
                if !(value is Message) { dump(value, to: &dumped) }
                let all = "\(value) \(String(reflecting: value)) \(dumped)"
                #expect(!all.contains("top-secret"), "\(all)")
            }
        }

        @Test func statusesAreThoseOfTheHeader() throws {
            let header = try String(contentsOfFile: packageFolder + "/../../include/gecko_mqtt.h", encoding: .utf8)
            let statuses = try String(contentsOfFile: packageFolder + "/Sources/GeckoMqtt/Status.swift", encoding: .utf8)
            let macros = header.matches(of: #/#define (GECKO_MQTT_(?:OK|ERR_\w+)) \d+/#).map(\.1)
            #expect(macros.count > 70)
            for macro in macros {
                #expect(statuses.contains("Status(\(macro))"), "Status.swift lacks \(macro)")
            }
            #expect("\(Status.queueFull)" == "queue is full")
            #expect(Status(rawValue: 299).group == .connection)
            #expect(Status(rawValue: 777).group == .internal)
        }

        @Test func everyFunctionOfTheHeaderIsUsedOrLeftOutOnPurpose() throws {
            let leftOut = [
                "gecko_mqtt_abi_version": "the linker compares it: it is in the library's name",
                "gecko_mqtt_ack_init": "acknowledgements are only read",
                "gecko_mqtt_publish_wait": "tasks wait without it",
                "gecko_mqtt_subscribe": "subscribe_many does the same",
                "gecko_mqtt_subscribe_wait": "tasks wait without it",
                "gecko_mqtt_unsubscribe_wait": "tasks wait without it",
                "gecko_mqtt_remove_listeners": "the router tells who gets a message, and streams end with their loops",
                "gecko_mqtt_message_retain": "messages are Swift's, and live as long as they are needed",
                "gecko_mqtt_message_release": "messages are Swift's, and live as long as they are needed",
                "gecko_mqtt_get_connection_state": "connectionState is what was told",
                "gecko_mqtt_options_set_dispatch": "tasks and actors decide where an application's code runs",
                "gecko_mqtt_dispatch": "tasks and actors decide where an application's code runs",
                "gecko_mqtt_dispatch_fd": "tasks and actors decide where an application's code runs",
                "gecko_mqtt_connection_state_string": "enumerations have names of their own",
                "gecko_mqtt_event_kind_string": "enumerations have names of their own",
                "gecko_mqtt_log_level_string": "enumerations have names of their own",
            ]
            func functions(_ text: String) -> Set<String> {
                Set(text.matches(of: #/\bgecko_mqtt_\w+/#).map { String($0.output) })
            }
            let header = try String(contentsOfFile: packageFolder + "/../../include/gecko_mqtt.h", encoding: .utf8)
            let declared = Set(
                header.replacing(#/(?s)/\*.*?\*//#, with: "").matches(of: #/\b(gecko_mqtt_\w+)\(/#).map { String($0.1) })
            #expect(declared.count > 90)
            let sources = packageFolder + "/Sources/GeckoMqtt"
            var used: Set<String> = []
            for path in try FileManager.default.subpathsOfDirectory(atPath: sources) where path.hasSuffix(".swift") {
                used.formUnion(functions(try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8)))
            }
            #expect(declared.subtracting(used).sorted() == leftOut.keys.sorted())
        }

        @Test func theLibraryTellsItsVersion() {
            #expect(GeckoMqttLibrary.version.wholeMatch(of: #/\d+\.\d+\.\d+/#) != nil)
        }
    }
}

/// The folder of Package.swift.
let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
