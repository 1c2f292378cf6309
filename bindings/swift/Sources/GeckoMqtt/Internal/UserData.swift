import CGeckoMqtt

/// What is handed to C as `userdata`: C holds a reference to the object until it needs it no more.
enum UserData {
    private static let count = Locked(0)

    /// How many objects C holds.
    static var held: Int { count.withLock { $0 } }

    static func retain(_ object: some AnyObject & Sendable) -> UnsafeMutableRawPointer {
        count.withLock { $0 += 1 }
        return Unmanaged.passRetained(object).toOpaque()
    }

    /// The object, while C holds it.
    static func object<Object: AnyObject & Sendable>(_ userdata: UnsafeMutableRawPointer?, _: Object.Type) -> Object? {
        userdata.map { Unmanaged<Object>.fromOpaque($0).takeUnretainedValue() }
    }

    /// C needs it no more.
    static func release(_ userdata: UnsafeMutableRawPointer?) {
        guard let userdata else { return }
        Unmanaged<AnyObject>.fromOpaque(userdata).release()
        count.withLock { $0 -= 1 }
    }

    /// For C's destroy hooks.
    static let destroy: @Sendable @convention(c) (UnsafeMutableRawPointer?) -> Void = { UserData.release($0) }
}

/// A handle of C's client. Any thread may use it, and one that was freed harms nothing.
struct Handle: @unchecked Sendable {
    let pointer: OpaquePointer
}
