/// @file
/// Messages: to be published, received, and kept.
#ifndef GECKO_MQTT_MESSAGE_HPP
#define GECKO_MQTT_MESSAGE_HPP

#include "text.hpp"

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <vector>

namespace GECKO_MQTT_NAMESPACE {

/// Quality of service.
enum class QoS : std::uint8_t {
    /// 0: sent once; lost when the connection is.
    at_most_once = 0,
    /// 1: sent until it is acknowledged; may come twice.
    at_least_once = 1,
    /// 2: comes once. AWS IoT has none.
    exactly_once = 2
};

class Bytes;

namespace detail {

template <class T>
inline constexpr bool is_text = std::is_convertible_v<const T &, std::string_view> &&
                                !std::is_same_v<T, std::string_view> && !std::is_same_v<T, std::nullptr_t>;

template <class T, class = void> struct is_byte_container : std::false_type {};
template <class T>
struct is_byte_container<
    T, std::enable_if_t<sizeof(*std::data(std::declval<const T &>())) == 1 &&
                        !std::is_convertible_v<const T &, std::string_view> && !std::is_same_v<T, Bytes>>>
    : std::true_type {};

} // namespace detail

/// Bytes that belong to somebody else: of text, of any container of bytes, or from a pointer and a length.
class Bytes {
  public:
    /// None.
    constexpr Bytes() noexcept = default;
    /// So many bytes from there.
    Bytes(const void *data, std::size_t size) noexcept
        : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}

    /// Those of a text, without a NUL at its end.
    template <class Text, std::enable_if_t<detail::is_text<Text>, int> = 0>
    Bytes(const Text &text) noexcept : Bytes(std::string_view(text)) {}
    /// Those of a text.
    Bytes(std::string_view text) noexcept : Bytes(text.data(), text.size()) {}
    /// Those of a container, such as std::vector<std::uint8_t>, std::array<std::byte, N> and std::span.
    template <class Container, std::enable_if_t<detail::is_byte_container<Container>::value, int> = 0>
    Bytes(const Container &container) noexcept : Bytes(std::data(container), std::size(container)) {}

    /// The first one; nullptr where there are none at all.
    const std::uint8_t *data() const noexcept { return data_; }
    /// How many.
    std::size_t size() const noexcept { return size_; }
    /// Whether there are none.
    bool empty() const noexcept { return size_ == 0; }
    /// The first one.
    const std::uint8_t *begin() const noexcept { return data_; }
    /// Behind the last one.
    const std::uint8_t *end() const noexcept { return data_ + size_; }
    /// One of them, not checked.
    std::uint8_t operator[](std::size_t index) const noexcept { return data_[index]; }
    /// The same as text, not checked to be UTF-8.
    std::string_view text() const noexcept {
        return size_ == 0 ? std::string_view()
                          : std::string_view(reinterpret_cast<const char *>(data_), size_);
    }

  private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/// One user property: a name and a value; names may repeat.
struct UserProperty {
    /// The name.
    std::string_view name;
    /// The value.
    std::string_view value;
};

/// The user properties of a received message, in order.
class UserProperties {
  public:
    /// Goes through them.
    class iterator {
      public:
        /// @cond
        using iterator_category = std::input_iterator_tag;
        using value_type = UserProperty;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = UserProperty;

        iterator() noexcept = default;
        explicit iterator(const gecko_mqtt_user_property_t *at) noexcept : at_(at) {}
        UserProperty operator*() const noexcept {
            return {detail::view(at_->name, at_->name_len), detail::view(at_->value, at_->value_len)};
        }
        iterator &operator++() noexcept { return ++at_, *this; }
        iterator operator++(int) noexcept { return iterator(at_++); }
        bool operator==(const iterator &other) const noexcept { return at_ == other.at_; }
        bool operator!=(const iterator &other) const noexcept { return at_ != other.at_; }
        /// @endcond

      private:
        const gecko_mqtt_user_property_t *at_ = nullptr;
    };

    /// Those of a structure of C.
    UserProperties(const gecko_mqtt_user_property_t *first, std::size_t count) noexcept
        : first_(first), count_(count) {}

    /// The first one.
    iterator begin() const noexcept { return iterator(first_); }
    /// Behind the last one.
    iterator end() const noexcept { return iterator(first_ + count_); }
    /// How many.
    std::size_t size() const noexcept { return count_; }
    /// Whether there are none.
    bool empty() const noexcept { return count_ == 0; }

    /// The value of the first one with that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept {
        for (const UserProperty property : *this)
            if (property.name == name)
                return property.value;
        return std::nullopt;
    }

  private:
    const gecko_mqtt_user_property_t *first_;
    std::size_t count_;
};

class OwnedMessage;

/// A message that was received: a view, like std::string_view. It, and all that it gives, is valid until the
/// callback that was given it returns; keep() makes a message that lives longer.
class Message {
  public:
    /// A view of what the C library hands out.
    explicit Message(const gecko_mqtt_message_t &native) noexcept : native_(&native) {}

    /// The topic name.
    std::string_view topic() const noexcept { return detail::view(native_->topic, native_->topic_len); }
    /// The payload.
    Bytes payload() const noexcept { return {native_->payload, native_->payload_len}; }
    /// The payload as text, not checked to be UTF-8.
    std::string_view text() const noexcept { return payload().text(); }
    /// The quality of service it came with.
    QoS qos() const noexcept { return static_cast<QoS>(native_->qos); }
    /// Whether the server had kept it for later subscribers.
    bool retained() const noexcept { return native_->retain != 0; }
    /// Whether the server has perhaps sent it before.
    bool dup() const noexcept { return native_->dup != 0; }
    /// Whether its sender says that the payload is UTF-8 text.
    bool payload_is_text() const noexcept { return native_->payload_format == 1; }
    /// The MIME type of the payload, or "".
    std::string_view content_type() const noexcept {
        return detail::view(native_->content_type, native_->content_type_len);
    }
    /// The topic on which an answer is expected, or "".
    std::string_view response_topic() const noexcept {
        return detail::view(native_->response_topic, native_->response_topic_len);
    }
    /// What the answer shall carry; data() is nullptr where there is none.
    Bytes correlation_data() const noexcept {
        return {native_->correlation_data, native_->correlation_data_len};
    }
    /// The user properties.
    UserProperties user_properties() const noexcept {
        return {native_->user_properties, native_->user_property_count};
    }
    /// Identifiers of the subscriptions that it matched, where the server tells them.
    std::vector<std::uint32_t> subscription_ids() const {
        return {native_->subscription_ids, native_->subscription_ids + native_->subscription_id_count};
    }
    /// How long it is worth anything; 0: without end.
    std::chrono::seconds expiry() const noexcept {
        return std::chrono::seconds(native_->message_expiry_secs);
    }

    /// Acknowledges it by hand, from any thread, for clients with Options::manual_ack():
    /// gecko_mqtt_message_ack().
    Result<void> try_ack() const { return detail::result(gecko_mqtt_message_ack(native_)); }
    /// A copy that may outlive the callback, and the client too: gecko_mqtt_message_retain().
    Result<OwnedMessage> try_keep() const;
#if GECKO_MQTT_EXCEPTIONS
    /// As try_ack(); throws Error.
    void ack() const { try_ack().value(); }
    /// As try_keep(); throws Error.
    OwnedMessage keep() const;
#endif

    /// The structure behind it.
    const gecko_mqtt_message_t &native() const noexcept { return *native_; }

  private:
    const gecko_mqtt_message_t *native_;
};

/// A message that the program keeps beyond its callback, on any thread: it can be read, acknowledged by hand
/// and kept again. (MQTT calls "retained" what a server keeps.) Moved from, it is a message without anything.
class OwnedMessage : public Message {
  public:
    /// Takes over what gecko_mqtt_message_retain() gave.
    explicit OwnedMessage(const gecko_mqtt_message_t *native) noexcept : Message(*native) {}
    /// Takes the other one's place.
    OwnedMessage(OwnedMessage &&other) noexcept : Message(other) { other.view() = Message(nothing()); }
    /// Takes the other one's place.
    OwnedMessage &operator=(OwnedMessage &&other) noexcept {
        std::swap(view(), other.view());
        return *this;
    }
    ~OwnedMessage() {
        if (&native() != &nothing())
            gecko_mqtt_message_release(&native());
    }

  private:
    static const gecko_mqtt_message_t &nothing() noexcept {
        static const gecko_mqtt_message_t empty = GECKO_MQTT_MESSAGE_INIT;
        return empty;
    }
    Message &view() noexcept { return *this; }
};

inline Result<OwnedMessage> Message::try_keep() const {
    const gecko_mqtt_message_t *copy = nullptr;
    const gecko_mqtt_status_t status = gecko_mqtt_message_retain(native_, &copy);
    if (status != GECKO_MQTT_OK)
        return Error::last(status);
    return OwnedMessage(copy);
}

#if GECKO_MQTT_EXCEPTIONS
inline OwnedMessage Message::keep() const { return try_keep().value(); }
#endif

/// A message to be published. What it is given stays the caller's and is copied when it is published; so make
/// it where it is used:
///
///     client.publish({"spa/42/state", json});                                       // C++17
///     client.publish({.topic = "spa/42/state", .payload = json, .retain = true});   // C++20
struct Publish {
    /// The topic name, without wildcards.
    std::string_view topic;
    /// The payload.
    Bytes payload = {};
    /// The quality of service.
    QoS qos = QoS::at_least_once;
    /// Whether the server shall keep it for later subscribers.
    bool retain = false;
    /// Whether the payload is said to be UTF-8 text.
    bool payload_is_text = false;
    /// The MIME type of the payload.
    std::string_view content_type = {};
    /// The topic on which an answer is expected.
    std::string_view response_topic = {};
    /// What the answer shall carry.
    Bytes correlation_data = {};
    /// The user properties, in order.
    std::vector<UserProperty> user_properties = {};
    /// How long it is worth anything; 0: without end.
    std::chrono::seconds expiry = {};

    /// A received message, to be published again.
    static Publish of(const Message &message) {
        const UserProperties properties = message.user_properties();
        return {message.topic(),          message.payload(),          message.qos(),
                message.retained(),       message.payload_is_text(),  message.content_type(),
                message.response_topic(), message.correlation_data(), {properties.begin(), properties.end()},
                message.expiry()};
    }
};

namespace detail {

/// A Publish as C sees it, for one call.
class NativePublish {
  public:
    explicit NativePublish(const Publish &from) {
        native_.topic = counted(from.topic);
        native_.topic_len = from.topic.size();
        native_.payload = from.payload.data();
        native_.payload_len = from.payload.size();
        native_.qos = static_cast<std::uint8_t>(from.qos);
        native_.retain = from.retain ? 1 : 0;
        native_.payload_format = from.payload_is_text ? 1 : 0;
        native_.content_type = counted(from.content_type);
        native_.content_type_len = from.content_type.size();
        native_.response_topic = counted(from.response_topic);
        native_.response_topic_len = from.response_topic.size();
        native_.correlation_data = from.correlation_data.data();
        native_.correlation_data_len = from.correlation_data.size();
        valid_ = narrow(from.expiry, native_.message_expiry_secs);
        properties_.reserve(from.user_properties.size());
        for (const UserProperty &property : from.user_properties)
            properties_.push_back({counted(property.name),
                                   property.name.size(),
                                   counted(property.value),
                                   property.value.size(),
                                   {0, 0}});
        native_.user_properties = properties_.data();
        native_.user_property_count = properties_.size();
    }
    NativePublish(const NativePublish &) = delete;
    NativePublish &operator=(const NativePublish &) = delete;

    /// Whether C can say it at all.
    Result<void> check() const {
        if (!valid_)
            return Error(Status::out_of_range, "a message's expiry interval is 0 to 4294967295 seconds");
        return {};
    }
    const gecko_mqtt_message_t *get() const noexcept { return &native_; }

  private:
    gecko_mqtt_message_t native_ = GECKO_MQTT_MESSAGE_INIT;
    std::vector<gecko_mqtt_user_property_t> properties_ = {};
    bool valid_ = true;
};

} // namespace detail

} // namespace GECKO_MQTT_NAMESPACE

#endif
