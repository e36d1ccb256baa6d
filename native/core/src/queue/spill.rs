//! The part of a queue that is on disk: what has no room in memory, in the order of the calls.
//!
//! A record goes to disk where [`Queue::offer`] says *full*: there is no room, or others are on disk already. So whatever is in the
//! consumer's hand is older than what is queued, and that older than what is on disk; a consumer takes them in this order. Who has the
//! lock of the spool may ask for the queue's, and nobody does the reverse.
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Limits, Os, Platform, Queue, Reason};
use crate::spool::{Options, Spool};

/// What became of a record that was to go to disk.
#[derive(Debug)]
pub enum Spilled {
    /// It is there.
    Stored,
    /// The disk does not take it; nothing was counted.
    Refused(io::Error),
    /// The queue is closed; nothing was counted.
    Closed,
}

enum State {
    Unopened,
    Open(Box<Spool>),
    Closed,
}

/// See the module. The spool is opened when it is first needed; until then no file is touched.
pub struct Spill<P: Platform = Os> {
    options: Options,
    state: P::Mutex<State>,
    descriptors: OnceLock<Vec<i32>>,
    /// The descriptors above are still those of the spool: once it is closed their numbers may be anybody's.
    holds: AtomicBool,
}

impl<P: Platform> Spill<P> {
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            state: P::mutex(State::Unopened),
            descriptors: OnceLock::new(),
            holds: AtomicBool::new(false),
        }
    }

    /// Another one with the same options; no lock is taken.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::new(self.options.clone())
    }

    /// Those that a forked child has inherited and should close. Takes no lock.
    #[must_use]
    pub fn descriptors(&self) -> &[i32] {
        match self.descriptors.get() {
            Some(descriptors) if self.holds.load(Ordering::Relaxed) => descriptors,
            _ => &[],
        }
    }

    /// Opens the spool now. What an earlier process has left there counts as emitted, and is taken first of all on disk.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open<T: Send>(&self, queue: &Queue<T, P>) -> io::Result<()> {
        self.opened(&mut P::lock(&self.state), queue).map(drop)
    }

    fn opened<'a, T: Send>(
        &self,
        state: &'a mut State,
        queue: &Queue<T, P>,
    ) -> io::Result<&'a mut Spool> {
        if let State::Unopened = state {
            let spool = Spool::open(&self.options)?;
            queue.add_spilled(spool.unread(), true);
            self.descriptors.get_or_init(|| spool.descriptors());
            self.holds.store(true, Ordering::Relaxed);
            *state = State::Open(Box::new(spool));
        }
        match state {
            State::Open(spool) => Ok(spool),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Puts a record on disk for which the queue was full.
    pub fn put<T: Send>(&self, queue: &Queue<T, P>, record: &[u8]) -> Spilled {
        let mut state = P::lock(&self.state);
        if queue.is_closed() {
            return Spilled::Closed;
        }
        let spool = self.opened(&mut state, queue);
        match spool.and_then(|spool| spool.append(record)) {
            Ok(()) => {
                queue.add_spilled(1, false);
                Spilled::Stored
            }
            Err(error) => Spilled::Refused(error),
        }
    }

    /// Takes as many as `most` from the queue, or from the disk if there are none; not before those taken from the disk are reported, by
    /// [`finish`](Self::finish) or [`drop_taken`](Self::drop_taken). Are they of the disk?
    ///
    /// # Errors
    /// The disk cannot be read now; nothing is lost.
    pub fn take<T: Send>(
        &self,
        queue: &Queue<T, P>,
        most: Limits,
        into: &mut Vec<T>,
        made: impl Fn(Vec<u8>) -> (T, usize),
    ) -> io::Result<bool> {
        let mut state = P::lock(&self.state);
        let before = into.len();
        queue.take_within(most, into);
        let State::Open(spool) = &mut *state else {
            return Ok(false);
        };
        if into.len() > before {
            return Ok(false);
        }
        let mut records = Vec::new();
        let entries = most.entries.min(queue.limits.entries);
        let bytes = most.bytes.min(queue.limits.bytes);
        let lost = spool.read(entries, bytes, &mut records)?;
        let mut weights = Vec::with_capacity(records.len());
        for record in records {
            let (item, weight) = made(record);
            into.push(item);
            weights.push(weight);
        }
        queue.take_spilled(lost, weights.into_iter());
        Ok(true)
    }

    /// As [`Queue::finish`].
    pub fn finish<T: Send>(&self, queue: &Queue<T, P>, written: usize, failed: usize) {
        self.acknowledge(written + failed);
        queue.finish(written, failed);
    }

    /// As [`Queue::drop_taken`].
    pub fn drop_taken<T: Send>(&self, queue: &Queue<T, P>, count: usize, reason: Reason) {
        self.acknowledge(count);
        queue.drop_taken(count, reason);
    }

    fn acknowledge(&self, count: usize) {
        if let State::Open(spool) = &mut *P::lock(&self.state) {
            spool.acknowledge(count);
        }
    }

    /// Puts everything on disk that was taken last: so many that came from there, then these, which did not. They are the oldest again.
    /// So many of these had room; the others are still taken.
    pub fn keep<T: Send>(&self, queue: &Queue<T, P>, of_disk: usize, records: &[Vec<u8>]) -> usize {
        self.store(&mut P::lock(&self.state), queue, of_disk, records)
    }

    /// The same of what is in a consumer's hand, and of all that is queued behind it, while others may log. Those that had no room come back.
    pub fn keep_all(
        &self,
        queue: &Queue<Vec<u8>, P>,
        of_disk: usize,
        mut hand: Vec<Vec<u8>>,
    ) -> Vec<Vec<u8>> {
        let mut state = P::lock(&self.state);
        queue.hold(true);
        queue.take(usize::MAX, &mut hand);
        let kept = self.store(&mut state, queue, of_disk, &hand[of_disk..]);
        queue.hold(false);
        hand.split_off(of_disk + kept)
    }

    fn store<T: Send>(
        &self,
        state: &mut State,
        queue: &Queue<T, P>,
        of_disk: usize,
        records: &[Vec<u8>],
    ) -> usize {
        let mut kept = 0;
        if let Ok(spool) = self.opened(state, queue) {
            kept = if spool.unread() == 0 {
                let append = |record: &&Vec<u8>| spool.append(record).is_ok();
                records.iter().take_while(append).count()
            } else {
                spool.prepend(records).unwrap_or(0)
            };
            if of_disk > 0 {
                spool.rewind();
            }
        }
        queue.put_back(of_disk, kept);
        kept
    }

    /// Leaves to others what is on disk.
    pub fn close(&self) {
        let mut state = P::lock(&self.state);
        self.holds.store(false, Ordering::Relaxed);
        *state = State::Closed;
    }
}
