//! Where to connect to.

use super::{gecko_mqtt_options_t, set};
use crate::ffi::arg;
use crate::ffi::status::gecko_mqtt_status_t;
use std::ffi::c_char;

/// The server: a host name or an address. TLS asks for this name, and the certificate must be for it.
///
/// @param options the options.
/// @param host the name: "xxxx-ats.iot.us-east-1.amazonaws.com"; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: not a host (a URL, or with a port).
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_endpoint(
    options: *mut gecko_mqtt_options_t,
    host: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_endpoint(unsafe { arg::text(host, "host") }?)
    })
}

/// The port.
///
/// @param options the options.
/// @param port the port; 0 (the default): by authentication, 8883 for a certificate, 443 for an authorizer.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_port(
    options: *mut gecko_mqtt_options_t,
    port: u16,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_port(port))
}

/// The server as a URL: "mqtts://host[:port]", or "mqtt://host[:port]" without TLS, for tests on a bench.
/// Gecko's authorizer URL ("wss://" with the authorizer's parameters) sets endpoint, authorizer, token and
/// signature, and means MQTT on port 443.
///
/// @param options the options.
/// @param url the URL; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_URL; #GECKO_MQTT_ERR_OUT_OF_RANGE: the port;
/// #GECKO_MQTT_ERR_INVALID_TOKEN: the token in it; #GECKO_MQTT_ERR_UNSUPPORTED: another scheme, or WebSocket.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_broker_url(
    options: *mut gecko_mqtt_options_t,
    url: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_broker_url(unsafe { arg::text(url, "url") }?)
    })
}

/// The AWS region. It completes an endpoint that is only the prefix of one ("xxxx-ats").
///
/// @param options the options.
/// @param region the region: "us-east-1"; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_region(
    options: *mut gecko_mqtt_options_t,
    region: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_region(unsafe { arg::text(region, "region") }?)
    })
}

/// The client identifier. By default one is generated, which stays the same for the life of the client;
/// sessions outlive the process only with one that is set.
///
/// @param options the options.
/// @param client_id the identifier; AWS IoT allows 128 bytes. "": the server chooses one. Copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: too long, or with a control character.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_client_id(
    options: *mut gecko_mqtt_options_t,
    client_id: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_client_id(unsafe { arg::text(client_id, "client_id") }?)
    })
}

/// The roots to trust instead of the platform's.
///
/// @param options the options.
/// @param path a file of certificates, PEM or DER; read now.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE; #GECKO_MQTT_ERR_INVALID_CERTIFICATE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_ca_file(
    options: *mut gecko_mqtt_options_t,
    path: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_ca_file(unsafe { arg::text(path, "path") }?)
    })
}

/// The roots to trust instead of the platform's, from memory.
///
/// @param options the options.
/// @param pem certificates, PEM or DER; copied.
/// @param pem_len their length in bytes.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_OUT_OF_RANGE: the length.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_ca_pem(
    options: *mut gecko_mqtt_options_t,
    pem: *const u8,
    pem_len: usize,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or `pem_len` bytes, as the comment asks.
        options.set_ca_pem(unsafe { arg::some_bytes(pem, pem_len, "pem") }?)
    })
}

/// The ALPN protocol to offer. By default it follows from authentication and port: "mqtt" for an authorizer,
/// "x-amzn-mqtt-ca" for a certificate on port 443.
///
/// @param options the options.
/// @param protocol its name; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: empty, or longer than 255 bytes.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_alpn(
    options: *mut gecko_mqtt_options_t,
    protocol: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_alpn(unsafe { arg::text(protocol, "protocol") }?)
    })
}
