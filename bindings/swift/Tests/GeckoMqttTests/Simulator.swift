import Foundation
import Testing

@testable import GeckoMqtt

/// The simulator of AWS IoT Core, as a process of its own: it ends with its standard input, so with these tests.
final class Simulator {
    let caFile: String
    let plainPort: Int
    let mtlsPort: Int
    let alpnPort: Int
    private let mintPort: Int
    private let folder: String
    private let process = Process()
    private let input = Pipe()

    init(_ switches: String...) throws {
        let program = try #require(
            ProcessInfo.processInfo.environment["GECKO_IOT_SIM"], "set GECKO_IOT_SIM to the program gecko-iot-sim")
        let secrets = Traces.file("secrets", "txt").map { ["--secrets-file", $0] } ?? []
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--plain", "--mint", "--stop-on-stdin-eof"] + switches + secrets
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = readLine(output.fileHandleForReading)
        try #require(line.hasPrefix("gecko-iot-sim ready "), "the simulator said instead of its ready line: \(line)")
        var ready: [String: String] = [:]
        for pair in line.split(separator: " ").dropFirst(2) {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            ready[parts[0]] = parts[1]
        }
        folder = try #require(ready["dir"])
        caFile = folder + "/ca.pem"
        plainPort = try #require(ready["plain"].flatMap(Int.init))
        mtlsPort = try #require(ready["mtls"].flatMap(Int.init))
        alpnPort = try #require(ready["alpn"].flatMap(Int.init))
        mintPort = try #require(ready["mint"].flatMap(Int.init))
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: file(name), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func brokerURL() throws -> String { try text("broker-url.txt") }

    /// What asks for a fresh token, as a device asks its cloud.
    func minter(ttl: Int) -> @Sendable () throws -> String {
        let port = mintPort
        return {
            let socket = try Socket.connected(port)
            defer { socket.close() }
            try socket.write(Array("GET /broker-url?ttl=\(ttl) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
            var answer: [UInt8] = []
            while case let bytes = socket.read(), !bytes.isEmpty { answer += bytes }
            let body = String(decoding: answer, as: UTF8.self).components(separatedBy: "\r\n\r\n").last ?? ""
            return body.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// A client that trusts it and has its first token.
    func client(_ configure: (inout GeckoMqttOptions) throws -> Void = { _ in }) throws -> GeckoMqttClient {
        try GeckoMqttClient {
            $0.brokerURL = try brokerURL()
            $0.caFile = caFile
            try configure(&$0)
        }
    }

    /// A client that is connected.
    func connected(_ configure: (inout GeckoMqttOptions) throws -> Void = { _ in }) async throws -> GeckoMqttClient {
        let client = try client(configure)
        try await client.connect(timeout: limit)
        return client
    }
}

/// One line, without its end.
func readLine(_ file: FileHandle) -> String {
    var line = Data()
    while case let byte = file.readData(ofLength: 1), !byte.isEmpty, byte != Data([10]) { line += byte }
    return String(decoding: line, as: UTF8.self)
}
