/// @file
/// Callbacks that were registered, and their end.
#ifndef GECKO_MQTT_LISTENER_HPP
#define GECKO_MQTT_LISTENER_HPP

#include "callback.hpp"

namespace GECKO_MQTT_NAMESPACE {

/// Names a callback that was registered. It may be let go: the callback stays until it is removed, or the
/// client is gone.
class Listener {
  public:
    /// No callback.
    Listener() noexcept = default;

    /// Removes the callback: gecko_mqtt_remove_listeners(). No call of it begins any more; one that is
    /// running on another thread may still be. A handler's topic filter stays subscribed. False where it is
    /// gone already.
    bool remove() const noexcept { return function_ && function_->remove() == GECKO_MQTT_OK; }

    /// @cond
    explicit Listener(std::shared_ptr<detail::Function> function) noexcept : function_(std::move(function)) {}

  protected:
    const detail::Function *function() const noexcept { return function_.get(); }
    /// @endcond

  private:
    std::shared_ptr<detail::Function> function_ = {};
};

/// Removes its callback when it goes, and waits until the last call has returned and what the callback holds
/// is gone: a member of the object that the callback uses. Inside a callback of the same client it does not
/// wait, as that would wait for itself.
class ScopedListener : public Listener {
  public:
    /// No callback.
    ScopedListener() noexcept = default;
    /// That callback.
    ScopedListener(Listener listener) noexcept : Listener(std::move(listener)) {}
    /// Takes the other one's callback.
    ScopedListener(ScopedListener &&other) noexcept : Listener(other.release()) {}
    /// Takes the other one's callback; the one that was here goes.
    ScopedListener &operator=(ScopedListener &&other) noexcept {
        ScopedListener old(std::exchange(listener(), other.release()));
        return *this;
    }
    ~ScopedListener() {
        // In the child of a fork nothing is called, and nothing ends.
        if (function() != nullptr && function()->remove() != GECKO_MQTT_ERR_FORKED)
            function()->wait_for_end();
    }

    /// Gives it away: the callback stays.
    Listener release() noexcept { return std::exchange(listener(), Listener()); }

  private:
    Listener &listener() noexcept { return *this; }
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
