//! A client's counters, as C sees them.

use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::library::give_text;
use super::status::gecko_mqtt_status_t;
use super::structure::{Structure, packed};
use super::{arg, handle};
use crate::{Error, ErrorKind, Stats};
use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

/// What a client has counted since it was made, or since gecko_mqtt_reset_stats(). Initialise it with
/// #GECKO_MQTT_STATS_INIT or gecko_mqtt_stats_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_stats_t {
    /// Size of this structure in bytes; set by the initialiser.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Attempts to connect.
    pub attempts: u64,
    /// Attempts that led to a connection.
    pub successes: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// `successes` by `attempts`, 0 to 1; 0 before the first attempt.
    pub success_rate: f64,
    /// Connections that followed one that was lost.
    pub reconnections: u64,
    /// Connections that were replaced by one with a fresh token or certificate, without a gap.
    pub token_refreshes: u64,
    /// Tokens that could not be had, and replacements that failed.
    pub token_refresh_failures: u64,
    /// Messages that were acknowledged, or written with QoS 0.
    pub messages_sent: u64,
    /// Messages that the server sent, for the application's callbacks.
    pub messages_received: u64,
    /// Bytes of the payloads of `messages_sent`.
    pub payload_bytes_sent: u64,
    /// Bytes of the payloads of `messages_received`.
    pub payload_bytes_received: u64,
    /// Bytes written after CONNACK, without what TLS and TCP add.
    pub wire_bytes_sent: u64,
    /// The same from the server.
    pub wire_bytes_received: u64,
    /// Publishes that were sent again on a later connection.
    pub messages_repeated: u64,
    /// Accepted messages that ended with an error of any kind, those dropped and expired among them.
    pub messages_failed: u64,
    /// Accepted messages that the queue's policy dropped.
    pub dropped_by_policy: u64,
    /// QoS 0 messages that were dropped because the connection was lost.
    pub dropped_offline: u64,
    /// QoS 0 messages from the server that were dropped, because a call waited on the thread that runs
    /// the callbacks, and the buffer was full.
    pub dropped_incoming: u64,
    /// Messages whose expiry interval passed before they could be sent.
    pub expired: u64,
    /// Messages that wait for a connection or an acknowledgement now.
    pub queued_messages: u64,
    /// Bytes of memory that they take.
    pub queued_bytes: u64,
    /// Packets that wait for an acknowledgement now, subscribe and unsubscribe requests among them.
    pub in_flight: u64,
    /// Microseconds from the write of a packet to its acknowledgement, the last time; 0: never.
    pub last_round_trip_us: u64,
    /// The mean of all; 0: there was none.
    pub mean_round_trip_us: u64,
    /// Since when there is a connection, in milliseconds since 1970-01-01 UTC; 0: there is none.
    pub connected_since_ms: u64,
}

const _: () = assert!(size_of::<gecko_mqtt_stats_t>() == packed(0, 26 * 8));

// SAFETY: `repr(C)`, begins with `size`, has no padding as asserted, and is made of numbers.
unsafe impl Structure for gecko_mqtt_stats_t {
    const NAME: &'static str = "the statistics";
    const ZERO: Self = Self {
        size: 0,
        reserved: 0,
        attempts: 0,
        successes: 0,
        failures: 0,
        success_rate: 0.0,
        reconnections: 0,
        token_refreshes: 0,
        token_refresh_failures: 0,
        messages_sent: 0,
        messages_received: 0,
        payload_bytes_sent: 0,
        payload_bytes_received: 0,
        wire_bytes_sent: 0,
        wire_bytes_received: 0,
        messages_repeated: 0,
        messages_failed: 0,
        dropped_by_policy: 0,
        dropped_offline: 0,
        dropped_incoming: 0,
        expired: 0,
        queued_messages: 0,
        queued_bytes: 0,
        in_flight: 0,
        last_round_trip_us: 0,
        mean_round_trip_us: 0,
        connected_since_ms: 0,
    };

    fn set_size(&mut self, size: u32) {
        self.size = size;
    }
}

fn as_c(stats: &Stats) -> gecko_mqtt_stats_t {
    let micros =
        |time: Option<Duration>| time.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    gecko_mqtt_stats_t {
        attempts: stats.attempts,
        successes: stats.successes,
        failures: stats.failures,
        success_rate: stats.success_rate(),
        reconnections: stats.reconnections,
        token_refreshes: stats.token_refreshes,
        token_refresh_failures: stats.token_refresh_failures,
        messages_sent: stats.messages_sent,
        messages_received: stats.messages_received,
        payload_bytes_sent: stats.payload_bytes_sent,
        payload_bytes_received: stats.payload_bytes_received,
        wire_bytes_sent: stats.wire_bytes_sent,
        wire_bytes_received: stats.wire_bytes_received,
        messages_repeated: stats.repeated,
        messages_failed: stats.messages_failed,
        dropped_by_policy: stats.dropped_by_policy,
        dropped_offline: stats.dropped_offline,
        dropped_incoming: stats.dropped_incoming,
        expired: stats.expired,
        queued_messages: stats.queued_messages,
        queued_bytes: stats.queued_bytes,
        in_flight: stats.in_flight,
        last_round_trip_us: micros(stats.last_round_trip),
        mean_round_trip_us: micros(stats.mean_round_trip),
        connected_since_ms: stats.connected_since_unix_ms.unwrap_or_default(),
        ..Structure::ZERO
    }
}

/// Prepares statistics, as #GECKO_MQTT_STATS_INIT does: for languages without macros.
///
/// @param stats the structure.
/// @param size its size in bytes, as the caller knows it.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
/// size.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_stats_init(
    stats: *mut gecko_mqtt_stats_t,
    size: usize,
) -> gecko_mqtt_status_t {
    // SAFETY: the caller says that it has `size` bytes.
    boundary(|| unsafe { arg::initialise(stats, size) })
}

/// Tells what the client has counted. Costs publishing threads nothing.
///
/// @param client the client.
/// @param stats the counters; its `size` must be set (#GECKO_MQTT_STATS_INIT). Unchanged after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_STRUCT_SIZE.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_get_stats(
    client: *const gecko_mqtt_client_t,
    stats: *mut gecko_mqtt_stats_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or a structure of the size it says, as the comment asks.
        let place = unsafe { arg::output(stats) }?
            .ok_or_else(|| Error::new(ErrorKind::NullArgument, "stats is NULL"))?;
        place.write(as_c(&client.stats()));
        Ok(())
    })
}

/// The same as one JSON object, whose members are those of #gecko_mqtt_stats_t; null where there is no value.
///
/// @param client the client.
/// @param out the text, to be freed with gecko_mqtt_string_free(); NULL after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_SYSTEM: out of memory.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_stats_json(
    client: *const gecko_mqtt_client_t,
    out: *mut *mut c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null_mut(), "out") }?;
        *out = give_text(&handle::get(client, "client")?.stats().to_json())?;
        Ok(())
    })
}

/// Begins to count anew. What is no count stays: what is queued and in flight, and since when it is connected.
///
/// @param client the client.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED.
/// @par Threads
/// Any; also inside a callback.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_reset_stats(client: *mut gecko_mqtt_client_t) -> gecko_mqtt_status_t {
    boundary(|| {
        handle::get(client, "client")?.reset_stats();
        Ok(())
    })
}
