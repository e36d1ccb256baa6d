//! The account of a queue.

/// Why a record was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// There was no room.
    Overflow,
    /// There was none for as long as its caller wanted to wait.
    Timeout,
    /// Its caller was interrupted while waiting for room.
    Interrupted,
    /// The consumer logged it, while there was no room for twice as much.
    Reentrant,
    /// It was still queued when the queue was closed and the time for that was over, or came later.
    Closed,
    /// It is larger than a record may be.
    Oversize,
    /// The peer could not be reached for as long as its sender tries.
    Deadline,
    /// It was to go to disk, and there was no room for it, or no disk.
    Spill,
    /// It was on disk, and could not be read again.
    Damaged,
    /// The peer does not want it.
    Refused,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 10] = [
        Reason::Overflow,
        Reason::Timeout,
        Reason::Interrupted,
        Reason::Reentrant,
        Reason::Closed,
        Reason::Oversize,
        Reason::Deadline,
        Reason::Spill,
        Reason::Damaged,
        Reason::Refused,
    ];

    /// Those of a queue by itself.
    pub const OF_QUEUES: [Reason; 5] = [
        Reason::Overflow,
        Reason::Timeout,
        Reason::Interrupted,
        Reason::Reentrant,
        Reason::Closed,
    ];

    /// Those of a queue that spills to disk.
    pub const OF_SPILLING_QUEUES: [Reason; 7] = [
        Reason::Overflow,
        Reason::Timeout,
        Reason::Interrupted,
        Reason::Reentrant,
        Reason::Closed,
        Reason::Spill,
        Reason::Damaged,
    ];

    /// Its name in an account.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Overflow => "overflow",
            Reason::Timeout => "timeout",
            Reason::Interrupted => "interrupted",
            Reason::Reentrant => "reentrant",
            Reason::Closed => "closed",
            Reason::Oversize => "oversize",
            Reason::Deadline => "deadline",
            Reason::Spill => "spill",
            Reason::Damaged => "damaged",
            Reason::Refused => "refused",
        }
    }
}

/// How many were dropped, by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Drops([u64; Reason::ALL.len()]);

impl Drops {
    pub(super) fn count(&mut self, reason: Reason, more: u64) {
        self.0[reason as usize] += more;
    }

    /// For one reason.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// For all of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The account of a queue at one moment.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Ledger {
    /// Records of which it is decided whether they came in.
    pub emitted: u64,
    /// Records that the consumer has written.
    pub written: u64,
    /// Records that it could not write.
    pub failed: u64,
    /// Records that were dropped.
    pub dropped: Drops,
    /// Those of them that had been queued, and made room for others.
    pub evicted: u64,
    /// Records that went to disk.
    pub spilled: u64,
    /// Records that an earlier process had left there; *emitted* counts them too.
    pub recovered: u64,
    /// Records that are queued, or taken and not reported yet, or on disk.
    pub in_flight: usize,
    /// Records that are on disk: not taken, or taken from there and not reported yet.
    pub on_disk: usize,
    /// Records that are queued.
    pub queued: usize,
    /// The bytes of those in memory.
    pub bytes: usize,
    /// The most that were ever in flight.
    pub high_water: usize,
}

impl Ledger {
    /// Records of which somebody who flushes is told that they will never be written: they failed, or made room for others, or nobody would
    /// have taken them. What found no room is none of them: it never came in.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let dropped = [Reason::Deadline, Reason::Refused, Reason::Oversize];
        self.failed + self.evicted + dropped.map(|why| self.dropped.of(why)).iter().sum::<u64>()
    }

    /// Does it add up? It does at every moment.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.emitted == self.written + self.failed + self.dropped.total() + self.in_flight as u64
    }
}
