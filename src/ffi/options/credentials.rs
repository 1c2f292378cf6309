//! Who we are.

use super::{gecko_mqtt_options_t, set};
use crate::ffi::arg;
use crate::ffi::callback::{Foreign, gecko_mqtt_destroy_fn};
use crate::ffi::status::gecko_mqtt_status_t;
use crate::ffi::token::{self, gecko_mqtt_token_provider_fn, gecko_mqtt_token_t};
use std::ffi::{c_char, c_void};

/// The client certificate and its private key, from files.
///
/// @param options the options.
/// @param cert_path the certificate, perhaps with its chain; PEM or DER; read now.
/// @param key_path the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; read now.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_FILE; #GECKO_MQTT_ERR_INVALID_CERTIFICATE;
/// #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password; #GECKO_MQTT_ERR_KEY_MISMATCH.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_certificate_file(
    options: *mut gecko_mqtt_options_t,
    cert_path: *const c_char,
    key_path: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let cert_path = unsafe { arg::text(cert_path, "cert_path") }?;
        // SAFETY: the same.
        let key_path = unsafe { arg::text(key_path, "key_path") }?;
        options.set_certificate_file(cert_path, key_path)
    })
}

/// The client certificate and its private key, from memory.
///
/// @param options the options.
/// @param cert the certificate, perhaps with its chain; PEM or DER; copied.
/// @param cert_len its length in bytes.
/// @param key the key: PKCS#8, PKCS#1 or SEC1; PEM or DER; copied, and the copy is overwritten when it goes.
/// @param key_len its length in bytes.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE: a length; #GECKO_MQTT_ERR_INVALID_CERTIFICATE;
/// #GECKO_MQTT_ERR_INVALID_PRIVATE_KEY: also for one with a password; #GECKO_MQTT_ERR_KEY_MISMATCH.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_certificate_pem(
    options: *mut gecko_mqtt_options_t,
    cert: *const u8,
    cert_len: usize,
    key: *const u8,
    key_len: usize,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or `cert_len` bytes, as the comment asks.
        let cert = unsafe { arg::some_bytes(cert, cert_len, "cert") }?;
        // SAFETY: NULL or `key_len` bytes, likewise.
        let key = unsafe { arg::some_bytes(key, key_len, "key") }?;
        options.set_certificate_pem(cert, key)
    })
}

/// The user name sent in CONNECT; with an authorizer, what comes before its parameters.
///
/// @param options the options.
/// @param username the name; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: longer than MQTT allows.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_username(
    options: *mut gecko_mqtt_options_t,
    username: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        options.set_username(unsafe { arg::text(username, "username") }?)
    })
}

/// The password sent in CONNECT.
///
/// @param options the options.
/// @param password the password; copied, and the copy is overwritten when it goes.
/// @param password_len its length in bytes.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: longer than MQTT allows; #GECKO_MQTT_ERR_OUT_OF_RANGE: the length.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_password(
    options: *mut gecko_mqtt_options_t,
    password: *const u8,
    password_len: usize,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or `password_len` bytes, as the comment asks.
        options.set_password(unsafe { arg::some_bytes(password, password_len, "password") }?)
    })
}

/// The AWS custom authorizer that checks the token.
///
/// @param options the options.
/// @param name its name; copied.
/// @param token_key the name of the parameter that carries the token, as the authorizer's configuration in
/// AWS says; NULL for an authorizer that decides by user name and password alone. Copied.
/// @param signature the token's signature, where the authorizer wants signed tokens and the token does not
/// bring its own; NULL for none. Copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT; #GECKO_MQTT_ERR_INVALID_CONFIGURATION.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_authorizer(
    options: *mut gecko_mqtt_options_t,
    name: *const c_char,
    token_key: *const c_char,
    signature: *const c_char,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let name = unsafe { arg::text(name, "name") }?;
        // SAFETY: the same.
        let token_key = unsafe { arg::text_or_null(token_key, "token_key") }?;
        // SAFETY: the same.
        let signature = unsafe { arg::text_or_null(signature, "signature") }?;
        options.set_authorizer(name, token_key, signature)
    })
}

/// The first token. Without one the provider is asked.
///
/// @param options the options.
/// @param token the token; copied, and the copy is overwritten when it goes.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT: the broker
/// URL together with others; #GECKO_MQTT_ERR_INVALID_TOKEN; #GECKO_MQTT_ERR_INVALID_URL,
/// #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: its URL.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_token(
    options: *mut gecko_mqtt_options_t,
    token: *const gecko_mqtt_token_t,
) -> gecko_mqtt_status_t {
    set(options, |options| {
        // SAFETY: NULL or a token, as the comment asks.
        options.set_token(&unsafe { token::input(token) }?)
    })
}

/// Who is asked for the first token, if none is set, and for each further one. It lives as long as these
/// options and the clients made with them.
///
/// @param options the options.
/// @param provider asked for a token.
/// @param userdata handed to `provider`.
/// @param destroy told when `userdata` is needed no more, exactly once, also if this call fails; may be NULL.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_set_token_provider(
    options: *mut gecko_mqtt_options_t,
    provider: gecko_mqtt_token_provider_fn,
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
) -> gecko_mqtt_status_t {
    let foreign = Foreign::new(userdata, destroy);
    set(options, move |options| options.set_token_provider(token::provider(provider, foreign)?))
}

/// How long before its expiry a token is renewed. One that lives shorter than twice that is renewed at half
/// its life.
///
/// @param options the options.
/// @param secs seconds (900).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_refresh_threshold_secs(
    options: *mut gecko_mqtt_options_t,
    secs: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_refresh_threshold_secs(secs))
}

/// How long the provider may take for one request.
///
/// @param options the options.
/// @param timeout_ms milliseconds (30000).
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_set_token_timeout_ms(
    options: *mut gecko_mqtt_options_t,
    timeout_ms: u32,
) -> gecko_mqtt_status_t {
    set(options, |options| options.set_token_timeout_ms(timeout_ms))
}
