use super::super::ack::gecko_mqtt_ack_t;
use super::super::token::gecko_mqtt_token_t;
use super::*;

/// A token structure as another version of the library might have it, in a buffer of its own.
fn token(size: u32, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[..4].copy_from_slice(&size.to_ne_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Result<gecko_mqtt_token_t> {
    // SAFETY: the tests give as many bytes as `size` says, wherever that is looked at.
    unsafe { structure(bytes.as_ptr().cast()) }
}

const OWN: usize = size_of::<gecko_mqtt_token_t>();

#[test]
fn an_older_structure_lacks_members_and_they_are_zero() {
    let mut older = token(8, 8);
    older[4..8].copy_from_slice(&77u32.to_ne_bytes());
    let read = read(&older).unwrap();
    assert_eq!((read.size, read.expires_in_secs), (8, 77));
    assert!(read.access_token.is_null() && read.broker_url.is_null());
}

#[test]
fn a_newer_structure_is_fine_as_long_as_it_says_nothing_new() {
    let mut newer = token(OWN as u32 + 16, OWN + 16);
    assert!(read(&newer).is_ok());
    *newer.last_mut().unwrap() = 1;
    assert_eq!(read(&newer).err().unwrap().kind(), ErrorKind::StructSize);
}

#[test]
fn a_size_that_is_none_is_refused_before_anything_else_is_read() {
    for size in [0, 1, 3, MAX_STRUCTURE + 1, u32::MAX] {
        assert_eq!(read(&token(size, 4)).err().unwrap().kind(), ErrorKind::StructSize, "{size}");
    }
    // SAFETY: NULL is one of the two that are allowed.
    let null = unsafe { structure(ptr::null::<gecko_mqtt_token_t>()) };
    assert_eq!(null.err().unwrap().kind(), ErrorKind::NullArgument);
}

#[test]
fn a_structure_may_lie_anywhere() {
    let mut bytes = vec![0];
    bytes.extend(token(OWN as u32, OWN));
    assert!(read(&bytes[1..]).is_ok());
}

#[test]
fn writing_stays_within_the_callers_size_and_keeps_it() {
    for (size, len) in
        [(12u32, 12), (size_of::<gecko_mqtt_ack_t>() as u32 + 8, size_of::<gecko_mqtt_ack_t>() + 8)]
    {
        let mut place = vec![0xee; len + 8];
        place[..4].copy_from_slice(&size.to_ne_bytes());
        // SAFETY: `place` has more bytes than its size says.
        let output = unsafe { output(place.as_mut_ptr().cast::<gecko_mqtt_ack_t>()) }.unwrap().unwrap();
        output.write(gecko_mqtt_ack_t { status: 600, reason_code: 151, ..Structure::ZERO });
        assert_eq!(place[..4], size.to_ne_bytes());
        assert_eq!(place[4..8], 600i32.to_ne_bytes());
        let end = len.min(size_of::<gecko_mqtt_ack_t>());
        assert!(place[end..].iter().all(|byte| *byte == 0xee), "written beyond its size of {size}");
    }
}

#[test]
fn an_initialiser_clears_as_much_as_it_is_told() {
    let mut place = vec![0xee; OWN + 8];
    let start = place.as_mut_ptr().cast::<gecko_mqtt_token_t>();
    // SAFETY: `place` is larger.
    unsafe { initialise(start, OWN) }.unwrap();
    assert_eq!(place[..4], (OWN as u32).to_ne_bytes());
    assert!(place[4..OWN].iter().all(|byte| *byte == 0) && place[OWN..] == [0xee; 8]);
    for size in [0, 3, 4097, usize::MAX] {
        // SAFETY: refused before anything is written.
        let refused = unsafe { initialise(place.as_mut_ptr().cast::<gecko_mqtt_token_t>(), size) };
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::StructSize);
    }
}

#[test]
fn counted_text_is_text() {
    let counted = |bytes: &[u8], len| {
        // SAFETY: the tests end text of length 0 with a NUL.
        unsafe { counted_text(bytes.as_ptr().cast(), len, "text") }.map(|text| text.map(str::to_owned))
    };
    assert_eq!(counted(b"abcdef", 3).unwrap().as_deref(), Some("abc"));
    assert_eq!(counted(b"abc\0", 0).unwrap().as_deref(), Some("abc"));
    assert_eq!(counted(b"\0", 0).unwrap(), None);
    assert_eq!(counted(b"a\0c", 3).unwrap().as_deref(), Some("a\0c"), "the core's to refuse");
    assert_eq!(counted(b"\xff\xfe", 2).unwrap_err().kind(), ErrorKind::InvalidUtf8);
    assert_eq!(counted(b"a", usize::MAX).unwrap_err().kind(), ErrorKind::OutOfRange);
    // SAFETY: NULL is allowed.
    let null = |len| unsafe { counted_text(ptr::null(), len, "text") };
    assert_eq!(null(0).unwrap(), None);
    assert_eq!(null(3).unwrap_err().kind(), ErrorKind::NullArgument);
}

#[test]
fn numbers_are_what_they_may_be() {
    assert_eq!(qos(2).unwrap(), QoS::ExactlyOnce);
    for level in [-1, 3, 256, i32::MAX, i32::MIN] {
        assert_eq!(qos(level).unwrap_err().kind(), ErrorKind::OutOfRange, "{level}");
    }
    assert_eq!(wait(0), Wait::For(Duration::ZERO));
    assert_eq!(wait(1500), Wait::For(Duration::from_millis(1500)));
    assert_eq!(wait(GECKO_MQTT_WAIT_DEFAULT), Wait::Default);
    assert!(bool::from(Bool(2)) && bool::from(Bool(1)) && !bool::from(Bool(0)));
}
