//! Where items go that cannot be sent: to disk, to be sent later, or to a fallback, which is whoever takes them from a second queue.
use std::io;
use std::time::Duration;

use super::Options;
use crate::queue::{Limits, Offer, Overflow, Queue, Reason, Spill, Spilled};

/// After so long somebody who waits for the fallback looks whether it is still there.
const SLICE: Duration = Duration::from_millis(50);

pub(super) struct Aside {
    spill: Option<Spill>,
    fallback: Option<Queue<Vec<u8>>>,
}

impl Aside {
    pub(super) fn new(options: &Options, limits: Limits) -> Self {
        // However slow the fallback is: whoever logs does not wait for it.
        let by_bytes = Limits {
            entries: usize::MAX,
            ..limits
        };
        let fallback = || Queue::new(by_bytes, Overflow::Block);
        Self {
            spill: options.spool.clone().map(Spill::new),
            fallback: options.has_fallback.then(fallback),
        }
    }

    pub(super) fn open(&self, queue: &Queue<Vec<u8>>) -> io::Result<()> {
        self.spill
            .as_ref()
            .map_or(Ok(()), |spill| spill.open(queue))
    }

    pub(super) fn fallback(&self) -> Option<&Queue<Vec<u8>>> {
        self.fallback.as_ref()
    }

    pub(super) fn descriptors(&self) -> &[i32] {
        self.spill.as_ref().map_or(&[], Spill::descriptors)
    }

    /// Is it a fallback's turn where the peer is away?
    pub(super) fn diverts(&self) -> bool {
        self.spill.is_none() && self.fallback.is_some()
    }

    pub(super) fn has_on_disk(&self, queue: &Queue<Vec<u8>>) -> bool {
        self.spill.is_some() && queue.ledger().on_disk > 0
    }

    /// An item for which the queue is full.
    pub(super) fn put(&self, queue: &Queue<Vec<u8>>, item: Vec<u8>) -> Offer<Vec<u8>> {
        let Some(spill) = &self.spill else {
            return Offer::Full(item);
        };
        match spill.put(queue, &item) {
            Spilled::Stored => Offer::Queued(Vec::new()),
            Spilled::Closed => Offer::Closed(item),
            Spilled::Refused(_) => match &self.fallback {
                // Nobody waits for it here: the caller may be the one that it waits for.
                Some(fallback) if matches!(offer(fallback, &item), Offer::Queued(_)) => {
                    queue.fail_unqueued();
                    Offer::Queued(Vec::new())
                }
                _ => {
                    queue.give_up(Reason::Spill);
                    Offer::Dropped(item, Reason::Spill)
                }
            },
        }
    }

    /// Takes a batch of what is queued, or of what is on disk if that is all there is. Is it of the disk?
    pub(super) fn take(
        &self,
        queue: &Queue<Vec<u8>>,
        most: Limits,
        into: &mut Vec<Vec<u8>>,
    ) -> io::Result<bool> {
        let Some(spill) = &self.spill else {
            queue.take_within(most, into);
            return Ok(false);
        };
        spill.take(queue, most, into, |item| {
            let weight = item.len();
            (item, weight)
        })
    }

    /// The oldest that were taken are sent.
    pub(super) fn finish(&self, queue: &Queue<Vec<u8>>, sent: usize) {
        match &self.spill {
            None => queue.finish(sent, 0),
            Some(spill) => spill.finish(queue, sent, 0),
        }
    }

    /// The oldest that were taken are dropped.
    pub(super) fn drop_taken(&self, queue: &Queue<Vec<u8>>, count: usize, reason: Reason) {
        match &self.spill {
            None => queue.drop_taken(count, reason),
            Some(spill) => spill.drop_taken(queue, count, reason),
        }
    }

    /// Takes over what is in hand, the first items of it from disk, and what is queued behind it; what cannot be kept is dropped for that reason.
    pub(super) fn take_over(
        &self,
        queue: &Queue<Vec<u8>>,
        of_disk: usize,
        mut hand: Vec<Vec<u8>>,
        mut reason: Reason,
    ) {
        if let Some(spill) = &self.spill {
            hand = spill.keep_all(queue, of_disk, hand);
            reason = Reason::Spill;
        } else {
            queue.take(usize::MAX, &mut hand);
        }
        for item in hand {
            let fallback = self.fallback.as_ref();
            if fallback.is_some_and(|fallback| divert(fallback, &item)) {
                queue.finish(0, 1);
            } else {
                queue.drop_taken(1, reason);
            }
        }
    }

    /// There will be no more for the fallback.
    pub(super) fn close_fallback(&self) {
        if let Some(fallback) = &self.fallback {
            fallback.close();
        }
    }

    /// There will be no more at all.
    pub(super) fn close(&self) {
        self.close_fallback();
        if let Some(spill) = &self.spill {
            spill.close();
        }
    }
}

fn offer(fallback: &Queue<Vec<u8>>, item: &[u8]) -> Offer<Vec<u8>> {
    fallback.offer(item.to_vec(), item.len(), false)
}

/// Waits for the fallback to take it. False: it is closed.
fn divert(fallback: &Queue<Vec<u8>>, item: &[u8]) -> bool {
    loop {
        match offer(fallback, item) {
            Offer::Queued(_) => return true,
            Offer::Full(_) => {
                fallback.wait_for_room(item.len(), Some(SLICE));
            }
            Offer::Closed(_) | Offer::Dropped(..) => return false,
        }
    }
}
