//! The library itself.

use super::error;
use crate::{Error, ErrorKind, Result};
use std::ffi::{CStr, c_char, c_int};
use std::ptr;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => unreachable!(),
};

/// The version of the binary interface that this header describes. Programs that were built against one run
/// with every library of the same; the shared library's SONAME ends with it.
pub const GECKO_MQTT_ABI_VERSION: c_int = 1;

/// The version of the library that is running: "0.1.0". Compare #GECKO_MQTT_VERSION, that of the header.
///
/// @return a static, NUL-terminated text.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The binary interface of the library that is running. Where it is not #GECKO_MQTT_ABI_VERSION, the program
/// was built against another one: for programs that load the library by hand.
///
/// @return the number.
/// @par Threads
/// Any, also after a fork.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_abi_version() -> c_int {
    GECKO_MQTT_ABI_VERSION
}

/// What went wrong in the last call on this thread that failed, in words that say what to do next. Calls that
/// succeed leave it as it is. It never holds a secret.
///
/// @return a NUL-terminated text, never NULL, empty where nothing has failed yet; valid until the next failed
/// call on this thread.
/// @par Threads
/// Each has its own.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_last_error_message() -> *const c_char {
    error::last_message().0
}

/// Frees a text that the library gave away.
///
/// @param text from a function whose comment says so; NULL is allowed.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_string_free(text: *mut c_char) {
    // SAFETY: `give_text` took it from `malloc`; `free` takes NULL.
    unsafe { libc::free(text.cast()) };
}

/// Gives a text away. It comes from `malloc`, so that its freeing depends on nothing that is in it.
pub(super) fn give_text(text: &str) -> Result<*mut c_char> {
    // SAFETY: any size may be asked for.
    let place = unsafe { libc::malloc(text.len() + 1) }.cast::<u8>();
    if place.is_null() {
        return Err(Error::new(ErrorKind::System, "out of memory"));
    }
    // SAFETY: the new place has one byte more than the text.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), place, text.len()) };
    // SAFETY: that byte is in it.
    let end = unsafe { place.add(text.len()) };
    // SAFETY: the same.
    unsafe { end.write(0) };
    Ok(place.cast())
}
