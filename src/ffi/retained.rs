//! Messages that the application keeps: each a block of memory of its own, known by its address while it is out.

use super::arg;
use super::error::{boundary, boundary_silent};
use super::message::{as_c, gecko_mqtt_message_t, gecko_mqtt_user_property_t, property, read};
use super::status::gecko_mqtt_status_t;
use crate::process::{PerProcess, lock};
use crate::{Error, ErrorKind, Message, Result};
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;
use std::sync::{Mutex, MutexGuard};

/// The addresses of the blocks that are out, so that a pointer can be judged without reading what it points to:
/// in short lists, by a hash. Inverted: a block that the application has lost shall look lost to a leak checker.
static OUT: PerProcess<[Mutex<Vec<usize>>; 1 << LISTS]> = PerProcess::new();
const LISTS: u32 = 5;

/// The list that a block's address belongs in.
fn list(address: usize) -> MutexGuard<'static, Vec<usize>> {
    // Fibonacci hashing: blocks of one size lie at regular distances.
    let hash = address.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize) >> (usize::BITS - LISTS);
    lock(&OUT.get()[hash])
}

/// Keeps a message beyond its callback, by a copy that is valid until gecko_mqtt_message_release(), also after
/// gecko_mqtt_client_free(). The copy stands for the message: it can be acknowledged by hand with
/// gecko_mqtt_message_ack(), published with gecko_mqtt_publish(), and retained again.
///
/// To the server a retained message is not different from others. Where the application acknowledges by hand
/// (gecko_mqtt_options_set_manual_ack()), one of QoS 1 that it has retained and not acknowledged comes again at each
/// reconnection that resumes the session: the callback is told it again, and the copy from before can be acknowledged
/// no more (#GECKO_MQTT_ERR_NOT_FOUND), only the one that came last.
///
/// @param message what a message callback was given, a retained message, or one that the application made;
/// copied with all that it points to.
/// @param out the copy, to be given to gecko_mqtt_message_release(), once for each call of this function; NULL
/// after a failure.
/// @return #GECKO_MQTT_OK; #GECKO_MQTT_ERR_NULL_ARGUMENT: message, out, the topic, or what a length or a count
/// belongs to; #GECKO_MQTT_ERR_SYSTEM: out of memory. Of a message that the application made, also:
/// #GECKO_MQTT_ERR_STRUCT_SIZE; #GECKO_MQTT_ERR_INVALID_TOPIC: it is empty; #GECKO_MQTT_ERR_INVALID_UTF8;
/// #GECKO_MQTT_ERR_OUT_OF_RANGE: QoS, payload format or a length; #GECKO_MQTT_ERR_INVALID_ARGUMENT: reserved
/// members that are not 0.
/// @par Threads
/// Any; also inside a callback. Any number of threads may read the copy. In the child of a fork, what the
/// parent retained can be read, and retained again.
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_message_retain(
    message: *const gecko_mqtt_message_t,
    out: *mut *const gecko_mqtt_message_t,
) -> gecko_mqtt_status_t {
    boundary(|| {
        // SAFETY: NULL or a place for a pointer, as the comment asks.
        let out = unsafe { arg::result(out, ptr::null(), "out") }?;
        // SAFETY: NULL or a message, as the comment asks.
        *out = unsafe { copy(message) }?.give_out()?;
        Ok(())
    })
}

/// Ends what gecko_mqtt_message_retain() began: the copy is gone.
///
/// In the child of a fork it does nothing with what the parent retained: the memory is left as it is.
///
/// @param message the retained message; NULL is allowed. A pointer that gecko_mqtt_message_retain() did not
/// give is not touched; one that was released already does no harm, unless it has been given out again since.
/// @par Threads
/// Any, also after gecko_mqtt_client_free().
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gecko_mqtt_message_release(message: *const gecko_mqtt_message_t) {
    boundary_silent(|| match message.is_null() {
        true => Ok(()),
        false => Block::take_back(message).map(drop),
    });
}

/// A copy of a message, in one block.
///
/// # Safety
/// As for [`read`]; `subscription_ids` too is as its comment asks.
unsafe fn copy(message: *const gecko_mqtt_message_t) -> Result<Block> {
    // SAFETY: the caller's promise.
    let from = unsafe { arg::structure(message) }?;
    // SAFETY: the caller's promise.
    let read = unsafe { read(message) }?;
    let read = read.message();
    let most = isize::MAX as usize / size_of::<u32>();
    arg::array(from.subscription_ids, from.subscription_id_count, most, "the message's subscription_ids")?;
    let ids = from.subscription_id_count * size_of::<u32>();
    // SAFETY: the caller's promise; as bytes, because the caller's array may be badly aligned.
    let ids = unsafe { arg::bytes(from.subscription_ids.cast(), ids, "the message's subscription_ids") }?;

    let texts = [Some(read.topic), read.content_type, read.response_topic];
    let texts = texts.into_iter().flatten();
    let texts = texts.chain(read.user_properties.iter().flat_map(|(name, value)| [*name, *value]));
    let bytes = [ids, read.payload, read.correlation_data.unwrap_or_default()];
    let bytes = bytes.into_iter().chain(texts.map(str::as_bytes)).map(<[u8]>::len);
    let array = size_of::<gecko_mqtt_user_property_t>() * read.user_properties.len();
    let size = bytes.fold(size_of::<gecko_mqtt_message_t>() + array, usize::saturating_add);

    // By falling alignment, so that there are no gaps.
    let block = Block::new(size)?;
    let head = block.room::<gecko_mqtt_message_t>(1);
    let properties = block.room::<gecko_mqtt_user_property_t>(read.user_properties.len());
    let ids = block.bytes(ids);
    for (index, (name, value)) in read.user_properties.iter().enumerate() {
        // SAFETY: there is room for all of them.
        let place = unsafe { properties.add(index) };
        // SAFETY: the same, aligned.
        unsafe { place.write(property(block.text(name), block.text(value))) };
    }
    // SAFETY: all of them are written.
    let properties = unsafe { slice::from_raw_parts(properties, read.user_properties.len()) };
    let message = Message {
        topic: block.text(read.topic),
        payload: block.bytes(read.payload),
        dup: from.dup != 0,
        content_type: read.content_type.map(|text| block.text(text)),
        response_topic: read.response_topic.map(|text| block.text(text)),
        correlation_data: read.correlation_data.map(|data| block.bytes(data)),
        user_properties: &[],
        ..read
    };
    let message = gecko_mqtt_message_t {
        subscription_ids: if ids.is_empty() { ptr::null() } else { ids.as_ptr().cast() },
        subscription_id_count: from.subscription_id_count,
        ..as_c(&message, properties, from.received)
    };
    // SAFETY: there is room for it, aligned.
    unsafe { head.write(message) };
    Ok(block)
}

/// Memory from `malloc`: to free it takes no more than its address.
struct Block {
    start: *mut u8,
    used: Cell<usize>,
    size: usize,
}

impl Block {
    fn new(size: usize) -> Result<Self> {
        let none = || Error::new(ErrorKind::System, format!("out of memory: {size} bytes for a message"));
        if size > isize::MAX as usize {
            return Err(none());
        }
        // SAFETY: any size may be asked for.
        let start = unsafe { libc::malloc(size) }.cast::<u8>();
        if start.is_null() { Err(none()) } else { Ok(Self { start, used: Cell::new(0), size }) }
    }

    /// The next place for so many, given out once.
    fn room<T>(&self, count: usize) -> *mut T {
        let (used, size) = (self.used.get(), count * size_of::<T>());
        assert!(used % align_of::<T>() == 0 && size <= self.size - used);
        self.used.set(used + size);
        // SAFETY: in the block, or at its end.
        unsafe { self.start.add(used) }.cast()
    }

    fn bytes(&self, bytes: &[u8]) -> &[u8] {
        let place = self.room::<u8>(bytes.len());
        // SAFETY: there is room, and it is nobody else's.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        // SAFETY: written just now, and never again.
        unsafe { slice::from_raw_parts(place, bytes.len()) }
    }

    fn text(&self, text: &str) -> &str {
        // SAFETY: a copy of text is text.
        unsafe { std::str::from_utf8_unchecked(self.bytes(text.as_bytes())) }
    }

    /// From here on it belongs to the application.
    fn give_out(self) -> Result<*const gecko_mqtt_message_t> {
        let mut out = list(self.start.addr());
        if out.try_reserve(1).is_err() {
            return Err(Error::new(ErrorKind::System, "out of memory: too many messages are retained"));
        }
        out.push(!self.start.addr());
        Ok(ManuallyDrop::new(self).start.cast())
    }

    /// The block that begins there.
    fn take_back(message: *const gecko_mqtt_message_t) -> Result<Self> {
        let mut out = list(message.addr());
        let Some(index) = out.iter().position(|block| *block == !message.addr()) else {
            let message = "no message that this process has retained, or one that was released already";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        out.swap_remove(index);
        if out.is_empty() {
            // Nothing of the library stays in the host's memory.
            *out = Vec::new();
        }
        Ok(Self { start: message.cast_mut().cast(), used: Cell::new(0), size: 0 })
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: it came from `malloc`, and whoever gave it out has forgotten it.
        unsafe { libc::free(self.start.cast()) };
    }
}

#[cfg(test)]
mod tests;
