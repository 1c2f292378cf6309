import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    @Suite struct Logs {
        let simulator: Simulator

        init() throws {
            simulator = try Simulator()
        }

        @Test func theApplicationsLoggerIsTold() async throws {
            try await live {
                let records = Locked<[LogRecord]>([])
                try GeckoMqttLog.setLogger("debug") { record in records.withLock { $0.append(record) } }
                do {
                    let client = try await simulator.connected { $0.clientID = "logged" }
                    client.close()
                }
                let connected = try #require(records.withLock { $0.first { $0.message == "connected" } })
                #expect(connected.level == .info)
                #expect(connected.fields.contains(#""client_id":"logged""#))
                #expect(connected.text.hasPrefix("connected "))
                #expect(connected.target.hasPrefix("gecko_mqtt::driver"))
                #expect(connected.time > Date(timeIntervalSince1970: 1_600_000_000))
                #expect(records.withLock { $0.contains { $0.level == .debug } })
                try GeckoMqttLog.removeLogger()
                try await eventually("the logger is kept") { UserData.held == 0 }
                let before = records.withLock { $0.count }
                try await simulator.connected().close()
                #expect(records.withLock { $0.count } == before)
            }
        }

        @Test func filesInTextAndJSON() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let text = folder.appendingPathComponent("mqtt.log").path
            let json = folder.appendingPathComponent("mqtt.json").path
            try await live {
                try GeckoMqttLog.setRotation(maxBytes: 1024 * 1024, keep: 2)
                try GeckoMqttLog.start("info", file: text)
                try await simulator.connected().close()
                try GeckoMqttLog.startJSON("info", file: json)
                try await simulator.connected().close()
                try GeckoMqttLog.setLevel("off")
                let written = try String(contentsOfFile: json, encoding: .utf8)
                try await simulator.connected().close()
                #expect(try String(contentsOfFile: json, encoding: .utf8) == written)
                try GeckoMqttLog.setRotation(keep: 0)
                try Traces.begin()
                #expect(try String(contentsOfFile: text, encoding: .utf8).contains(" connected "))
                let lines = written.split(separator: "\n")
                #expect(!lines.isEmpty && lines.allSatisfy { $0.hasPrefix(#"{"time":"#) })
                #expect(try await failure { try GeckoMqttLog.start("loud") }.status == .invalidArgument)
                #expect(try await failure { try GeckoMqttLog.setLogger("loud") { _ in } }.status == .invalidArgument)
                let nowhere = try await failure { try GeckoMqttLog.start("info", file: "/no/such/folder/log") }
                #expect(nowhere.status == .file)
            }
        }
    }
}
