/**
 * @file gecko_mqtt.h
 * @brief Keeps a device connected to AWS IoT Core over MQTT 5.
 *
 * Generated from the library's sources: do not edit.
 *
 * @par Errors
 * Functions return a #gecko_mqtt_status_t: #GECKO_MQTT_OK (0) or a GECKO_MQTT_ERR_ value.
 * gecko_mqtt_status_string() names it, gecko_mqtt_last_error_message() says what exactly was wrong with the
 * last failed call on this thread. A NULL pointer that must not be is #GECKO_MQTT_ERR_NULL_ARGUMENT and harms
 * nothing, so error paths stay straight. Options remember their first error, and gecko_mqtt_client_new()
 * returns it: a program may check once. Any function may return #GECKO_MQTT_ERR_INTERNAL, which is a defect
 * of this library: please report it.
 *
 * @par Ownership
 * What a pointer to const points to is copied before the call returns. `*_new` functions give a handle, to be
 * given to the `*_free` function of its type; `*_free(NULL)` is allowed. On failure results are NULL or 0. A
 * handle that is of another type, was freed, or is no handle at all is #GECKO_MQTT_ERR_INVALID_HANDLE.
 *
 * @par Callbacks
 * A registration is a function, a `userdata` that is handed to it, and a `destroy` hook (or NULL), which is
 * told when `userdata` is needed no more: exactly once, after the last call of the function; also when the
 * registration fails, and then before the failing function returns. Callbacks of one client come one at a
 * time and in order, on a thread of the library, or inside gecko_mqtt_dispatch() with
 * #GECKO_MQTT_DISPATCH_APP. They may call any function, and free the client too. They must not longjmp or
 * throw: an exception that leaves a callback ends the process.
 *
 * @par Threads
 * A client may be used by any thread, by several at a time. Options are set by one thread at a time. Threads of
 * the library block all signals but those of faults. In the child of a fork, a client of the parent is
 * #GECKO_MQTT_ERR_FORKED, and new ones can be made.
 *
 * @par Time
 * A function that can wait takes `timeout_ms` and keeps it: 0 does not wait, #GECKO_MQTT_WAIT_DEFAULT waits
 * as long as the options say. Inside the log callback and its destroy hook the library's own work may be
 * standing still, so each of these functions returns #GECKO_MQTT_ERR_WOULD_DEADLOCK there, unless its time is 0.
 *
 * @par Text
 * Text is UTF-8. Arguments are NUL-terminated; in structures, text is a pointer and a length: on the way in,
 * a length of 0 means NUL-terminated (never so for payload and correlation data). What the library hands out
 * in a message has the length given and no NUL; empty text is a pointer to "".
 *
 * @par Structures and versions
 * A structure begins with its `size`: initialise it with its macro (GECKO_MQTT_..._INIT) or its function
 * (gecko_mqtt_..._init()), so that it can grow in later versions without harm to programs built now.
 * `uint8_t` flags are true when they are not 0. Reserved members must be 0. Elements of arrays never grow.
 */


#ifndef GECKO_MQTT_H
#define GECKO_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__) && defined(__has_attribute)
#if __has_attribute(swift_attr) && __clang_major__ >= 14
/* Callbacks run on other threads: Swift 6 shall not let one be isolated to an actor. */
#define GECKO_MQTT_SENDABLE_PARAMETERS
#pragma clang attribute push(__attribute__((swift_attr("@Sendable"))), apply_to = variable(is_parameter))
#endif
#endif

/** Major version of this header. */
#define GECKO_MQTT_VERSION_MAJOR 0
/** Minor version of this header. */
#define GECKO_MQTT_VERSION_MINOR 1
/** Patch version of this header. */
#define GECKO_MQTT_VERSION_PATCH 0
/** Version of this header; gecko_mqtt_version() is that of the library. */
#define GECKO_MQTT_VERSION "0.1.0"


/**
 * The version of the binary interface that this header describes. Programs that were built against one run
 * with every library of the same; the shared library's SONAME ends with it.
 */
#define GECKO_MQTT_ABI_VERSION 1

/**
 * As a time-out: as long as the options say. 0 as a time-out: do not wait.
 */
#define GECKO_MQTT_WAIT_DEFAULT UINT32_MAX

/**
 * A client: keeps one connection. Any thread may use it, several at a time.
 */
typedef struct gecko_mqtt_client_t gecko_mqtt_client_t;

/**
 * A snapshot of a client's last events. Any thread may read it, several at a time.
 */
typedef struct gecko_mqtt_history_t gecko_mqtt_history_t;

/**
 * The settings of a client to be. Each is checked as it is set; the first error is remembered, and
 * gecko_mqtt_client_new() returns it, so that a program may check once. Numbers in brackets are the
 * defaults.
 */
typedef struct gecko_mqtt_options_t gecko_mqtt_options_t;

/**
 * What a call came to: #GECKO_MQTT_OK (0), or one of the GECKO_MQTT_ERR_ values, which are positive and
 * grouped: 1xx configuration and arguments, 2xx connection, 3xx authentication, 4xx token refresh, 5xx
 * disconnection, 6xx operations, 9xx internal. A later version may add values: treat an unknown one by its
 * group.
 */
typedef int32_t gecko_mqtt_status_t;

/**
 * What happens to a publish that finds the queue full: one of the GECKO_MQTT_QUEUE_ values.
 */
typedef int32_t gecko_mqtt_queue_policy_t;

/**
 * On which threads callbacks run: one of the GECKO_MQTT_DISPATCH_ values.
 */
typedef int32_t gecko_mqtt_dispatch_mode_t;

/**
 * A token for a custom authorizer. Initialise it with #GECKO_MQTT_TOKEN_INIT or gecko_mqtt_token_init().
 *
 * Either `broker_url` alone, or `access_token` with what belongs to it. All texts are NUL-terminated and
 * copied.
 */
typedef struct gecko_mqtt_token_t {
    /**
     * Size of this structure in bytes; set by the initialiser.
     */
    uint32_t size;
    /**
     * Seconds from now until it expires; 0: read it from the token.
     */
    uint32_t expires_in_secs;
    /**
     * The token itself.
     */
    const char *access_token;
    /**
     * What the user name begins with, before the authorizer's parameters; NULL for nothing.
     */
    const char *username;
    /**
     * The token's signature, where the authorizer wants signed tokens; NULL for none.
     */
    const char *signature;
    /**
     * Gecko's authorizer URL, which holds all the others.
     */
    const char *broker_url;
} gecko_mqtt_token_t;

/**
 * Names one request to the token provider. A number, not a pointer: an answer to one that is over is
 * harmless.
 */
typedef uint64_t gecko_mqtt_token_request_t;

/**
 * Asks the application for a token, which it gives at once or later, from any thread, with
 * gecko_mqtt_token_request_complete() or gecko_mqtt_token_request_fail().
 *
 * Runs on a thread of its own, whatever the dispatch mode, so it may block without holding anything up; it
 * never runs twice at a time for one client. It must not throw or longjmp.
 *
 * @param request what the answer names.
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_token_provider_fn)(gecko_mqtt_token_request_t request, void *userdata);

/**
 * Told that a registration's `userdata` is needed no more: exactly once, after the last call of its
 * function, also when the registration fails (then before the failing function returns).
 *
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_destroy_fn)(void *userdata);

/**
 * One user property: a name and a value; names may repeat. Use #GECKO_MQTT_USER_PROPERTY.
 *
 * As in all structures, text is a pointer and a length; on the way in, a length of 0 means NUL-terminated.
 */
typedef struct gecko_mqtt_user_property_t {
    /**
     * The name.
     */
    const char *name;
    /**
     * Its length in bytes.
     */
    size_t name_len;
    /**
     * The value.
     */
    const char *value;
    /**
     * Its length in bytes.
     */
    size_t value_len;
    /**
     * Must be 0.
     */
    size_t reserved[2];
} gecko_mqtt_user_property_t;

/**
 * A message, published or received. Initialise one to publish with #GECKO_MQTT_MESSAGE_INIT,
 * #GECKO_MQTT_MESSAGE_TEXT or gecko_mqtt_message_init().
 *
 * On the way in, text with a length of 0 is NUL-terminated, and NULL or empty text is absent; everything is
 * copied before the call returns. What the library hands out is not NUL-terminated, except that empty or
 * absent text is a pointer to "".
 */
typedef struct gecko_mqtt_message_t {
    /**
     * Size of this structure in bytes; set by the initialiser, in a received message by the library.
     */
    uint32_t size;
    /**
     * Quality of service: 0, 1 or 2.
     */
    uint8_t qos;
    /**
     * Not 0: published: keep it for later subscribers; received: it was kept.
     */
    uint8_t retain;
    /**
     * Not 0: the server has perhaps sent it before. Ignored when publishing.
     */
    uint8_t dup;
    /**
     * 1: the payload is UTF-8 text; 0: it is bytes.
     */
    uint8_t payload_format;
    /**
     * The topic name, without wildcards.
     */
    const char *topic;
    /**
     * Its length in bytes.
     */
    size_t topic_len;
    /**
     * The payload; NULL with length 0 is an empty one.
     */
    const void *payload;
    /**
     * Its length in bytes.
     */
    size_t payload_len;
    /**
     * MIME type of the payload.
     */
    const char *content_type;
    /**
     * Its length in bytes.
     */
    size_t content_type_len;
    /**
     * The topic on which an answer is expected.
     */
    const char *response_topic;
    /**
     * Its length in bytes.
     */
    size_t response_topic_len;
    /**
     * What the answer shall carry; NULL: none.
     */
    const void *correlation_data;
    /**
     * Its length in bytes.
     */
    size_t correlation_data_len;
    /**
     * The user properties, in order.
     */
    const struct gecko_mqtt_user_property_t *user_properties;
    /**
     * How many.
     */
    size_t user_property_count;
    /**
     * Received: identifiers of the subscriptions that it matched. Ignored when publishing.
     */
    const uint32_t *subscription_ids;
    /**
     * How many.
     */
    size_t subscription_id_count;
    /**
     * Seconds for which it is worth anything; 0: without end.
     */
    uint32_t message_expiry_secs;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * The library's own note about a received message. Ignored when publishing.
     */
    uint64_t received;
} gecko_mqtt_message_t;

/**
 * What the connection is doing: one of the GECKO_MQTT_STATE_ values. A later version may add some.
 */
typedef int32_t gecko_mqtt_connection_state_t;

/**
 * Told each change of the connection's state, in order, never the same one twice in a row.
 *
 * Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
 *
 * @param state the new state.
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_connection_state_fn)(gecko_mqtt_connection_state_t state, void *userdata);

/**
 * What an event is about: one of the GECKO_MQTT_EVENT_ values. A later version may add some.
 *
 * Every ATTEMPTING is followed by exactly one CONNECTED or FAILED, every CONNECTED by exactly one
 * DISCONNECTED (unless the client is freed before).
 */
typedef int32_t gecko_mqtt_event_kind_t;

/**
 * Something that happened to a connection. Only the library makes these.
 */
typedef struct gecko_mqtt_connection_event_t {
    /**
     * Size of this structure in bytes.
     */
    uint32_t size;
    /**
     * What it is about.
     */
    gecko_mqtt_event_kind_t kind;
    /**
     * The connection's state from now on.
     */
    gecko_mqtt_connection_state_t state;
    /**
     * Why something failed or ended; #GECKO_MQTT_OK where nothing did.
     */
    gecko_mqtt_status_t status;
    /**
     * The MQTT reason code of the server behind `status` (0..255), or -1.
     */
    int32_t reason_code;
    /**
     * The number of the attempt in its round, from 1; 0 where the event is not about one.
     */
    uint32_t attempt;
    /**
     * When, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
     */
    uint64_t time_ms;
    /**
     * Milliseconds until it is tried again; 0 where it is not.
     */
    uint32_t delay_ms;
    /**
     * Not 0: the server still had the session (CONNECTED, TOKEN_REFRESHED).
     */
    uint8_t session_present;
    /**
     * 0.
     */
    uint8_t reserved[3];
    /**
     * What happened, for a person: UTF-8, NUL-terminated, never NULL. Valid until the listener returns.
     */
    const char *message;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t message_len;
    /**
     * Why, in full: UTF-8, NUL-terminated, never NULL, empty with #GECKO_MQTT_OK. Valid until the listener
     * returns.
     */
    const char *error;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t error_len;
} gecko_mqtt_connection_event_t;

/**
 * Told each event of the connection, in order. The state has been told before.
 *
 * Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
 *
 * @param event what happened; it and all it points to are valid until the function returns.
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_connection_event_fn)(const struct gecko_mqtt_connection_event_t *event,
                                               void *userdata);

/**
 * What a client has counted since it was made, or since gecko_mqtt_reset_stats(). Initialise it with
 * #GECKO_MQTT_STATS_INIT or gecko_mqtt_stats_init().
 */
typedef struct gecko_mqtt_stats_t {
    /**
     * Size of this structure in bytes; set by the initialiser.
     */
    uint32_t size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Attempts to connect.
     */
    uint64_t attempts;
    /**
     * Attempts that led to a connection.
     */
    uint64_t successes;
    /**
     * Attempts that failed.
     */
    uint64_t failures;
    /**
     * `successes` by `attempts`, 0 to 1; 0 before the first attempt.
     */
    double success_rate;
    /**
     * Connections that followed one that was lost.
     */
    uint64_t reconnections;
    /**
     * Connections that were replaced by one with a fresh token or certificate, without a gap.
     */
    uint64_t token_refreshes;
    /**
     * Tokens that could not be had, and replacements that failed.
     */
    uint64_t token_refresh_failures;
    /**
     * Messages that were acknowledged, or written with QoS 0.
     */
    uint64_t messages_sent;
    /**
     * Messages that the server sent, for the application's callbacks.
     */
    uint64_t messages_received;
    /**
     * Bytes of the payloads of `messages_sent`.
     */
    uint64_t payload_bytes_sent;
    /**
     * Bytes of the payloads of `messages_received`.
     */
    uint64_t payload_bytes_received;
    /**
     * Bytes written after CONNACK, without what TLS and TCP add.
     */
    uint64_t wire_bytes_sent;
    /**
     * The same from the server.
     */
    uint64_t wire_bytes_received;
    /**
     * Publishes that were sent again on a later connection.
     */
    uint64_t messages_repeated;
    /**
     * Accepted messages that ended with an error of any kind, those dropped and expired among them.
     */
    uint64_t messages_failed;
    /**
     * Accepted messages that the queue's policy dropped.
     */
    uint64_t dropped_by_policy;
    /**
     * QoS 0 messages that were dropped because the connection was lost.
     */
    uint64_t dropped_offline;
    /**
     * QoS 0 messages from the server that were dropped, because a call waited on the thread that runs
     * the callbacks, and the buffer was full.
     */
    uint64_t dropped_incoming;
    /**
     * Messages whose expiry interval passed before they could be sent.
     */
    uint64_t expired;
    /**
     * Messages that wait for a connection or an acknowledgement now.
     */
    uint64_t queued_messages;
    /**
     * Bytes of memory that they take.
     */
    uint64_t queued_bytes;
    /**
     * Packets that wait for an acknowledgement now, subscribe and unsubscribe requests among them.
     */
    uint64_t in_flight;
    /**
     * Microseconds from the write of a packet to its acknowledgement, the last time; 0: never.
     */
    uint64_t last_round_trip_us;
    /**
     * The mean of all; 0: there was none.
     */
    uint64_t mean_round_trip_us;
    /**
     * Since when there is a connection, in milliseconds since 1970-01-01 UTC; 0: there is none.
     */
    uint64_t connected_since_ms;
} gecko_mqtt_stats_t;

/**
 * Told each change of the application's own state, in order.
 *
 * Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
 *
 * @param state the new state, NUL-terminated; valid until the function returns.
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_state_fn)(const char *state, void *userdata);

/**
 * How an operation ended. Initialise it with #GECKO_MQTT_ACK_INIT or gecko_mqtt_ack_init().
 */
typedef struct gecko_mqtt_ack_t {
    /**
     * Size of this structure in bytes; set by the initialiser, in a completion by the library.
     */
    uint32_t size;
    /**
     * #GECKO_MQTT_OK or why it failed.
     */
    gecko_mqtt_status_t status;
    /**
     * The MQTT reason code of the server's answer (0..255), or -1 where there was none.
     */
    int32_t reason_code;
    /**
     * Milliseconds from writing the packet to its acknowledgement; 0 where there was none.
     */
    uint32_t round_trip_ms;
    /**
     * Why it failed, for a person: UTF-8, NUL-terminated, never NULL, empty after a success. In a completion
     * it is valid until the completion returns; from a waiting call, until the next failed call on this
     * thread.
     */
    const char *error;
    /**
     * Length of `error` in bytes, without the NUL.
     */
    size_t error_len;
} gecko_mqtt_ack_t;

/**
 * Told a message that was received.
 *
 * Runs where callbacks run. It may call any function of this library, and must not throw or longjmp. Unless
 * acknowledged by hand, a message is acknowledged when all its callbacks have returned.
 *
 * @param message the message; it and all it points to are valid until the function returns. What is needed for
 * longer is kept with gecko_mqtt_message_retain().
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_message_fn)(const struct gecko_mqtt_message_t *message, void *userdata);

/**
 * Told once how an operation ended that was accepted; never called for one that was refused at once.
 *
 * Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
 *
 * @param ack how it ended; valid until the function returns.
 * @param userdata what was given with the operation.
 * @since 0.1
 */
typedef void (*gecko_mqtt_completion_fn)(const struct gecko_mqtt_ack_t *ack, void *userdata);

/**
 * One topic filter with its options, for gecko_mqtt_subscribe_many(). Use #GECKO_MQTT_SUBSCRIPTION.
 */
typedef struct gecko_mqtt_subscription_t {
    /**
     * The topic filter.
     */
    const char *filter;
    /**
     * Its length in bytes; 0: NUL-terminated.
     */
    size_t filter_len;
    /**
     * The highest quality of service wanted: 0, 1 or 2.
     */
    uint8_t qos;
    /**
     * Not 0: do not send what this client published itself.
     */
    uint8_t no_local;
    /**
     * Not 0: keep the retain flag as it was published.
     */
    uint8_t retain_as_published;
    /**
     * Retained messages: 0: send them; 1: only if the subscription is new; 2: do not.
     */
    uint8_t retain_handling;
    /**
     * Must be 0.
     */
    uint32_t reserved[3];
} gecko_mqtt_subscription_t;

/**
 * How grave a log record is: one of the GECKO_MQTT_LOG_ values; the larger, the less.
 */
typedef int32_t gecko_mqtt_log_level_t;

/**
 * What the library logs. Only the library makes these. The texts are UTF-8, NUL-terminated, never NULL, without
 * control characters, and valid until the callback returns.
 */
typedef struct gecko_mqtt_log_record_t {
    /**
     * Size of this structure in bytes.
     */
    uint32_t size;
    /**
     * How grave it is.
     */
    gecko_mqtt_log_level_t level;
    /**
     * When, in milliseconds since 1970-01-01 UTC, as the device's clock had it.
     */
    uint64_t time_ms;
    /**
     * The message and the fields in one line: `connected client_id=spa-42 connection=3 peer=192.0.2.1:8883`.
     */
    const char *text;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t text_len;
    /**
     * The message alone: `connected`.
     */
    const char *message;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t message_len;
    /**
     * The fields alone, as a JSON object: `{"client_id":"spa-42","connection":3,"peer":"192.0.2.1:8883"}`.
     */
    const char *fields;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t fields_len;
    /**
     * The part of the library that logs, as a level's directives name it: `gecko_mqtt::driver::serve`.
     */
    const char *target;
    /**
     * Its length in bytes, without the NUL.
     */
    size_t target_len;
} gecko_mqtt_log_record_t;

/**
 * Told each log record.
 *
 * Runs on whichever thread logs, also one of the application's that is in a call of this library, and holds that
 * thread up: while it runs on the thread of the I/O no connection makes progress, so it should be quick, and it has
 * that thread's stack of 1 MiB. It is called for one record at a time, in order; a thread that logs while it
 * runs on another one leaves its record there and goes on. If it is that slow that 256 records wait, further
 * ones are lost, and a record says how many.
 *
 * It may call any function of this library. Those that wait return #GECKO_MQTT_ERR_WOULD_DEADLOCK there,
 * unless their time is 0, and gecko_mqtt_client_free() does not wait for the client's end. What the library
 * logs on that thread meanwhile is not told. It must not throw or longjmp.
 *
 * @param record what is logged; it and all it points to are valid until the function returns.
 * @param userdata what was given with the registration.
 * @since 0.1
 */
typedef void (*gecko_mqtt_log_fn)(const struct gecko_mqtt_log_record_t *record, void *userdata);

/**
 * Success.
 */
#define GECKO_MQTT_OK 0

/**
 * An argument has a value that makes no sense here.
 */
#define GECKO_MQTT_ERR_INVALID_ARGUMENT 100

/**
 * A pointer that must not be NULL is.
 */
#define GECKO_MQTT_ERR_NULL_ARGUMENT 101

/**
 * A handle is not of the type it is used as, or was freed.
 */
#define GECKO_MQTT_ERR_INVALID_HANDLE 102

/**
 * A structure's `size` is 0, or larger than this library knows with a tail that is not zero.
 */
#define GECKO_MQTT_ERR_STRUCT_SIZE 103

/**
 * Text is not UTF-8, or has a character that MQTT forbids.
 */
#define GECKO_MQTT_ERR_INVALID_UTF8 104

/**
 * A topic name that MQTT does not allow.
 */
#define GECKO_MQTT_ERR_INVALID_TOPIC 105

/**
 * A topic filter that MQTT does not allow.
 */
#define GECKO_MQTT_ERR_INVALID_TOPIC_FILTER 106

/**
 * A broker URL that cannot be understood.
 */
#define GECKO_MQTT_ERR_INVALID_URL 107

/**
 * A number outside the range allowed for it.
 */
#define GECKO_MQTT_ERR_OUT_OF_RANGE 108

/**
 * A combination of options that cannot work, or one that is missing.
 */
#define GECKO_MQTT_ERR_INVALID_CONFIGURATION 109

/**
 * Understood, but not supported by this build.
 */
#define GECKO_MQTT_ERR_UNSUPPORTED 110

/**
 * A file cannot be read.
 */
#define GECKO_MQTT_ERR_FILE 111

/**
 * A certificate cannot be read.
 */
#define GECKO_MQTT_ERR_INVALID_CERTIFICATE 112

/**
 * A private key cannot be read.
 */
#define GECKO_MQTT_ERR_INVALID_PRIVATE_KEY 113

/**
 * The private key does not belong to the certificate.
 */
#define GECKO_MQTT_ERR_KEY_MISMATCH 114

/**
 * A call made inside a callback that would wait for that very callback.
 */
#define GECKO_MQTT_ERR_WOULD_DEADLOCK 115

/**
 * The handle was made before a `fork`, and this is the child.
 */
#define GECKO_MQTT_ERR_FORKED 116

/**
 * What is asked for does not exist (any more).
 */
#define GECKO_MQTT_ERR_NOT_FOUND 117

/**
 * The client is being freed.
 */
#define GECKO_MQTT_ERR_CLOSED 118

/**
 * The connection failed in a way that no other kind describes.
 */
#define GECKO_MQTT_ERR_CONNECTION 200

/**
 * No CONNACK within the connect time-out.
 */
#define GECKO_MQTT_ERR_CONNECT_TIMEOUT 201

/**
 * The name could not be resolved.
 */
#define GECKO_MQTT_ERR_DNS 202

/**
 * Nobody listens at that address and port.
 */
#define GECKO_MQTT_ERR_CONNECTION_REFUSED 203

/**
 * No route to the network or host.
 */
#define GECKO_MQTT_ERR_UNREACHABLE 204

/**
 * The connection broke: reset, or closed without a DISCONNECT.
 */
#define GECKO_MQTT_ERR_CONNECTION_LOST 205

/**
 * The server closed the connection after CONNECT, without a CONNACK.
 */
#define GECKO_MQTT_ERR_CLOSED_BEFORE_CONNACK 206

/**
 * The TLS handshake failed in a way that no other kind describes.
 */
#define GECKO_MQTT_ERR_TLS 207

/**
 * The server's certificate is for another name.
 */
#define GECKO_MQTT_ERR_TLS_HOSTNAME 208

/**
 * The server's certificate has expired.
 */
#define GECKO_MQTT_ERR_TLS_EXPIRED 209

/**
 * The server's certificate was issued by nobody we trust.
 */
#define GECKO_MQTT_ERR_TLS_UNKNOWN_ISSUER 210

/**
 * The server's certificate is not valid yet: most often this device's clock is wrong.
 */
#define GECKO_MQTT_ERR_TLS_CLOCK 211

/**
 * The server's certificate is bad in another way (revoked, malformed, wrong purpose, bad signature).
 */
#define GECKO_MQTT_ERR_TLS_BAD_CERTIFICATE 212

/**
 * The server refused our client certificate, or wants one.
 */
#define GECKO_MQTT_ERR_TLS_CLIENT_CERTIFICATE 213

/**
 * Client and server share no ALPN protocol.
 */
#define GECKO_MQTT_ERR_TLS_ALPN 214

/**
 * The server broke the MQTT protocol.
 */
#define GECKO_MQTT_ERR_PROTOCOL 215

/**
 * The server sent a packet above our maximum packet size.
 */
#define GECKO_MQTT_ERR_INCOMING_TOO_LARGE 216

/**
 * The server did not answer a PINGREQ.
 */
#define GECKO_MQTT_ERR_KEEP_ALIVE_TIMEOUT 217

/**
 * The server refused the connection with a CONNACK that no other kind describes.
 */
#define GECKO_MQTT_ERR_SERVER_REFUSED 218

/**
 * The server is unavailable or busy (136, 137).
 */
#define GECKO_MQTT_ERR_SERVER_UNAVAILABLE 219

/**
 * A quota or a connection rate is exceeded (151, 159).
 */
#define GECKO_MQTT_ERR_QUOTA_EXCEEDED 220

/**
 * The server does not speak MQTT 5 (132).
 */
#define GECKO_MQTT_ERR_PROTOCOL_VERSION 221

/**
 * The client identifier is refused (133).
 */
#define GECKO_MQTT_ERR_CLIENT_ID_REJECTED 222

/**
 * The server asks to use another one (156, 157).
 */
#define GECKO_MQTT_ERR_SERVER_MOVED 223

/**
 * There is no connection.
 */
#define GECKO_MQTT_ERR_NOT_CONNECTED 224

/**
 * The server says: not authorized (135).
 */
#define GECKO_MQTT_ERR_NOT_AUTHORIZED 300

/**
 * The server says: bad user name or password (134).
 */
#define GECKO_MQTT_ERR_BAD_CREDENTIALS 301

/**
 * The server says: bad authentication method (140).
 */
#define GECKO_MQTT_ERR_BAD_AUTHENTICATION_METHOD 302

/**
 * The server has banned this client (138).
 */
#define GECKO_MQTT_ERR_BANNED 303

/**
 * The token has expired, and there is nobody to ask for another.
 */
#define GECKO_MQTT_ERR_TOKEN_EXPIRED 304

/**
 * The token cannot be used: empty, too long, or not of the form it claims.
 */
#define GECKO_MQTT_ERR_INVALID_TOKEN 305

/**
 * The application's provider failed to get a token.
 */
#define GECKO_MQTT_ERR_TOKEN_REFRESH 400

/**
 * The application's provider did not answer within its time.
 */
#define GECKO_MQTT_ERR_TOKEN_TIMEOUT 401

/**
 * The server ended the connection with a DISCONNECT that no other kind describes.
 */
#define GECKO_MQTT_ERR_SERVER_DISCONNECTED 500

/**
 * Another connection with the same client identifier took the session over (142).
 */
#define GECKO_MQTT_ERR_SESSION_TAKEN_OVER 501

/**
 * The server is shutting down (139).
 */
#define GECKO_MQTT_ERR_SERVER_SHUTTING_DOWN 502

/**
 * An administrator ended the connection (152).
 */
#define GECKO_MQTT_ERR_ADMINISTRATIVE_ACTION 503

/**
 * The application disconnected.
 */
#define GECKO_MQTT_ERR_DISCONNECTED 504

/**
 * The queue is full, and its policy is to refuse what is new.
 */
#define GECKO_MQTT_ERR_QUEUE_FULL 600

/**
 * The time is over and nothing was sent: trying again is safe.
 */
#define GECKO_MQTT_ERR_TIMEOUT 601

/**
 * The application cancelled: it disconnected or freed the client before this was sent.
 */
#define GECKO_MQTT_ERR_CANCELLED 602

/**
 * It was sent, but whether it arrived is not known.
 */
#define GECKO_MQTT_ERR_OUTCOME_UNKNOWN 603

/**
 * The server answered with a reason code that means failure.
 */
#define GECKO_MQTT_ERR_REFUSED 604

/**
 * Larger than the server's maximum packet size.
 */
#define GECKO_MQTT_ERR_PACKET_TOO_LARGE 605

/**
 * QoS above what the server supports.
 */
#define GECKO_MQTT_ERR_QOS_NOT_SUPPORTED 606

/**
 * The server does not support retained messages.
 */
#define GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED 607

/**
 * The server does not support this kind of subscription (wildcard, shared, identifiers).
 */
#define GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED 608

/**
 * Dropped from a full queue, as its policy says; or QoS 0 that a lost connection left behind, as the options say.
 */
#define GECKO_MQTT_ERR_DROPPED 609

/**
 * Its message expiry interval passed before it could be sent.
 */
#define GECKO_MQTT_ERR_EXPIRED 610

/**
 * A defect of this library.
 */
#define GECKO_MQTT_ERR_INTERNAL 900

/**
 * The operating system refused a thread, a descriptor or memory.
 */
#define GECKO_MQTT_ERR_SYSTEM 901

/**
 * The new one is refused (#GECKO_MQTT_ERR_QUEUE_FULL).
 */
#define GECKO_MQTT_QUEUE_REJECT_NEW 0

/**
 * The oldest QoS 0 message that was not yet written is dropped; without one, the new one is refused.
 */
#define GECKO_MQTT_QUEUE_DROP_OLDEST_QOS0 1

/**
 * The oldest message that was not yet written is dropped.
 */
#define GECKO_MQTT_QUEUE_DROP_OLDEST 2

/**
 * On the library's own.
 */
#define GECKO_MQTT_DISPATCH_THREAD 0

/**
 * On whichever thread calls gecko_mqtt_dispatch().
 */
#define GECKO_MQTT_DISPATCH_APP 1

/**
 * Not connected, and not trying.
 */
#define GECKO_MQTT_STATE_DISCONNECTED 0

/**
 * The first attempts after gecko_mqtt_connect().
 */
#define GECKO_MQTT_STATE_CONNECTING 1

/**
 * A live connection is there.
 */
#define GECKO_MQTT_STATE_CONNECTED 2

/**
 * The connection was lost and is being made again.
 */
#define GECKO_MQTT_STATE_RECONNECTING 3

/**
 * A round of attempts ended without success. The next one begins after the cool-down, if there is one.
 */
#define GECKO_MQTT_STATE_CONNECTION_FAILED 4

/**
 * The last messages are going out, then DISCONNECT.
 */
#define GECKO_MQTT_STATE_DISCONNECTING 5

/**
 * Connected, but the token could not be renewed; that is being tried again.
 */
#define GECKO_MQTT_STATE_CREDENTIAL_REFRESH_FAILED 6

/**
 * An attempt to connect begins.
 */
#define GECKO_MQTT_EVENT_ATTEMPTING 0

/**
 * The server accepted the connection; `session_present` tells whether it still had the session.
 */
#define GECKO_MQTT_EVENT_CONNECTED 1

/**
 * The attempt failed.
 */
#define GECKO_MQTT_EVENT_FAILED 2

/**
 * The connection ended. `status` is #GECKO_MQTT_OK where the application wanted it.
 */
#define GECKO_MQTT_EVENT_DISCONNECTED 3

/**
 * The next attempt comes after `delay_ms`; `status` is why it is needed.
 */
#define GECKO_MQTT_EVENT_RECONNECT_SCHEDULED 4

/**
 * The connection was rotated onto a fresh token or certificate.
 */
#define GECKO_MQTT_EVENT_TOKEN_REFRESHED 5

/**
 * No fresh token was to be had, or the server would not take it; it is tried again after `delay_ms`.
 */
#define GECKO_MQTT_EVENT_TOKEN_REFRESH_FAILED 6

/**
 * The server has lost a subscription and would not restore it. It is asked again on the next connection;
 * gecko_mqtt_unsubscribe() ends that.
 */
#define GECKO_MQTT_EVENT_SUBSCRIPTION_REFUSED 7

/**
 * QoS 0 messages from the server were dropped, because a call waited on the thread that runs the
 * callbacks, and the buffer was full.
 */
#define GECKO_MQTT_EVENT_MESSAGES_DROPPED 8

/**
 * No further attempt follows until gecko_mqtt_connect() is called.
 */
#define GECKO_MQTT_EVENT_STOPPED 9

/**
 * A defect, or something without which the library cannot work.
 */
#define GECKO_MQTT_LOG_ERROR 1

/**
 * Something that should not be, and that the library lives with.
 */
#define GECKO_MQTT_LOG_WARN 2

/**
 * The life of connections, with a few lines for each.
 */
#define GECKO_MQTT_LOG_INFO 3

/**
 * How connections come about, and a line for each message.
 */
#define GECKO_MQTT_LOG_DEBUG 4

/**
 * Each packet: type, identifier, size.
 */
#define GECKO_MQTT_LOG_TRACE 5

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A few words for a status, in English: "queue is full". Never NULL; "unknown status" for a number that is
 * none.
 *
 * What exactly went wrong, and what to do about it, is in gecko_mqtt_last_error_message().
 *
 * @param status the status.
 * @return a static, NUL-terminated text.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
const char *gecko_mqtt_status_string(gecko_mqtt_status_t status);

/**
 * The version of the library that is running: "0.1.0". Compare #GECKO_MQTT_VERSION, that of the header.
 *
 * @return a static, NUL-terminated text.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
const char *gecko_mqtt_version(void);

/**
 * The binary interface of the library that is running. Where it is not #GECKO_MQTT_ABI_VERSION, the program
 * was built against another one: for programs that load the library by hand.
 *
 * @return the number.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
int gecko_mqtt_abi_version(void);

/**
 * What went wrong in the last call on this thread that failed, in words that say what to do next. Calls that
 * succeed leave it as it is. It never holds a secret.
 *
 * @return a NUL-terminated text, never NULL, empty where nothing has failed yet; valid until the next failed
 * call on this thread.
 * @par Threads
 * Each has its own.
 * @since 0.1
 */
const char *gecko_mqtt_last_error_message(void);

/**
 * Frees a text that the library gave away.
 *
 * @param text from a function whose comment says so; NULL is allowed.
 * @par Threads
 * Any.
 * @since 0.1
 */
void gecko_mqtt_string_free(char *text);

/**
 * Makes options with all defaults.
 *
 * @return the options, to be freed with gecko_mqtt_options_free(). NULL only after a defect of the library,
 * which is then the thread's last error.
 * @par Threads
 * Any.
 * @since 0.1
 */
struct gecko_mqtt_options_t *gecko_mqtt_options_new(void);

/**
 * Frees options. Clients that were made with them keep what they need.
 *
 * @param options the options; NULL is allowed, and a handle that was freed already does no harm.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
void gecko_mqtt_options_free(struct gecko_mqtt_options_t *options);

/**
 * How lost connections, and first ones that fail, are tried again: in rounds of attempts, with a growing
 * delay between them, out of which a random part is taken.
 *
 * @param options the options.
 * @param enabled whether to try again (true).
 * @param max_attempts attempts in one round (5); 0: a round without end.
 * @param initial_ms delay before the second attempt, in milliseconds (1000).
 * @param max_ms the longest delay, in milliseconds (60000).
 * @param multiplier how much longer each delay is than the last (2.0).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_reconnect(struct gecko_mqtt_options_t *options,
                                                     bool enabled,
                                                     uint32_t max_attempts,
                                                     uint32_t initial_ms,
                                                     uint32_t max_ms,
                                                     double multiplier);

/**
 * How long to rest at the most after a round without success. Then the next round begins, with a fresh token
 * where there is a provider. So that a fleet does not come back in step, chance decides: the first rest is from
 * nothing to all of this, later ones are from three quarters to all of it.
 *
 * @param options the options.
 * @param secs seconds (300); 0: give up for good after one round.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_reconnect_cooldown_secs(struct gecko_mqtt_options_t *options,
                                                                   uint32_t secs);

/**
 * How much may wait for a connection or for an acknowledgement, and what happens when it is too much.
 *
 * @param options the options.
 * @param max_messages messages (1024).
 * @param max_bytes bytes of topics, payloads and properties (4194304).
 * @param policy one of the GECKO_MQTT_QUEUE_ values (#GECKO_MQTT_QUEUE_REJECT_NEW).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE: also a policy that is none.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_queue(struct gecko_mqtt_options_t *options,
                                                 uint32_t max_messages,
                                                 uint64_t max_bytes,
                                                 gecko_mqtt_queue_policy_t policy);

/**
 * What becomes of QoS 0 messages without a connection.
 *
 * @param options the options.
 * @param keep true (the default): they wait for the next connection, as those of QoS 1 and 2 do; false:
 * gecko_mqtt_publish() refuses them with #GECKO_MQTT_ERR_NOT_CONNECTED, and those that a lost connection
 * leaves behind end with #GECKO_MQTT_ERR_DROPPED.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_offline_qos0(struct gecko_mqtt_options_t *options, bool keep);

/**
 * How fast to publish at the most, so that the server does not end the connection for a quota. By default
 * AWS's quotas for endpoints of AWS, and none elsewhere.
 *
 * @param options the options.
 * @param publishes_per_sec messages in a second; 0: no limit.
 * @param bytes_per_sec bytes in a second; 0: no limit.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_pacing(struct gecko_mqtt_options_t *options,
                                                  uint32_t publishes_per_sec,
                                                  uint32_t bytes_per_sec);

/**
 * How many events gecko_mqtt_get_connection_history() remembers.
 *
 * @param options the options.
 * @param events the number (100), at most 100000; 0: none.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_history_size(struct gecko_mqtt_options_t *options,
                                                        uint32_t events);

/**
 * On which threads callbacks run. The token provider has its own in any case.
 *
 * @param options the options.
 * @param mode #GECKO_MQTT_DISPATCH_THREAD (the default): on threads of the library, one callback of a client
 * at a time; #GECKO_MQTT_DISPATCH_APP: on the one that calls gecko_mqtt_dispatch().
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE: a mode that is none.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_dispatch(struct gecko_mqtt_options_t *options,
                                                    gecko_mqtt_dispatch_mode_t mode);

/**
 * The client certificate and its private key, from files.
 *
 * @param options the options.
 * @param cert_path the certificate, perhaps with its chain; PEM or DER; read now.
 * @param key_path the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; read now.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE; #GECKO_MQTT_ERR_INVALID_CERTIFICATE;
 * #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password; #GECKO_MQTT_ERR_KEY_MISMATCH.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_certificate_file(struct gecko_mqtt_options_t *options,
                                                            const char *cert_path,
                                                            const char *key_path);

/**
 * The client certificate and its private key, from memory.
 *
 * @param options the options.
 * @param cert the certificate, perhaps with its chain; PEM or DER; copied.
 * @param cert_len its length in bytes.
 * @param key the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; copied, and the copy is overwritten when it goes.
 * @param key_len its length in bytes.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE: a length; #GECKO_MQTT_ERR_INVALID_CERTIFICATE;
 * #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password; #GECKO_MQTT_ERR_KEY_MISMATCH.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_certificate_pem(struct gecko_mqtt_options_t *options,
                                                           const uint8_t *cert,
                                                           size_t cert_len,
                                                           const uint8_t *key,
                                                           size_t key_len);

/**
 * The user name sent in CONNECT; with an authorizer, what comes before its parameters.
 *
 * @param options the options.
 * @param username the name; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: longer than MQTT allows.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_username(struct gecko_mqtt_options_t *options,
                                                    const char *username);

/**
 * The password sent in CONNECT.
 *
 * @param options the options.
 * @param password the password; copied, and the copy is overwritten when it goes.
 * @param password_len its length in bytes.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: longer than MQTT allows; #GECKO_MQTT_ERR_OUT_OF_RANGE: the length.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_password(struct gecko_mqtt_options_t *options,
                                                    const uint8_t *password,
                                                    size_t password_len);

/**
 * The AWS custom authorizer that checks the token.
 *
 * @param options the options.
 * @param name its name; copied.
 * @param token_key the name of the parameter that carries the token, as the authorizer's configuration in
 * AWS says; NULL for an authorizer that decides by user name and password alone. Copied.
 * @param signature the token's signature, where the authorizer wants signed tokens and the token does not
 * bring its own; NULL for none. Copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT; #GECKO_MQTT_ERR_INVALID_CONFIGURATION.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_authorizer(struct gecko_mqtt_options_t *options,
                                                      const char *name,
                                                      const char *token_key,
                                                      const char *signature);

/**
 * The first token. Without one the provider is asked.
 *
 * @param options the options.
 * @param token the token; copied, and the copy is overwritten when it goes.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: the broker
 * URL together with others; #GECKO_MQTT_ERR_INVALID_TOKEN; #GECKO_MQTT_ERR_INVALID_URL,
 * #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: its URL.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_token(struct gecko_mqtt_options_t *options,
                                                 const struct gecko_mqtt_token_t *token);

/**
 * Who is asked for the first token, if none is set, and for each further one. It lives as long as these
 * options and the clients made with them.
 *
 * @param options the options.
 * @param provider asked for a token.
 * @param userdata handed to `provider`.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_token_provider(struct gecko_mqtt_options_t *options,
                                                          gecko_mqtt_token_provider_fn provider,
                                                          void *userdata,
                                                          gecko_mqtt_destroy_fn destroy);

/**
 * How long before its expiry a token is renewed. One that lives shorter than twice that is renewed at half
 * its life.
 *
 * @param options the options.
 * @param secs seconds (900).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_refresh_threshold_secs(struct gecko_mqtt_options_t *options,
                                                                  uint32_t secs);

/**
 * How long the provider may take for one request.
 *
 * @param options the options.
 * @param timeout_ms milliseconds (30000).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_token_timeout_ms(struct gecko_mqtt_options_t *options,
                                                            uint32_t timeout_ms);

/**
 * The server: a host name or an address. TLS asks for this name, and the certificate must be for it.
 *
 * @param options the options.
 * @param host the name: "xxxx-ats.iot.us-east-1.amazonaws.com"; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: not a host (a URL, or with a port).
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_endpoint(struct gecko_mqtt_options_t *options, const char *host);

/**
 * The port.
 *
 * @param options the options.
 * @param port the port; 0 (the default): by authentication, 8883 for a certificate, 443 for an authorizer.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_port(struct gecko_mqtt_options_t *options, uint16_t port);

/**
 * The server as a URL: "mqtts://host[:port]", or "mqtt://host[:port]" without TLS, for tests on a bench.
 * Gecko's authorizer URL ("wss://" with the authorizer's parameters) sets endpoint, authorizer, token and
 * signature, and means MQTT on port 443.
 *
 * @param options the options.
 * @param url the URL; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_URL; #GECKO_MQTT_ERR_OUT_OF_RANGE: the port;
 * #GECKO_MQTT_ERR_INVALID_TOKEN: the token in it; #GECKO_MQTT_ERR_UNSUPPORTED: another scheme, or WebSocket.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_broker_url(struct gecko_mqtt_options_t *options, const char *url);

/**
 * The AWS region. It completes an endpoint that is only the prefix of one ("xxxx-ats").
 *
 * @param options the options.
 * @param region the region: "us-east-1"; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_region(struct gecko_mqtt_options_t *options, const char *region);

/**
 * The client identifier. By default one is generated, which stays the same for the life of the client;
 * sessions outlive the process only with one that is set.
 *
 * @param options the options.
 * @param client_id the identifier; AWS IoT allows 128 bytes. "": the server chooses one. Copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: too long, or with a control character.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_client_id(struct gecko_mqtt_options_t *options,
                                                     const char *client_id);

/**
 * The roots to trust instead of the platform's.
 *
 * @param options the options.
 * @param path a file of certificates, PEM or DER; read now.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE; #GECKO_MQTT_ERR_INVALID_CERTIFICATE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_ca_file(struct gecko_mqtt_options_t *options, const char *path);

/**
 * The roots to trust instead of the platform's, from memory.
 *
 * @param options the options.
 * @param pem certificates, PEM or DER; copied.
 * @param pem_len their length in bytes.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_OUT_OF_RANGE: the length.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_ca_pem(struct gecko_mqtt_options_t *options,
                                                  const uint8_t *pem,
                                                  size_t pem_len);

/**
 * The ALPN protocol to offer. By default it follows from authentication and port: "mqtt" for an authorizer,
 * "x-amzn-mqtt-ca" for a certificate on port 443.
 *
 * @param options the options.
 * @param protocol its name; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: empty, or longer than 255 bytes.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_alpn(struct gecko_mqtt_options_t *options, const char *protocol);

/**
 * The keep-alive interval: so long after the last packet, the connection is checked. The server may set
 * another one.
 *
 * @param options the options.
 * @param secs seconds (30); 0: never.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_keep_alive_secs(struct gecko_mqtt_options_t *options,
                                                           uint16_t secs);

/**
 * Whether the first connection of a gecko_mqtt_connect() starts a new session. Later ones resume it in any
 * case.
 *
 * @param options the options.
 * @param clean_start true (the default): a new one; false: resume what the server still has, also from an
 * earlier process.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_clean_start(struct gecko_mqtt_options_t *options,
                                                       bool clean_start);

/**
 * How long the server shall keep the session, with its subscriptions and messages, after a connection is
 * lost.
 *
 * @param options the options.
 * @param secs seconds (3600); 0: not at all; 4294967295: for ever, as far as the server allows.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_session_expiry_secs(struct gecko_mqtt_options_t *options,
                                                               uint32_t secs);

/**
 * How long one attempt to connect may take, from name resolution to CONNACK.
 *
 * @param options the options.
 * @param timeout_ms milliseconds (10000).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_connect_timeout_ms(struct gecko_mqtt_options_t *options,
                                                              uint32_t timeout_ms);

/**
 * How long an acknowledgement may take, from writing the packet.
 *
 * @param options the options.
 * @param timeout_ms milliseconds (60000).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_operation_timeout_ms(struct gecko_mqtt_options_t *options,
                                                                uint32_t timeout_ms);

/**
 * How many QoS 1 and 2 messages the server may send before we have acknowledged one of them.
 *
 * @param options the options.
 * @param maximum messages, at least 1 (256).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_receive_maximum(struct gecko_mqtt_options_t *options,
                                                           uint16_t maximum);

/**
 * The largest packet that we take. The server must not send larger ones; one that does is disconnected.
 *
 * @param options the options.
 * @param bytes bytes (262144).
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_max_incoming_packet(struct gecko_mqtt_options_t *options,
                                                               uint32_t bytes);

/**
 * The message that the server publishes for us when the connection ends without a DISCONNECT.
 *
 * @param options the options.
 * @param message the message; copied.
 * @param delay_secs how long the server waits for us to come back before it publishes, in seconds; with a
 * token provider at least 10.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE; #GECKO_MQTT_ERR_INVALID_ARGUMENT: too long, or reserved members that are not
 * 0; #GECKO_MQTT_ERR_PACKET_TOO_LARGE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_will(struct gecko_mqtt_options_t *options,
                                                const struct gecko_mqtt_message_t *message,
                                                uint32_t delay_secs);

/**
 * Whether the application acknowledges QoS 1 and 2 messages itself, with gecko_mqtt_message_ack().
 *
 * The server sends no more than gecko_mqtt_options_set_receive_maximum() allows before some are acknowledged. A QoS 1
 * message that is not when the connection ends comes again on each connection that resumes the session, and the
 * callback is told it again, also while an earlier one is still worked at or retained.
 *
 * @param options the options.
 * @param manual true: it does; false (the default): the library does, when the callbacks have returned.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
 * @par Threads
 * One at a time for each options handle.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_options_set_manual_ack(struct gecko_mqtt_options_t *options,
                                                      bool manual);

/**
 * Makes a client. It does nothing before gecko_mqtt_connect(); listeners and subscriptions can be added
 * before.
 *
 * @param options the settings; copied, so that they may be changed or freed afterwards.
 * @param out the client, to be freed with gecko_mqtt_client_free(); NULL after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE; the first error of
 * a setter, whatever it was; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the options do not go together, or one
 * is missing; #GECKO_MQTT_ERR_FILE: the environment names roots to trust that cannot be read;
 * #GECKO_MQTT_ERR_SYSTEM: no thread, descriptor or memory to be had.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_client_new(const struct gecko_mqtt_options_t *options,
                                          struct gecko_mqtt_client_t **out);

/**
 * Frees a client: closes without a farewell (see gecko_mqtt_disconnect() for one), waits for the callback
 * that is running, tells the operations that are left #GECKO_MQTT_ERR_CANCELLED, runs the destroy hooks, and
 * returns. Only the application's own callback can make it wait. Messages whose callbacks have not begun are
 * dropped without an acknowledgement: gecko_mqtt_disconnect() with a time, before this, waits for them.
 *
 * Inside a callback of this client it returns at once; when that callback has returned, the completions and
 * hooks run, then nothing more. With #GECKO_MQTT_DISPATCH_APP, completions and hooks run inside this call.
 *
 * In the child of a fork it does nothing: the memory is left as it is, since closing would reach into the
 * parent.
 *
 * @param client the client; NULL is allowed, and a handle that was freed already does no harm.
 * @par Threads
 * Any. Calls of other threads that are waiting in the client come back at once.
 * @since 0.1
 */
void gecko_mqtt_client_free(struct gecko_mqtt_client_t *client);

/**
 * Connects, and keeps connected from then on, as the options say.
 *
 * @param client the client.
 * @param timeout_ms how long to wait until it is connected or the round of attempts has failed, in
 * milliseconds; 0: only start; #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_connect_timeout_ms()
 * says. When the time is over it goes on in the background.
 * @return #GECKO_MQTT_OK: connected, or with 0 started; #GECKO_MQTT_ERR_NULL_ARGUMENT;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_TIMEOUT:
 * the time is over and no attempt has failed yet; any status of the groups 2xx (connection), 3xx
 * (authentication) and 4xx (token refresh): why the round, or the last attempt before the time was over,
 * failed; #GECKO_MQTT_ERR_DISCONNECTED: gecko_mqtt_disconnect() was called meanwhile; #GECKO_MQTT_ERR_SYSTEM;
 * #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_connect(struct gecko_mqtt_client_t *client, uint32_t timeout_ms);

/**
 * Lets the accepted messages go out, has the callbacks of those that have come return, so that they are acknowledged,
 * then disconnects. Where messages wait for a connection, the attempts to get one go on within the time. With
 * clean start (the default) the session ends on the server too; without, the server keeps it.
 *
 * With #GECKO_MQTT_DISPATCH_APP callbacks are not waited for; gecko_mqtt_dispatch() runs those that are due, before
 * or afterwards.
 *
 * @param client the client.
 * @param timeout_ms how long that may take, in milliseconds; 0: return at once, and drop what is waiting;
 * #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_operation_timeout_ms() says.
 * @return #GECKO_MQTT_OK: also when it was not connected; #GECKO_MQTT_ERR_NULL_ARGUMENT;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside a callback of this client or the log callback, with a time;
 * #GECKO_MQTT_ERR_TIMEOUT: it is disconnected, but messages were left, or callbacks had not returned.
 * @par Threads
 * Any; inside a callback with 0 only.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_disconnect(struct gecko_mqtt_client_t *client,
                                          uint32_t timeout_ms);

/**
 * A connection that is lost is made again, and a failed attempt followed by another one (the default).
 *
 * @param client the client.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_enable_reconnection(struct gecko_mqtt_client_t *client);

/**
 * From now on a connection that is lost stays lost, until gecko_mqtt_connect() is called. A wait for the
 * next attempt ends at once; a live connection goes on.
 *
 * @param client the client.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_disable_reconnection(struct gecko_mqtt_client_t *client);

/**
 * Whether a connection that is lost is made again.
 *
 * @param client the client.
 * @return whether it is; false for a client that is NULL or no client, which is then the thread's last
 * error.
 * @par Threads
 * Any.
 * @since 0.1
 */
bool gecko_mqtt_is_reconnection_enabled(const struct gecko_mqtt_client_t *client);

/**
 * The network is another one, or is back (an interface came up, the device woke): the next attempt is made
 * now instead of after its wait, and a live connection is checked now, by a PINGREQ that must be answered.
 *
 * @param client the client.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_network_changed(struct gecko_mqtt_client_t *client);

/**
 * The client identifier in use: the one of the options, or the generated one, or the one that the server
 * assigned.
 *
 * @param client the client.
 * @param out the identifier, to be freed with gecko_mqtt_string_free(); NULL after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_get_client_id(const struct gecko_mqtt_client_t *client, char **out);

/**
 * Removes every listener and message handler that was registered with this userdata. No call of them begins
 * any more; one that is running may still be, unless this is called inside it or inside another callback of
 * this client. Their destroy hooks run when the last one has returned. A handler's topic filter stays
 * subscribed: its messages go to gecko_mqtt_on_message() from now on.
 *
 * @param client the client.
 * @param userdata what they were registered with; NULL means those that were registered with NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_NOT_FOUND: there are none.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_remove_listeners(struct gecko_mqtt_client_t *client, const void *userdata);

/**
 * With #GECKO_MQTT_DISPATCH_APP, a descriptor that is readable while callbacks are due, and not while they run:
 * for select, poll, epoll (by level, or by edge with one gecko_mqtt_dispatch() each), kqueue, GLib, libuv, a Looper.
 * Only wait for it: do not read, write or close it. It is closed when the client is freed.
 *
 * @param client the client.
 * @return the descriptor; -1 with #GECKO_MQTT_DISPATCH_THREAD, and for a client that is NULL or no client,
 * which is then the thread's last error.
 * @par Threads
 * Any.
 * @since 0.1
 */
int gecko_mqtt_dispatch_fd(const struct gecko_mqtt_client_t *client);

/**
 * With #GECKO_MQTT_DISPATCH_APP, runs the callbacks that are due on the calling thread.
 *
 * Calls that wait, such as gecko_mqtt_connect() and gecko_mqtt_publish_wait(), work on that thread too: they need no
 * callback to run. Callbacks become due meanwhile, and are run by the next gecko_mqtt_dispatch().
 *
 * @param client the client. A callback may free it.
 * @param timeout_ms how long to wait for the first one when none is due, in milliseconds; 0: not at all;
 * #GECKO_MQTT_WAIT_DEFAULT: as gecko_mqtt_options_set_operation_timeout_ms() says.
 * @param ran how many were run, 0 after a failure; may be NULL.
 * @return #GECKO_MQTT_OK: also when none was due; #GECKO_MQTT_ERR_NULL_ARGUMENT: client;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client
 * dispatches on the library's threads; #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside a callback of this client, or with a
 * time inside the log callback.
 * @par Threads
 * Any, but callbacks of one client run on one thread at a time.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_dispatch(struct gecko_mqtt_client_t *client,
                                        uint32_t timeout_ms,
                                        size_t *ran);

/**
 * The name of a state: "CONNECTED". Never NULL; "UNKNOWN" for a number that is none.
 *
 * @param state the state.
 * @return a static, NUL-terminated text.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
const char *gecko_mqtt_connection_state_string(gecko_mqtt_connection_state_t state);

/**
 * Whether a live connection is there, whatever the state of its token. Never blocks.
 *
 * @param client the client.
 * @return true if so; false also for a client that is NULL or no client, which is then the thread's last
 * error.
 * @par Threads
 * Any.
 * @since 0.1
 */
bool gecko_mqtt_is_connected(const struct gecko_mqtt_client_t *client);

/**
 * What the connection is doing. Never blocks.
 *
 * @param client the client.
 * @return the state; #GECKO_MQTT_STATE_DISCONNECTED also for a client that is NULL or no client, which is
 * then the thread's last error.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_connection_state_t gecko_mqtt_get_connection_state(const struct gecko_mqtt_client_t *client);

/**
 * Adds a listener for the connection's state. Several can be there; each is told every change from now on.
 *
 * @param client the client.
 * @param listener told each change.
 * @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_on_connection_state_change(struct gecko_mqtt_client_t *client,
                                                          gecko_mqtt_connection_state_fn listener,
                                                          void *userdata,
                                                          gecko_mqtt_destroy_fn destroy);

/**
 * The name of a kind of event: "CONNECTED". Never NULL; "UNKNOWN" for a number that is none.
 *
 * @param kind the kind.
 * @return a static, NUL-terminated text.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
const char *gecko_mqtt_event_kind_string(gecko_mqtt_event_kind_t kind);

/**
 * Adds a listener for what happens to the connection: attempts, failures and their causes, waits. Several
 * can be there; each is told every event from now on. An application that holds up its callbacks for more
 * than a thousand events misses some.
 *
 * @param client the client.
 * @param listener told each event.
 * @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_on_connection_event(struct gecko_mqtt_client_t *client,
                                                   gecko_mqtt_connection_event_fn listener,
                                                   void *userdata,
                                                   gecko_mqtt_destroy_fn destroy);

/**
 * Takes a snapshot of the last events, as gecko_mqtt_on_connection_event() tells them; how many are kept is
 * an option (gecko_mqtt_options_set_history_size()).
 *
 * @param client the client.
 * @param out the snapshot, to be freed with gecko_mqtt_history_free(); NULL after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_get_connection_history(const struct gecko_mqtt_client_t *client,
                                                      struct gecko_mqtt_history_t **out);

/**
 * How many events are in a snapshot.
 *
 * @param history the snapshot.
 * @return the number; 0 also for a handle that is NULL or no snapshot, which is then the thread's last error.
 * @par Threads
 * Any.
 * @since 0.1
 */
size_t gecko_mqtt_history_count(const struct gecko_mqtt_history_t *history);

/**
 * One event of a snapshot, oldest first.
 *
 * @param history the snapshot.
 * @param index 0 to gecko_mqtt_history_count() - 1.
 * @return the event, valid until the snapshot is freed; NULL where there is none (#GECKO_MQTT_ERR_OUT_OF_RANGE
 * as the thread's last error), and for a handle that is NULL or no snapshot.
 * @par Threads
 * Any.
 * @since 0.1
 */
const struct gecko_mqtt_connection_event_t *gecko_mqtt_history_at(const struct gecko_mqtt_history_t *history,
                                                                  size_t index);

/**
 * Frees a snapshot, and the events in it.
 *
 * @param history the snapshot; NULL is allowed, and a handle that was freed already does no harm.
 * @par Threads
 * Any.
 * @since 0.1
 */
void gecko_mqtt_history_free(struct gecko_mqtt_history_t *history);

/**
 * The last events as one JSON array, oldest first: `time` (ISO 8601, UTC), `kind` and `state` (by name), `status`,
 * `reason_code`, `attempt`, `delay_ms`, `session_present`, `message`, `error`; null where there is no value.
 *
 * @param client the client.
 * @param out the text, to be freed with gecko_mqtt_string_free(); NULL after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_history_json(const struct gecko_mqtt_client_t *client,
                                            char **out);

/**
 * Prepares statistics, as #GECKO_MQTT_STATS_INIT does: for languages without macros.
 *
 * @param stats the structure.
 * @param size its size in bytes, as the caller knows it.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
 * size.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_stats_init(struct gecko_mqtt_stats_t *stats, size_t size);

/**
 * Tells what the client has counted. Costs publishing threads nothing.
 *
 * @param client the client.
 * @param stats the counters; its `size` must be set (#GECKO_MQTT_STATS_INIT). Unchanged after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_STRUCT_SIZE.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_get_stats(const struct gecko_mqtt_client_t *client,
                                         struct gecko_mqtt_stats_t *stats);

/**
 * The same as one JSON object, whose members are those of #gecko_mqtt_stats_t; null where there is no value.
 *
 * @param client the client.
 * @param out the text, to be freed with gecko_mqtt_string_free(); NULL after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_stats_json(const struct gecko_mqtt_client_t *client, char **out);

/**
 * Begins to count anew. What is no count stays: what is queued and in flight, and since when it is connected.
 *
 * @param client the client.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_reset_stats(struct gecko_mqtt_client_t *client);

/**
 * Changes the application's own state: a text that means something to the application alone (the connection's is
 * gecko_mqtt_get_connection_state()). It is told to gecko_mqtt_on_state_change(); the same state again is not.
 *
 * @param client the client.
 * @param state the state, at most 1024 bytes; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_OUT_OF_RANGE: too long;
 * #GECKO_MQTT_ERR_QUEUE_FULL: more than a thousand changes have not been told yet.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_change_state(struct gecko_mqtt_client_t *client,
                                            const char *state);

/**
 * Adds a listener for the application's own state. Several can be there; each is told every change from now on.
 *
 * @param client the client.
 * @param listener told each change.
 * @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_on_state_change(struct gecko_mqtt_client_t *client,
                                               gecko_mqtt_state_fn listener,
                                               void *userdata,
                                               gecko_mqtt_destroy_fn destroy);

/**
 * Prepares an acknowledgement for a waiting call, as #GECKO_MQTT_ACK_INIT does: for languages without
 * macros.
 *
 * @param ack the structure.
 * @param size its size in bytes, as the caller knows it.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
 * size.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_ack_init(struct gecko_mqtt_ack_t *ack, size_t size);

/**
 * Prepares a message, as #GECKO_MQTT_MESSAGE_INIT does: for languages without macros.
 *
 * @param message the structure.
 * @param size its size in bytes, as the caller knows it.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
 * size.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_message_init(struct gecko_mqtt_message_t *message, size_t size);

/**
 * Adds a listener for messages that no topic filter's own handler takes. Several can be there; each is told.
 *
 * @param client the client.
 * @param listener told each message.
 * @param userdata handed to `listener`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or listener; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_on_message(struct gecko_mqtt_client_t *client,
                                          gecko_mqtt_message_fn listener,
                                          void *userdata,
                                          gecko_mqtt_destroy_fn destroy);

/**
 * Acknowledges a received message by hand, for clients with gecko_mqtt_options_set_manual_ack().
 *
 * @param message what a message callback was given, a retained message, or a copy of the structure: only its
 * `size` and `received` are looked at, so that what it points to may be gone.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: a QoS 0 message, or one that was not received;
 * #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client acknowledges by itself; #GECKO_MQTT_ERR_NOT_FOUND: it
 * was acknowledged already, its client is gone, or its connection is, so that the server sends it again. A
 * QoS 2 message outlives its connection, as long as the server keeps the session.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_message_ack(const struct gecko_mqtt_message_t *message);

/**
 * Keeps a message beyond its callback, by a copy that is valid until gecko_mqtt_message_release(), also after
 * gecko_mqtt_client_free(). The copy stands for the message: it can be acknowledged by hand with
 * gecko_mqtt_message_ack(), published with gecko_mqtt_publish(), and retained again.
 *
 * To the server a retained message is not different from others. Where the application acknowledges by hand
 * (gecko_mqtt_options_set_manual_ack()), one of QoS 1 that it has retained and not acknowledged comes again at each
 * reconnection that resumes the session: the callback is told it again, and the copy from before can be acknowledged
 * no more (#GECKO_MQTT_ERR_NOT_FOUND), only the one that came last.
 *
 * @param message what a message callback was given, a retained message, or one that the application made;
 * copied with all that it points to.
 * @param out the copy, to be given to gecko_mqtt_message_release(), once for each call of this function; NULL
 * after a failure.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: message, out, the topic, or what a length or a count
 * belongs to; #GECKO_MQTT_ERR_SYSTEM: out of memory. Of a message that the application made, also:
 * #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_TOPIC: it is empty; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS, payload format or a length; #GECKO_MQTT_ERR_INVALID_ARGUMENT: reserved
 * members that are not 0.
 * @par Threads
 * Any; also inside a callback. Any number of threads may read the copy. In the child of a fork, what the
 * parent retained can be read, and retained again.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_message_retain(const struct gecko_mqtt_message_t *message,
                                              const struct gecko_mqtt_message_t **out);

/**
 * Ends what gecko_mqtt_message_retain() began: the copy is gone.
 *
 * In the child of a fork it does nothing with what the parent retained: the memory is left as it is.
 *
 * @param message the retained message; NULL is allowed. A pointer that gecko_mqtt_message_retain() did not
 * give is not touched; one that was released already does no harm, unless it has been given out again since.
 * @par Threads
 * Any, also after gecko_mqtt_client_free().
 * @since 0.1
 */
void gecko_mqtt_message_release(const struct gecko_mqtt_message_t *message);

/**
 * Publishes a message: it is accepted, also before there is a connection, or refused at once.
 *
 * An accepted one has exactly one end, which the completion is told: sent (QoS 0), acknowledged, refused by
 * the server (#GECKO_MQTT_ERR_REFUSED and others, with the reason code), #GECKO_MQTT_ERR_OUTCOME_UNKNOWN,
 * #GECKO_MQTT_ERR_CANCELLED, #GECKO_MQTT_ERR_DROPPED, #GECKO_MQTT_ERR_EXPIRED,
 * #GECKO_MQTT_ERR_PACKET_TOO_LARGE, #GECKO_MQTT_ERR_QOS_NOT_SUPPORTED or
 * #GECKO_MQTT_ERR_RETAIN_NOT_SUPPORTED.
 *
 * @param client the client.
 * @param message the message; copied.
 * @param completion told the end of an accepted message, once; NULL: nobody wants to know.
 * @param userdata handed to `completion`. If the message is refused it is still the caller's.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client, message, topic, or a payload that
 * has a length; #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_TOPIC; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS, payload format or a length; #GECKO_MQTT_ERR_INVALID_ARGUMENT: text that
 * is too long for MQTT, or reserved members that are not 0; #GECKO_MQTT_ERR_PACKET_TOO_LARGE;
 * #GECKO_MQTT_ERR_QUEUE_FULL: too many messages wait, or too many ended ones whose completions have not been called;
 * #GECKO_MQTT_ERR_NOT_CONNECTED: QoS 0 without a connection, where gecko_mqtt_options_set_offline_qos0() says so.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_publish(struct gecko_mqtt_client_t *client,
                                       const struct gecko_mqtt_message_t *message,
                                       gecko_mqtt_completion_fn completion,
                                       void *userdata);

/**
 * Publishes a message and waits for its end.
 *
 * @param client the client.
 * @param message the message; copied.
 * @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
 * gecko_mqtt_options_set_operation_timeout_ms() says.
 * @param out how it ended, with the reason code; its `size` must be set (#GECKO_MQTT_ACK_INIT). NULL: not
 * wanted.
 * @return #GECKO_MQTT_OK: sent (QoS 0) or acknowledged; all that gecko_mqtt_publish() returns and its
 * completion is told; #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
 * #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not acknowledged when the time was over;
 * #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_publish_wait(struct gecko_mqtt_client_t *client,
                                            const struct gecko_mqtt_message_t *message,
                                            uint32_t timeout_ms,
                                            struct gecko_mqtt_ack_t *out);

/**
 * Subscribes to a topic filter; also before there is a connection. The handler is in force at once, so that
 * a session which the server still has loses nothing. The library restores the subscription whenever the
 * server has lost it.
 *
 * Each incoming message goes to every handler whose filter matches. A second subscription to the same filter
 * takes the first one's place when the server has granted it: until then both handlers are told, then the first
 * one goes. If it is refused, or comes to nothing in another way, it goes, and the first one stays in force.
 *
 * @param client the client.
 * @param filter the topic filter; copied.
 * @param qos the highest quality of service wanted: 0, 1 or 2.
 * @param handler told each message; NULL: they go to gecko_mqtt_on_message().
 * @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails, the server
 * refuses, or another subscription takes this one's place; may be NULL.
 * @param completion told the server's answer, once, if the request was accepted; NULL: nobody wants to know.
 * @param completion_userdata handed to `completion`.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or filter;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS;
 * #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_subscribe(struct gecko_mqtt_client_t *client,
                                         const char *filter,
                                         int32_t qos,
                                         gecko_mqtt_message_fn handler,
                                         void *userdata,
                                         gecko_mqtt_destroy_fn destroy,
                                         gecko_mqtt_completion_fn completion,
                                         void *completion_userdata);

/**
 * Subscribes to a topic filter, as gecko_mqtt_subscribe() does, and waits for the server's answer.
 *
 * @param client the client.
 * @param filter the topic filter; copied.
 * @param qos the highest quality of service wanted: 0, 1 or 2.
 * @param handler told each message; NULL: they go to gecko_mqtt_on_message().
 * @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
 * @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
 * gecko_mqtt_options_set_operation_timeout_ms() says.
 * @param out how it ended: the reason code is the QoS granted (0..2) or why it was refused; its `size` must
 * be set (#GECKO_MQTT_ACK_INIT). NULL: not wanted.
 * @return #GECKO_MQTT_OK: subscribed; all that gecko_mqtt_subscribe() returns; #GECKO_MQTT_ERR_STRUCT_SIZE:
 * out; #GECKO_MQTT_ERR_REFUSED, #GECKO_MQTT_ERR_SUBSCRIPTION_NOT_SUPPORTED and others: the server refused, and the handler is gone;
 * #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
 * #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not answered when the time was over; #GECKO_MQTT_ERR_CANCELLED;
 * #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_subscribe_wait(struct gecko_mqtt_client_t *client,
                                              const char *filter,
                                              int32_t qos,
                                              gecko_mqtt_message_fn handler,
                                              void *userdata,
                                              gecko_mqtt_destroy_fn destroy,
                                              uint32_t timeout_ms,
                                              struct gecko_mqtt_ack_t *out);

/**
 * Subscribes to several topic filters with one handler, in one request, with the options of MQTT 5.
 *
 * @param client the client.
 * @param subscriptions the topic filters; copied.
 * @param count how many, at least 1. AWS IoT allows 8 in one request.
 * @param handler told each message; NULL: they go to gecko_mqtt_on_message().
 * @param userdata handed to `handler`; what gecko_mqtt_remove_listeners() looks for.
 * @param destroy told when `userdata` is needed no more, exactly once, also if this call fails or the server
 * refuses all of them; may be NULL.
 * @param completion told the server's answer, once, if the request was accepted: the first refusal, if there
 * is one, with its filter in the text; the other filters are subscribed. NULL: nobody wants to know.
 * @param completion_userdata handed to `completion`.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client, subscriptions or a filter;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_OUT_OF_RANGE: count,
 * QoS or retain handling; #GECKO_MQTT_ERR_INVALID_ARGUMENT: no filter, one that is there twice, a shared one
 * with no local, or reserved members that are not 0; #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_subscribe_many(struct gecko_mqtt_client_t *client,
                                              const struct gecko_mqtt_subscription_t *subscriptions,
                                              size_t count,
                                              gecko_mqtt_message_fn handler,
                                              void *userdata,
                                              gecko_mqtt_destroy_fn destroy,
                                              gecko_mqtt_completion_fn completion,
                                              void *completion_userdata);

/**
 * Ends a subscription; its handler, and the handler's `destroy`, go when the server has confirmed.
 *
 * @param client the client.
 * @param filter the topic filter, exactly as it was subscribed; copied.
 * @param completion told the server's answer, once, if the request was accepted; NULL: nobody wants to know.
 * @param userdata handed to `completion`.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT: client or filter;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_TOPIC_FILTER; #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_unsubscribe(struct gecko_mqtt_client_t *client,
                                           const char *filter,
                                           gecko_mqtt_completion_fn completion,
                                           void *userdata);

/**
 * Ends a subscription, as gecko_mqtt_unsubscribe() does, and waits for the server's answer.
 *
 * @param client the client.
 * @param filter the topic filter, exactly as it was subscribed; copied.
 * @param timeout_ms how long to wait, in milliseconds; #GECKO_MQTT_WAIT_DEFAULT: as
 * gecko_mqtt_options_set_operation_timeout_ms() says.
 * @param out how it ended, with the reason code; its `size` must be set (#GECKO_MQTT_ACK_INIT). NULL: not
 * wanted.
 * @return #GECKO_MQTT_OK: unsubscribed; all that gecko_mqtt_unsubscribe() returns;
 * #GECKO_MQTT_ERR_STRUCT_SIZE: out; #GECKO_MQTT_ERR_REFUSED;
 * #GECKO_MQTT_ERR_TIMEOUT: not sent when the time was over, and it will not be;
 * #GECKO_MQTT_ERR_OUTCOME_UNKNOWN: sent, but not answered when the time was over; #GECKO_MQTT_ERR_CANCELLED;
 * #GECKO_MQTT_ERR_WOULD_DEADLOCK: inside the log callback, with a time.
 * @par Threads
 * Any; also inside a callback.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_unsubscribe_wait(struct gecko_mqtt_client_t *client,
                                                const char *filter,
                                                uint32_t timeout_ms,
                                                struct gecko_mqtt_ack_t *out);

/**
 * Prepares a token, as #GECKO_MQTT_TOKEN_INIT does: for languages without macros.
 *
 * @param token the structure.
 * @param size its size in bytes, as the caller knows it.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
 * size.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_token_init(struct gecko_mqtt_token_t *token, size_t size);

/**
 * Answers a request of the token provider.
 *
 * @param request the request.
 * @param token the token; copied.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: token; #GECKO_MQTT_ERR_STRUCT_SIZE;
 * #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT, #GECKO_MQTT_ERR_INVALID_TOKEN,
 * #GECKO_MQTT_ERR_INVALID_URL, #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: the token or its
 * URL cannot be used, and the request stays open; #GECKO_MQTT_ERR_NOT_FOUND: the request is over, and
 * nothing has happened.
 * @par Threads
 * Any; also inside the provider.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_token_request_complete(gecko_mqtt_token_request_t request,
                                                      const struct gecko_mqtt_token_t *token);

/**
 * Answers a request of the token provider when there is no token to be had. It is asked again later.
 *
 * @param request the request.
 * @param reason why, for the log and for error messages: no secret. NULL for no reason.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_NOT_FOUND: the request is over, and
 * nothing has happened.
 * @par Threads
 * Any; also inside the provider.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_token_request_fail(gecko_mqtt_token_request_t request, const char *reason);

/**
 * Gives the client a fresh token. A live connection is rotated onto it: a second one is opened beside it and takes
 * the session over, without a gap and without losing anything; #GECKO_MQTT_EVENT_TOKEN_REFRESHED tells when that is
 * done. Without a connection, the next attempt shows it; a wait that began because the server refused the old token
 * ends.
 *
 * With a will, set its delay to some seconds (gecko_mqtt_options_set_will()): a server publishes a will without a
 * delay when the old connection ends. With a token provider the library sees to that itself.
 *
 * @param client the client.
 * @param token the token; copied.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_STRUCT_SIZE;
 * #GECKO_MQTT_ERR_INVALID_TOKEN: it is empty, too long, or not of the form it claims; #GECKO_MQTT_ERR_INVALID_URL,
 * #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: its URL; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: the broker URL together with others; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: there is no
 * authorizer to send it to, or no TLS; #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_set_token(struct gecko_mqtt_client_t *client,
                                         const struct gecko_mqtt_token_t *token);

/**
 * Asks the token provider for a token now, whatever the age of the one that there is; a live connection is rotated
 * onto it, as gecko_mqtt_set_token() does. Does nothing more while the provider is being asked already.
 *
 * @param client the client.
 * @return #GECKO_MQTT_OK: it is being asked, or will be before the next attempt; #GECKO_MQTT_ERR_NULL_ARGUMENT;
 * #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
 * #GECKO_MQTT_ERR_INVALID_CONFIGURATION: there is no provider; #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_refresh_token(struct gecko_mqtt_client_t *client);

/**
 * Gives the client a fresh certificate and key, from files. A live connection is rotated onto it, as
 * gecko_mqtt_set_token() does; without one, the next attempt shows it.
 *
 * @param client the client.
 * @param cert_path path of the certificate, perhaps with its chain; PEM or DER.
 * @param key_path path of the key: PKCS#8, PKCS#1 or SEC1; PEM or DER.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE: a file
 * cannot be read; #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a
 * password; #GECKO_MQTT_ERR_KEY_MISMATCH; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client connects without TLS;
 * #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Reads the files, and waits for nothing else.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_set_certificate_file(struct gecko_mqtt_client_t *client,
                                                    const char *cert_path,
                                                    const char *key_path);

/**
 * Gives the client a fresh certificate and key, from memory. A live connection is rotated onto it, as
 * gecko_mqtt_set_token() does; without one, the next attempt shows it.
 *
 * @param client the client.
 * @param cert the certificate, perhaps with its chain; PEM or DER; copied.
 * @param cert_len its length in bytes.
 * @param key the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; copied, and the copy is overwritten when it goes.
 * @param key_len its length in bytes.
 * @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
 * #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_OUT_OF_RANGE: a length;
 * #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password;
 * #GECKO_MQTT_ERR_KEY_MISMATCH; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client connects without TLS;
 * #GECKO_MQTT_ERR_QUEUE_FULL.
 * @par Threads
 * Any; also inside a callback. Never waits.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_set_certificate_pem(struct gecko_mqtt_client_t *client,
                                                   const uint8_t *cert,
                                                   size_t cert_len,
                                                   const uint8_t *key,
                                                   size_t key_len);

/**
 * The name of a level: "ERROR", "WARN", "INFO", "DEBUG", "TRACE".
 *
 * @param level a GECKO_MQTT_LOG_ value.
 * @return a static, NUL-terminated text; "UNKNOWN" for any other number.
 * @par Threads
 * Any, also after a fork.
 * @since 0.1
 */
const char *gecko_mqtt_log_level_string(gecko_mqtt_log_level_t level);

/**
 * Starts logging, in lines of text, to a file, to stderr, or to both:
 *
 * ```text
 * 2026-11-26T15:04:05.678Z  INFO gecko-mqtt-work gecko_mqtt::driver::serve: connected client_id=spa-42 connection=3
 * ```
 *
 * Without it the library writes nothing anywhere. No secret is ever logged, and no payload. Called again, it
 * goes on as the last call says; a file that is named no more is closed.
 *
 * A file or console that fails never disturbs the client: lines are lost then, and counted in a line when it
 * works again. A file that was removed or renamed is made anew within a second, so logrotate needs no signal.
 * Each line is one write of at most 8 KiB, so several processes may append to one file. The child of a fork
 * goes on logging where its parent did.
 *
 * @param level "off", "error", "warn", "info", "debug" or "trace", or directives for parts of the library:
 * "info,gecko_mqtt::link=debug". The parts are `gecko_mqtt::driver` (connections), `gecko_mqtt::link` (names, TCP,
 * TLS), `gecko_mqtt::session` (messages), `gecko_mqtt::packet` (packets, at "trace") and `gecko_mqtt::dispatch`
 * (callbacks).
 * @param file path of a file to append to, or NULL. See gecko_mqtt_log_set_rotation().
 * @param console whether to write to stderr.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: level; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part; #GECKO_MQTT_ERR_FILE: the file cannot be
 * written. After a failure all is as it was.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_log_init(const char *level,
                                        const char *file,
                                        bool console);

/**
 * The same in lines of JSON: one object a line, with "time" (ISO 8601, UTC), "level", "target", "thread" and
 * "message", and beside them what belongs to the message: most often "client_id" and "connection", the number
 * of the connection among those of the client; "reason_code" and "error" where something failed; times in
 * "…_ms".
 *
 * @param level as for gecko_mqtt_log_init().
 * @param file path of a file to append to, or NULL.
 * @param console whether to write to stderr.
 * @return as gecko_mqtt_log_init().
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_log_init_json(const char *level, const char *file, bool console);

/**
 * Says when a new log file is begun; without it the file grows. The full file gets the name `FILE.1`, what had
 * that name `FILE.2`, and so on; the last one is removed. So the log takes at most (keep + 1) * max_bytes:
 *
 * ```c
 * gecko_mqtt_log_set_rotation(1024 * 1024, 0, 4); // five files of 1 MiB
 * gecko_mqtt_log_set_rotation(0, 86400, 7);       // one for each day, and those of a week
 * ```
 *
 * Before or after gecko_mqtt_log_init(). Where a file cannot be renamed, it is emptied instead.
 *
 * @param max_bytes a file that would become larger is full; 0: no file is, however large; at least 16384.
 * @param interval_secs a new file begins at each multiple of so many seconds since 1970-01-01 UTC: 86400 is
 * midnight, 3600 the full hour; 0: no file is too old.
 * @param keep how many full files are kept, at most 1000; 0: none.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_OUT_OF_RANGE.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_log_set_rotation(uint64_t max_bytes,
                                                uint32_t interval_secs,
                                                uint32_t keep);

/**
 * Has the application's own logger told what the library logs, beside what gecko_mqtt_log_init() has started, or
 * without it. There is one; another call replaces it, and NULL takes it away.
 *
 * @param level as for gecko_mqtt_log_init(), for the callback alone. May be NULL where `callback` is.
 * @param callback told each record, or NULL.
 * @param userdata handed to `callback`.
 * @param destroy told when `userdata` is needed no more, exactly once, on any thread, also if this call fails;
 * calls that wait return #GECKO_MQTT_ERR_WOULD_DEADLOCK in it, as in the callback. It is never called in the child of
 * a fork, which goes on with its parent's callback; may be NULL.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: level; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part.
 * @par Threads
 * Any. It does not wait for a callback that is running on another thread: `destroy` says when that is over.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_log_set_callback(const char *level,
                                                gecko_mqtt_log_fn callback,
                                                void *userdata,
                                                gecko_mqtt_destroy_fn destroy);

/**
 * Changes what is logged, from now on: to the file, to the console and to the callback.
 *
 * @param level as for gecko_mqtt_log_init(). "off" costs nothing but a comparison for each line that is not
 * written.
 * @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_UTF8;
 * #GECKO_MQTT_ERR_INVALID_ARGUMENT: no such level, or no such part; #GECKO_MQTT_ERR_INVALID_CONFIGURATION:
 * logging was not started.
 * @par Threads
 * Any.
 * @since 0.1
 */
gecko_mqtt_status_t gecko_mqtt_log_set_level(const char *level);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GECKO_MQTT_H */

/**
 * Initialises a #gecko_mqtt_message_t: `gecko_mqtt_message_t message = GECKO_MQTT_MESSAGE_INIT;`
 */
#define GECKO_MQTT_MESSAGE_INIT                                                                                \
    {                                                                                                          \
        sizeof(gecko_mqtt_message_t), 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL,  \
            0, 0, 0, 0                                                                                         \
    }

/**
 * Initialises a #gecko_mqtt_message_t with two NUL-terminated texts: the topic and the payload. `text` is read twice.
 */
#define GECKO_MQTT_MESSAGE_TEXT(topic, text, qos)                                                              \
    {                                                                                                          \
        sizeof(gecko_mqtt_message_t), (uint8_t)(qos), 0, 0, 1, (topic), 0, (text), strlen(text), NULL, 0,      \
            NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0, 0, 0                                                        \
    }

/** Initialises a #gecko_mqtt_user_property_t with two NUL-terminated texts. */
#define GECKO_MQTT_USER_PROPERTY(name, value)                                                                  \
    {                                                                                                          \
        (name), 0, (value), 0, { 0, 0 }                                                                        \
    }

/** Initialises a #gecko_mqtt_subscription_t with a NUL-terminated topic filter and a QoS. */
#define GECKO_MQTT_SUBSCRIPTION(filter, qos)                                                                   \
    {                                                                                                          \
        (filter), 0, (uint8_t)(qos), 0, 0, 0, { 0, 0, 0 }                                                      \
    }

/** Initialises a #gecko_mqtt_token_t: `gecko_mqtt_token_t token = GECKO_MQTT_TOKEN_INIT;` */
#define GECKO_MQTT_TOKEN_INIT                                                                                  \
    {                                                                                                          \
        sizeof(gecko_mqtt_token_t), 0, NULL, NULL, NULL, NULL                                                  \
    }

/** Initialises a #gecko_mqtt_ack_t: `gecko_mqtt_ack_t ack = GECKO_MQTT_ACK_INIT;` */
#define GECKO_MQTT_ACK_INIT                                                                                    \
    {                                                                                                          \
        sizeof(gecko_mqtt_ack_t), 0, -1, 0, NULL, 0                                                            \
    }

/** Initialises a #gecko_mqtt_stats_t: `gecko_mqtt_stats_t stats = GECKO_MQTT_STATS_INIT;` */
#define GECKO_MQTT_STATS_INIT                                                                                  \
    {                                                                                                          \
        sizeof(gecko_mqtt_stats_t), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
            0                                                                                                  \
    }

#if defined(GECKO_MQTT_SENDABLE_PARAMETERS)
#undef GECKO_MQTT_SENDABLE_PARAMETERS
#pragma clang attribute pop
#endif
