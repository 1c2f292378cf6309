//! The moment that a JSON value names, in the forms in which services write an expiry.

use crate::json::Value;

/// A number above this is milliseconds, not seconds (which would be after the year 2286).
const LAST_SECOND: u64 = 10_000_000_000;

/// More characters name no moment, where some of them are escaped and it has to be copied.
const MAX_ESCAPED: usize = 64;

/// Unix milliseconds of a number or numeric text (seconds, or milliseconds above 10,000,000,000), or of
/// RFC 3339 text with its offset from UTC. What is before 1970 is 0, what is too far away `u64::MAX`; `None`: it names
/// no moment.
pub(super) fn moment(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Number(number) => from_number(number),
        Value::Text(text) => match text.plain() {
            Some(text) => from_text(text),
            None => from_text(&text.chars().take(MAX_ESCAPED).collect::<String>()),
        },
        Value::Null | Value::Other => None,
    }
}

fn from_text(text: &str) -> Option<u64> {
    from_number(text).or_else(|| from_rfc3339(text))
}

/// A decimal number, rounded to milliseconds.
fn from_number(text: &str) -> Option<u64> {
    let (thousandths, value) = (shifted(text, 3)?, shifted(text, 0)?);
    Some(if thousandths > LAST_SECOND * 1000 { value } else { thousandths })
}

/// The number with its point so many places further to the right, rounded to the nearest whole one. Floating-point
/// numbers could do it too, and are half of the library's code for JSON.
fn shifted(text: &str, places: i64) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, signed(exponent)?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if negative {
        return Some(0);
    }
    // So many of the digits are in front of the point.
    let point = (whole.len() as i64).saturating_add(exponent).saturating_add(places);
    let mut sum = 0_u64;
    for (at, digit) in (0..).zip(digits()) {
        match point.saturating_sub(at) {
            1.. => sum = sum.saturating_mul(10).saturating_add((digit - b'0').into()),
            0 => sum = sum.saturating_add((digit >= b'5').into()),
            _ => break,
        }
    }
    // What stands between the last digit and the point.
    let zeros = point.saturating_sub(digits().count() as i64);
    for _ in 0..zeros.min(20) {
        sum = sum.saturating_mul(10);
    }
    Some(sum)
}

fn signed(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    // An exponent that no number holds is as good as the largest one.
    Some(sign * digits.parse().unwrap_or(i64::MAX))
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
    use crate::json::members;
    use serde_json::{Value, json};

    fn unix_ms(value: &Value) -> Option<u64> {
        unix_ms_of(&value.to_string())
    }

    fn unix_ms_of(text: &str) -> Option<u64> {
        let mut read = None;
        members(format!("{{\"exp\":{text}}}").as_bytes(), |_, value| read = moment(value))
            .expect("an object");
        read
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
