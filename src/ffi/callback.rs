//! A function of the application, its userdata, and the hook that says when both are needed no more.

use crate::panics;
use std::ffi::c_void;
use std::ptr;

// An exception of C++ that leaves a callback must not be undefined behaviour, so the types say "C-unwind": it
// travels up to the nearest `catch_unwind`, where Rust's runtime ends the process, as the header says.

/// Told that a registration's `userdata` is needed no more: exactly once, after the last call of its
/// function, also when the registration fails (then before the failing function returns).
///
/// @param userdata what was given with the registration.
/// @since 0.1
pub type gecko_mqtt_destroy_fn = Option<unsafe extern "C-unwind" fn(userdata: *mut c_void)>;

/// What belongs to a registration: lives as long as it does, and runs the hook when it ends.
pub(super) struct Foreign {
    userdata: *mut c_void,
    destroy: gecko_mqtt_destroy_fn,
}

// SAFETY: the header says that callbacks and hooks run on other threads; what `userdata` points to is theirs.
unsafe impl Send for Foreign {}
// SAFETY: the same. The pointer is only handed on.
unsafe impl Sync for Foreign {}

impl Foreign {
    /// Takes the registration over: from here on, dropping it is what tells the application.
    pub(super) fn new(userdata: *mut c_void, destroy: gecko_mqtt_destroy_fn) -> Self {
        Self { userdata, destroy }
    }

    /// What `gecko_mqtt_remove_listeners` looks for.
    pub(super) fn key(&self) -> usize {
        self.userdata.addr()
    }

    /// Calls the application's function.
    pub(super) fn call(&self, f: impl FnOnce(*mut c_void)) {
        panics::outside(|| f(self.userdata));
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the application gave the function for this pointer; a hook runs once.
            panics::outside(|| unsafe { destroy(self.userdata) });
        }
    }
}

/// Carries a pointer through a word.
pub(super) fn word(pointer: *mut c_void) -> usize {
    pointer.expose_provenance()
}

/// The pointer in a word.
pub(super) fn pointer(word: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(word)
}
