import CGeckoMqtt

/// A token for a custom authorizer. It prints as `***`. What the library copies of it is overwritten when it is needed no more;
/// the strings in here are Swift's, which are not.
public struct Token: Sendable {
    private var accessToken: String?
    private var signature: String?
    private var username: String?
    private var brokerURL: String?
    private var expiresIn: Duration?

    /// An access token.
    ///
    /// - Parameters:
    ///   - accessToken: the token itself.
    ///   - signature: its signature, where the authorizer wants signed tokens.
    ///   - username: what the user name begins with, before the authorizer's parameters.
    ///   - expiresIn: time from now until it expires; nil: read it from the token.
    public init(_ accessToken: String, signature: String? = nil, username: String? = nil, expiresIn: Duration? = nil) {
        self.accessToken = accessToken
        self.signature = signature
        self.username = username
        self.expiresIn = expiresIn
    }

    /// One that is all in Gecko's authorizer URL.
    ///
    /// - Parameters:
    ///   - brokerURL: the URL.
    ///   - expiresIn: time from now until it expires; nil: read it from the token in the URL.
    public init(brokerURL: String, expiresIn: Duration? = nil) {
        self.brokerURL = brokerURL
        self.expiresIn = expiresIn
    }

    func withC<Result>(_ body: (UnsafePointer<gecko_mqtt_token_t>) throws -> Result) throws -> Result {
        var token = gecko_mqtt_token_t()
        try check(gecko_mqtt_token_init(&token, MemoryLayout<gecko_mqtt_token_t>.size))
        if let expiresIn { token.expires_in_secs = try seconds(expiresIn, "a token's life") }
        return try withText(accessToken) { accessToken in
            try withText(signature) { signature in
                try withText(username) { username in
                    try withText(brokerURL) { brokerURL in
                        token.access_token = accessToken
                        token.signature = signature
                        token.username = username
                        token.broker_url = brokerURL
                        return try body(&token)
                    }
                }
            }
        }
    }
}

extension Token: CustomStringConvertible, CustomReflectable {
    /// Tells nothing.
    public var description: String { "Token(***)" }
    /// Tells nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Thrown by a token provider that wants its own words in logs, events and errors: the reason is told as it is, so no secret
/// belongs into it. Of any other error only the type is told, since its text may quote a URL with a token.
public struct TokenUnavailable: Error, Hashable {
    /// Why there is no token.
    public let reason: String

    /// An error with that reason.
    public init(_ reason: String) {
        self.reason = reason
    }
}
