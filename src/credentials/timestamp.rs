//! The moment that a JSON value names, in the forms in which services write an expiry.

use serde_core::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A number above this is milliseconds, not seconds (which would be after the year 2286).
const LAST_SECOND: u64 = 10_000_000_000;

/// Unix milliseconds of a number or numeric text (seconds, or milliseconds above 10,000,000,000), or of
/// RFC 3339 text with its offset from UTC. What is before 1970 is 0, what is too far away `u64::MAX`; `None`: it names
/// no moment.
///
/// Read without a copy of the value, which may be a part of a secret.
#[derive(Clone, Copy)]
pub(super) struct Moment(pub Option<u64>);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Moment, E> {
        Ok(Moment(Some(from_whole(number))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Moment, E> {
        Ok(Moment(from_float(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Moment, E> {
        Ok(Moment(from_float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Moment, E> {
        Ok(Moment(match text.parse::<u64>() {
            Ok(whole) => Some(from_whole(whole)),
            Err(_) => from_rfc3339(text).or_else(|| text.parse().ok().and_then(from_float)),
        }))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Moment, E> {
        Ok(Moment(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Moment, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Moment(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Moment, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Moment(None))
    }
}

fn from_whole(number: u64) -> u64 {
    if number > LAST_SECOND { number } else { number * 1000 }
}

fn from_float(number: f64) -> Option<u64> {
    let ms = if number > LAST_SECOND as f64 { number } else { number * 1000.0 };
    // `as` saturates at both ends.
    number.is_finite().then_some(ms.round() as u64)
}

/// `2025-11-23T21:16:00Z`, with any fraction of a second and `±hh:mm` or `±hhmm` in the place of `Z`.
fn from_rfc3339(text: &str) -> Option<u64> {
    if !text.is_ascii() || text.len() < "2025-11-23T21:16:00Z".len() {
        return None;
    }
    let bytes = text.as_bytes();
    let marks = [(4, "-"), (7, "-"), (10, "Tt "), (13, ":"), (16, ":")];
    if !marks.iter().all(|&(at, any)| any.as_bytes().contains(&bytes[at])) {
        return None;
    }
    let (year, month, day) = (number(&text[..4])?, number(&text[5..7])?, number(&text[8..10])?);
    let (hour, minute, second) = (number(&text[11..13])?, number(&text[14..16])?, number(&text[17..19])?);
    // 60 is a leap second.
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }

    let (fraction, zone) = match text[19..].strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("0", &text[19..]),
    };
    number(fraction.get(..1)?)?;
    let millis = number(&format!("{fraction:0<3}")[..3])?;
    let offset_minutes = match zone.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let (hours, minutes) = match zone.len() {
                5 => (&zone[1..3], &zone[3..5]),
                6 if &zone[3..4] == ":" => (&zone[1..3], &zone[4..6]),
                _ => return None,
            };
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = hours * 60 + minutes;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };

    let minutes = days_since_1970(year, month, day) * 24 * 60 + hour * 60 + minute - offset_minutes;
    Some(u64::try_from((minutes * 60 + second) * 1000 + millis).unwrap_or(0))
}

fn number(digits: &str) -> Option<i64> {
    // `parse` alone would take a sign.
    if digits.bytes().all(|c| c.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leap_days_before = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let years = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn unix_ms(value: &Value) -> Option<u64> {
        serde_json::from_value::<Moment>(value.clone()).unwrap().0
    }

    #[test]
    fn tells_seconds_from_milliseconds() {
        let table = [
            (json!(0), 0),
            (json!(1_763_932_560), 1_763_932_560_000),
            (json!(1_763_932_560.25), 1_763_932_560_250),
            (json!(10_000_000_000u64), 10_000_000_000_000),
            (json!(10_000_000_001u64), 10_000_000_001),
            (json!(1_763_932_560_123u64), 1_763_932_560_123),
            (json!(1_763_932_560_123.0), 1_763_932_560_123),
            (json!("1763932560"), 1_763_932_560_000),
            (json!("1763932560.5"), 1_763_932_560_500),
            (json!("1763932560123"), 1_763_932_560_123),
            (json!(-1), 0),
            (json!(-1e300), 0),
            (json!("-5"), 0),
            (json!(u64::MAX), u64::MAX),
            (json!(1e300), u64::MAX),
            (json!("99999999999999999999999"), u64::MAX),
        ];
        for (value, expected) in table {
            assert_eq!(unix_ms(&value), Some(expected), "{value}");
        }
    }

    #[test]
    fn reads_rfc_3339() {
        let table = [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-11-23T21:16:00Z", 1_763_932_560_000),
            ("2025-11-23t21:16:00z", 1_763_932_560_000),
            ("2025-11-23 21:16:00Z", 1_763_932_560_000),
            ("2025-11-23T21:16:00.5Z", 1_763_932_560_500),
            ("2025-11-23T21:16:00.123456789Z", 1_763_932_560_123),
            ("2025-11-23T22:16:00+01:00", 1_763_932_560_000),
            ("2025-11-23T15:46:00.000-0530", 1_763_932_560_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2024-12-31T23:59:60Z", 1_735_689_600_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("1969-12-31T23:59:59Z", 0),
            ("0001-01-01T00:00:00Z", 0),
        ];
        for (text, expected) in table {
            assert_eq!(unix_ms(&json!(text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_names_no_moment() {
        let texts = [
            "",
            "soon",
            "inf",
            "nan",
            " 1763932560",
            "2025-11-23",
            "2025-11-23T21:16:00", // in which time zone?
            "2025-11-23T21:16:00.Z",
            "2025-11-23T21:16:00.5",
            "2025-11-23T21:16:00ZZ",
            "2025-11-23T21:16:00+1:00",
            "2025-11-23T21:16:00+01.00",
            "2025-11-23T21:16:00+24:00",
            "2025-11-23T21:16:00+00:60",
            "2025-11-23T21:16:00+0a:00",
            "2025-13-23T21:16:00Z",
            "2025-00-23T21:16:00Z",
            "2025-11-31T21:16:00Z",
            "2025-02-29T21:16:00Z",
            "1900-02-29T21:16:00Z",
            "2025-11-00T21:16:00Z",
            "2025-11-23T24:16:00Z",
            "2025-11-23T21:60:00Z",
            "2025-11-23T21:16:61Z",
            "+025-11-23T21:16:00Z",
            "2025/11/23T21:16:00Z",
            "2025-11-23X21:16:00Z",
            "2025-11-23T21.16.00Z",
            "2025-11-23T21:16:0üZ",
        ];
        for text in texts {
            assert_eq!(unix_ms(&json!(text)), None, "{text:?}");
        }
        for value in [json!(true), json!([1]), json!({"a": [1]})] {
            assert_eq!(unix_ms(&value), None, "{value}");
        }
    }
}
