//! Time as an argument: seconds since 1970-01-01T00:00:00Z.

/// Seconds since 1970-01-01T00:00:00Z, given by the caller; nothing in this crate reads a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

const SECONDS_PER_DAY: i64 = 86_400;

impl UnixTime {
    /// This time moved forward by `seconds`, saturating.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses RFC 3339 (`2026-06-01T00:00:00Z`, offsets allowed, fractions dropped).
    ///
    /// Years 1970 to 9999; a leap second (`:60`) is refused.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let mut fields = Fields(text.as_bytes());
        let days = date(&mut fields)?;
        fields.one_of(b"Tt")?;
        let second_of_day = time_of_day(&mut fields)?;
        let offset_seconds = offset(&mut fields)?;
        let seconds = days * SECONDS_PER_DAY + second_of_day - offset_seconds;
        fields.0.is_empty().then_some(())?;
        u64::try_from(seconds).ok().map(Self)
    }

    /// RFC 3339 in UTC, to the second.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let second_of_day = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60,
        );
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// `full-date` of RFC 3339 section 5.6, as days since 1970-01-01.
fn date(fields: &mut Fields<'_>) -> Option<i64> {
    let year = fields.number(4)?;
    fields.one_of(b"-")?;
    let month = fields.number(2)?;
    fields.one_of(b"-")?;
    let day = fields.number(2)?;
    let valid = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    valid.then(|| days_from_civil(year, month, day))
}

/// `partial-time` of RFC 3339 section 5.6, as seconds since midnight.
fn time_of_day(fields: &mut Fields<'_>) -> Option<i64> {
    let hour = fields.number(2)?;
    fields.one_of(b":")?;
    let minute = fields.number(2)?;
    fields.one_of(b":")?;
    let second = fields.number(2)?;
    fields.fraction()?;
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// `time-offset` of RFC 3339 section 5.6, as seconds east of UTC.
fn offset(fields: &mut Fields<'_>) -> Option<i64> {
    let sign = match fields.one_of(b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hour = fields.number(2)?;
    fields.one_of(b":")?;
    let minute = fields.number(2)?;
    (hour < 24 && minute < 60).then_some(sign * (hour * 3600 + minute * 60))
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counting years from March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// What is left of the text.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn one_of(&mut self, accepted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        accepted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| {
            Some(number * 10 + i64::from(self.one_of(b"0123456789")? - b'0'))
        })
    }

    fn fraction(&mut self) -> Option<()> {
        if self.one_of(b".").is_some() {
            self.number(1)?;
            while self.number(1).is_some() {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    #[test]
    fn known_times_read_and_print() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-06-01T00:00:00Z", 1_780_272_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(UnixTime::from_rfc3339(text), Some(UnixTime(seconds)));
            assert_eq!(UnixTime(seconds).to_rfc3339(), text);
        }
    }

    #[test]
    fn offsets_and_fractions_are_normalised() {
        for text in [
            "2026-06-01T02:00:00+02:00",
            "2026-05-31T16:30:00.987654-07:30",
            "2026-06-01t00:00:00z",
        ] {
            assert_eq!(
                UnixTime::from_rfc3339(text),
                Some(UnixTime(1_780_272_000)),
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026-06-01",
            "2026-06-01T00:00:00",
            "2026-06-01 00:00:00Z",
            "2026-06-01T00:00:00Z ",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-06-00T00:00:00Z",
            "2026-06-01T24:00:00Z",
            "2026-06-01T00:60:00Z",
            "2026-06-01T00:00:60Z",
            "2026-06-01T00:00:00.Z",
            "2026-06-01T00:00:00+24:00",
            "2026-06-01T00:00:00+0200",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "+026-06-01T00:00:00Z",
        ] {
            assert_eq!(UnixTime::from_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097_u64 {
            let time = UnixTime(day * 86_400 + 3_723);
            assert_eq!(UnixTime::from_rfc3339(&time.to_rfc3339()), Some(time));
        }
    }
}
