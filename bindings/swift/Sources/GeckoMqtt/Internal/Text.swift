import CGeckoMqtt
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A byte that no UTF-8 has.
private let notUTF8: UInt8 = 0xFF

/// C's view of a text: NUL-terminated UTF-8. C would take it to end at a NUL in the middle; the byte that is put there makes
/// it what it is in MQTT: not valid.
func terminated(_ text: String) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(text.utf8.count + 1)
    for byte in text.utf8 {
        bytes.append(byte == 0 ? notUTF8 : byte)
    }
    bytes.append(0)
    return bytes
}

/// Overwrites bytes in a way that the optimiser leaves alone.
func wipe(_ memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress else { return }
    #if canImport(Darwin)
    memset_s(base, memory.count, 0, memory.count)
    #else
    explicit_bzero(base, memory.count)
    #endif
}

/// Shows a text to C for one call, and overwrites the copy afterwards: it may be a token.
func withText<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) throws -> Result) rethrows -> Result {
    guard let text else { return try body(nil) }
    var bytes = terminated(text)
    return try bytes.withUnsafeMutableBytes { memory in
        defer { wipe(memory) }
        return try body(memory.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) })
    }
}

/// The text that C shows with its length.
func text(_ pointer: UnsafePointer<CChar>?, _ length: Int) -> String {
    String(decoding: UnsafeRawBufferPointer(start: pointer, count: pointer == nil ? 0 : length), as: UTF8.self)
}

/// A text that C gives away.
func ownedText(_ get: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> gecko_mqtt_status_t) throws -> String {
    var out: UnsafeMutablePointer<CChar>?
    try check(get(&out))
    defer { gecko_mqtt_string_free(out) }
    return out.map { String(cString: $0) } ?? ""
}

/// Milliseconds of a time-out; nil: as long as the options say. The longest is 49 days, a negative one does not wait.
func milliseconds(_ time: Duration?) -> UInt32 {
    guard let time else { return UInt32.max }
    let (seconds, attoseconds) = time.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < Int64(UInt32.max / 1000) else { return UInt32.max - 1 }
    return UInt32(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
}

/// Seconds that fit into C's type; all that is longer is that type's largest, which stands for "for ever" where there is such.
func seconds<Number: FixedWidthInteger & UnsignedInteger>(_ time: Duration, _ what: String) throws -> Number {
    guard time >= .zero else {
        throw GeckoMqttError(.outOfRange, "\(what) is 0 seconds or more, not \(time)")
    }
    let most = UInt64(Number.max)
    let seconds = UInt64(time.components.seconds)
    guard seconds <= most || Number.bitWidth == 32 else {
        throw GeckoMqttError(.outOfRange, "\(what) is 0 to \(most) seconds, not \(time)")
    }
    return Number(min(seconds, most))
}

/// A number that C takes as one without a sign.
func unsigned<Number: FixedWidthInteger & UnsignedInteger>(_ value: Int, _ what: String) throws -> Number {
    guard let number = Number(exactly: value) else {
        throw GeckoMqttError(.outOfRange, "\(what) is 0 to \(Number.max), not \(value)")
    }
    return number
}
