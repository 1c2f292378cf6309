/// @file
/// The application's functions: kept while the C library may call them, their exceptions caught.
#ifndef GECKO_MQTT_CALLBACK_HPP
#define GECKO_MQTT_CALLBACK_HPP

#include "error.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>

namespace GECKO_MQTT_NAMESPACE {

#if GECKO_MQTT_EXCEPTIONS
/// Told what a callback has thrown; on the thread that ran it. What it throws itself ends the program.
using ExceptionHandler = std::function<void(std::exception_ptr)>;
#endif

namespace detail {

#if GECKO_MQTT_EXCEPTIONS
/// Whom to tell what callbacks throw. Shared by options and the clients made with them.
class Exceptions {
  public:
    void set(ExceptionHandler handler) {
        const std::lock_guard<std::mutex> lock(mutex_);
        handler_.swap(handler);
    }
    void tell(std::exception_ptr exception) noexcept {
        ExceptionHandler handler;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            handler = handler_;
        }
        if (handler)
            handler(std::move(exception));
    }

  private:
    std::mutex mutex_ = {};
    ExceptionHandler handler_ = {};
};
#else
class Exceptions {};
#endif

/// What the registrations of one client share.
struct Context {
    explicit Context(std::shared_ptr<Exceptions> told) noexcept : exceptions(std::move(told)) {}
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    std::shared_ptr<Exceptions> exceptions;
    gecko_mqtt_client_t *client = nullptr;
    std::mutex mutex = {};
    /// A function has had its last call.
    std::condition_variable ended = {};
};

/// Marks a context as running code of the application on this thread.
class Running {
  public:
    explicit Running(const Context *context) noexcept : context_(context), outer_(innermost()) {
        innermost() = this;
    }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;
    ~Running() { innermost() = outer_; }

    static bool here(const Context *context) noexcept {
        const Running *running = innermost();
        while (running != nullptr && running->context_ != context)
            running = running->outer_;
        return running != nullptr;
    }

  private:
    static const Running *&innermost() noexcept {
        static thread_local const Running *innermost = nullptr;
        return innermost;
    }

    const Context *context_;
    const Running *outer_;
};

/// A function of the application. While it is registered it keeps itself, and what C calls `userdata` is its
/// address; listeners keep its place from being used again, so that they cannot mean another one.
class Function {
  public:
    Function() = default;
    Function(const Function &) = delete;
    Function &operator=(const Function &) = delete;
    virtual ~Function() = default;

    static void *enrol(std::shared_ptr<Function> function, std::shared_ptr<Context> context) noexcept {
        if (!function)
            return nullptr;
        Function *userdata = function.get();
        userdata->context_ = std::move(context);
        userdata->self_ = std::move(function);
        return userdata;
    }

    static Function &of(void *userdata) noexcept { return *static_cast<Function *>(userdata); }

    /// The destroy hook: what the function holds goes, and those who wait for its last call are told.
    static void end(void *userdata) noexcept {
        if (userdata == nullptr)
            return;
        const std::shared_ptr<Function> self = std::move(of(userdata).self_);
        const std::shared_ptr<Context> context = self->context_;
        {
            const Running running(context.get());
            self->drop();
        }
        if (context) {
            const std::lock_guard<std::mutex> lock(context->mutex);
            self->ended_ = true;
            context->ended.notify_all();
        }
    }

    /// Where it is a listener: has it called no more.
    gecko_mqtt_status_t remove() const noexcept {
        return gecko_mqtt_remove_listeners(context_->client, this);
    }

    /// Waits until it is called no more, unless this very thread is what it waits for.
    void wait_for_end() const {
        if (Running::here(context_.get()))
            return;
        std::unique_lock<std::mutex> lock(context_->mutex);
        context_->ended.wait(lock, [this] { return ended_; });
    }

  protected:
    virtual void drop() noexcept = 0;

    template <class Call> void guarded(Call call) noexcept {
        const Running running(context_.get());
#if GECKO_MQTT_EXCEPTIONS
        try {
            call();
        } catch (...) {
            context_->exceptions->tell(std::current_exception());
        }
#else
        call();
#endif
    }

  private:
    std::shared_ptr<Context> context_ = {};
    std::shared_ptr<Function> self_ = {};
    bool ended_ = false;
};

/// One that takes these arguments.
template <class... Arguments> class FunctionOf : public Function {
  public:
    /// Calls it for the C library.
    static void call(void *userdata, Arguments... arguments) noexcept {
        auto &function = static_cast<FunctionOf &>(of(userdata));
        function.guarded([&] { function.invoke(std::forward<Arguments>(arguments)...); });
    }
    virtual void invoke(Arguments... arguments) = 0;
};

template <class F, class... Arguments> class FunctionObject final : public FunctionOf<Arguments...> {
  public:
    template <class From> explicit FunctionObject(From &&from) : function_(std::forward<From>(from)) {}

    void invoke(Arguments... arguments) override {
        std::invoke(*function_, std::forward<Arguments>(arguments)...);
    }

  private:
    void drop() noexcept override { function_.reset(); }

    std::optional<F> function_;
};

/// Function pointers, std::function and their like.
template <class F>
inline constexpr bool can_be_null = std::is_constructible_v<F, std::nullptr_t> && !std::is_empty_v<F>;

} // namespace detail

template <class Signature> class Callback;

/// Any function object, such as a lambda; one that can only be moved too. Without one it is empty.
template <class... Arguments> class Callback<void(Arguments...)> {
  public:
    /// Empty.
    Callback() noexcept = default;
    /// Empty.
    Callback(std::nullptr_t) noexcept {}

    /// That function; empty for a null pointer and an empty std::function.
    template <class F, std::enable_if_t<!std::is_same_v<std::decay_t<F>, Callback>, int> = 0,
              class = std::enable_if_t<std::is_invocable_v<std::decay_t<F> &, Arguments...>>>
    Callback(F &&function) {
        using Object = std::decay_t<F>;
        if constexpr (detail::can_be_null<Object>) {
            if (function == nullptr)
                return;
        }
        function_ = std::make_shared<detail::FunctionObject<Object, Arguments...>>(std::forward<F>(function));
    }

    /// Takes the other one's function.
    Callback(Callback &&) noexcept = default;
    /// Takes the other one's function.
    Callback &operator=(Callback &&) noexcept = default;
    Callback(const Callback &) = delete;
    Callback &operator=(const Callback &) = delete;
    ~Callback() = default;

    /// Whether there is one.
    explicit operator bool() const noexcept { return function_ != nullptr; }

    /// Calls it; it must be there.
    void operator()(Arguments... arguments) const {
        function_->invoke(std::forward<Arguments>(arguments)...);
    }

    /// @cond
    const std::shared_ptr<detail::FunctionOf<Arguments...>> &share() const noexcept { return function_; }
    /// @endcond

  private:
    std::shared_ptr<detail::FunctionOf<Arguments...>> function_ = {};
};

} // namespace GECKO_MQTT_NAMESPACE

#endif
