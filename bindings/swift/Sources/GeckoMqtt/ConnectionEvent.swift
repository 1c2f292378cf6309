import CGeckoMqtt
import Foundation

/// What the connection is doing.
public enum ConnectionState: Hashable, Sendable {
    /// Not connected, and not trying.
    case disconnected
    /// The first attempts after ``GeckoMqttClient/connect(timeout:)``.
    case connecting
    /// A live connection is there.
    case connected
    /// The connection was lost and is being made again.
    case reconnecting
    /// A round of attempts ended without success. The next one begins after the cool-down, if there is one.
    case connectionFailed
    /// The last messages are going out, then DISCONNECT.
    case disconnecting
    /// Connected, but the token could not be renewed; that is being tried again.
    case credentialRefreshFailed
    /// One that a later version of the library has added.
    case unknown(Int32)

    init(_ value: gecko_mqtt_connection_state_t) {
        self = switch value {
        case GECKO_MQTT_STATE_DISCONNECTED: .disconnected
        case GECKO_MQTT_STATE_CONNECTING: .connecting
        case GECKO_MQTT_STATE_CONNECTED: .connected
        case GECKO_MQTT_STATE_RECONNECTING: .reconnecting
        case GECKO_MQTT_STATE_CONNECTION_FAILED: .connectionFailed
        case GECKO_MQTT_STATE_DISCONNECTING: .disconnecting
        case GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED: .credentialRefreshFailed
        default: .unknown(value)
        }
    }
}

/// What an event is about.
public enum EventKind: Hashable, Sendable {
    /// An attempt to connect begins.
    case attempting
    /// The server accepted the connection.
    case connected
    /// The attempt failed.
    case failed
    /// The connection ended.
    case disconnected
    /// The next attempt comes after the event's delay.
    case reconnectScheduled
    /// The connection was rotated onto a fresh token or certificate.
    case tokenRefreshed
    /// No fresh token was to be had, or the server would not take it; it is tried again after the event's delay.
    case tokenRefreshFailed
    /// The server has lost a subscription and would not restore it. It is asked again on the next connection.
    case subscriptionRefused
    /// QoS 0 messages from the server were dropped by the library.
    case messagesDropped
    /// No further attempt follows until ``GeckoMqttClient/connect(timeout:)`` is called.
    case stopped
    /// One that a later version of the library has added.
    case unknown(Int32)

    init(_ value: gecko_mqtt_event_kind_t) {
        self = switch value {
        case GECKO_MQTT_EVENT_ATTEMPTING: .attempting
        case GECKO_MQTT_EVENT_CONNECTED: .connected
        case GECKO_MQTT_EVENT_FAILED: .failed
        case GECKO_MQTT_EVENT_DISCONNECTED: .disconnected
        case GECKO_MQTT_EVENT_RECONNECT_SCHEDULED: .reconnectScheduled
        case GECKO_MQTT_EVENT_TOKEN_REFRESHED: .tokenRefreshed
        case GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED: .tokenRefreshFailed
        case GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED: .subscriptionRefused
        case GECKO_MQTT_EVENT_MESSAGES_DROPPED: .messagesDropped
        case GECKO_MQTT_EVENT_STOPPED: .stopped
        default: .unknown(value)
        }
    }
}

/// Something that happened to a connection. Every `attempting` is followed by one `connected` or `failed`, every `connected`
/// by one `disconnected`.
public struct ConnectionEvent: Hashable, Sendable {
    /// What it is about.
    public let kind: EventKind
    /// The connection's state from now on.
    public let state: ConnectionState
    /// Why something failed or ended; `ok` where nothing did.
    public let status: Status
    /// The MQTT reason code of the server behind ``status``, or nil.
    public let reasonCode: Int?
    /// The number of the attempt in its round, from 1; 0 where the event is not about one.
    public let attempt: Int
    /// When, as the device's clock had it.
    public let time: Date
    /// Time until it is tried again; zero where it is not.
    public let delay: Duration
    /// Whether the server still had the session.
    public let sessionPresent: Bool
    /// What happened, for a person.
    public let message: String
    /// Why, in full; empty with `ok`.
    public let error: String

    init(_ event: gecko_mqtt_connection_event_t) {
        kind = EventKind(event.kind)
        state = ConnectionState(event.state)
        status = Status(rawValue: event.status)
        reasonCode = event.reason_code < 0 ? nil : Int(event.reason_code)
        attempt = Int(event.attempt)
        time = date(milliseconds: event.time_ms)
        delay = .milliseconds(event.delay_ms)
        sessionPresent = event.session_present != 0
        message = text(event.message, event.message_len)
        error = text(event.error, event.error_len)
    }
}

/// A time of C's: milliseconds since 1970.
func date(milliseconds: UInt64) -> Date {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000)
}
