//! Tokens, and the application that provides them.

use super::callback::Foreign;
use super::client::gecko_mqtt_client_t;
use super::error::boundary;
use super::status::gecko_mqtt_status_t;
use super::structure::{Structure, packed};
use super::{arg, handle};
use crate::{Result, TokenInput, TokenProvider, TokenRequest, token_request_complete, token_request_fail};
use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

/// A token for a custom authorizer. Initialise it with #GECKO_MQTT_TOKEN_INIT or gecko_mqtt_token_init().
///
/// Either `broker_url` alone, or `access_token` with what belongs to it. All texts are NUL-terminated and
/// copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_token_t {
    /// Size of this structure in bytes; set by the initialiser.
    pub size: u32,
    /// Seconds from now until it expires; 0: read it from the token.
    pub expires_in_secs: u32,
    /// The token itself.
    pub access_token: *const c_char,
    /// What the user name begins with, before the authorizer's parameters; NULL for nothing.
    pub username: *const c_char,
    /// The token's signature, where the authorizer wants signed tokens; NULL for none.
    pub signature: *const c_char,
    /// Gecko's authorizer URL, which holds all the others.
    pub broker_url: *const c_char,
}

const _: () = assert!(size_of::<gecko_mqtt_token_t>() == packed(4, 8));

// SAFETY: `repr(C)`, begins with `size`, has no padding as asserted, and is made of integers and pointers.
unsafe impl Structure for gecko_mqtt_token_t {
    const NAME: &'static str = "the token";
    const ZERO: Self = Self {
        size: 0,
        expires_in_secs: 0,
        access_token: ptr::null(),
        username: ptr::null(),
        signature: ptr::null(),
        broker_url: ptr::null(),
    };

    fn set_size(&mut self, size: u32) {
        self.size = size;
    }
}

/// Names one request to the token provider. A number, not a pointer: an answer to one that is over is
/// harmless.
pub type gecko_mqtt_token_request_t = u64;

/// Asks the application for a token, which it gives at once or later, from any thread, with
/// gecko_mqtt_token_request_complete() or gecko_mqtt_token_request_fail().
///
/// Runs on a thread of its own, whatever the dispatch mode, so it may block without holding anything up; it
/// never runs twice at a time for one client. It must not throw or longjmp.
///
/// @param request what the answer names.
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_token_provider_fn =
    Option<unsafe extern "C-unwind" fn(request: gecko_mqtt_token_request_t, userdata: *mut c_void)>;

/// Prepares a token, as #GECKO_MQTT_TOKEN_INIT does: for languages without macros.
///
/// @param token the structure.
/// @param size its size in bytes, as the caller knows it.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
/// size.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_token_init(
    token: *mut gecko_mqtt_token_t,
    size: usize,
) -> gecko_mqtt_status_t {
    // SAFETY: the caller says that it has `size` bytes.
    boundary(|| unsafe { arg::initialise(token, size) })
}

/// Answers a request of the token provider.
///
/// @param request the request.
/// @param token the token; copied.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: token; #GECKO_MQTT_ERR_STRUCT_SIZE;
/// #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_INVALID_ARGUMENT, #GECKO_MQTT_ERR_INVALID_TOKEN,
/// #GECKO_MQTT_ERR_INVALID_URL, #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: the token or its
/// URL cannot be used, and the request stays open; #GECKO_MQTT_ERR_NOT_FOUND: the request is over, and
/// nothing has happened.
/// @par Threads
/// Any; also inside the provider.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_token_request_complete(
    request: gecko_mqtt_token_request_t,
    token: *const gecko_mqtt_token_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a token, as the comment asks.
        let token = unsafe { input(token) }?;
        token_request_complete(TokenRequest(request), &token)
    })
}

/// Answers a request of the token provider when there is no token to be had. It is asked again later.
///
/// @param request the request.
/// @param reason why, for the log and for error messages: no secret. NULL for no reason.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_INVALID_UTF8; #GECKO_MQTT_ERR_NOT_FOUND: the request is over, and
/// nothing has happened.
/// @par Threads
/// Any; also inside the provider.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_token_request_fail(
    request: gecko_mqtt_token_request_t,
    reason: *const c_char,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or NUL-terminated, as the comment asks.
        let reason = unsafe { arg::text_or_null(reason, "reason") }?;
        token_request_fail(TokenRequest(request), reason.unwrap_or("no reason given"))
    })
}

/// Gives the client a fresh token. A live connection is rotated onto it: a second one is opened beside it and takes
/// the session over, without a gap and without losing anything; #GECKO_MQTT_EVENT_TOKEN_REFRESHED tells when that is
/// done. Without a connection, the next attempt shows it; a wait that began because the server refused the old token
/// ends.
///
/// With a will, set its delay to some seconds (gecko_mqtt_options_set_will()): a server publishes a will without a
/// delay when the old connection ends. With a token provider the library sees to that itself.
///
/// @param client the client.
/// @param token the token; copied.
/// @return #GECKO_MQTT_OK: accepted; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_INVALID_HANDLE;
/// #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED; #GECKO_MQTT_ERR_STRUCT_SIZE;
/// #GECKO_MQTT_ERR_INVALID_TOKEN: it is empty, too long, or not of the form it claims; #GECKO_MQTT_ERR_INVALID_URL,
/// #GECKO_MQTT_ERR_UNSUPPORTED, #GECKO_MQTT_ERR_OUT_OF_RANGE: its URL; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_INVALID_ARGUMENT: the broker URL together with others; #GECKO_MQTT_ERR_INVALID_CONFIGURATION: there is no
/// authorizer to send it to, or no TLS; #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_set_token(
    client: *mut gecko_mqtt_client_t,
    token: *const gecko_mqtt_token_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let client = handle::get(client, "client")?;
        // SAFETY: NULL or a structure of the size it says, as the comment asks.
        client.set_token(&unsafe { input(token) }?)
    })
}

/// Asks the token provider for a token now, whatever the age of the one that there is; a live connection is rotated
/// onto it, as gecko_mqtt_set_token() does. Does nothing more while the provider is being asked already.
///
/// @param client the client.
/// @return #GECKO_MQTT_OK: it is being asked, or will be before the next attempt; #GECKO_MQTT_ERR_NULL_ARGUMENT;
/// #GECKO_MQTT_ERR_INVALID_HANDLE; #GECKO_MQTT_ERR_FORKED; #GECKO_MQTT_ERR_CLOSED;
/// #GECKO_MQTT_ERR_INVALID_CONFIGURATION: there is no provider; #GECKO_MQTT_ERR_QUEUE_FULL.
/// @par Threads
/// Any; also inside a callback. Never waits.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_refresh_token(client: *mut gecko_mqtt_client_t) -> gecko_mqtt_status_t {
    boundary(|| handle::get(client, "client")?.refresh_token())
}

/// The token, as the core takes it.
///
/// # Safety `token` is NULL or a structure of the size it says, whose texts are NULL or NUL-terminated; all
/// that stays as it is for `'a`.
pub(super) unsafe fn input<'a>(token: *const gecko_mqtt_token_t) -> Result<TokenInput<'a>> {
    // SAFETY: the caller's promise.
    let token = unsafe { arg::structure(token) }?;
    // SAFETY: the caller's promise for each text.
    let text = |text, name| unsafe { arg::text_or_null(text, name) };
    Ok(TokenInput {
        expires_in_secs: token.expires_in_secs,
        access_token: text(token.access_token, "the token's access_token")?,
        username: text(token.username, "the token's username")?,
        signature: text(token.signature, "the token's signature")?,
        broker_url: text(token.broker_url, "the token's broker_url")?,
    })
}

/// The provider, as the core takes it.
pub(super) fn provider(call: gecko_mqtt_token_provider_fn, foreign: Foreign) -> Result<TokenProvider> {
    let call = arg::function(call, "provider")?;
    Ok(Arc::new(move |request: TokenRequest| {
        // SAFETY: the application gave the function for this userdata.
        foreign.call(|userdata| unsafe { call(request.0, userdata) });
    }))
}
