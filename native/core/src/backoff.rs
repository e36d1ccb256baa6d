//! When to try again after a failure: exponential, with full jitter, and a deadline.
//!
//! The waits grow from `base` to `cap`, and each is drawn between [`SHORTEST`] and what it may be at most, so that a thousand senders do
//! not come back at once. Time and chance are the caller's: nothing here looks at a clock.
use std::time::{Duration, Instant};

/// No wait is shorter, unless the longest is.
pub const SHORTEST: Duration = Duration::from_millis(10);

/// How long to wait between attempts. A tenth of a second at first, ten seconds later on; two minutes in all, unless told otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait of all.
    pub cap: Duration,
    /// After working for so long, the next failure begins at `base` again.
    pub reset_after: Duration,
    /// After failing for so long, it is time to give up what waits.
    pub deadline: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
            reset_after: Duration::from_secs(30),
            deadline: Duration::from_secs(120),
        }
    }
}

/// The state between failures.
#[derive(Debug)]
pub struct Backoff {
    settings: Settings,
    /// The longest the next wait may be.
    longest: Duration,
    working_since: Option<Instant>,
    failing_since: Option<Instant>,
}

impl Backoff {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            longest: settings.base.min(settings.cap),
            working_since: None,
            failing_since: None,
        }
    }

    /// Something was sent.
    pub fn succeeded(&mut self, now: Instant) {
        self.failing_since = None;
        self.working_since.get_or_insert(now);
    }

    /// Nothing could be sent. How long to wait: a time drawn by `random`, any number, or `asked` if that is longer, but not beyond the
    /// deadline; nothing when that is over, and then it begins anew.
    pub fn failed(&mut self, now: Instant, random: u64, asked: Duration) -> Option<Duration> {
        let worked = self.working_since.take();
        if worked.is_some_and(|since| now.duration_since(since) >= self.settings.reset_after) {
            self.longest = self.settings.base.min(self.settings.cap);
        }
        let since = *self.failing_since.get_or_insert(now);
        let left = self
            .settings
            .deadline
            .saturating_sub(now.duration_since(since));
        if left.is_zero() {
            *self = Self::new(self.settings);
            return None;
        }
        let shortest = SHORTEST.min(self.longest);
        let span = self.longest.saturating_sub(shortest).as_nanos() + 1;
        // The upper half of a product is as even as the factor; a span of nanoseconds has far fewer than 64 bits.
        let drawn = (u128::from(random) * span) >> 64;
        let wait = shortest + Duration::from_nanos(drawn as u64);
        self.longest = self.longest.saturating_mul(2).min(self.settings.cap);
        Some(wait.max(asked).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = u64::MAX;
    const NONE: Duration = Duration::ZERO;

    fn millis(wait: Option<Duration>) -> u128 {
        wait.expect("the deadline is not over").as_millis()
    }

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(Settings::default());
        let now = Instant::now();
        let waits: Vec<u128> = (0..9)
            .map(|_| millis(backoff.failed(now, MOST, NONE)))
            .collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
    }

    #[test]
    fn chance_decides_between_ten_milliseconds_and_the_longest() {
        for (random, first, second) in [(0, 10, 10), (MOST / 2, 55, 105), (MOST, 100, 200)] {
            let mut backoff = Backoff::new(Settings::default());
            let now = Instant::now();
            assert_eq!(millis(backoff.failed(now, random, NONE)), first);
            assert_eq!(millis(backoff.failed(now, random, NONE)), second);
        }
        let settings = Settings {
            base: Duration::from_millis(2),
            ..Settings::default()
        };
        assert_eq!(
            millis(Backoff::new(settings).failed(Instant::now(), 0, NONE)),
            2
        );
    }

    #[test]
    fn only_health_for_long_enough_begins_at_the_base_again() {
        let mut backoff = Backoff::new(Settings::default());
        let start = Instant::now();
        for _ in 0..3 {
            backoff.failed(start, MOST, NONE);
        }
        backoff.succeeded(start);
        let early = start + Duration::from_secs(29);
        backoff.succeeded(early);
        assert_eq!(millis(backoff.failed(early, MOST, NONE)), 800);
        backoff.succeeded(early);
        let late = early + Duration::from_secs(30);
        assert_eq!(millis(backoff.failed(late, MOST, NONE)), 100);
    }

    #[test]
    fn the_deadline_counts_from_the_first_failure_and_begins_anew() {
        let mut backoff = Backoff::new(Settings::default());
        let start = Instant::now();
        backoff.failed(start, MOST, NONE);
        let nearly = start + Duration::from_millis(119_990);
        assert_eq!(millis(backoff.failed(nearly, MOST, NONE)), 10);
        let over = start + Duration::from_secs(120);
        assert_eq!(backoff.failed(over, MOST, NONE), None);
        assert_eq!(millis(backoff.failed(over, MOST, NONE)), 100);
        backoff.succeeded(over);
        assert_eq!(
            millis(backoff.failed(over + Duration::from_secs(29), MOST, NONE)),
            200
        );
    }

    #[test]
    fn a_longer_wait_that_the_peer_asks_for_ends_with_the_deadline() {
        let mut backoff = Backoff::new(Settings::default());
        let start = Instant::now();
        let asked = |seconds| Duration::from_secs(seconds);
        assert_eq!(millis(backoff.failed(start, 0, asked(7))), 7000);
        assert_eq!(millis(backoff.failed(start, MOST, asked(0))), 200);
        assert_eq!(millis(backoff.failed(start, 0, asked(3600))), 120_000);
    }
}
