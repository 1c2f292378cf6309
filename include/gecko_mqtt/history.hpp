/// @file
/// What happened to a connection lately.
#ifndef GECKO_MQTT_HISTORY_HPP
#define GECKO_MQTT_HISTORY_HPP

#include "event.hpp"

#include <cstddef>
#include <iterator>

namespace GECKO_MQTT_NAMESPACE {

/// A snapshot of a client's last events, oldest first. It can be moved, not copied; several threads may read
/// it.
///
///     for (const mqtt::Event event : client.connection_history())
///         std::cout << event.kind << ": " << event.message << '\n';
class History {
  public:
    /// Goes through the events.
    class iterator {
      public:
        /// @cond
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = Event;

        iterator() noexcept = default;
        iterator(const History &history, std::size_t index) noexcept : history_(&history), index_(index) {}
        Event operator*() const noexcept { return (*history_)[index_]; }
        iterator &operator++() noexcept { return ++index_, *this; }
        iterator operator++(int) noexcept { return iterator(*history_, index_++); }
        bool operator==(const iterator &other) const noexcept { return index_ == other.index_; }
        bool operator!=(const iterator &other) const noexcept { return index_ != other.index_; }
        /// @endcond

      private:
        const History *history_ = nullptr;
        std::size_t index_ = 0;
    };

    /// Takes over what gecko_mqtt_get_connection_history() gave.
    explicit History(gecko_mqtt_history_t *native) noexcept
        : native_(native), size_(native == nullptr ? 0 : gecko_mqtt_history_count(native)) {}
    /// Takes the other one's events.
    History(History &&other) noexcept
        : native_(std::exchange(other.native_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    /// Takes the other one's events.
    History &operator=(History &&other) noexcept {
        std::swap(native_, other.native_);
        std::swap(size_, other.size_);
        return *this;
    }
    History(const History &) = delete;
    History &operator=(const History &) = delete;
    ~History() { gecko_mqtt_history_free(native_); }

    /// How many.
    std::size_t size() const noexcept { return size_; }
    /// Whether there are none.
    bool empty() const noexcept { return size_ == 0; }
    /// One of them, which must be there. Its texts are valid as long as this history.
    Event operator[](std::size_t index) const noexcept {
        return detail::event(*gecko_mqtt_history_at(native_, index));
    }
    /// The oldest one.
    iterator begin() const noexcept { return iterator(*this, 0); }
    /// Behind the newest one.
    iterator end() const noexcept { return iterator(*this, size_); }

  private:
    gecko_mqtt_history_t *native_;
    std::size_t size_;
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
