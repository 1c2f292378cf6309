//! A client's certificate, when it is renewed.

use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use super::{arg, handle};
use std::ffi::c_char;

/// Gives the client a fresh certificate and key, from files. A live connection is rotated onto it, as
/// gecko_mqtt_set_token() does; without one, the next attempt shows it.
///
/// @param client the client.
/// @param cert_path path of the certificate, perhaps with its chain; PEM or DER.
/// @param key_path path of the key: PKCS#8, PKCS#1 or SEC1; PEM or DER.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE: a file
/// cannot be read; #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a
/// password; #GECKO_MQTT_ERR_KEY_MISMATCH; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client connects without TLS;
/// #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Reads the files, and waits for nothing else.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_set_certificate_file(
    client: *mut gecko_mqtt_client_t,
    cert_path: *const c_char,
    key_path: *const c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let cert_path = unsafe { arg::text(cert_path, "cert_path") }?;
        // SAFETY: the same.
        let key_path = unsafe { arg::text(key_path, "key_path") }?;
        client.set_certificate_file(cert_path, key_path)
    })
}

/// Gives the client a fresh certificate and key, from memory. A live connection is rotated onto it, as
/// gecko_mqtt_set_token() does; without one, the next attempt shows it.
///
/// @param client the client.
/// @param cert the certificate, perhaps with its chain; PEM or DER; copied.
/// @param cert_len its length in bytes.
/// @param key the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; copied, and the copy is overwritten when it goes.
/// @param key_len its length in bytes.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_OUT_OF_RANGE: a length;
/// #GECKO_MQTT_ERR_INVALID_CERTIFICATE; #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password;
/// #GECKO_MQTT_ERR_KEY_MISMATCH; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: the client connects without TLS;
/// #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_set_certificate_pem(
    client: *mut gecko_mqtt_client_t,
    cert: *const u8,
    cert_len: usize,
    key: *const u8,
    key_len: usize,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or `cert_len` bytes, as the comment asks.
        let cert = unsafe { arg::some_bytes(cert, cert_len, "cert") }?;
        // SAFETY: NULL or `key_len` bytes, likewise.
        let key = unsafe { arg::some_bytes(key, key_len, "key") }?;
        client.set_certificate_pem(cert, key)
    })
}
