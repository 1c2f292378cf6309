//! From when until when a certificate is valid: the parsers that judge certificates do not tell it.

use super::wording::Date;
use std::fmt;

/// The time in which a certificate may be used, in Unix seconds; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub from: u64,
    pub until: u64,
}

impl Validity {
    /// Reads it in a certificate in DER (RFC 5280, section 4.1). `None`: it is not there, or before 1970.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let certificate = only(SEQUENCE, certificate)?;
        let mut fields = Values(only(SEQUENCE, certificate)?);
        let (mut tag, _) = fields.next()?;
        if tag == VERSION {
            (tag, _) = fields.next()?;
        }
        // Serial number, algorithm of the signature, issuer; then what we look for.
        if tag != INTEGER || fields.next()?.0 != SEQUENCE || fields.next()?.0 != SEQUENCE {
            return None;
        }
        let (SEQUENCE, times) = fields.next()? else { return None };
        let mut times = Values(times);
        Some(Self { from: time(times.next()?)?, until: time(times.next()?)? })
    }
}

/// Prints as the end of a sentence: "from 2020-01-01T00:00:00Z until 2060-01-01T00:00:00Z".
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} until {}", Date(self.from), Date(self.until))
    }
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT`, the first field where it is not the default.
const VERSION: u8 = 0xa0;

/// Values in DER, one after the other (X.690, 8.1).
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // More than 65,535 bytes no field before the validity has.
            0x81 => (usize::from(*rest.first()?), &rest[1..]),
            0x82 => {
                let (bytes, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*bytes)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, value))
    }
}

/// The value of the first element, if that is its tag.
fn only(tag: u8, input: &[u8]) -> Option<&[u8]> {
    Values(input).next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// `YYMMDDHHMMSSZ`, for the years 1950 to 2049, or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn time((tag, text): (u8, &[u8])) -> Option<u64> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, rest) = match tag {
        UTC_TIME => digits.split_at_checked(2)?,
        GENERALIZED_TIME => digits.split_at_checked(4)?,
        _ => return None,
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u64, |sum, c| c.is_ascii_digit().then(|| sum * 10 + u64::from(c - b'0')))
    };
    let year = match (tag, number(year)?) {
        (UTC_TIME, year @ 0..50) => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        (_, year) => year,
    };
    let pairs: &[u8; 10] = rest.try_into().ok()?;
    let mut pairs = pairs.chunks_exact(2).map(number);
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Howard Hinnant's days_from_civil; `wording::Date` is its inverse.
    let march_year = year - u64::from(month <= 2);
    let (era, year_of_era) = (march_year / 400, march_year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(["a.example".to_owned()]).unwrap();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn reads_both_forms_of_time() {
        let der = certificate(|params| {
            params.not_before = date_time_ymd(2024, 2, 29);
            // From 2050 on it is a GeneralizedTime.
            params.not_after = date_time_ymd(2055, 12, 31);
        });
        let text = Validity::of(&der).unwrap().to_string();
        assert_eq!(text, "from 2024-02-29T00:00:00Z until 2055-12-31T00:00:00Z");
    }

    #[test]
    fn times_are_the_inverse_of_dates() {
        for (tag, text, date) in [
            (UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z"),
            (UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
            (GENERALIZED_TIME, "20240229123456Z", "2024-02-29T12:34:56Z"),
            (GENERALIZED_TIME, "21000301000000Z", "2100-03-01T00:00:00Z"),
            (GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Date(time((tag, text.as_bytes())).unwrap()).to_string(), date);
        }
        for text in
            ["", "Z", "69123123595Z", "691231235959Z", "241331235959Z", "2402291234560Z", "24022912345x"]
        {
            assert_eq!(time((UTC_TIME, text.as_bytes())), None, "{text}");
        }
    }

    #[test]
    fn what_is_cut_or_damaged_has_none_and_harms_nothing() {
        let der = certificate(|_| ());
        assert!(Validity::of(&der).is_some());
        for cut in 0..der.len() {
            assert_eq!(Validity::of(&der[..cut]), None);
        }
        for at in 0..der.len().min(200) {
            for byte in [0, 0x7f, 0x80, 0x81, 0x82, 0xff] {
                let mut damaged = der.clone();
                damaged[at] = byte;
                let _ = Validity::of(&damaged);
            }
        }
    }
}
