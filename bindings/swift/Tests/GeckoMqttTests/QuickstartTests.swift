import Foundation
import Testing

@testable import GeckoMqtt

extension Live {
    /// The README's first program is the one that is compiled, and works.
    @Suite struct Quickstart {
        @Test func readmeAndProgramsAreTheSame() throws {
            func read(_ path: String) throws -> String {
                try String(contentsOfFile: "\(packageFolder)/\(path)", encoding: .utf8)
            }
            let blocks = try read("README.md").components(separatedBy: "```swift\n").dropFirst()
                .map { $0.components(separatedBy: "```")[0] }
            #expect(try blocks.first == read("Sources/Quickstart/main.swift"))
            // And every other one compiles, too.
            let snippets = withoutIndents(try read("Tests/GeckoMqttTests/Snippets.swift"))
            #expect(blocks.count > 5)
            for block in blocks.dropFirst() where !block.contains(".package(") {
                #expect(snippets.contains(withoutIndents(block)), "not in Snippets.swift:\n\(block)")
            }
        }

        private func withoutIndents(_ text: String) -> String {
            text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
        }

        @Test func itConnectsPublishesHearsItselfAndLeaves() async throws {
            let simulator = try Simulator()
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
                .appendingPathComponent("Quickstart")
            process.environment = ProcessInfo.processInfo.environment.merging(
                ["BROKER_URL": try simulator.brokerURL(), "CA_FILE": simulator.caFile], uniquingKeysWith: { $1 })
            process.standardOutput = output
            try await live {
                let client = try await simulator.connected()
                let state = try await client.subscribe("spa/42/state")
                try process.run()
                // It has subscribed before it says this.
                #expect(await take(1, state) == [#"{"temperature":38.5}"#])
                try await client.publish("spa/42/state", "off")
            }
            defer { process.terminate() }
            try await eventually("it does not end") { !process.isRunning }
            #expect(process.terminationStatus == 0)
            let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(lines == "spa/42/state: {\"temperature\":38.5}\nspa/42/state: off\n")
        }
    }
}
