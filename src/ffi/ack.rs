//! How an operation ended, as C sees it.

use super::callback::{pointer, word};
use super::status::{GECKO_MQTT_OK, code, gecko_mqtt_status_t};
use super::structure::{Structure, packed};
use super::{arg, error};
use crate::{Ack, Completion, Result, panics};
use std::ffi::{CStr, c_char, c_void};
use std::mem;
use std::ptr;
use std::time::Duration;

/// How an operation ended. Initialise it with #GECKO_MQTT_ACK_INIT or gecko_mqtt_ack_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gecko_mqtt_ack_t {
    /// Size of this structure in bytes; set by the initialiser, in a completion by the library.
    pub size: u32,
    /// #GECKO_MQTT_OK or why it failed.
    pub status: gecko_mqtt_status_t,
    /// The MQTT reason code of the server's answer (0..255), or -1 where there was none.
    pub reason_code: i32,
    /// Milliseconds from writing the packet to its acknowledgement; 0 where there was none.
    pub round_trip_ms: u32,
    /// Why it failed, for a person: UTF-8, NUL-terminated, never NULL, empty after a success. In a completion
    /// it is valid until the completion returns; from a waiting call, until the next failed call on this
    /// thread.
    pub error: *const c_char,
    /// Length of `error` in bytes, without the NUL.
    pub error_len: usize,
}

const _: () = assert!(size_of::<gecko_mqtt_ack_t>() == packed(2, 16));

// SAFETY: `repr(C)`, begins with `size`, has no padding as asserted, and is made of integers and a pointer.
unsafe impl Structure for gecko_mqtt_ack_t {
    const NAME: &'static str = "the acknowledgement";
    const ZERO: Self =
        Self { size: 0, status: 0, reason_code: 0, round_trip_ms: 0, error: ptr::null(), error_len: 0 };

    fn set_size(&mut self, size: u32) {
        self.size = size;
    }
}

/// Told once how an operation ended that was accepted; never called for one that was refused at once.
///
/// Runs where callbacks run. It may call any function of this library, and must not throw or longjmp.
///
/// @param ack how it ended; valid until the function returns.
/// @param userdata what was given with the operation.
/// @since 0.1
pub type gecko_mqtt_completion_fn =
    Option<unsafe extern "C-unwind" fn(ack: *const gecko_mqtt_ack_t, userdata: *mut c_void)>;
type Call = unsafe extern "C-unwind" fn(ack: *const gecko_mqtt_ack_t, userdata: *mut c_void);

/// Prepares an acknowledgement for a waiting call, as #GECKO_MQTT_ACK_INIT does: for languages without
/// macros.
///
/// @param ack the structure.
/// @param size its size in bytes, as the caller knows it.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT; #GECKO_MQTT_ERR_STRUCT_SIZE: no structure has that
/// size.
/// @par Threads
/// Any.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_ack_init(ack: *mut gecko_mqtt_ack_t, size: usize) -> gecko_mqtt_status_t {
    // SAFETY: the caller says that it has `size` bytes.
    error::boundary(|| unsafe { arg::initialise(ack, size) })
}

fn as_c(
    status: gecko_mqtt_status_t,
    reason: Option<u8>,
    round_trip: Option<Duration>,
    (error, error_len): (*const c_char, usize),
) -> gecko_mqtt_ack_t {
    let round_trip = round_trip.unwrap_or_default().as_millis();
    gecko_mqtt_ack_t {
        size: size_of::<gecko_mqtt_ack_t>() as u32,
        status,
        reason_code: reason.map_or(-1, i32::from),
        round_trip_ms: round_trip.try_into().unwrap_or(u32::MAX),
        error,
        error_len,
    }
}

/// A completion of the application; costs no allocation.
pub(super) fn completion(call: gecko_mqtt_completion_fn, userdata: *mut c_void) -> Completion {
    match call {
        None => Completion::None,
        Some(call) => {
            Completion::Plain { call: complete, words: [word(call as *mut c_void), word(userdata)] }
        }
    }
}

fn complete(ack: &Ack, [call, userdata]: [usize; 2]) {
    // SAFETY: `completion` made the word from such a function.
    let call = unsafe { mem::transmute::<*mut c_void, Call>(pointer(call)) };
    let tell = |status, text: &CStr| {
        let text = (text.as_ptr(), text.count_bytes());
        let ack = as_c(status, ack.reason_code, ack.round_trip, text);
        // SAFETY: the application gave the function for this userdata; the structure outlives the call.
        panics::outside(|| unsafe { call(&ack, pointer(userdata)) });
    };
    match &ack.result {
        Ok(()) => tell(GECKO_MQTT_OK, c""),
        Err(failure) => error::with_text(failure, |text| tell(code(failure.kind()), text)),
    }
}

/// A call that waits for its acknowledgement and tells it in `out` too, where that is wanted.
///
/// # Safety
/// `out` is NULL or points to as many bytes as its `size` says.
pub(super) unsafe fn waited(
    out: *mut gecko_mqtt_ack_t,
    operation: impl FnOnce() -> Result<Ack>,
) -> gecko_mqtt_status_t {
    let (mut place, mut reason, mut round_trip) = (None, None, None);
    let status = error::boundary(|| {
        // SAFETY: the caller's promise.
        place = unsafe { arg::output(out) }?;
        let ack = operation()?;
        (reason, round_trip) = (ack.reason_code, ack.round_trip);
        ack.result
    });
    // Now that a failure is the thread's last error, its text stays for a while.
    if let Some(place) = place {
        let text = if status == GECKO_MQTT_OK { (c"".as_ptr(), 0) } else { error::last_message() };
        place.write(as_c(status, reason, round_trip, text));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::super::status::{GECKO_MQTT_ERR_REFUSED, GECKO_MQTT_ERR_STRUCT_SIZE};
    use super::*;
    use crate::{Error, ErrorKind};

    unsafe extern "C-unwind" fn note(ack: *const gecko_mqtt_ack_t, userdata: *mut c_void) {
        // SAFETY: the test gave a vector of such pairs.
        let seen = unsafe { &mut *userdata.cast::<Vec<(i32, i32, u32, String)>>() };
        // SAFETY: the library lends a valid one.
        let ack = unsafe { &*ack };
        // SAFETY: never NULL, NUL-terminated.
        let text = unsafe { CStr::from_ptr(ack.error) }.to_str().unwrap().to_owned();
        assert_eq!(text.len(), ack.error_len);
        seen.push((ack.status, ack.reason_code, ack.round_trip_ms, text));
    }

    #[test]
    fn a_completion_is_told_in_full() {
        let mut seen = Vec::<(i32, i32, u32, String)>::new();
        let userdata = (&raw mut seen).cast();
        let tell = |ack: &Ack| match completion(Some(note), userdata) {
            Completion::Plain { call, words } => call(ack, words),
            _ => unreachable!(),
        };
        tell(&Ack { result: Ok(()), reason_code: Some(16), round_trip: Some(Duration::from_millis(7)) });
        let refused = Error::new(ErrorKind::Refused, "quota").with_reason(151);
        tell(&Ack { result: Err(refused), reason_code: Some(151), round_trip: None });
        tell(&Ack { result: Ok(()), reason_code: None, round_trip: None });
        let refused = (GECKO_MQTT_ERR_REFUSED, 151, 0, "quota".to_owned());
        assert_eq!(seen, [(0, 16, 7, String::new()), refused, (0, -1, 0, String::new())]);
        assert!(matches!(completion(None, userdata), Completion::None));
    }

    #[test]
    fn a_waiting_call_fills_its_output_whatever_happens() {
        let mut out = gecko_mqtt_ack_t { size: size_of::<gecko_mqtt_ack_t>() as u32, ..Structure::ZERO };
        // SAFETY: `out` is a whole structure.
        let status = unsafe { waited(&mut out, || Err(Error::new(ErrorKind::Refused, "no"))) };
        assert_eq!((status, out.status, out.reason_code), (GECKO_MQTT_ERR_REFUSED, status, -1));
        // SAFETY: never NULL, NUL-terminated.
        assert_eq!(unsafe { CStr::from_ptr(out.error) }, c"no");
        let mut ran = false;
        out.size = 0;
        // SAFETY: `out` is a whole structure.
        let status = unsafe {
            waited(&mut out, || {
                ran = true;
                Ok(Ack { result: Ok(()), reason_code: None, round_trip: None })
            })
        };
        assert_eq!((status, ran), (GECKO_MQTT_ERR_STRUCT_SIZE, false), "refused before anything is sent");
    }
}
