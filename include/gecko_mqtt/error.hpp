/// @file
/// Why a call failed, and results that are a value or that.
#ifndef GECKO_MQTT_ERROR_HPP
#define GECKO_MQTT_ERROR_HPP

#include "status.hpp"

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace GECKO_MQTT_NAMESPACE {

/// Why a call failed: what is thrown, and what a Result without a value holds. what() says in words what was
/// wrong and what to do about it; it never holds a secret.
class Error : public std::runtime_error {
  public:
    /// An error with all that it tells.
    Error(Status status, const std::string &message, std::optional<std::uint8_t> reason_code = std::nullopt)
        : std::runtime_error(message), status_(status), reason_code_(reason_code) {}

    /// The last failed call of the C library on this thread, whose status was this.
    static Error last(gecko_mqtt_status_t status) {
        return Error(static_cast<Status>(status), gecko_mqtt_last_error_message());
    }

    /// What kind of failure.
    Status status() const noexcept { return status_; }

    /// The status's group.
    StatusGroup group() const noexcept { return mqtt::group(status_); }

    /// The MQTT reason code of the server's answer, where the failure is one.
    std::optional<std::uint8_t> reason_code() const noexcept { return reason_code_; }

  private:
    Status status_;
    std::optional<std::uint8_t> reason_code_;
};

namespace detail {

/// Without exceptions there is nothing else that could be done.
[[noreturn]] inline void raise([[maybe_unused]] const Error &error) {
#if GECKO_MQTT_EXCEPTIONS
    throw Error(error);
#else
    std::terminate();
#endif
}

} // namespace detail

/// A value, or the error because of which there is none.
///
///     if (auto ack = client.try_publish_wait(message, 5s); !ack)
///         log(ack.error().what());
template <class T> class [[nodiscard]] Result {
  public:
    /// A value.
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    /// An error.
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    /// Whether there is a value.
    bool has_value() const noexcept { return content_.index() == 0; }
    /// Whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// The value; throws the error where there is none (ends the program without exceptions).
    T &value() & { return checked(), **this; }
    /// The same.
    const T &value() const & { return checked(), **this; }
    /// The same; moves it out.
    T &&value() && { return checked(), *std::move(*this); }

    /// The value, which must be there.
    T &operator*() &noexcept { return *std::get_if<0>(&content_); }
    /// The same.
    const T &operator*() const &noexcept { return *std::get_if<0>(&content_); }
    /// The same; moves it out.
    T &&operator*() &&noexcept { return std::move(*std::get_if<0>(&content_)); }
    /// The value, which must be there.
    T *operator->() noexcept { return std::get_if<0>(&content_); }
    /// The same.
    const T *operator->() const noexcept { return std::get_if<0>(&content_); }

    /// The value, or another one where there is none.
    template <class U> T value_or(U &&otherwise) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(otherwise));
    }
    /// The same; moves it out.
    template <class U> T value_or(U &&otherwise) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(otherwise));
    }

    /// The error, which must be there.
    const Error &error() const noexcept { return *std::get_if<1>(&content_); }

  private:
    void checked() const {
        if (!has_value())
            detail::raise(error());
    }

    std::variant<T, Error> content_;
};

/// Success, or an error.
template <> class [[nodiscard]] Result<void> {
  public:
    /// Success.
    Result() = default;
    /// An error.
    Result(Error error) : error_(std::move(error)) {}

    /// Whether it is a success.
    bool has_value() const noexcept { return !error_; }
    /// Whether it is a success.
    explicit operator bool() const noexcept { return has_value(); }

    /// Throws the error where there is one (ends the program without exceptions).
    void value() const {
        if (error_)
            detail::raise(*error_);
    }

    /// The error, which must be there.
    const Error &error() const noexcept { return *error_; }

  private:
    std::optional<Error> error_ = {};
};

namespace detail {

/// What a function of the C library returned on this thread just now.
inline Result<void> result(gecko_mqtt_status_t status) {
    return status == GECKO_MQTT_OK ? Result<void>() : Result<void>(Error::last(status));
}

} // namespace detail

} // namespace GECKO_MQTT_NAMESPACE

#endif
