/// @file
/// Tokens for a custom authorizer, and the requests for them.
#ifndef GECKO_MQTT_TOKEN_HPP
#define GECKO_MQTT_TOKEN_HPP

#include "callback.hpp"
#include "text.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// A token: either a broker URL alone, or an access token with what belongs to it. What it is given stays the
/// caller's, and is copied when the token is.
struct Token {
    /// The token itself.
    std::string_view access_token;
    /// The token's signature, where the authorizer wants signed tokens.
    std::string_view signature = {};
    /// What the user name begins with, before the authorizer's parameters.
    std::string_view username = {};
    /// Time from now until it expires; 0: read it from the token.
    std::chrono::seconds expires_in = {};
    /// Gecko's authorizer URL, which holds all the others.
    std::string_view broker_url = {};

    /// One that is all in Gecko's authorizer URL.
    static Token from_broker_url(std::string_view url, std::chrono::seconds expires_in = {}) noexcept {
        Token token{};
        token.broker_url = url;
        token.expires_in = expires_in;
        return token;
    }
};

namespace detail {

/// A Token as C sees it, for one call.
class NativeToken {
  public:
    explicit NativeToken(const Token &from)
        : access_token_(from.access_token), signature_(from.signature), username_(from.username),
          broker_url_(from.broker_url) {
        native_.access_token = access_token_.or_null();
        native_.signature = signature_.or_null();
        native_.username = username_.or_null();
        native_.broker_url = broker_url_.or_null();
        valid_ = narrow(from.expires_in, native_.expires_in_secs);
    }
    NativeToken(const NativeToken &) = delete;
    NativeToken &operator=(const NativeToken &) = delete;

    /// Whether C can say it at all.
    Result<void> check() const {
        if (!valid_)
            return Error(Status::out_of_range, "a token expires in 0 to 4294967295 seconds");
        return {};
    }
    const gecko_mqtt_token_t *get() const noexcept { return &native_; }

  private:
    Text access_token_, signature_, username_, broker_url_;
    gecko_mqtt_token_t native_ = GECKO_MQTT_TOKEN_INIT;
    bool valid_ = true;
};

} // namespace detail

/// Asks the application for a token, to be answered at once or later, from any thread. One that goes without
/// an answer has failed, so that a program which forgets it, or throws, does not make the client wait.
class TokenRequest {
  public:
    /// Takes over what the C library asks.
    explicit TokenRequest(gecko_mqtt_token_request_t id) noexcept : id_(id) {}
    /// Takes the other one's place.
    TokenRequest(TokenRequest &&other) noexcept : id_(other.release()) {}
    /// Takes the other one's place; what was asked here before has failed.
    TokenRequest &operator=(TokenRequest &&other) noexcept {
        TokenRequest old(std::exchange(id_, other.release()));
        return *this;
    }
    ~TokenRequest() {
        if (id_ != 0)
            gecko_mqtt_token_request_fail(id_, "the token provider has let the request go without an answer");
    }

    /// Answers with a token: gecko_mqtt_token_request_complete(). One that cannot be used leaves the request
    /// open.
    Result<void> try_complete(const Token &token) {
        const detail::NativeToken native(token);
        if (Result<void> valid = native.check(); !valid)
            return valid;
        return answered(gecko_mqtt_token_request_complete(id_, native.get()));
    }
    /// There is no token to be had, for that reason: gecko_mqtt_token_request_fail(). It is asked again
    /// later.
    Result<void> try_fail(std::string_view reason) {
        return answered(gecko_mqtt_token_request_fail(id_, detail::Text(reason).or_null()));
    }
#if GECKO_MQTT_EXCEPTIONS
    /// As try_complete(); throws Error.
    void complete(const Token &token) { try_complete(token).value(); }
    /// As try_fail(); throws Error.
    void fail(std::string_view reason) { try_fail(reason).value(); }
#endif

    /// What the C library calls it; 0 after the answer.
    gecko_mqtt_token_request_t id() const noexcept { return id_; }
    /// Gives it away: somebody else answers.
    gecko_mqtt_token_request_t release() noexcept { return std::exchange(id_, 0); }

  private:
    Result<void> answered(gecko_mqtt_status_t status) {
        if (status == GECKO_MQTT_OK || status == GECKO_MQTT_ERR_NOT_FOUND)
            id_ = 0;
        return detail::result(status);
    }

    gecko_mqtt_token_request_t id_;
};

/// Called when a token is needed, on a thread of its own, never twice at a time. It may block, and may keep
/// the request for later.
using TokenProvider = Callback<void(TokenRequest)>;

} // namespace GECKO_MQTT_NAMESPACE

#endif
