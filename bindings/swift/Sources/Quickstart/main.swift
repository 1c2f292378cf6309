import Foundation
import GeckoMqtt

let environment = ProcessInfo.processInfo.environment
let client = try GeckoMqttClient {
    $0.brokerURL = environment["BROKER_URL"] // or endpoint and certificate
    $0.caFile = environment["CA_FILE"] // not for AWS: its roots are known
}
try await client.connect(timeout: .seconds(10))
let state = try await client.subscribe("spa/42/state")
try await client.publish("spa/42/state", #"{"temperature":38.5}"#)

for await message in state.messages {
    print("\(message.topic): \(message.text)")
    if message.text == "off" { break }
}
try await client.disconnect(timeout: .seconds(2))
