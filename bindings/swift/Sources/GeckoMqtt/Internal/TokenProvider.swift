import CGeckoMqtt

/// Answers the library's requests for tokens with what the application's closure gives.
final class TokenProvider: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var closed = false
    }

    private let provider: @Sendable () async throws -> Token
    private let timeout: Duration
    private let state = Locked(State())

    init(_ provider: @escaping @Sendable () async throws -> Token, timeout: Duration?) {
        self.provider = provider
        // The library waits so long unless it is told otherwise.
        self.timeout = timeout ?? .seconds(30)
    }

    func ask(_ request: gecko_mqtt_token_request_t) {
        let task = Task.detached { [provider, timeout] in
            let asking = Task.detached { try await provider() }
            // Not as a child task: for a provider that does not heed its cancellation nobody shall wait.
            let timer = Task.detached {
                try? await Task.sleep(for: timeout)
                asking.cancel()
            }
            await withTaskCancellationHandler {
                answer(request, await asking.result)
            } onCancel: {
                asking.cancel()
            }
            timer.cancel()
        }
        let closed = state.withLock { state in
            state.task = task
            return state.closed
        }
        if closed { task.cancel() }
    }

    func close() {
        state.withLock { state in
            state.closed = true
            return state.task
        }?.cancel()
    }
}

/// One that cannot be used is a failure, not a request left open. Answers to a request that is over harm nothing.
private func answer(_ request: gecko_mqtt_token_request_t, _ result: Result<Token, any Error>) {
    do {
        try result.get().withC { try check(gecko_mqtt_token_request_complete(request, $0)) }
    } catch {
        withText(reason(error)) { _ = gecko_mqtt_token_request_fail(request, $0) }
    }
}

private func reason(_ error: any Error) -> String {
    switch error {
    case let error as TokenUnavailable: error.reason
    // Those of this library hold no secret.
    case let error as GeckoMqttError: error.description
    default: "the token provider threw \(type(of: error))"
    }
}
