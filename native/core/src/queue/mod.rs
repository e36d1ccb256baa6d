//! The queue between those who log and the one that writes: bounded, and with an account of every record.
//!
//! Producers append under a short lock; whoever consumes takes many at once and reports each as written or failed. The lock is
//! never held while anything of a caller's runs: items that are evicted are given back, to be dropped outside. What counts as
//! *in flight*, and against the limits, is what is queued and what was taken but not reported yet, so that a consumer that hangs
//! keeps no more in memory than the limits say. What was [spilled](Spill) to disk and not taken from there is in flight as well, without a
//! limit here.
//!
//! Under the lock, at every moment, `emitted = written + failed + dropped + in_flight`.
mod ledger;
#[cfg(test)]
mod model;
mod platform;
mod spill;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use ledger::{Drops, Ledger, Reason};
pub use platform::{Os, Platform};
pub use spill::{Spill, Spilled};

/// What happens to a record for which there is no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// The caller waits for room.
    Block,
    /// It is dropped.
    Drop,
    /// The oldest one is dropped.
    DropOldest,
    /// The caller waits for as long as it likes ([`Queue::wait_for_room`]), then it is dropped ([`Queue::offer_at_last`]).
    Timeout,
    /// It goes to disk, and so do all later ones until what is there has been taken: see [`Spill`].
    Spill,
}

/// How much a queue may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records.
    pub entries: usize,
    /// Bytes. A single record larger than that is let in where nothing else is in flight.
    pub bytes: usize,
}

/// What became of an item that was offered. Those that come back are the caller's, to be dropped without any lock.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<T> {
    /// It is in the queue, in the place of these.
    Queued(Vec<T>),
    /// It was dropped, and so were these before.
    Dropped(T, Reason),
    /// There is no room now; nothing was counted.
    Full(T),
    /// The queue is closed; nothing was counted.
    Closed(T),
}

/// The outcome of a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// What was waited for has happened.
    Ready,
    /// It has not, in the time given.
    TimedOut,
    /// The queue is closed, and it will not.
    Closed,
}

struct Slot<T> {
    number: u64,
    weight: usize,
    item: T,
}

struct State<T> {
    /// Records that may be dropped for the sake of protected ones.
    plain: VecDeque<Slot<T>>,
    protected: VecDeque<Slot<T>>,
    /// Numbers and weights of what was taken and not reported yet, oldest first.
    taken: VecDeque<(u64, usize)>,
    /// How many are on disk and not taken: the newest of all in flight.
    spilled: usize,
    /// How many of those taken are on disk still, and the oldest of them.
    reread: usize,
    /// What is queued is on its way there: nothing may come in behind it.
    held: bool,
    /// Of everything in flight but these.
    bytes: usize,
    /// The next record's.
    number: u64,
    closed: bool,
    /// The consumer waits for so much: only then a producer wakes it.
    awaited: Option<Limits>,
    /// What came before this number does not wait for more to come.
    hurried: u64,
    /// How many wait for room or for records to be done.
    watchers: usize,
    ledger: Ledger,
}

impl<T> State<T> {
    fn queued(&self) -> usize {
        self.plain.len() + self.protected.len()
    }

    /// Without those on disk.
    fn in_flight(&self) -> usize {
        self.queued() + self.taken.len()
    }

    /// Is there enough for the consumer to go on? It has nothing in hand while it asks.
    fn has_gathered(&self, enough: Limits) -> bool {
        let queued = self.queued();
        queued >= enough.entries
            || self.bytes >= enough.bytes
            || (queued > 0 && (self.closed || self.oldest() < self.hurried))
            || (self.spilled > 0 && !self.closed)
    }

    /// The lane that the oldest queued record is in.
    fn oldest_lane(&mut self) -> &mut VecDeque<Slot<T>> {
        let protected_first = match (self.plain.front(), self.protected.front()) {
            (Some(plain), Some(protected)) => protected.number < plain.number,
            (None, _) => true,
            (_, None) => false,
        };
        if protected_first {
            &mut self.protected
        } else {
            &mut self.plain
        }
    }

    fn has_room(&self, weight: usize, limits: Limits) -> bool {
        if self.spilled > 0 || self.held {
            return false;
        }
        let in_flight = self.in_flight();
        in_flight == 0
            || (in_flight < limits.entries && self.bytes.saturating_add(weight) <= limits.bytes)
    }

    fn push(&mut self, item: T, weight: usize, protected: bool) {
        let slot = Slot {
            number: self.number,
            weight,
            item,
        };
        self.number += 1;
        self.bytes += weight;
        self.ledger.emitted += 1;
        if protected {
            self.protected.push_back(slot);
        } else {
            self.plain.push_back(slot);
        }
        self.ledger.high_water = self.ledger.high_water.max(self.in_flight());
    }

    /// Would dropping plain records, or protected ones as well, make room?
    fn could_make_room(&self, weight: usize, limits: Limits, protected: bool) -> bool {
        let lane = |lane: &VecDeque<Slot<T>>| lane.iter().map(|slot| slot.weight).sum::<usize>();
        let (mut entries, mut bytes) = (self.plain.len(), lane(&self.plain));
        if protected {
            entries += self.protected.len();
            bytes += lane(&self.protected);
        }
        let left = self.in_flight() - entries;
        left == 0
            || (left < limits.entries
                && (self.bytes - bytes).saturating_add(weight) <= limits.bytes)
    }

    /// Drops queued records until there is room: plain ones first, protected ones only if `protected`.
    fn make_room(
        &mut self,
        weight: usize,
        limits: Limits,
        oldest: bool,
        protected: bool,
        reason: Reason,
    ) -> Option<Vec<T>> {
        if !self.could_make_room(weight, limits, protected) {
            return None;
        }
        let mut evicted = Vec::new();
        while !self.has_room(weight, limits) {
            let lane = if self.plain.is_empty() {
                &mut self.protected
            } else {
                &mut self.plain
            };
            let slot = if oldest {
                lane.pop_front()
            } else {
                lane.pop_back()
            }?;
            self.bytes -= slot.weight;
            self.ledger.dropped.count(reason, 1);
            self.ledger.evicted += 1;
            evicted.push(slot.item);
        }
        Some(evicted)
    }

    fn refuse(&mut self, item: T, reason: Reason) -> Offer<T> {
        self.ledger.emitted += 1;
        self.ledger.dropped.count(reason, 1);
        Offer::Dropped(item, reason)
    }

    /// The number of the oldest record in flight; that of the next one where nothing is.
    fn oldest(&self) -> u64 {
        let taken = self.taken.front().map(|(number, _)| *number);
        let queued = [self.plain.front(), self.protected.front()];
        let queued = queued.into_iter().flatten().map(|slot| slot.number);
        let on_disk = self.number - self.spilled as u64;
        taken.into_iter().chain(queued).min().unwrap_or(on_disk)
    }
}

/// A bounded queue of records; see the [module](self).
pub struct Queue<T: Send, P: Platform = Os> {
    state: P::Mutex<State<T>>,
    /// There are records.
    filled: P::Condvar,
    /// A record is out of flight, or the queue closed.
    moved: P::Condvar,
    limits: Limits,
    overflow: Overflow,
}

impl<T: Send, P: Platform> Queue<T, P> {
    /// An empty queue. Limits of nothing are taken as one.
    #[must_use]
    pub fn new(limits: Limits, overflow: Overflow) -> Self {
        Self {
            state: P::mutex(State {
                plain: VecDeque::new(),
                protected: VecDeque::new(),
                taken: VecDeque::new(),
                spilled: 0,
                reread: 0,
                held: false,
                bytes: 0,
                number: 0,
                closed: false,
                awaited: None,
                hurried: 0,
                watchers: 0,
                ledger: Ledger::default(),
            }),
            filled: P::condvar(),
            moved: P::condvar(),
            limits: Limits {
                entries: limits.entries.max(1),
                bytes: limits.bytes.max(1),
            },
            overflow,
        }
    }

    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Another one with the same limits and policy; no lock is taken.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::new(self.limits, self.overflow)
    }

    // ---- producers

    /// Puts an item in the queue if there is room, or does what the overflow policy says as far as that takes no waiting.
    /// `protected` items are dropped only after all others.
    pub fn offer(&self, item: T, weight: usize, protected: bool) -> Offer<T> {
        let mut state = P::lock(&self.state);
        if state.closed {
            return Offer::Closed(item);
        }
        if state.has_room(weight, self.limits) {
            return self.admit(state, item, weight, protected, Vec::new());
        }
        let (oldest, evicts_protected) = match self.overflow {
            Overflow::Block | Overflow::Timeout | Overflow::Spill => return Offer::Full(item),
            Overflow::Drop if !protected => return state.refuse(item, Reason::Overflow),
            Overflow::Drop => (false, false),
            Overflow::DropOldest => (true, protected),
        };
        self.squeeze(state, item, weight, protected, oldest, evicts_protected)
    }

    /// The same for the last time, after waiting in vain: dropped if there is no room, unless it is protected and others are not.
    pub fn offer_at_last(&self, item: T, weight: usize, protected: bool) -> Offer<T> {
        let mut state = P::lock(&self.state);
        if state.closed {
            return Offer::Closed(item);
        }
        if state.has_room(weight, self.limits) {
            return self.admit(state, item, weight, protected, Vec::new());
        }
        let room = protected
            .then(|| state.make_room(weight, self.limits, false, false, Reason::Timeout))
            .flatten();
        match room {
            Some(evicted) => self.admit(state, item, weight, protected, evicted),
            None => state.refuse(item, Reason::Timeout),
        }
    }

    /// For a record that the consumer itself logs while it writes another one, and that nobody else could make room for: twice
    /// the limits, and no waiting.
    pub fn offer_from_consumer(&self, item: T, weight: usize, protected: bool) -> Offer<T> {
        let mut state = P::lock(&self.state);
        if state.closed {
            return Offer::Closed(item);
        }
        let twice = Limits {
            entries: self.limits.entries.saturating_mul(2),
            bytes: self.limits.bytes.saturating_mul(2),
        };
        if state.has_room(weight, twice) {
            self.admit(state, item, weight, protected, Vec::new())
        } else {
            state.refuse(item, Reason::Reentrant)
        }
    }

    fn squeeze(
        &self,
        mut state: P::Guard<'_, State<T>>,
        item: T,
        weight: usize,
        protected: bool,
        oldest: bool,
        evicts_protected: bool,
    ) -> Offer<T> {
        let room = state.make_room(
            weight,
            self.limits,
            oldest,
            evicts_protected,
            Reason::Overflow,
        );
        match room {
            Some(evicted) => self.admit(state, item, weight, protected, evicted),
            None => state.refuse(item, Reason::Overflow),
        }
    }

    fn admit(
        &self,
        mut state: P::Guard<'_, State<T>>,
        item: T,
        weight: usize,
        protected: bool,
        evicted: Vec<T>,
    ) -> Offer<T> {
        state.push(item, weight, protected);
        let wake = state
            .awaited
            .is_some_and(|enough| state.has_gathered(enough));
        if wake {
            state.awaited = None;
        }
        let tell = !evicted.is_empty() && state.watchers > 0;
        drop(state);
        if wake {
            P::notify_all(&self.filled);
        }
        if tell {
            P::notify_all(&self.moved);
        }
        Offer::Queued(evicted)
    }

    /// Waits until an item of that weight could be offered with success; somebody else may be faster.
    pub fn wait_for_room(&self, weight: usize, timeout: Option<Duration>) -> Waited {
        let limits = self.limits;
        self.watch(timeout, |state| {
            if state.closed {
                Some(Waited::Closed)
            } else {
                state.has_room(weight, limits).then_some(Waited::Ready)
            }
        })
    }

    /// Counts a record that its caller gave up while there was no room.
    pub fn give_up(&self, reason: Reason) {
        let mut state = P::lock(&self.state);
        state.ledger.emitted += 1;
        state.ledger.dropped.count(reason, 1);
    }

    /// Counts a record that could not even be prepared.
    pub fn fail_unqueued(&self) {
        let mut state = P::lock(&self.state);
        state.ledger.emitted += 1;
        state.ledger.failed += 1;
    }

    // ---- the consumer

    /// Waits until there are records to take. Closed: there are none, and none will come; what is on disk may be left there.
    pub fn wait_filled(&self, timeout: Option<Duration>) -> Waited {
        let anything = Limits {
            entries: 1,
            bytes: usize::MAX,
        };
        self.wait_gathered(anything, timeout)
    }

    /// Waits until so many records or bytes are queued, or as many records as there may be; or until there are some and somebody
    /// [hurries](Self::hurry) or closes the queue. For a consumer that has reported everything.
    pub fn wait_gathered(&self, enough: Limits, timeout: Option<Duration>) -> Waited {
        let enough = Limits {
            entries: enough.entries.min(self.limits.entries),
            ..enough
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = P::lock(&self.state);
        loop {
            if state.has_gathered(enough) {
                return Waited::Ready;
            }
            if state.closed {
                return Waited::Closed;
            }
            let Some(left) = left(timeout, deadline) else {
                return Waited::TimedOut;
            };
            state.awaited = Some(enough);
            let timed_out;
            (state, timed_out) = P::wait(state, &self.filled, left);
            if timed_out && !state.has_gathered(enough) && !state.closed {
                return Waited::TimedOut;
            }
        }
    }

    /// Appends up to `most` records to `into`, in the order they came. Each is to be reported by [`finish`](Self::finish), in
    /// that order.
    pub fn take(&self, most: usize, into: &mut impl Extend<T>) {
        let most = Limits {
            entries: most,
            bytes: usize::MAX,
        };
        self.take_within(most, into);
    }

    /// The same, and no more than so many bytes; a single record that is larger is taken alone.
    pub fn take_within(&self, most: Limits, into: &mut impl Extend<T>) {
        let mut state = P::lock(&self.state);
        let mut bytes = 0_usize;
        for count in 0..most.entries {
            let lane = state.oldest_lane();
            let Some(weight) = lane.front().map(|slot| slot.weight) else {
                break;
            };
            bytes = bytes.saturating_add(weight);
            if count > 0 && bytes > most.bytes {
                break;
            }
            let Some(slot) = lane.pop_front() else {
                break;
            };
            state.taken.push_back((slot.number, weight));
            into.extend([slot.item]);
        }
    }

    /// Reports the oldest taken records: so many were written, then so many failed.
    pub fn finish(&self, written: usize, failed: usize) {
        self.settle(written + failed, |ledger| {
            ledger.written += written as u64;
            ledger.failed += failed as u64;
        });
    }

    /// Reports the oldest taken records as dropped.
    pub fn drop_taken(&self, count: usize, reason: Reason) {
        self.settle(count, |ledger| ledger.dropped.count(reason, count as u64));
    }

    fn settle(&self, count: usize, book: impl FnOnce(&mut Ledger)) {
        let mut state = P::lock(&self.state);
        let mut left = count;
        while left > 0
            && let Some((_, weight)) = state.taken.pop_front()
        {
            state.bytes -= weight;
            left -= 1;
        }
        state.reread = state.reread.saturating_sub(count);
        book(&mut state.ledger);
        let tell = state.watchers > 0;
        drop(state);
        if tell {
            P::notify_all(&self.moved);
        }
    }

    // ---- those on disk; the order of these calls is that of the spool, whose lock the caller has

    /// A record is there; `recovered`: so many, of an earlier process.
    fn add_spilled(&self, count: usize, recovered: bool) {
        let mut state = P::lock(&self.state);
        state.number += count as u64;
        state.spilled += count;
        let ledger = &mut state.ledger;
        ledger.emitted += count as u64;
        if recovered {
            ledger.recovered += count as u64;
        } else {
            ledger.spilled += count as u64;
        }
        let wake = count > 0 && state.awaited.take().is_some();
        drop(state);
        if wake {
            P::notify_all(&self.filled);
        }
    }

    /// The oldest ones are taken, with these weights, after so many that are lost.
    fn take_spilled(&self, lost: usize, weights: impl ExactSizeIterator<Item = usize>) {
        let mut state = P::lock(&self.state);
        let first = state.number - state.spilled as u64 + lost as u64;
        state.spilled -= lost + weights.len();
        state.reread += weights.len();
        for (number, weight) in (first..).zip(weights) {
            state.taken.push_back((number, weight));
            state.bytes += weight;
        }
        state.ledger.dropped.count(Reason::Damaged, lost as u64);
        let tell = lost > 0 && state.watchers > 0;
        drop(state);
        if tell {
            P::notify_all(&self.moved);
        }
    }

    fn hold(&self, hold: bool) {
        P::lock(&self.state).held = hold;
    }

    /// Those taken last are on disk now: so many that had never left it, and so many others.
    fn put_back(&self, of_disk: usize, others: usize) {
        let mut state = P::lock(&self.state);
        for _ in 0..of_disk + others {
            if let Some((_, weight)) = state.taken.pop_back() {
                state.bytes -= weight;
            }
        }
        state.reread = 0;
        state.spilled += of_disk + others;
        state.ledger.spilled += others as u64;
        drop(state);
        P::notify_all(&self.moved);
    }

    // ---- flush, close, account

    /// A mark behind everything that was put into the queue so far, for [`wait_done`](Self::wait_done).
    pub fn mark(&self) -> u64 {
        P::lock(&self.state).number
    }

    /// The same, and what is before it does not wait for more to come.
    pub fn hurry(&self) -> u64 {
        let mut state = P::lock(&self.state);
        state.hurried = state.number;
        let (mark, wake) = (state.number, state.awaited.take().is_some());
        drop(state);
        if wake {
            P::notify_all(&self.filled);
        }
        mark
    }

    /// Is everything before the mark written, failed or dropped?
    pub fn is_done(&self, mark: u64) -> bool {
        P::lock(&self.state).oldest() >= mark
    }

    /// Waits until it is. A closed queue is waited for as well: its consumer may still be at it.
    pub fn wait_done(&self, mark: u64, timeout: Option<Duration>) -> bool {
        self.watch(timeout, |state| {
            (state.oldest() >= mark).then_some(Waited::Ready)
        }) == Waited::Ready
    }

    fn watch(
        &self,
        timeout: Option<Duration>,
        mut found: impl FnMut(&State<T>) -> Option<Waited>,
    ) -> Waited {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = P::lock(&self.state);
        loop {
            if let Some(found) = found(&state) {
                return found;
            }
            let Some(left) = left(timeout, deadline) else {
                return Waited::TimedOut;
            };
            state.watchers += 1;
            let timed_out;
            (state, timed_out) = P::wait(state, &self.moved, left);
            state.watchers -= 1;
            if timed_out {
                return found(&state).unwrap_or(Waited::TimedOut);
            }
        }
    }

    /// Lets nothing more in; what is in it can be taken still. False if it was closed already.
    pub fn close(&self) -> bool {
        let mut state = P::lock(&self.state);
        let first = !std::mem::replace(&mut state.closed, true);
        state.awaited = None;
        drop(state);
        P::notify_all(&self.filled);
        P::notify_all(&self.moved);
        first
    }

    /// Is it closed?
    pub fn is_closed(&self) -> bool {
        P::lock(&self.state).closed
    }

    /// Drops everything that is queued, for [`Reason::Closed`], and gives it back.
    pub fn abandon_queued(&self) -> Vec<T> {
        let mut state = P::lock(&self.state);
        let plain = std::mem::take(&mut state.plain);
        let protected = std::mem::take(&mut state.protected);
        let dropped: Vec<Slot<T>> = plain.into_iter().chain(protected).collect();
        state.bytes -= dropped.iter().map(|slot| slot.weight).sum::<usize>();
        state
            .ledger
            .dropped
            .count(Reason::Closed, dropped.len() as u64);
        drop(state);
        P::notify_all(&self.moved);
        dropped.into_iter().map(|slot| slot.item).collect()
    }

    /// The account at this moment.
    pub fn ledger(&self) -> Ledger {
        let state = P::lock(&self.state);
        let mut ledger = state.ledger;
        ledger.in_flight = state.in_flight() + state.spilled;
        ledger.on_disk = state.spilled + state.reread;
        ledger.queued = state.queued();
        ledger.bytes = state.bytes;
        ledger
    }
}

/// What is left of a timeout: nothing if it is over, an inner nothing where there is none.
#[allow(
    clippy::option_option,
    reason = "over, and none at all, are two things"
)]
fn left(timeout: Option<Duration>, deadline: Option<Instant>) -> Option<Option<Duration>> {
    match (timeout, deadline) {
        (Some(_), Some(deadline)) => {
            let left = deadline.saturating_duration_since(Instant::now());
            (!left.is_zero()).then_some(Some(left))
        }
        // None given, or one that no clock will reach.
        _ => Some(None),
    }
}

#[cfg(test)]
mod tests;
