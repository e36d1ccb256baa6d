//! When a file is due for rotation: the arithmetic of `RotatingFileHandler.shouldRollover` and
//! `TimedRotatingFileHandler.computeRollover` (`Lib/logging/handlers.py`), in the dialects of the versions.
//! Rotating itself is not done here.

/// What becomes of an empty file and a record longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRule {
    /// Even an empty file is rotated.
    RotatesEmpty,
    /// An empty file stays: rotating it would gain nothing. Since 3.12.6 and 3.13.0.
    KeepsEmpty,
}

impl SizeRule {
    /// The rule of `CPython` 3.`minor`.`micro`.
    #[must_use]
    pub const fn of_python(minor: u8, micro: u8) -> Self {
        if minor > 12 || (minor == 12 && micro >= 6) {
            Self::KeepsEmpty
        } else {
            Self::RotatesEmpty
        }
    }
}

/// Whether writing a record makes the file reach its limit. `position` is what the stream's `tell()` answers (bytes),
/// `length` the record's length with its newline as the stdlib counts it (code points), `max_bytes` the limit; zero
/// or less means none.
#[inline]
#[must_use]
pub const fn exceeds(position: u64, length: u64, max_bytes: i64, rule: SizeRule) -> bool {
    if max_bytes <= 0 || (position == 0 && matches!(rule, SizeRule::KeepsEmpty)) {
        return false;
    }
    position.saturating_add(length) >= max_bytes as u64
}

/// Which `computeRollover` the running version has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRule {
    /// Midnight and weekly rollovers ignore `interval`, and only weekly ones mind daylight saving.
    Early,
    /// Since 3.11.9, 3.12.3 and 3.13.0.
    Late,
}

impl TimeRule {
    /// The rule of `CPython` 3.`minor`.`micro`.
    #[must_use]
    pub const fn of_python(minor: u8, micro: u8) -> Self {
        match minor {
            0..=10 => Self::Early,
            11 if micro < 9 => Self::Early,
            12 if micro < 3 => Self::Early,
            _ => Self::Late,
        }
    }
}

/// The `when` of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `S`, `M`, `H`, `D`: the interval alone counts.
    Interval,
    /// `MIDNIGHT`
    Midnight,
    /// `W0` to `W6`; the day is 0 for Monday to 6.
    Weekly(u8),
}

impl When {
    /// From the handler's upper-case `when`; `None` for what its constructor refuses.
    #[must_use]
    pub fn from_name(when: &str) -> Option<Self> {
        match when.as_bytes() {
            b"S" | b"M" | b"H" | b"D" => Some(Self::Interval),
            b"MIDNIGHT" => Some(Self::Midnight),
            [b'W', day @ b'0'..=b'6'] => Some(Self::Weekly(day - b'0')),
            _ => None,
        }
    }
}

/// What a timed handler is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub when: When,
    /// The handler's `interval` attribute, in seconds.
    pub interval: i64,
    /// Whether times are taken apart in UTC: daylight saving is ignored then.
    pub utc: bool,
    /// `atTime` in seconds after midnight; `None` rotates at midnight.
    pub at_time: Option<u32>,
}

/// The parts of a `time.struct_time` that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// 0 (Monday) to 6.
    pub weekday: u8,
    /// `tm_isdst`: positive in daylight saving time, zero outside, negative where unknown.
    pub is_dst: i32,
}

const DAY: i64 = 86_400;

/// The Unix time in seconds of the next rollover after `now`. `civil` breaks a Unix time down, in UTC or local time as
/// the schedule says; `None` from it, or an overflow, gives `None`.
#[must_use]
pub fn next_rollover(
    schedule: &Schedule,
    rule: TimeRule,
    now: i64,
    mut civil: impl FnMut(i64) -> Option<Moment>,
) -> Option<i64> {
    if schedule.when == When::Interval {
        return now.checked_add(schedule.interval);
    }
    let moment = civil(now)?;
    let second_of_day =
        (i64::from(moment.hour) * 60 + i64::from(moment.minute)) * 60 + i64::from(moment.second);
    let mut wait = schedule.at_time.map_or(DAY, i64::from) - second_of_day;
    let mut weekday = moment.weekday;
    let passed = match rule {
        TimeRule::Early => wait < 0,
        // Exactly now has passed too: the next rollover lies strictly in the future.
        TimeRule::Late => wait <= 0,
    };
    if passed {
        wait += DAY;
        weekday = (weekday + 1) % 7;
    }
    let mut result = now.checked_add(wait)?;
    if let When::Weekly(day) = schedule.when {
        result = result.checked_add((i64::from(day) - i64::from(weekday)).rem_euclid(7) * DAY)?;
    }
    match rule {
        TimeRule::Early if schedule.when == When::Midnight => return Some(result),
        TimeRule::Early if schedule.when == When::Weekly(weekday) => return Some(result),
        TimeRule::Early => {}
        TimeRule::Late => {
            let unit = if schedule.when == When::Midnight {
                DAY
            } else {
                7 * DAY
            };
            result = result.checked_add(schedule.interval.checked_sub(unit)?)?;
        }
    }
    if schedule.utc {
        return Some(result);
    }
    let is_dst_then = civil(result)?.is_dst;
    if is_dst_then == moment.is_dst {
        return Some(result);
    }
    if moment.is_dst != 0 {
        // Clocks go back before then: the same wall-clock time comes an hour later.
        return result.checked_add(3600);
    }
    let earlier = result.checked_sub(3600)?;
    // Clocks go forward within the very hour before: there is no such wall-clock time to go back to.
    let skipped = rule == TimeRule::Late && civil(earlier)?.is_dst == 0;
    Some(if skipped { result } else { earlier })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(seconds: i64) -> Option<Moment> {
        let time = crate::clock::CivilTime::from_unix_utc(seconds)?;
        Some(Moment {
            hour: time.hour,
            minute: time.minute,
            second: time.second,
            weekday: time.weekday,
            is_dst: 0,
        })
    }

    /// A zone one hour ahead of UTC that keeps daylight saving from `start` to `end`.
    fn zone(start: i64, end: i64) -> impl FnMut(i64) -> Option<Moment> {
        move |seconds| {
            let dst = start <= seconds && seconds < end;
            let moment = utc(seconds + if dst { 7200 } else { 3600 })?;
            Some(Moment {
                is_dst: i32::from(dst),
                ..moment
            })
        }
    }

    const MIDNIGHT: Schedule = Schedule {
        when: When::Midnight,
        interval: DAY,
        utc: true,
        at_time: None,
    };

    #[test]
    fn size_rule_decides_about_empty_files() {
        assert!(exceeds(0, 200, 100, SizeRule::RotatesEmpty));
        assert!(!exceeds(0, 200, 100, SizeRule::KeepsEmpty));
        assert!(exceeds(1, 99, 100, SizeRule::KeepsEmpty));
        assert!(!exceeds(1, 98, 100, SizeRule::KeepsEmpty));
        assert!(!exceeds(1000, 98, 0, SizeRule::RotatesEmpty));
        assert!(!exceeds(1000, 98, -5, SizeRule::RotatesEmpty));
        assert!(exceeds(u64::MAX, 1, i64::MAX, SizeRule::KeepsEmpty));
    }

    #[test]
    fn rules_follow_the_patch_releases() {
        assert_eq!(SizeRule::of_python(12, 5), SizeRule::RotatesEmpty);
        assert_eq!(SizeRule::of_python(12, 6), SizeRule::KeepsEmpty);
        assert_eq!(SizeRule::of_python(11, 14), SizeRule::RotatesEmpty);
        assert_eq!(TimeRule::of_python(11, 7), TimeRule::Early);
        assert_eq!(TimeRule::of_python(12, 3), TimeRule::Late);
        assert_eq!(TimeRule::of_python(15, 0), TimeRule::Late);
    }

    #[test]
    fn names_are_those_the_constructor_takes() {
        assert_eq!(When::from_name("W6"), Some(When::Weekly(6)));
        assert_eq!(When::from_name("D"), Some(When::Interval));
        for bad in ["W7", "W", "W00", "X", "", "midnight"] {
            assert_eq!(When::from_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn midnight_now_is_a_day_away() {
        for rule in [TimeRule::Early, TimeRule::Late] {
            assert_eq!(next_rollover(&MIDNIGHT, rule, 0, utc), Some(DAY));
            assert_eq!(next_rollover(&MIDNIGHT, rule, DAY - 1, utc), Some(DAY));
        }
        let at_noon = Schedule {
            at_time: Some(43_200),
            ..MIDNIGHT
        };
        assert_eq!(
            next_rollover(&at_noon, TimeRule::Early, 43_200, utc),
            Some(43_200)
        );
        assert_eq!(
            next_rollover(&at_noon, TimeRule::Late, 43_200, utc),
            Some(43_200 + DAY)
        );
    }

    #[test]
    fn weeks_wait_for_their_day_and_late_rules_for_their_interval() {
        // The epoch was a Thursday; at its first second the rollover day is that same Thursday's end.
        let schedule = |day, weeks: i64| Schedule {
            when: When::Weekly(day),
            interval: weeks * 7 * DAY,
            ..MIDNIGHT
        };
        assert_eq!(
            next_rollover(&schedule(3, 1), TimeRule::Late, 1, utc),
            Some(DAY)
        );
        assert_eq!(
            next_rollover(&schedule(2, 1), TimeRule::Late, 1, utc),
            Some(7 * DAY)
        );
        assert_eq!(
            next_rollover(&schedule(3, 2), TimeRule::Late, 1, utc),
            Some(8 * DAY)
        );
        assert_eq!(
            next_rollover(&schedule(3, 2), TimeRule::Early, 1, utc),
            Some(DAY)
        );
    }

    #[test]
    fn late_rules_keep_the_wall_clock_over_daylight_saving() {
        let local = Schedule {
            utc: false,
            ..MIDNIGHT
        };
        // Clocks go forward at 02:00 local, between now and the next midnight.
        let rollover = next_rollover(&local, TimeRule::Late, 0, zone(3600, 10 * DAY));
        assert_eq!(rollover, Some(DAY - 7200));
        // Clocks go back.
        let rollover = next_rollover(&local, TimeRule::Late, 0, zone(-DAY, 3600));
        assert_eq!(rollover, Some(DAY - 3600));
        // Forward in the hour just before the rollover.
        let rollover = next_rollover(&local, TimeRule::Late, 0, zone(DAY - 3600 - 600, 10 * DAY));
        assert_eq!(rollover, Some(DAY - 3600));
    }

    #[test]
    fn overflow_and_unknown_times_have_no_answer() {
        let interval = Schedule {
            when: When::Interval,
            ..MIDNIGHT
        };
        assert_eq!(
            next_rollover(&interval, TimeRule::Late, i64::MAX, utc),
            None
        );
        assert_eq!(next_rollover(&MIDNIGHT, TimeRule::Late, 0, |_| None), None);
    }
}
