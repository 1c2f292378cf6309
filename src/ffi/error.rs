//! From a result of the core to a status, and the words that go with it.

use super::status::{GECKO_MQTT_OK, code, gecko_mqtt_status_t};
use crate::{Error, ErrorKind, Result, panics};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

thread_local! {
    /// The message of the thread's last failed call.
    static LAST: RefCell<CString> = RefCell::default();
}

/// Every public function that can fail is one of these: neither an error nor a panic goes further.
pub fn boundary(f: impl FnOnce() -> Result<()>) -> gecko_mqtt_status_t {
    let mut f = Some(f);
    run(&mut || f.take().map_or(Ok(()), |f| f()))
}

/// The same for a function that returns its answer, and `otherwise` when there is none.
pub fn boundary_or<T>(otherwise: T, f: impl FnOnce() -> Result<T>) -> T {
    let mut answer = otherwise;
    boundary(|| {
        answer = f()?;
        Ok(())
    });
    answer
}

/// The same for a function that returns nothing.
pub fn boundary_silent(f: impl FnOnce() -> Result<()>) {
    boundary(f);
}

/// Not generic: what surrounds a call is there once, and not in each of ninety functions.
fn run(f: &mut dyn FnMut() -> Result<()>) -> gecko_mqtt_status_t {
    panics::wrap_hook();
    let result = panics::catch(f).unwrap_or_else(|text| {
        let message = format!("a defect of the library, please report it: {text}");
        Err(Error::new(ErrorKind::Internal, message))
    });
    let Err(error) = result else { return GECKO_MQTT_OK };
    remember(&error);
    code(error.kind())
}

/// Makes the message the thread's last one.
pub fn remember(error: &Error) {
    let text = error.message().replace('\0', "\u{fffd}");
    // A thread that is ending has no last error any more.
    let _ = LAST.try_with(|last| last.replace(CString::new(text).unwrap_or_default()));
}

/// The thread's last message and its length. The text is NUL-terminated, and gone with the next failed call
/// on this thread, or with the thread.
pub fn last_message() -> (*const c_char, usize) {
    let text = |last: &RefCell<CString>| (last.borrow().as_ptr(), last.borrow().count_bytes());
    LAST.try_with(text).unwrap_or((c"".as_ptr(), 0))
}

/// Lends the message as C text.
pub fn with_text<T>(error: &Error, f: impl FnOnce(&CStr) -> T) -> T {
    let text = CString::new(error.message().replace('\0', "\u{fffd}")).unwrap_or_default();
    f(&text)
}

#[cfg(test)]
mod tests {
    use super::super::status::{GECKO_MQTT_ERR_INTERNAL, GECKO_MQTT_ERR_QUEUE_FULL};
    use super::*;

    fn last() -> String {
        // SAFETY: the message is C text, and no call fails before it is copied.
        unsafe { CStr::from_ptr(last_message().0) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_a_status() {
        assert_eq!(boundary(|| panic!("on purpose")), GECKO_MQTT_ERR_INTERNAL);
        assert!(last().contains("on purpose (src/ffi/error.rs:"), "{}", last());
    }

    #[test]
    fn the_last_message_is_the_thread_s_own_and_outlives_successes() {
        let fail = |text: &'static str| boundary(|| Err(Error::new(ErrorKind::QueueFull, text)));
        assert_eq!(fail("full\0up"), GECKO_MQTT_ERR_QUEUE_FULL);
        std::thread::spawn(|| assert_eq!(last(), "")).join().unwrap();
        assert_eq!(boundary(|| Ok(())), GECKO_MQTT_OK);
        assert_eq!(last(), "full\u{fffd}up");
    }
}
