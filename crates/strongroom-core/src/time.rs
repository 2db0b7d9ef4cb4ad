//! A point in time, and its conversions.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// A point in time, exact to the nanosecond, from the year -9999 to the end of the year 9999.
///
/// `Display` and `parse` use RFC 3339 in UTC, with a fraction only if there is one: `2026-12-31T18:00:00Z`.
/// The features `chrono`, `jiff` and `time` add conversions from and to the types of these crates. Sums, and
/// conversions from types with a larger range, saturate at [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use strongroom_core::Timestamp;
///
/// let end: Timestamp = "2026-12-31T18:00:00Z".parse()?;
/// assert_eq!((end + Duration::from_secs(90)).to_string(), "2026-12-31T18:01:30Z");
/// assert!(Timestamp::now() >= Timestamp::from(SystemTime::UNIX_EPOCH));
/// # Ok::<(), strongroom_core::ParseTimestampError>(())
/// ```
// Wrapped, because jiff is below version 1.0 and must not be part of the public API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

/// The error for a text that is not a time in RFC 3339. It does not repeat the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseTimestampError;

impl Timestamp {
    /// The last point in time.
    pub const MAX: Self = Self(jiff::Timestamp::MAX);
    /// The first point in time.
    pub const MIN: Self = Self(jiff::Timestamp::MIN);
    /// The start of the year 1970.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// Returns the current time of the system's clock.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Creates a time from seconds since the start of 1970; `None` outside of the range.
    pub fn from_second(second: i64) -> Option<Self> {
        jiff::Timestamp::from_second(second).ok().map(Self)
    }

    /// Creates a time from nanoseconds since the start of 1970; `None` outside of the range.
    pub fn from_nanosecond(nanosecond: i128) -> Option<Self> {
        jiff::Timestamp::from_nanosecond(nanosecond).ok().map(Self)
    }

    /// Returns the seconds since the start of 1970, without the fraction.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the nanoseconds since the start of 1970.
    pub fn as_nanosecond(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// Returns the time this much later; `None` outside of the range.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).ok().map(Self)
    }

    /// Returns the time this much earlier; `None` outside of the range.
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).ok().map(Self)
    }

    /// Returns the duration since an earlier time; zero if `earlier` is the later time.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    /// Creates a time from nanoseconds since the start of 1970, saturating at the ends of the range.
    #[cfg(any(feature = "chrono", feature = "time"))]
    fn saturating(nanosecond: i128) -> Self {
        let end = if nanosecond < 0 { Self::MIN } else { Self::MAX };
        Self::from_nanosecond(nanosecond).unwrap_or(end)
    }
}

/// Writes the time in RFC 3339, to the nanosecond; `{:.0}` shows whole seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not by `write!`, which would drop the precision of `{:.0}`.
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        // jiff's error is dropped, because it would repeat the text.
        text.parse().map(Self).map_err(|_| ParseTimestampError)
    }
}

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not a time as in RFC 3339, such as 2026-12-31T18:00:00Z")
    }
}

impl std::error::Error for ParseTimestampError {}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration).unwrap_or(Self::MIN)
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl SubAssign<Duration> for Timestamp {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Self::UNIX_EPOCH + since,
            Err(before) => Self::UNIX_EPOCH - before.duration(),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        // A `Duration` has no sign, so at least one of these is zero.
        let since = time.duration_since(Timestamp::UNIX_EPOCH);
        let before = Timestamp::UNIX_EPOCH.duration_since(time);
        Self::UNIX_EPOCH
            .checked_add(since)
            .and_then(|time| time.checked_sub(before))
            .unwrap_or_else(first_system_time)
    }
}

/// Returns the first time of a Windows clock, the start of the year 1601. `SystemTime` ends within the range
/// of `Timestamp` only there.
fn first_system_time() -> SystemTime {
    let since = Duration::from_secs(11_644_473_600);
    SystemTime::UNIX_EPOCH.checked_sub(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(feature = "chrono")]
mod chrono_conversions {
    use chrono::{DateTime, TimeZone, Utc};

    use super::Timestamp;

    impl<Zone: TimeZone> From<DateTime<Zone>> for Timestamp {
        fn from(time: DateTime<Zone>) -> Self {
            // In a leap second chrono returns a second or more, which leads into the next second.
            let nanosecond = i128::from(time.timestamp_subsec_nanos());
            Self::saturating(i128::from(time.timestamp()) * 1_000_000_000 + nanosecond)
        }
    }

    impl From<Timestamp> for DateTime<Utc> {
        fn from(time: Timestamp) -> Self {
            let nanosecond = time.as_nanosecond().rem_euclid(1_000_000_000);
            let second = time.as_nanosecond().div_euclid(1_000_000_000);
            let parts = i64::try_from(second).ok().zip(u32::try_from(nanosecond).ok());
            parts
                .and_then(|(second, nanosecond)| Self::from_timestamp(second, nanosecond))
                .expect("its years reach further than ours")
        }
    }
}

#[cfg(feature = "jiff")]
mod jiff_conversions {
    use super::Timestamp;

    impl From<jiff::Timestamp> for Timestamp {
        fn from(time: jiff::Timestamp) -> Self {
            Self(time)
        }
    }

    impl From<Timestamp> for jiff::Timestamp {
        fn from(time: Timestamp) -> Self {
            time.0
        }
    }
}

#[cfg(feature = "time")]
mod time_conversions {
    use time::OffsetDateTime;

    use super::Timestamp;

    impl From<OffsetDateTime> for Timestamp {
        fn from(time: OffsetDateTime) -> Self {
            Self::saturating(time.unix_timestamp_nanos())
        }
    }

    impl From<Timestamp> for OffsetDateTime {
        fn from(time: Timestamp) -> Self {
            Self::from_unix_timestamp_nanos(time.as_nanosecond())
                .expect("its years reach further than ours")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: [Timestamp; 3] = [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];

    fn time(text: &str) -> Timestamp {
        text.parse().expect("it is a time")
    }

    #[test]
    fn a_time_is_shown_as_in_rfc_3339() {
        for (text, shown) in [
            ("2026-12-31T18:00:00Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00.000Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00.120Z", "2026-12-31T18:00:00.12Z"),
            ("2026-12-31T18:00:00.000000001+01:00", "2026-12-31T17:00:00.000000001Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ] {
            assert_eq!(
                (time(text).to_string(), format!("{:?}", time(text))),
                (shown.into(), shown.into())
            );
        }
        assert_eq!(format!("{:.0}", time("2026-12-31T18:00:59.9Z")), "2026-12-31T18:00:59Z");
        for text in ["", "marker", "2026-12-31", "2026-02-30T00:00:00Z"] {
            let error = text.parse::<Timestamp>().expect_err("it is no time");
            assert!(!error.to_string().contains("marker"));
        }
    }

    #[test]
    fn sums_end_where_the_range_does() {
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
        let noon = time("2026-02-28T12:00:00Z");
        assert_eq!(noon + day, time("2026-03-01T12:00:00Z"));
        assert_eq!(noon - day - day + second, time("2026-02-26T12:00:01Z"));
        assert_eq!([Timestamp::MAX + second, noon + Duration::MAX], [Timestamp::MAX; 2]);
        assert_eq!([Timestamp::MIN - second, noon - Duration::MAX], [Timestamp::MIN; 2]);
        assert_eq!(Timestamp::MAX.checked_add(second), None);
        assert_eq!(Timestamp::MIN.checked_sub(second), None);
        assert_eq!((noon + day).duration_since(noon), day);
        assert_eq!(noon.duration_since(noon + day), Duration::ZERO);
        let range = Timestamp::MAX.duration_since(Timestamp::MIN);
        assert_eq!(Timestamp::MIN + range, Timestamp::MAX);
        let mut moved = noon;
        moved += day;
        moved -= second;
        assert_eq!(moved.as_second(), noon.as_second() + 86_399);
    }

    #[test]
    fn seconds_and_nanoseconds_outside_of_the_range_are_none() {
        assert_eq!(Timestamp::from_second(0), Some(Timestamp::UNIX_EPOCH));
        assert_eq!([i64::MIN, i64::MAX].map(Timestamp::from_second), [None; 2]);
        assert_eq!([i128::MIN, i128::MAX].map(Timestamp::from_nanosecond), [None; 2]);
        for end in ENDS {
            assert_eq!(Timestamp::from_nanosecond(end.as_nanosecond()), Some(end));
        }
    }

    #[test]
    fn a_system_time_comes_back_or_saturates() {
        // The steps of the system's clock, in nanoseconds.
        let step = if cfg!(windows) { 100 } else { 1 };
        for end in ENDS.into_iter().chain([time("1969-12-31T23:59:59.25Z")]) {
            if cfg!(unix) || end >= Timestamp::UNIX_EPOCH {
                let back = Timestamp::from(SystemTime::from(end));
                assert_eq!(back.as_nanosecond() / step, end.as_nanosecond() / step);
            }
        }
        let far = Duration::from_secs(1 << 39);
        assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH + far), Timestamp::MAX);
        #[cfg(unix)]
        assert_eq!(Timestamp::from(SystemTime::UNIX_EPOCH - far), Timestamp::MIN);
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn a_time_of_chrono_comes_back_or_saturates() {
        use chrono::{DateTime, Utc};

        for end in ENDS.into_iter().chain([time("1969-12-31T23:59:59.25Z")]) {
            let theirs = DateTime::<Utc>::from(end);
            assert_eq!(Timestamp::from(theirs), end);
        }
        assert_eq!(Timestamp::from(DateTime::<Utc>::MAX_UTC), Timestamp::MAX);
        assert_eq!(Timestamp::from(DateTime::<Utc>::MIN_UTC), Timestamp::MIN);
        let mut secret = crate::Secret::new("v");
        let theirs = Utc::now() + chrono::Duration::days(90);
        secret.metadata.expires_at = Some(theirs.into());
        assert_eq!(secret.metadata.expires_at.map(DateTime::<Utc>::from), Some(theirs));
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn a_time_of_jiff_comes_back() {
        for end in ENDS {
            assert_eq!(Timestamp::from(jiff::Timestamp::from(end)), end);
        }
    }

    #[cfg(feature = "time")]
    #[test]
    fn a_time_of_time_comes_back() {
        for end in ENDS.into_iter().chain([time("1969-12-31T23:59:59.25Z")]) {
            assert_eq!(Timestamp::from(::time::OffsetDateTime::from(end)), end);
        }
        let last = ::time::PrimitiveDateTime::MAX.assume_utc();
        assert_eq!(Timestamp::from(last), Timestamp::MAX);
    }
}
