import Foundation
import Testing

@testable import GeckoMqtt

/// Every wait of a test has this limit; nothing sleeps.
let limit = Duration.seconds(30)

/// Tests with the library and the simulator, one at a time: after each nothing may be left.
@Suite(.serialized, .timeLimit(.minutes(2)))
enum Live {}

/// Runs a test, and looks that it leaves nothing.
func live(_ body: () async throws -> Void) async throws {
    try Traces.begin()
    #expect(UserData.held == 0, "registrations of an earlier test are left")
    do {
        try await body()
    } catch let error as GeckoMqttError {
        Traces.note(error.description)
        throw error
    }
    try await eventually("registrations are left") { UserData.held == 0 }
    try await eventually("threads of the library are left") { libraryThreads().isEmpty }
}

/// For what nobody tells: looks until it is so.
func eventually(_ otherwise: String, _ isSo: () throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try !isSo() {
        try #require(ContinuousClock.now < end, Comment(rawValue: otherwise))
        await Task.yield()
    }
}

/// The error of this library that the body must throw.
func failure(_ body: () async throws -> Void) async throws -> GeckoMqttError {
    do {
        try await body()
    } catch let error as GeckoMqttError {
        Traces.note(error.description)
        return error
    }
    throw NotThrown()
}

struct NotThrown: Error {}

func libraryThreads() -> [String] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
        .filter { $0.hasPrefix("gecko-mqtt") }
}

/// The next so many messages, in order, each acknowledged.
func take(_ count: Int, _ subscription: Subscription) async -> [String] {
    var texts: [String] = []
    while texts.count < count, let message = await subscription.next() {
        texts.append(message.text)
    }
    return texts
}

/// Waits for an event of that kind.
func first(_ kind: EventKind, _ events: AsyncStream<ConnectionEvent>) async throws -> ConnectionEvent {
    for await event in events where event.kind == kind {
        return event
    }
    throw NotThrown()
}

/// What tests leave for `scripts/test secrets`, where GECKO_TEST_TRACES names a folder: the library's log at TRACE, and the
/// errors that were seen.
enum Traces {
    static func file(_ name: String, _ end: String) -> String? {
        guard let folder = ProcessInfo.processInfo.environment["GECKO_TEST_TRACES"], !folder.isEmpty else { return nil }
        return "\(folder)/\(name)-\(ProcessInfo.processInfo.processIdentifier).\(end)"
    }

    static func begin() throws {
        if let file = file("swift", "log") {
            try GeckoMqttLog.start("trace", file: file)
        } else {
            try GeckoMqttLog.start("off")
        }
    }

    static func note(_ text: String) {
        guard let path = file("swift", "texts") else { return }
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        file.seekToEndOfFile()
        file.write(Data("\(text)\n".utf8))
        try? file.close()
    }
}
