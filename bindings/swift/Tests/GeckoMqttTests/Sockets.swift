import Foundation

#if canImport(Glibc)
import Glibc
private let stream = Int32(SOCK_STREAM.rawValue)
#else
import Darwin
private let stream = SOCK_STREAM
#endif

struct SocketError: Error {
    let code = errno
}

/// A TCP socket on the loopback interface.
struct Socket: Sendable {
    let descriptor: Int32

    /// One that listens on a port that the system chooses.
    static func listening() throws -> (socket: Socket, port: Int) {
        let socket = Socket(descriptor: Foundation.socket(AF_INET, stream, 0))
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket.descriptor, address, length) == 0 && listen(socket.descriptor, 50) == 0
                    && getsockname(socket.descriptor, address, &length) == 0
            }
        }
        guard status else { throw SocketError() }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }

    static func connected(_ port: Int) throws -> Socket {
        let socket = Socket(descriptor: Foundation.socket(AF_INET, stream, 0))
        var address = loopback(UInt16(port))
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SocketError() }
        return socket
    }

    func accepted() throws -> Socket {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { throw SocketError() }
        return Socket(descriptor: client)
    }

    /// Some bytes; none at the end.
    func read() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return Array(bytes.prefix(max(count, 0)))
    }

    func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw SocketError() }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends it both ways; whoever reads hears of it.
    func cut() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    func close() {
        _ = Foundation.close(descriptor)
    }
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// Stands between a client and the simulator, and can cut the connection.
final class Proxy: Sendable {
    let port: Int
    private let listener: Socket
    private let pairs = Sockets()

    init(_ target: Int) throws {
        (listener, port) = try Socket.listening()
        Thread.detachNewThread { [listener, pairs] in
            while let client = try? listener.accepted(), let server = try? Socket.connected(target) {
                pairs.add([client, server])
                for (from, to) in [(client, server), (server, client)] {
                    Thread.detachNewThread {
                        while case let bytes = from.read(), !bytes.isEmpty, (try? to.write(bytes)) != nil {}
                        to.cut()
                    }
                }
            }
        }
    }

    /// Cuts the connections that are there; new ones can be made.
    func cut() {
        pairs.cut()
    }

    func close() {
        listener.cut()
        cut()
    }

    private final class Sockets: @unchecked Sendable {
        private let lock = NSLock()
        private var sockets: [Socket] = []

        func add(_ new: [Socket]) {
            lock.withLock { sockets += new }
        }

        func cut() {
            lock.withLock {
                sockets.forEach { $0.cut() }
                sockets = []
            }
        }
    }
}
