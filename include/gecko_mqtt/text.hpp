/// @file
/// How C++'s values become C's: for the other files of this folder only.
#ifndef GECKO_MQTT_TEXT_HPP
#define GECKO_MQTT_TEXT_HPP

#include "error.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>

namespace GECKO_MQTT_NAMESPACE {

/// As a time-out: as long as the options say.
inline constexpr std::chrono::milliseconds wait_default = std::chrono::milliseconds::max();

namespace detail {

/// NUL-terminated for one call, and overwritten afterwards: it may be a token.
class Text {
  public:
    explicit Text(std::string_view text) : text_(text) {
        // C would take the text to end at a NUL. This byte makes it what it is in MQTT: not valid.
        std::replace(text_.begin(), text_.end(), '\0', '\xff');
    }
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text() {
        volatile char *bytes = text_.data();
        for (std::size_t i = 0; i < text_.size(); i++)
            bytes[i] = '\0';
    }

    const char *get() const noexcept { return text_.c_str(); }
    const char *or_null() const noexcept { return text_.empty() ? nullptr : text_.c_str(); }

  private:
    std::string text_;
};

/// Text in structures has a length, but a length of 0 would mean NUL-terminated.
inline const char *counted(std::string_view text) noexcept { return text.empty() ? "" : text.data(); }

inline std::string_view view(const char *text, std::size_t len) noexcept {
    return len == 0 ? std::string_view() : std::string_view(text, len);
}

/// Whether a number of seconds fits into C's type; `seconds::max()` is that type's largest.
template <class Number> bool narrow(std::chrono::seconds from, Number &to) noexcept {
    using Limits = std::numeric_limits<Number>;
    if (from == std::chrono::seconds::max())
        from = std::chrono::seconds(Limits::max());
    if (from.count() < 0 || from.count() > std::int64_t{Limits::max()})
        return false;
    to = static_cast<Number>(from.count());
    return true;
}

/// The longest time-out is 49 days; a negative one does not wait.
inline std::uint32_t wait_ms(std::chrono::milliseconds time) noexcept {
    if (time == wait_default)
        return GECKO_MQTT_WAIT_DEFAULT;
    constexpr std::int64_t longest = GECKO_MQTT_WAIT_DEFAULT - 1;
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, longest));
}

} // namespace detail

} // namespace GECKO_MQTT_NAMESPACE

#endif
