use super::super::message::gecko_mqtt_message_init;
use super::super::status::{GECKO_MQTT_ERR_INVALID_TOPIC, GECKO_MQTT_ERR_NULL_ARGUMENT, GECKO_MQTT_OK};
use super::*;
use std::sync::PoisonError;

/// The tests count what is out.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many messages are out, and whether memory is kept for their addresses.
fn out() -> (usize, bool) {
    let lists = OUT.get().iter().map(lock);
    lists.fold((0, false), |(count, kept), list| (count + list.len(), kept || list.capacity() > 0))
}

const NONE: (usize, bool) = (0, false);

fn retained(message: &gecko_mqtt_message_t) -> *const gecko_mqtt_message_t {
    let mut out = ptr::null();
    // SAFETY: the tests make whole messages.
    assert_eq!(unsafe { gecko_mqtt_message_retain(message, &mut out) }, GECKO_MQTT_OK);
    out
}

fn release(message: *const gecko_mqtt_message_t) {
    // SAFETY: any pointer will do.
    unsafe { gecko_mqtt_message_release(message) };
}

/// What a message says, and not where it lies.
fn contents(message: *const gecko_mqtt_message_t) -> String {
    // SAFETY: the tests ask for messages that are there.
    let message = unsafe { &*message };
    // SAFETY: as many as it says, and none for NULL.
    let ids: Vec<u32> = (0..message.subscription_id_count)
        .map(|index| unsafe { arg::element(message.subscription_ids, index) })
        .collect();
    // SAFETY: it is whole.
    let read = unsafe { read(message) }.unwrap();
    format!("{:?} {ids:?} dup {} received {}", read.message(), message.dup, message.received)
}

/// Texts, payload and arrays of a message, in memory that ends with it.
struct Parts {
    texts: Vec<String>,
    properties: Vec<gecko_mqtt_user_property_t>,
    ids: Vec<u8>,
}

impl Parts {
    fn new() -> Self {
        let texts: Vec<String> = [
            "spa/42/state",
            "{\"°C\":38.5}",
            "application/json",
            "spa/42/answer",
            "\0\u{1}",
            "unit",
            "°C",
            "",
        ]
        .map(str::to_owned)
        .into();
        let properties = vec![property(&texts[5], &texts[6]), property(&texts[7], &texts[7])];
        // One byte in front, so that the numbers are badly aligned.
        let ids = [vec![0], 3u32.to_ne_bytes().to_vec(), 70_000u32.to_ne_bytes().to_vec()].concat();
        Self { texts, properties, ids }
    }

    fn message(&self) -> gecko_mqtt_message_t {
        let [topic, payload, content_type, response_topic, correlation_data] =
            [0, 1, 2, 3, 4].map(|n| &self.texts[n]);
        let message = Message {
            topic,
            payload: payload.as_bytes(),
            qos: crate::QoS::ExactlyOnce,
            retain: true,
            dup: true,
            utf8: true,
            content_type: Some(content_type),
            response_topic: Some(response_topic),
            correlation_data: Some(correlation_data.as_bytes()),
            message_expiry_secs: Some(60),
            ..Message::default()
        };
        gecko_mqtt_message_t {
            subscription_ids: self.ids[1..].as_ptr().cast(),
            subscription_id_count: 2,
            ..as_c(&message, &self.properties, 77)
        }
    }
}

#[test]
fn a_copy_has_everything_and_outlives_the_message() {
    let _alone = alone();
    let parts = Parts::new();
    let before = contents(&parts.message());
    assert!(before.contains("[3, 70000]") && before.contains("(\"unit\", \"°C\"), (\"\", \"\")"), "{before}");
    let copy = retained(&parts.message());
    drop(parts);
    assert_eq!(contents(copy), before);
    // SAFETY: it is there.
    let again = retained(unsafe { &*copy });
    assert_ne!(again, copy, "each retain has a release of its own");
    release(copy);
    assert_eq!(contents(again), before);
    // SAFETY: it is there.
    let size = unsafe { (*again).size };
    assert_eq!(size as usize, size_of::<gecko_mqtt_message_t>());
    release(again);
    assert_eq!(out(), NONE);
}

#[test]
fn what_is_empty_or_absent_stays_so() {
    let _alone = alone();
    let empty = Message { topic: "a", correlation_data: Some(b""), ..Message::default() };
    for message in [Message { topic: "a", ..Message::default() }, empty] {
        let message = as_c(&message, &[], 0);
        let copy = retained(&message);
        assert_eq!(contents(copy), contents(&message));
        // SAFETY: it is there.
        let seen = unsafe { &*copy };
        assert!(seen.user_properties.is_null() && seen.subscription_ids.is_null());
        assert_eq!(seen.correlation_data.is_null(), message.correlation_data.is_null());
        for text in [seen.payload.cast(), seen.content_type, seen.response_topic] {
            // SAFETY: empty text is NUL-terminated.
            assert_eq!(unsafe { std::ffi::CStr::from_ptr(text) }, c"");
        }
        release(copy);
    }
}

#[test]
fn a_pointer_that_is_no_retained_message_is_not_touched() {
    let _alone = alone();
    let message = as_c(&Message { topic: "a", ..Message::default() }, &[], 0);
    let copy = retained(&message);
    release(ptr::null());
    release(&message);
    release(ptr::without_provenance(8));
    release(copy.wrapping_byte_add(8));
    assert_eq!((contents(copy), out().0), (contents(&message), 1));
    release(copy);
    release(copy);
    assert_eq!(out(), NONE);
}

#[test]
fn what_cannot_be_retained_gives_nothing() {
    let _alone = alone();
    let mut message = as_c(&Message::default(), &[], 0);
    let mut place = &raw const message;
    let mut refused = |message: &gecko_mqtt_message_t| {
        // SAFETY: the messages are whole, but for what is refused before it is looked at.
        let status = unsafe { gecko_mqtt_message_retain(message, &mut place) };
        assert!(place.is_null());
        status
    };
    assert_eq!(refused(&message), GECKO_MQTT_ERR_INVALID_TOPIC);
    message.topic = c"a".as_ptr();
    assert_eq!(
        refused(&gecko_mqtt_message_t { subscription_id_count: 1, ..message }),
        GECKO_MQTT_ERR_NULL_ARGUMENT
    );
    let many = gecko_mqtt_message_t { subscription_id_count: usize::MAX, ..message };
    assert_eq!(refused(&many), super::super::status::GECKO_MQTT_ERR_OUT_OF_RANGE);
    // SAFETY: `message` is whole.
    assert_eq!(unsafe { gecko_mqtt_message_init(&mut message, 8) }, GECKO_MQTT_OK);
    assert_eq!(refused(&message), GECKO_MQTT_ERR_NULL_ARGUMENT, "it ends before its topic");
    assert_eq!(out(), NONE);
}

#[test]
fn no_memory_is_an_error() {
    // Of 32 bits' 4 GiB, half may be free.
    let most = if cfg!(target_pointer_width = "64") { isize::MAX as usize } else { isize::MAX as usize + 1 };
    for size in [most, usize::MAX] {
        assert_eq!(Block::new(size).err().expect("so much is not to be had").kind(), ErrorKind::System);
    }
}

#[test]
fn any_thread_may_release_and_of_those_that_race_one_does() {
    let _alone = alone();
    let message = as_c(&Message { topic: "a", ..Message::default() }, &[], 0);
    let copies: Vec<usize> = (0..500).map(|_| retained(&message).addr()).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| copies.iter().for_each(|copy| release(ptr::without_provenance(*copy))));
        }
    });
    assert_eq!(out(), NONE);
}
