import Foundation
import GeckoMqtt

// The README's other programs: QuickstartTests looks for them here, so that they compile.

struct Session: Sendable {
    let token: String
    let signature: String
}

protocol Cloud: Sendable {
    func signIn() async throws -> Session?
}

func options() throws -> GeckoMqttClient {
    let client = try GeckoMqttClient {
        $0.endpoint = "xxxx-ats.iot.eu-central-1.amazonaws.com"
        $0.certificate = .files(certificate: "/etc/spa/device.pem", key: "/etc/spa/device.key")
        $0.clientID = "spa-42"
        $0.cleanStart = false // resume the session of the process before this one
        $0.keepAlive = .seconds(60)
        $0.reconnect.maxDelay = .seconds(30)
        $0.will = Message("spa/42/state", "gone")
    }
    return client
}

func provider(_ cloud: any Cloud) throws -> GeckoMqttClient {
    let client = try GeckoMqttClient {
        $0.endpoint = "xxxx-ats.iot.eu-central-1.amazonaws.com"
        $0.authorizer = .init("gecko", tokenKey: "token")
        $0.tokenProvider = {
            guard let session = try await cloud.signIn() else { throw TokenUnavailable("nobody is signed in") }
            return Token(session.token, signature: session.signature)
        }
    }
    return client
}

func publishing(_ client: GeckoMqttClient, _ readings: [String]) async throws {
    let deliveries = try readings.map { try client.enqueue(Message("spa/42/readings", $0)) }
    for delivery in deliveries { _ = try await delivery.ack }
}

/// On an actor: the compiler lets it.
@MainActor
func receiving(_ client: GeckoMqttClient, _ work: (String, Data) async throws -> Void) async throws {
    let jobs = try await client.subscribe("spa/42/jobs/#")
    for await job in jobs.messages {
        try await work(job.topic, job.payload)
    }
}

func looping(_ client: GeckoMqttClient, _ show: (String) -> Void) async throws {
    for try await state in client.messages("spa/+/state") {
        show(state.text)
    }
}

func several(_ client: GeckoMqttClient) async throws -> Subscription {
    let both = try await client.subscribe([TopicSubscription("spa/42/jobs/#"), TopicSubscription("spa/all/+", qos: .atMostOnce)])
    return both
}

func session(_ client: GeckoMqttClient) async throws {
    let jobs = try client.requestSubscription(TopicSubscription("spa/42/jobs/#"))
    try await client.connect(timeout: .seconds(10))
    _ = try await jobs.granted // the server's answer
}

@MainActor
func state(
    _ client: GeckoMqttClient, _ showBadge: @escaping @MainActor (Bool) -> Void, _ log: @escaping @MainActor (String) -> Void
) {
    Task { for await state in client.connectionStates { showBadge(state == .connected) } }
    Task { for await event in client.events { log("\(event.kind): \(event.message) \(event.error)") } }
}

func errors(_ client: GeckoMqttClient, _ signInAgain: () -> Void, _ showOffline: (String) -> Void) async throws {
    do {
        try await client.connect(timeout: .seconds(10))
    } catch GeckoMqttError.authentication {
        signInAgain()
    } catch GeckoMqttError.tokenRefresh(let failure), GeckoMqttError.connection(let failure) {
        showOffline(failure.message) // it goes on trying
    }
}

func log() throws {
    try GeckoMqttLog.start("info", file: "/var/log/spa/mqtt.log")
    try GeckoMqttLog.setLogger("info,gecko_mqtt::link=debug") { print($0.level, $0.text) }
}
