//! Parses times that the user types, and writes times in words.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use strongroom::Timestamp;

/// The end of a secret's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    /// The first moment at which it is no longer valid.
    At(Timestamp),
}

impl Expiry {
    /// Returns the moment, if there is an end.
    pub(crate) fn at(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }
}

/// Parses the end of a secret's validity: a time from now on, a date, a date and time, or `never`.
pub(crate) fn expiry(text: &str) -> Result<Expiry, String> {
    expiry_from(text, &Zoned::now())
}

/// Parses a time from now on, such as `30d`.
pub(crate) fn within(text: &str) -> Result<Duration, String> {
    let now = Zoned::now();
    let span: Option<Span> = text.parse().ok();
    let end = span.and_then(|span| now.checked_add(span).ok()).filter(|end| *end >= now);
    end.map(|end| Timestamp::from(end.timestamp()).duration_since(now.timestamp().into()))
        .ok_or_else(|| "it takes a time from now on, such as 30d, \"2 weeks\" or 12h".to_owned())
}

fn expiry_from(text: &str, now: &Zoned) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let end = moment(text, now).ok_or(
        "it takes a time from now on (90d, \"2 weeks\", 12h), a date (2026-12-31), a date and time \
         (2026-12-31T18:00, 2026-12-31T18:00Z), or never",
    )?;
    let end = end.map_err(|_| "it takes a day before 9999-12-30, or never")?;
    // Fractions of a second, mostly those of the present time, mean nothing to the user.
    let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
    if end <= now.timestamp().into() {
        return Err("that is in the past".to_owned());
    }
    Ok(Expiry::At(end))
}

/// Returns the moment that a text stands for, or `None` if it is no time. A date alone stands for the end of that day in
/// the user's time zone.
///
/// # Errors
///
/// If the moment is too far ahead or too long ago for a time stamp.
fn moment(text: &str, now: &Zoned) -> Option<Result<Timestamp, jiff::Error>> {
    let zone = now.time_zone();
    if let Ok(day) = Date::strptime("%Y-%m-%d", text) {
        let end = day.tomorrow().and_then(|next| next.to_zoned(zone.clone()));
        return Some(end.map(timestamp));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(Ok(moment));
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Some(Ok(timestamp(zoned)));
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return Some(local.to_zoned(zone.clone()).map(timestamp));
    }
    let span: Span = text.parse().ok()?;
    Some(now.checked_add(span).map(timestamp))
}

fn timestamp(zoned: Zoned) -> Timestamp {
    zoned.timestamp().into()
}

/// Returns the time since a moment in words: `3 days`.
pub(crate) fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    match since.map(|since| now.duration_since(since).as_secs()) {
        None => String::new(),
        Some(seconds) if seconds < 60 => "just now".to_owned(),
        Some(seconds) => length(seconds),
    }
}

/// Returns a secret's expiry in words: `in 3 days`, `expired 2 days ago`, `never`.
pub(crate) fn expires(end: Option<Timestamp>, now: Timestamp) -> String {
    match end {
        None => "never".to_owned(),
        Some(end) if end <= now => {
            format!("expired {} ago", length(now.duration_since(end).as_secs()))
        }
        Some(end) => format!("in {}", length(end.duration_since(now).as_secs())),
    }
}

/// Returns a moment in the user's time zone.
pub(crate) fn local(moment: Timestamp) -> String {
    jiff::Timestamp::from(moment)
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M %Z")
        .to_string()
}

/// Returns a length of time in the largest unit that is exact enough, rounded to the nearest.
fn length(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // The mean lengths in the Gregorian calendar.
    const YEAR: u64 = 31_556_952;
    const MONTH: u64 = YEAR / 12;
    let [minutes, hours, days, months, years] =
        [MINUTE, HOUR, DAY, MONTH, YEAR].map(|unit| (seconds + unit / 2) / unit);
    let (count, word) = match seconds {
        ..MINUTE => return "less than a minute".to_owned(),
        _ if minutes < 60 => (minutes, "minute"),
        _ if hours < 48 => (hours, "hour"),
        _ if days <= 100 => (days, "day"),
        _ if months < 24 => (months, "month"),
        _ => (years, "year"),
    };
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T09:30:00+01:00[+01:00]";

    fn parsed(text: &str) -> Result<Expiry, String> {
        expiry_from(text, &NOW.parse().unwrap())
    }

    #[test]
    fn an_expiry_is_a_span_a_date_a_time_or_never() {
        for (text, end) in [
            ("90d", "2027-02-19T08:30:00Z"),
            ("2 weeks", "2026-12-05T08:30:00Z"),
            ("1mo", "2026-12-21T08:30:00Z"),
            ("12h", "2026-11-21T20:30:00Z"),
            ("2026-12-31", "2026-12-31T23:00:00Z"),
            ("2026-11-21", "2026-11-21T23:00:00Z"),
            ("2026-12-31T18:00", "2026-12-31T17:00:00Z"),
            ("2026-12-31 18:00", "2026-12-31T17:00:00Z"),
            ("2026-12-31T18:00Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00-05:00", "2026-12-31T23:00:00Z"),
            ("2026-12-31T18:00[UTC]", "2026-12-31T18:00:00Z"),
        ] {
            assert_eq!(parsed(text), Ok(Expiry::At(end.parse().unwrap())), "{text}");
        }
        assert_eq!(parsed("never"), Ok(Expiry::Never));
    }

    #[test]
    fn what_is_no_expiry_is_refused() {
        for text in ["", "soon", "90", "2026-02-30", "31.12.2026", "999999y"] {
            assert!(parsed(text).unwrap_err().contains("it takes a time"), "{text}");
        }
        for text in ["9999-12-31", "9000y"] {
            assert!(parsed(text).unwrap_err().contains("before 9999-12-30"), "{text}");
        }
        for text in ["2026-11-20", "2026-11-21T09:30", "0d", "-1d", "2 days ago", "0.2s"] {
            assert_eq!(parsed(text), Err("that is in the past".to_owned()), "{text}");
        }
    }

    #[test]
    fn within_takes_what_is_ahead() {
        assert_eq!(within("12h"), Ok(Duration::from_secs(12 * 60 * 60)));
        assert_eq!(within("0d"), Ok(Duration::ZERO));
        for text in ["-1d", "soon", "", "2026-12-31"] {
            assert!(within(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_in_words_are_to_the_nearest() {
        let hour = 3600;
        for (seconds, words) in [
            (0, "less than a minute"),
            (60, "1 minute"),
            (59 * 60 + 29, "59 minutes"),
            (59 * 60 + 30, "1 hour"),
            (47 * hour, "47 hours"),
            (48 * hour, "2 days"),
            (90 * 24 * hour - 1, "90 days"),
            (200 * 24 * hour, "7 months"),
            (5 * 365 * 24 * hour, "5 years"),
        ] {
            assert_eq!(length(seconds), words);
        }
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let now = Timestamp::from_second(1000).unwrap();
        assert_eq!(expires(at(1000), now), "expired less than a minute ago");
        assert_eq!(expires(at(1000 - 7200), now), "expired 2 hours ago");
        assert_eq!(expires(at(1000 + 7200), now), "in 2 hours");
        assert_eq!(expires(None, now), "never");
        assert_eq!([age(at(999), now), age(at(2000), now)], ["just now", "just now"]);
        assert_eq!([age(at(1000 - 7200), now), age(None, now)], ["2 hours", ""]);
    }
}
