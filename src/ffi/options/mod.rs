//! Everything that can be set before a client is made.

mod behaviour;
mod credentials;
mod server;
mod session;

pub use behaviour::*;
pub use credentials::*;
pub use server::*;
pub use session::*;

use super::error::boundary_silent;
use super::handle::{self, Handle, Pinned};
use super::status::gecko_mqtt_status_t;
use crate::ffi::error::boundary;
use crate::{Error, ErrorKind, Options, Result};
use std::ptr;
use std::sync::{RwLock, RwLockReadGuard, TryLockError};

/// The settings of a client to be. Each is checked as it is set; the first error is remembered, and
/// gecko_mqtt_client_new() returns it, so that a program may check once. Numbers in brackets are the
/// defaults.
pub struct gecko_mqtt_options_t(());

impl Handle for gecko_mqtt_options_t {
    type Object = RwLock<Options>;
    const KIND: u32 = 1;
    const NOUN: &'static str = "an options handle";
    /// A daemon may read its configuration before it goes into the background.
    const SURVIVES_FORK: bool = true;
}

/// Makes options with all defaults.
///
/// @return the options, to be freed with gecko_mqtt_options_free(). NULL only after a defect of the library,
/// which is then the thread's last error.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn gecko_mqtt_options_new() -> *mut gecko_mqtt_options_t {
    super::error::boundary_or(ptr::null_mut(), || Ok(handle::create(RwLock::new(Options::default()))))
}

/// Frees options. Clients that were made with them keep what they need.
///
/// @param options the options; NULL is allowed, and a handle that was freed already does no harm.
/// @par Threads
/// One at a time for each options handle.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_options_free(options: *mut gecko_mqtt_options_t) {
    boundary_silent(|| handle::free(options));
}

/// Every setter: the core's, with its error remembered.
fn set(
    options: *mut gecko_mqtt_options_t,
    setter: impl FnOnce(&mut Options) -> Result<()>,
) -> gecko_mqtt_status_t {
    boundary(|| {
        let handle = handle::get(options, "options")?;
        let mut options = handle.try_write().or_else(in_use)?;
        setter(&mut options).inspect_err(|error| options.remember(error))
    })
}

/// The options, as they are.
pub(super) fn read(options: &Pinned<gecko_mqtt_options_t>) -> Result<RwLockReadGuard<'_, Options>> {
    options.try_read().or_else(in_use)
}

/// Never waits for a lock: it could have been held by another thread of the parent when this process was
/// forked.
fn in_use<T>(error: TryLockError<T>) -> Result<T> {
    match error {
        // A setter that panicked has set nothing, or everything.
        TryLockError::Poisoned(guard) => Ok(guard.into_inner()),
        TryLockError::WouldBlock => {
            let message = "these options are being set by another thread, or used by one of their own hooks";
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
    }
}
