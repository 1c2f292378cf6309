import CGeckoMqtt
import Foundation

/// How grave a log record is.
public enum LogLevel: Int32, Hashable, Sendable {
    /// A defect, or something without which the library cannot work.
    case error = 1
    /// Something that should not be, and that the library lives with.
    case warn
    /// The life of connections, with a few lines for each.
    case info
    /// How connections come about, and a line for each message.
    case debug
    /// Each packet: type, identifier, size.
    case trace
}

/// What the library logs. It never has a secret or a payload in it.
public struct LogRecord: Hashable, Sendable {
    /// How grave it is.
    public let level: LogLevel
    /// When, as the device's clock had it.
    public let time: Date
    /// The message and the fields in one line.
    public let text: String
    /// The message alone.
    public let message: String
    /// The fields alone, as a JSON object.
    public let fields: String
    /// The part of the library that logs.
    public let target: String
}

/// The library's log, of the whole process. Nothing is written anywhere unless it is asked for here.
///
/// A level is "off", "error", "warn", "info", "debug" or "trace", or directives for parts of the library:
/// "info,gecko_mqtt::link=debug".
public enum GeckoMqttLog {
    /// Starts logging, in lines of text.
    ///
    /// - Parameters:
    ///   - level: the level.
    ///   - file: path of a file to append to, or nil.
    ///   - console: whether to write to stderr.
    public static func start(_ level: String, file: String? = nil, console: Bool = false) throws {
        try withText(level) { level in
            try withText(file) { try check(gecko_mqtt_log_init(level, $0, console)) }
        }
    }

    /// The same in lines of JSON.
    public static func startJSON(_ level: String, file: String? = nil, console: Bool = false) throws {
        try withText(level) { level in
            try withText(file) { try check(gecko_mqtt_log_init_json(level, $0, console)) }
        }
    }

    /// Says when a new log file is begun.
    ///
    /// - Parameters:
    ///   - maxBytes: a file that would become larger is full; 0: no file is; at least 16384.
    ///   - interval: a new file begins at each multiple of it since 1970-01-01 UTC; zero: no file is too old.
    ///   - keep: how many full files are kept.
    public static func setRotation(maxBytes: Int = 0, interval: Duration = .zero, keep: Int) throws {
        try check(
            gecko_mqtt_log_set_rotation(
                unsigned(maxBytes, "the bytes of a file"), seconds(interval, "the interval"), unsigned(keep, "the files")))
    }

    /// Changes what is logged, from now on: to the file, to the console and to the logger.
    public static func setLevel(_ level: String) throws {
        try withText(level) { try check(gecko_mqtt_log_set_level($0)) }
    }

    /// Has the application's own logger told each record; another call replaces it.
    ///
    /// It runs on whichever thread logs, the one of all connections too, one record at a time: be quick, and neither block nor
    /// wait for anything of this library.
    public static func setLogger(_ level: String, _ logger: @escaping @Sendable (LogRecord) -> Void) throws {
        let userdata = UserData.retain(Sink(logger))
        try withText(level) { level in
            try check(gecko_mqtt_log_set_callback(level, Sink.function, userdata, UserData.destroy))
        }
    }

    /// Takes the logger away. One call of it may still be running on another thread.
    public static func removeLogger() throws {
        try check(gecko_mqtt_log_set_callback(nil, nil, nil, nil))
    }

    private final class Sink: Sendable {
        let logger: @Sendable (LogRecord) -> Void

        init(_ logger: @escaping @Sendable (LogRecord) -> Void) {
            self.logger = logger
        }

        static let function: @Sendable @convention(c) (UnsafePointer<gecko_mqtt_log_record_t>?, UnsafeMutableRawPointer?) -> Void = { record, userdata in
            guard let record = record?.pointee, let sink = UserData.object(userdata, Sink.self) else { return }
            sink.logger(
                LogRecord(
                    level: LogLevel(rawValue: record.level) ?? .trace,
                    time: date(milliseconds: record.time_ms),
                    text: GeckoMqtt.text(record.text, record.text_len),
                    message: GeckoMqtt.text(record.message, record.message_len),
                    fields: GeckoMqtt.text(record.fields, record.fields_len),
                    target: GeckoMqtt.text(record.target, record.target_len)))
        }
    }
}

/// The C library behind all this.
public enum GeckoMqttLibrary {
    /// Its version: "0.1.0".
    public static var version: String { String(cString: gecko_mqtt_version()) }
}
