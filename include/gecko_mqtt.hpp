/// @file
/// Keeps a device connected to AWS IoT Core over MQTT 5: gecko_mqtt.h for C++17 and later.
///
///     namespace mqtt = gecko::mqtt;
///     using namespace std::chrono_literals;
///
///     mqtt::Options options;
///     options.broker_url(url).token_provider([](mqtt::TokenRequest request) {
///         request.complete(mqtt::Token::from_broker_url(ask_the_cloud()));
///     });
///     mqtt::Client client(options);
///     client.connect(10s);
///     client.subscribe_wait("spa/42/#", mqtt::QoS::at_least_once,
///                           [](const mqtt::Message &message) { handle(message.topic(), message.payload());
///                           });
///     client.publish({"spa/42/state", json}, [](const mqtt::Result<mqtt::Ack> &ack) {
///         if (!ack)
///             complain(ack.error().what());
///     });
///
/// @par Errors
/// Everything that can fail is there twice. `client.connect(10s)` throws gecko::mqtt::Error, which says what
/// is wrong and what to do; `client.try_connect(10s)` throws nothing of this library, but returns a
/// gecko::mqtt::Result with the value or the Error. Where exceptions are switched off (-fno-exceptions) only
/// the second kind is there. Memory that cannot be had is std::bad_alloc with both.
///
/// @par Ownership
/// Client, Options, OwnedMessage, History, ScopedListener and TokenRequest own what they stand for: they can
/// be moved, and what was moved from does no harm. Message, Event and all std::string_view and Bytes that are
/// handed out are views, valid until the callback returns or as long as their History. Publish, Token and
/// Subscription are views of what they are given; it is copied before the call returns.
///
/// @par Callbacks
/// Any function object, also one that can only be moved. It is kept until it is removed, replaced or refused,
/// or the client is gone, and destroyed exactly once, after its last call; a completion right after its call.
/// What it throws ends that call alone: Options::on_callback_exception() tells it. It may call any function
/// and destroy the client. Callbacks of one client come one at a time and in order, so that what only they
/// use needs no lock; on a thread of the library, or inside Client::dispatch() with DispatchMode::app.
///
/// @par Threads
/// A client may be used by any thread, by several at a time, as long as nobody moves or destroys it
/// meanwhile. Other objects are for one thread at a time.
///
/// @par Time
/// Times are std::chrono's. As a time-out, 0 does not wait, and gecko::mqtt::wait_default, which is what a
/// call without one has, waits as long as the options say.
#ifndef GECKO_MQTT_HPP
#define GECKO_MQTT_HPP

#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "gecko_mqtt.hpp needs C++17"
#endif

#include "gecko_mqtt/client.hpp"
#include "gecko_mqtt/log.hpp"

/// The library for C++.
namespace gecko::mqtt {}

#endif
