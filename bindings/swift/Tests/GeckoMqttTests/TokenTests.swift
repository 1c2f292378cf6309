import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    @Suite struct Tokens {
        let simulator: Simulator

        init() throws {
            simulator = try Simulator()
        }

        private func asking(
            timeout: Duration? = nil, _ provider: @escaping @Sendable () async throws -> Token
        ) throws -> GeckoMqttClient {
            try GeckoMqttClient {
                $0.endpoint = "localhost"
                $0.caFile = simulator.caFile
                $0.reconnect.maxAttempts = 1
                $0.reconnect.cooldown = .zero
                $0.tokenTimeout = timeout
                $0.tokenProvider = provider
            }
        }

        @Test func theProviderIsAskedForEachTokenAndNothingIsLostWhenItIsRenewed() async throws {
            try await live {
                let asked = Locked(0)
                let mint = simulator.minter(ttl: 4)
                let client = try asking {
                    asked.withLock { $0 += 1 }
                    await Task.yield()
                    return Token(brokerURL: try mint())
                }
                try await client.connect(timeout: limit)
                #expect(asked.withLock { $0 } == 1)
                let subscription = try await client.subscribe("rotating")
                // Talks to itself until a token was renewed because it expires.
                var sent = 0
                var heard: [Int] = []
                while try client.stats().tokenRefreshes == 0 || sent < 100 {
                    try await client.publish("rotating", "\(sent)")
                    sent += 1
                    heard += await take(1, subscription).compactMap(Int.init)
                }
                // One that was in hand at the rotation may have come twice.
                while heard.last != sent - 1 { heard += await take(1, subscription).compactMap(Int.init) }
                var once: [Int] = []
                for number in heard where !once.contains(number) { once.append(number) }
                #expect(once == Array(0..<sent), "some were lost, or came out of order")
                let refreshes = try client.stats().tokenRefreshes
                #expect(UInt64(heard.count - sent) <= refreshes)
                let kinds = try client.connectionHistory().map(\.kind)
                #expect(!kinds.contains(.disconnected))
                // And at once when it is told to.
                let events = client.events
                try client.refreshToken()
                #expect(try await first(.tokenRefreshed, events).state == .connected)
                #expect(asked.withLock { $0 } >= 3)
            }
        }

        @Test func whatWaitsForItsLoopSurvivesARotation() async throws {
            try await live {
                let client = try await simulator.connected { $0.receiveMaximum = 8 }
                let subscription = try await client.subscribe("held")
                for number in 0..<30 { try client.enqueue(Message("held", "\(number)")) }
                try await eventually("no messages came") { try client.stats().messagesReceived == 8 }
                let events = client.events
                try client.setToken(Token(brokerURL: try simulator.minter(ttl: 3600)()))
                _ = try await first(.tokenRefreshed, events)
                #expect(await take(30, subscription) == (0..<30).map(String.init))
            }
        }

        @Test func whatAProviderThrowsIsToldByItsTypeAlone() async throws {
            struct Offline: Error {
                let url: String
            }
            try await live {
                let url = try simulator.brokerURL()
                let client = try asking { throw Offline(url: "cannot fetch \(url)") }
                let error = try await failure { try await client.connect(timeout: limit) }
                guard case .tokenRefresh = error else { throw error }
                #expect(error.message.contains("Offline") && !error.message.contains("cannot fetch"), "\(error)")

                let other = try asking { throw TokenUnavailable("the user is logged out") }
                let reason = try await failure { try await other.connect(timeout: limit) }
                #expect(reason.message.contains("the user is logged out"), "\(reason)")

                let empty = try asking { Token("") }
                #expect(try await !failure { try await empty.connect(timeout: limit) }.message.isEmpty)
            }
        }

        @Test func aProviderThatTakesTooLongIsCancelled() async throws {
            try await live {
                let cancelled = Promise<Void>()
                let client = try asking(timeout: .milliseconds(200)) {
                    defer { cancelled.resolve(.success(())) }
                    try await Task.sleep(for: .seconds(3600))
                    throw NotThrown()
                }
                let error = try await failure { try await client.connect(timeout: limit) }
                guard case .tokenRefresh = error else { throw error }
                try await cancelled.value
            }
        }

        @Test func closeCancelsTheProvider() async throws {
            try await live {
                let (asked, cancelled) = (Promise<Void>(), Promise<Void>())
                let client = try asking {
                    asked.resolve(.success(()))
                    defer { cancelled.resolve(.success(())) }
                    try await Task.sleep(for: .seconds(3600))
                    throw NotThrown()
                }
                let connecting = Task { try await client.connect(timeout: limit) }
                try await asked.value
                client.close()
                try await cancelled.value
                #expect(try await failure { try await connecting.value }.status == .closed)
            }
        }

        @Test func anAuthorizerWithATokenOfItsOwn() async throws {
            try await live {
                let client = try GeckoMqttClient {
                    $0.endpoint = "localhost"
                    $0.caFile = simulator.caFile
                    $0.port = simulator.alpnPort
                    $0.authorizer = .init("gecko", tokenKey: "token")
                    $0.token = Token(try simulator.text("token.txt"), signature: try simulator.text("signature.txt"))
                }
                try await client.connect(timeout: limit)
            }
        }
    }
}
