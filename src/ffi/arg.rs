//! Every check of an argument. What cannot be checked here, the header's chapter asks of the caller.

use super::client::GECKO_MQTT_WAIT_DEFAULT;
use super::structure::Structure;
use crate::{Error, ErrorKind, QoS, Result, Wait};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::slice;
use std::time::Duration;

/// C's `bool`, as an argument: any byte, of which a Rust `bool` would allow two. The header says `bool`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Bool(u8);

impl From<Bool> for bool {
    fn from(byte: Bool) -> Self {
        byte.0 != 0
    }
}

/// No structure of any version of this library is as large.
const MAX_STRUCTURE: u32 = 4096;

fn null(name: &str) -> Error {
    Error::new(ErrorKind::NullArgument, format!("{name} is NULL"))
}

fn not_utf8(name: &str) -> Error {
    Error::new(ErrorKind::InvalidUtf8, format!("{name} is not valid UTF-8"))
}

/// NUL-terminated text that must be there.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and stays as it is for `'a`.
pub unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { text_or_null(text, name) }?.ok_or_else(|| null(name))
}

/// NUL-terminated text, or NULL for none.
///
/// # Safety
/// As for [`text`].
pub unsafe fn text_or_null<'a>(text: *const c_char, name: &str) -> Result<Option<&'a str>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so NUL-terminated.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|_| not_utf8(name))
}

/// Text of a structure: pointer and length, NUL-terminated when the length is 0; empty is as good as absent.
///
/// # Safety
/// `text` is NULL, or has `len` bytes, or with `len` 0 is NUL-terminated; it stays as it is for `'a`.
pub unsafe fn counted_text<'a>(text: *const c_char, len: usize, name: &str) -> Result<Option<&'a str>> {
    let text = if len == 0 {
        // SAFETY: the caller's promise for `len` 0.
        unsafe { text_or_null(text, name) }?
    } else {
        // SAFETY: the caller's promise for any other `len`.
        let bytes = unsafe { bytes(text.cast(), len, name) }?;
        Some(std::str::from_utf8(bytes).map_err(|_| not_utf8(name))?)
    };
    Ok(text.filter(|text| !text.is_empty()))
}

/// Bytes; NULL with length 0 is empty.
///
/// # Safety
/// `bytes` is NULL or has `len` bytes, which stay as they are for `'a`.
pub unsafe fn bytes<'a>(bytes: *const c_void, len: usize, name: &str) -> Result<&'a [u8]> {
    if len > isize::MAX as usize {
        let message = format!("{name} cannot have {len} bytes: is the length negative?");
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    match (bytes.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Error::new(ErrorKind::NullArgument, format!("{name} is NULL, its length is {len}"))),
        // SAFETY: not NULL, so it has `len` bytes.
        (false, _) => Ok(unsafe { slice::from_raw_parts(bytes.cast(), len) }),
    }
}

/// Bytes that must be there.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn some_bytes<'a>(pointer: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: the caller's promise.
    unsafe { bytes(pointer.cast(), len, name) }
}

/// One element of an array, wherever it lies.
///
/// # Safety
/// `array` has more than `index` elements.
pub unsafe fn element<T: Copy>(array: *const T, index: usize) -> T {
    // SAFETY: the caller's promise.
    let element = unsafe { array.add(index) };
    // SAFETY: the same; a caller's array may be badly aligned.
    unsafe { element.read_unaligned() }
}

/// Checks the pair of an array's pointer and length.
pub fn array<T>(array: *const T, count: usize, max: usize, name: &str) -> Result<()> {
    if count > max {
        return Err(Error::new(ErrorKind::OutOfRange, format!("{name}: {count} are more than {max}")));
    }
    if count > 0 && array.is_null() {
        return Err(Error::new(ErrorKind::NullArgument, format!("{name} is NULL, its count is {count}")));
    }
    Ok(())
}

/// A structure that must be there, of whatever version: what it lacks is zero, what we do not know must be.
///
/// # Safety
/// `from` is NULL or points to as many bytes as its `size` says.
pub unsafe fn structure<T: Structure>(from: *const T) -> Result<T> {
    if from.is_null() {
        return Err(null(T::NAME));
    }
    let own = size_of::<T>();
    // SAFETY: not NULL, and its first member is `size`.
    let size = unsafe { stated_size(from) }?;
    if size > own {
        // SAFETY: the caller says that it has `size` bytes.
        let whole = unsafe { slice::from_raw_parts(from.cast::<u8>(), size) };
        if whole[own..].iter().any(|byte| *byte != 0) {
            let message = format!(
                "{} of {size} bytes uses members that this version of the library, whose has {own}, does not know",
                T::NAME
            );
            return Err(Error::new(ErrorKind::StructSize, message));
        }
    }
    let mut copy = T::ZERO;
    // SAFETY: both have that many bytes, and any bytes make a `T`.
    unsafe { ptr::copy_nonoverlapping(from.cast::<u8>(), (&raw mut copy).cast::<u8>(), size.min(own)) };
    Ok(copy)
}

/// Where a structure is to be written, when it is wanted; `size` says how much of it.
pub struct Output<T>(*mut T, usize);

/// Checks an output that may be NULL.
///
/// # Safety
/// `to` is NULL or points to as many bytes as its `size` says, and that until the result is dropped.
pub unsafe fn output<T: Structure>(to: *mut T) -> Result<Option<Output<T>>> {
    if to.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and its first member is `size`.
    let size = unsafe { stated_size(to) }?;
    Ok(Some(Output(to, size)))
}

impl<T: Structure> Output<T> {
    /// Writes as much as fits; the caller's `size` stays.
    pub fn write(self, mut value: T) {
        value.set_size(self.1 as u32);
        let len = self.1.min(size_of::<T>());
        // SAFETY: `output` was promised so many bytes.
        unsafe { ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), self.0.cast::<u8>(), len) };
    }
}

/// # Safety
/// `structure` has at least the four bytes of its `size`.
unsafe fn stated_size<T: Structure>(structure: *const T) -> Result<usize> {
    // SAFETY: the caller's promise.
    let size = unsafe { structure.cast::<u32>().read_unaligned() };
    if !(size_of::<u32>() as u32..=MAX_STRUCTURE).contains(&size) {
        let message = format!("{} says that its size is {size}: use its initialiser", T::NAME);
        return Err(Error::new(ErrorKind::StructSize, message));
    }
    Ok(size as usize)
}

/// Sets a structure of whatever version to zero, and its size.
///
/// # Safety
/// `structure` is NULL or has `size` bytes.
pub unsafe fn initialise<T: Structure>(structure: *mut T, size: usize) -> Result<()> {
    if structure.is_null() {
        return Err(null(T::NAME));
    }
    if !(size_of::<u32>()..=MAX_STRUCTURE as usize).contains(&size) {
        let message = format!("{} cannot have {size} bytes: give its sizeof", T::NAME);
        return Err(Error::new(ErrorKind::StructSize, message));
    }
    // SAFETY: the caller's promise.
    unsafe { structure.cast::<u8>().write_bytes(0, size) };
    // SAFETY: `size` is at least that of a `u32`.
    unsafe { structure.cast::<u32>().write_unaligned(size as u32) };
    Ok(())
}

/// A place for a result that must be there; it is empty from now on, so that failing leaves it so.
///
/// # Safety
/// `to` is NULL or a valid place for a `T`.
pub unsafe fn result<'a, T>(to: *mut T, empty: T, name: &str) -> Result<&'a mut T> {
    if to.is_null() {
        return Err(null(name));
    }
    if !to.is_aligned() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{name} is not aligned: is it what it should be?"),
        ));
    }
    // SAFETY: not NULL, so valid for writing.
    unsafe { to.write(empty) };
    // SAFETY: the same, and initialised now.
    Ok(unsafe { &mut *to })
}

/// A function that must be there.
pub fn function<F>(function: Option<F>, name: &str) -> Result<F> {
    function.ok_or_else(|| null(name))
}

/// A quality of service.
pub fn qos(level: i32) -> Result<QoS> {
    u8::try_from(level)
        .ok()
        .and_then(QoS::from_level)
        .ok_or_else(|| Error::new(ErrorKind::OutOfRange, format!("the QoS is 0, 1 or 2, not {level}")))
}

/// Members that a later version may give a meaning to.
pub fn reserved(zero: bool, name: &str) -> Result<()> {
    if zero {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArgument, format!("{name}: the reserved members must be 0")))
}

/// How long to wait, in milliseconds.
pub fn wait(timeout_ms: u32) -> Wait {
    match timeout_ms {
        GECKO_MQTT_WAIT_DEFAULT => Wait::Default,
        ms => Wait::For(Duration::from_millis(ms.into())),
    }
}

#[cfg(test)]
mod tests;
