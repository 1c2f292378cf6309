//! A panic is a defect of this library. It must neither cross the C boundary nor write to the host's stderr.
//!
//! The panic hook is one for each copy of the standard library. The C library has a copy of its own, but in a
//! Rust program that uses this crate the hook is the program's. So it is only ever wrapped, and only by the
//! first call through the C boundary: panics of our own code are recorded instead of printed, all others go on
//! to the hook that was there.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether this thread is in our code.
    static OURS: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Restores what it was, also when unwinding.
struct Restore(bool);

impl Restore {
    fn set(ours: bool) -> Self {
        Self(OURS.try_with(|flag| flag.replace(ours)).unwrap_or(false))
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = OURS.try_with(|flag| flag.set(self.0));
    }
}

/// Runs `f`; a panic becomes a text that says what and where.
pub fn catch<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    let _ours = Restore::set(true);
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let recorded = LAST.try_with(|last| last.borrow_mut().take()).ok().flatten();
        recorded.unwrap_or_else(|| text(&*payload).to_owned())
    })
}

/// Runs code of the application inside our own: its panics, if it is a Rust program, are its own affair.
pub fn outside<T>(f: impl FnOnce() -> T) -> T {
    let _theirs = Restore::set(false);
    f()
}

/// From now on, all of this thread's panics are ours.
pub fn keep_thread_quiet() {
    OURS.set(true);
}

/// Wraps the process's panic hook, once. Takes a lock the first time only.
pub fn wrap_hook() {
    static WRAPPED: AtomicBool = AtomicBool::new(false);
    // The hook cannot be changed by a thread that is panicking.
    if WRAPPED.load(Ordering::Relaxed) || std::thread::panicking() || WRAPPED.swap(true, Ordering::Relaxed) {
        return;
    }
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if OURS.try_with(Cell::get).unwrap_or(false) {
            record(info);
        } else {
            before(info);
        }
    }));
}

fn record(info: &PanicHookInfo<'_>) {
    let what = text(info.payload());
    let recorded = match info.location() {
        Some(place) => format!("{what} ({}:{})", place.file(), place.line()),
        None => what.to_owned(),
    };
    let _ = LAST.try_with(|last| last.replace(Some(recorded)));
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.map_or("a panic without a text", without_quotation)
}

/// What the standard library says when a text is sliced wrongly ends with that text, which may be a secret.
fn without_quotation(text: &str) -> &str {
    let quotation = [" of `", " slicing `"].iter().filter_map(|before| text.find(before)).min();
    &text[..quotation.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_ours_is_recorded_with_its_place() {
        wrap_hook();
        let said = catch(|| panic!("broken {}", 7)).unwrap_err();
        assert!(said.starts_with("broken 7 (src/panics.rs:"), "{said}");
        assert_eq!(catch(|| 7), Ok(7));
    }

    #[test]
    fn a_text_that_was_sliced_wrongly_is_not_quoted() {
        wrap_hook();
        let secret = String::from("s3cr3t€s3cr3t");
        for (from, to) in [(0, 7), (7, 15), (0, 99), (99, 100), (3, 2)] {
            let said = catch(|| secret[from..to].len()).unwrap_err();
            assert!(said.contains("(src/panics.rs:") && !said.contains("s3"), "{said}");
        }
    }

    #[test]
    fn code_of_the_application_is_outside() {
        let inside = || OURS.get();
        assert!(!inside());
        let seen = catch(|| (inside(), outside(inside), inside())).unwrap();
        assert_eq!(seen, (true, false, true));
        assert!(!inside());
    }
}
