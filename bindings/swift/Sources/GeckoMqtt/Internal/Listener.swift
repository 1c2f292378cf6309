import CGeckoMqtt

/// Told what a client's listeners are told, on threads of the library, one call at a time. It runs no code of the application.
final class Listener: Sendable {
    let router: Router
    let events = Broadcast<ConnectionEvent>()
    let states = Broadcast<ConnectionState>(first: .disconnected)
    let stateChanges = Broadcast<String>()
    private let manual: Bool

    init(manual: Bool) {
        self.manual = manual
        router = Router(manual: manual)
    }

    /// Listens to a client.
    func register(_ client: Handle) throws {
        let destroy = UserData.destroy
        try check(
            gecko_mqtt_on_message(
                client.pointer,
                { message, userdata in
                    guard let message, let listener = UserData.object(userdata, Listener.self) else { return }
                    listener.router.route(ReceivedMessage(message.pointee, manual: listener.manual))
                }, UserData.retain(self), destroy))
        try check(
            gecko_mqtt_on_connection_event(
                client.pointer,
                { event, userdata in
                    guard let event else { return }
                    UserData.object(userdata, Listener.self)?.tell(ConnectionEvent(event.pointee))
                }, UserData.retain(self), destroy))
        try check(
            gecko_mqtt_on_connection_state_change(
                client.pointer,
                { state, userdata in
                    UserData.object(userdata, Listener.self)?.states.tell(ConnectionState(state))
                }, UserData.retain(self), destroy))
        try check(
            gecko_mqtt_on_state_change(
                client.pointer,
                { state, userdata in
                    guard let state else { return }
                    UserData.object(userdata, Listener.self)?.stateChanges.tell(String(cString: state))
                }, UserData.retain(self), destroy))
    }

    private func tell(_ event: ConnectionEvent) {
        let another = event.kind == .connected || event.kind == .tokenRefreshed
        if another, event.sessionPresent { router.forgetWhatComesAgain() }
        events.tell(event)
    }

    /// Nothing is told any more.
    func close() {
        router.close()
        states.tell(.disconnected)
        events.close()
        states.close()
        stateChanges.close()
    }
}
