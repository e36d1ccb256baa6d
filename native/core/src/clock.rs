//! Times as `logging` prints them. Converting Unix time to local time is the caller's (`time.localtime` there); this
//! module floors, writes and remembers. A function that answers `false` has written nothing.

/// A broken-down time with the ranges of `time.struct_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CivilTime {
    /// The year in full.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 61, leap seconds included.
    pub second: u8,
    /// 0 (Monday) to 6.
    pub weekday: u8,
    /// 1 to 366.
    pub yearday: u16,
}

impl CivilTime {
    /// UTC of a Unix time in seconds; `None` when the year leaves 1 to 9999.
    #[must_use]
    pub fn from_unix_utc(seconds: i64) -> Option<Self> {
        // Years 1 to 9999 in days since 1970; the bound also keeps what follows far from overflow.
        const DAYS: std::ops::Range<i64> = -719_162..2_932_897;
        let days = seconds.div_euclid(86_400);
        if !DAYS.contains(&days) {
            return None;
        }
        let second_of_day = seconds.rem_euclid(86_400);
        // Years are counted from March, so that the leap day is the last of its year; eras are of 400 years.
        let from_march = days + 719_468;
        let era = from_march.div_euclid(146_097);
        let day_of_era = from_march.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = (era * 400 + year_of_era + i64::from(month <= 2)) as i32;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        // Day 306 from March is the first of January.
        let yearday = if month <= 2 {
            day_of_year - 305
        } else {
            day_of_year + 60 + i64::from(leap)
        };
        Some(Self {
            year,
            month: month as u8,
            day: day as u8,
            hour: (second_of_day / 3600) as u8,
            minute: (second_of_day / 60 % 60) as u8,
            second: (second_of_day % 60) as u8,
            weekday: (days + 3).rem_euclid(7) as u8,
            yearday: yearday as u16,
        })
    }

    /// Whether every field but the year is in range and the year has four digits: only then do all C libraries print
    /// the same.
    const fn is_printable(&self) -> bool {
        1000 <= self.year
            && self.year <= 9999
            && 1 <= self.month
            && self.month <= 12
            && 1 <= self.day
            && self.day <= 31
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 61
            && self.weekday <= 6
            && 1 <= self.yearday
            && self.yearday <= 366
    }
}

/// The whole second a Unix time lies in, rounded down as `time.localtime` does; `None` for NaN and for what cannot be
/// a time.
#[inline]
#[must_use]
pub fn floor_second(created: f64) -> Option<i64> {
    // Beyond 2**53 a float has no fractions left, and no clock reaches it.
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if created.abs() < LIMIT {
        let whole = created as i64;
        Some(whole - i64::from(whole as f64 > created))
    } else {
        None
    }
}

/// Writes `%Y-%m-%d %H:%M:%S`, the stdlib's `Formatter.default_time_format`; `false` outside the years 1000 to 9999.
#[inline]
#[must_use]
pub fn write_asctime(buf: &mut Vec<u8>, time: &CivilTime) -> bool {
    if !time.is_printable() {
        return false;
    }
    let mut text = *b"0000-00-00 00:00:00";
    let year = time.year as u16;
    text[0..2].copy_from_slice(&two_digits((year / 100) as u8));
    text[2..4].copy_from_slice(&two_digits((year % 100) as u8));
    text[5..7].copy_from_slice(&two_digits(time.month));
    text[8..10].copy_from_slice(&two_digits(time.day));
    text[11..13].copy_from_slice(&two_digits(time.hour));
    text[14..16].copy_from_slice(&two_digits(time.minute));
    text[17..19].copy_from_slice(&two_digits(time.second));
    buf.extend_from_slice(&text);
    true
}

/// What `"%s,%03d" % (text, msecs)` adds to the text, the stdlib's `Formatter.default_msec_format`. `msecs` is in milliseconds
/// and truncated; `None` outside 0 to 999.
#[inline]
#[must_use]
pub fn msecs_tail(msecs: f64) -> Option<[u8; 4]> {
    // `-0.5` truncates to `000` as well, but only a record made by hand holds it.
    if !(0.0..1000.0).contains(&msecs) {
        return None;
    }
    let whole = msecs as u16;
    let [tens, ones] = two_digits((whole % 100) as u8);
    Some([b',', b'0' + (whole / 100) as u8, tens, ones])
}

/// Two decimal digits of a value below 100.
const fn two_digits(value: u8) -> [u8; 2] {
    [b'0' + value / 10 % 10, b'0' + value % 10]
}

/// A `datefmt` compiled to the directives that depend neither on the locale nor on the C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePlan {
    pieces: Vec<DatePiece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DatePiece {
    Literal(Box<str>),
    Year,
    YearOfCentury,
    Month,
    Day,
    Hour,
    Hour12,
    Minute,
    Second,
    YearDay,
}

impl DatePlan {
    /// Compiles `%Y %y %m %d %H %I %M %S %j %F %T %R %D %%` and ASCII text; `None` for anything else (names of days,
    /// `%p`, flags, a `%` at the end, NUL): `time.strftime` does those.
    #[must_use]
    pub fn compile(format: &str) -> Option<Self> {
        use DatePiece::{
            Day, Hour, Hour12, Literal, Minute, Month, Second, Year, YearDay, YearOfCentury,
        };
        // Other characters go through the locale's encoding in some versions.
        if !format.is_ascii() || format.contains('\0') {
            return None;
        }
        let text = |text: &str| Literal(text.into());
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some(percent) = memchr::memchr(b'%', rest.as_bytes()) {
            if percent > 0 {
                pieces.push(text(&rest[..percent]));
            }
            match rest.as_bytes().get(percent + 1)? {
                b'Y' => pieces.push(Year),
                b'y' => pieces.push(YearOfCentury),
                b'm' => pieces.push(Month),
                b'd' => pieces.push(Day),
                b'H' => pieces.push(Hour),
                b'I' => pieces.push(Hour12),
                b'M' => pieces.push(Minute),
                b'S' => pieces.push(Second),
                b'j' => pieces.push(YearDay),
                b'F' => pieces.extend([Year, text("-"), Month, text("-"), Day]),
                b'T' => pieces.extend([Hour, text(":"), Minute, text(":"), Second]),
                b'R' => pieces.extend([Hour, text(":"), Minute]),
                b'D' => pieces.extend([Month, text("/"), Day, text("/"), YearOfCentury]),
                b'%' => pieces.push(text("%")),
                _ => return None,
            }
            rest = &rest[percent + 2..];
        }
        if !rest.is_empty() {
            pieces.push(text(rest));
        }
        Some(Self { pieces })
    }

    /// Writes the time; `false` outside the years 1000 to 9999.
    #[must_use]
    pub fn render(&self, buf: &mut Vec<u8>, time: &CivilTime) -> bool {
        if !time.is_printable() {
            return false;
        }
        for piece in &self.pieces {
            let value = match piece {
                DatePiece::Literal(text) => {
                    buf.extend_from_slice(text.as_bytes());
                    continue;
                }
                DatePiece::Year => {
                    buf.extend_from_slice(&two_digits((time.year / 100) as u8));
                    (time.year % 100) as u8
                }
                DatePiece::YearDay => {
                    buf.push(b'0' + (time.yearday / 100) as u8);
                    (time.yearday % 100) as u8
                }
                DatePiece::YearOfCentury => (time.year % 100) as u8,
                DatePiece::Month => time.month,
                DatePiece::Day => time.day,
                DatePiece::Hour => time.hour,
                DatePiece::Hour12 => (time.hour + 11) % 12 + 1,
                DatePiece::Minute => time.minute,
                DatePiece::Second => time.second,
            };
            buf.extend_from_slice(&two_digits(value));
        }
        true
    }
}

/// The text of the last second asked for. Most records share their second with the one before.
#[derive(Debug, Clone)]
pub struct SecondCache<T> {
    kept: Option<((i64, u64, u64), T)>,
}

impl<T> SecondCache<T> {
    /// Nothing kept.
    #[must_use]
    pub const fn new() -> Self {
        Self { kept: None }
    }

    /// The text kept for that Unix second, zone epoch (changed by whoever sees the zone change) and format identity.
    #[inline]
    #[must_use]
    pub fn get(&self, second: i64, zone: u64, format: u64) -> Option<&T> {
        match &self.kept {
            Some((key, text)) if *key == (second, zone, format) => Some(text),
            _ => None,
        }
    }

    /// Keeps a text in place of the one before.
    pub fn put(&mut self, second: i64, zone: u64, format: u64, text: T) {
        self.kept = Some(((second, zone, format), text));
    }
}

impl<T> Default for SecondCache<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: CivilTime = CivilTime {
        year: 2024,
        month: 2,
        day: 29,
        hour: 0,
        minute: 5,
        second: 9,
        weekday: 3,
        yearday: 60,
    };

    fn render(format: &str, time: &CivilTime) -> Option<String> {
        let mut buf = Vec::new();
        let done = DatePlan::compile(format)?.render(&mut buf, time);
        done.then(|| String::from_utf8(buf).unwrap())
    }

    #[test]
    fn utc_of_known_seconds() {
        assert_eq!(CivilTime::from_unix_utc(1_709_165_109), Some(TIME));
        let last = CivilTime::from_unix_utc(-1).unwrap();
        assert_eq!(
            (last.year, last.month, last.day, last.second, last.yearday),
            (1969, 12, 31, 59, 365)
        );
        assert_eq!(
            CivilTime::from_unix_utc(253_402_300_799).unwrap().year,
            9999
        );
        assert_eq!(CivilTime::from_unix_utc(253_402_300_800), None);
        assert_eq!(CivilTime::from_unix_utc(i64::MIN), None);
    }

    #[test]
    fn asctime_has_four_digit_years_only() {
        let mut buf = Vec::new();
        assert!(write_asctime(&mut buf, &TIME));
        assert_eq!(buf, b"2024-02-29 00:05:09");
        assert!(!write_asctime(&mut buf, &CivilTime { year: 999, ..TIME }));
        assert!(!write_asctime(
            &mut buf,
            &CivilTime {
                year: 10_000,
                ..TIME
            }
        ));
        assert_eq!(buf.len(), 19);
    }

    #[test]
    fn msecs_are_truncated() {
        for (msecs, expected) in [
            (0.0, ",000"),
            (7.9, ",007"),
            (999.999, ",999"),
            (120.0, ",120"),
        ] {
            assert_eq!(msecs_tail(msecs).unwrap(), expected.as_bytes());
        }
        for msecs in [-1.0, 1000.0, f64::NAN, f64::INFINITY] {
            assert_eq!(msecs_tail(msecs), None);
        }
    }

    #[test]
    fn date_plans_render_their_directives() {
        assert_eq!(
            render("%d/%m/%y %I:%M %j 100%%", &TIME).as_deref(),
            Some("29/02/24 12:05 060 100%")
        );
        assert_eq!(
            render("%FT%TZ %R %D", &TIME).as_deref(),
            Some("2024-02-29T00:05:09Z 00:05 02/29/24")
        );
        assert_eq!(
            render("%I", &CivilTime { hour: 13, ..TIME }).as_deref(),
            Some("01")
        );
        for format in ["%p", "%a", "%", "%-d", "%z", "é", "\0", "%Ey", "%s", "%f"] {
            assert_eq!(render(format, &TIME), None, "{format}");
        }
    }

    #[test]
    fn seconds_are_floored() {
        assert_eq!(floor_second(-0.25), Some(-1));
        assert_eq!(floor_second(1.999), Some(1));
        assert_eq!(floor_second(f64::NAN), None);
        assert_eq!(floor_second(1e300), None);
    }

    #[test]
    fn cache_answers_for_the_same_key_only() {
        let mut cache = SecondCache::default();
        assert_eq!(cache.get(0, 0, 0), None);
        cache.put(5, 1, 2, "text");
        assert_eq!(cache.get(5, 1, 2), Some(&"text"));
        assert!(
            cache.get(6, 1, 2).is_none()
                && cache.get(5, 2, 2).is_none()
                && cache.get(5, 1, 3).is_none()
        );
        cache.put(5, 1, 3, "another");
        assert_eq!(cache.get(5, 1, 2), None);
    }
}
