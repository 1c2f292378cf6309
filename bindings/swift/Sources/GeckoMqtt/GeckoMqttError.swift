import CGeckoMqtt
import Foundation

/// Why a call failed. The case says what kind of failure it is, ``status`` which one exactly, and the message what was wrong
/// and what to do about it; it never holds a secret.
public enum GeckoMqttError: Error, Hashable, Sendable {
    /// 1xx: an option, an argument, or a call on a client that is closed.
    case configuration(Failure)
    /// 2xx: no connection could be made, or it was lost.
    case connection(Failure)
    /// 3xx: the server does not accept who we are, or what we may.
    case authentication(Failure)
    /// 4xx: the token provider had no token.
    case tokenRefresh(Failure)
    /// 5xx: the server, another client of the same identifier, or this application ended the connection.
    case disconnection(Failure)
    /// 6xx: a publish, subscribe or unsubscribe that did not succeed.
    case operation(Failure)
    /// 9xx: a defect of the library, or a system without threads, descriptors or memory.
    case `internal`(Failure)

    /// What is known of a failure.
    public struct Failure: Hashable, Sendable {
        /// What exactly failed.
        public let status: Status
        /// The MQTT reason code (0..255) of the server's answer, where the failure is one.
        public let reasonCode: Int?
        /// What was wrong, for a person.
        public let message: String
    }

    /// What is known of it.
    public var failure: Failure {
        switch self {
        case let .configuration(failure), let .connection(failure), let .authentication(failure),
            let .tokenRefresh(failure), let .disconnection(failure), let .operation(failure), let .internal(failure):
            failure
        }
    }

    /// What exactly failed.
    public var status: Status { failure.status }
    /// The MQTT reason code (0..255) of the server's answer, where the failure is one.
    public var reasonCode: Int? { failure.reasonCode }
    /// What was wrong, for a person.
    public var message: String { failure.message }

    init(_ status: Status, _ message: String, reasonCode: Int? = nil) {
        let failure = Failure(status: status, reasonCode: reasonCode, message: message)
        switch status.group {
        case .configuration: self = .configuration(failure)
        case .connection: self = .connection(failure)
        case .authentication: self = .authentication(failure)
        case .tokenRefresh: self = .tokenRefresh(failure)
        case .disconnection: self = .disconnection(failure)
        case .operation: self = .operation(failure)
        case .success, .internal: self = .internal(failure)
        }
    }

    static var closed: GeckoMqttError {
        GeckoMqttError(.closed, "the client is closed: make another one to connect again")
    }
}

extension GeckoMqttError: LocalizedError, CustomStringConvertible {
    /// Status and message.
    public var description: String {
        message.isEmpty ? "\(status)" : "\(status): \(message)"
    }

    /// The same.
    public var errorDescription: String? { description }
}

/// Throws what a function of C returned on this thread just now.
func check(_ status: gecko_mqtt_status_t) throws {
    // Nobody else has a handle: another thread has just closed the client.
    if status == GECKO_MQTT_ERR_INVALID_HANDLE { throw GeckoMqttError.closed }
    if status != GECKO_MQTT_OK {
        throw GeckoMqttError(Status(rawValue: status), String(cString: gecko_mqtt_last_error_message()))
    }
}
