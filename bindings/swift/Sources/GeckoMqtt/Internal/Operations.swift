import CGeckoMqtt
import Foundation

/// Told once how an operation ended; kept by C until then.
final class Completion: Sendable {
    private let end: @Sendable (Result<Ack, any Error>) -> Void

    init(_ end: @escaping @Sendable (Result<Ack, any Error>) -> Void) {
        self.end = end
    }

    static let function: @Sendable @convention(c) (UnsafePointer<gecko_mqtt_ack_t>?, UnsafeMutableRawPointer?) -> Void = { ack, userdata in
        guard let ack, let completion = UserData.object(userdata, Completion.self) else { return }
        completion.end(Ack.result(ack.pointee))
        UserData.release(userdata)
    }
}

/// Starts an operation of C, and has its end told once; throws where C refuses it at once, and then nothing is told.
///
/// - Parameter start: hands the given userdata to C, with ``Completion/function``.
func begin(
    _ start: (UnsafeMutableRawPointer) throws -> gecko_mqtt_status_t,
    _ end: @escaping @Sendable (Result<Ack, any Error>) -> Void
) throws {
    let userdata = UserData.retain(Completion(end))
    do {
        try check(start(userdata))
    } catch {
        UserData.release(userdata)
        throw error
    }
}

/// A call of C that waits, on a thread for it: Swift's own threads are few, and none of them may wait. Cancellation comes at
/// once, and leaves that thread to come back when C's time is over or the client is closed.
func waiting(_ call: @escaping @Sendable () -> gecko_mqtt_status_t) async throws {
    let promise = Promise<Void>()
    Thread.detachNewThread {
        promise.resolve(Result { try check(call()) })
    }
    try await promise.value
}
