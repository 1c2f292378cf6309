//! Words for error messages: dates, names and alerts.

use super::pem::printable;
use rustls::AlertDescription;
use std::fmt;

/// An alert as RFC 8446 spells it.
pub(super) fn alert_name(alert: AlertDescription) -> String {
    let number = u8::from(alert);
    let Some(known) = alert.as_str() else {
        return format!("alert {number}");
    };
    let mut name = String::new();
    let mut after_lower = false;
    for c in known.chars() {
        if c.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        after_lower = c.is_ascii_lowercase();
        name.push(c.to_ascii_lowercase());
    }
    format!("alert {number} {name}")
}

/// A bounded text of what another library says.
pub(super) fn short(reason: &impl fmt::Display) -> String {
    printable(&reason.to_string(), 200)
}

/// "is for 'a', not 'b'", with the names as the certificate has them.
pub(super) struct WrongName<'a> {
    /// The certificate's names.
    pub presented: &'a [String],
    /// The name that it should have.
    pub host: &'a str,
}

impl fmt::Display for WrongName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_NAMES: usize = 4;
        if self.presented.is_empty() {
            return write!(
                f,
                "the server's certificate names no host at all (it has no subjectAltName), so it is not for '{}'",
                self.host
            );
        }
        write!(f, "the server's certificate is for ")?;
        for (index, presented) in self.presented.iter().take(MAX_NAMES).enumerate() {
            // As webpki writes them: DnsName("a.example"), IpAddress(192.0.2.1).
            let bare =
                presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(presented);
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}'{}'", printable(bare.trim_matches('"'), 100))?;
        }
        if let more @ 1.. = self.presented.len().saturating_sub(MAX_NAMES) {
            write!(f, " and {more} more")?;
        }
        write!(f, ", not '{}'", self.host)
    }
}

/// A Unix time in the form of ISO 8601.
pub(super) struct Date(pub u64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Howard Hinnant's civil_from_days, for days since 1970: years begin in March, so that a leap day is
        // the last of its year; an era is 400 years.
        let (days, seconds) = (self.0 / 86_400 + 719_468, self.0 % 86_400);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_at_the_turns_of_years_and_months() {
        for (secs, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (68_169_599, "1972-02-28T23:59:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (1_709_210_096, "2024-02-29T12:34:56Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Date(secs).to_string(), date);
        }
    }

    #[test]
    fn alerts_are_spelt_as_in_the_specification() {
        for (alert, spelt) in [
            (AlertDescription::UnknownCA, "alert 48 unknown_ca"),
            (AlertDescription::CertificateRequired, "alert 116 certificate_required"),
            (AlertDescription::Unknown(200), "alert 200"),
        ] {
            assert_eq!(alert_name(alert), spelt);
        }
    }

    #[test]
    fn names_in_a_certificate_cannot_forge_a_message() {
        let presented = ["DnsName(\"a\nb\")".to_owned(), "DirectoryName".to_owned()];
        let text = WrongName { presented: &presented, host: "h" }.to_string();
        assert_eq!(text, "the server's certificate is for 'a?b', 'DirectoryName', not 'h'");
    }
}
