//! What each policy does, one thread at a time, and a crowd of real threads.
use super::*;
use std::sync::Arc;

fn queue(entries: usize, bytes: usize, overflow: Overflow) -> Queue<u32> {
    Queue::new(Limits { entries, bytes }, overflow)
}

fn drain(queue: &Queue<u32>) -> Vec<u32> {
    let mut out = Vec::new();
    queue.take(usize::MAX, &mut out);
    queue.finish(out.len(), 0);
    assert!(queue.ledger().adds_up());
    out
}

fn queued(offer: &Offer<u32>) -> &[u32] {
    match offer {
        Offer::Queued(evicted) => evicted,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_taken_counts_until_it_is_reported() {
    let queue = queue(2, 100, Overflow::Block);
    queued(&queue.offer(1, 40, false));
    queued(&queue.offer(2, 40, false));
    let mut batch = Vec::new();
    queue.take(1, &mut batch);
    assert_eq!(queue.offer(3, 1, false), Offer::Full(3));
    let ledger = queue.ledger();
    assert_eq!((ledger.in_flight, ledger.queued, ledger.bytes), (2, 1, 80));
    queue.finish(0, 1);
    queued(&queue.offer(3, 60, false));
    assert_eq!(queue.ledger().failed, 1);
    assert_eq!(drain(&queue), [2, 3]);
    assert_eq!(queue.ledger().bytes, 0);
}

#[test]
fn bytes_are_a_limit_and_one_large_record_still_passes() {
    let queue = queue(100, 10, Overflow::Drop);
    queued(&queue.offer(1, 50, false));
    assert_eq!(
        queue.offer(2, 1, false),
        Offer::Dropped(2, Reason::Overflow)
    );
    assert_eq!(drain(&queue), [1]);
    queued(&queue.offer(3, 10, false));
    assert_eq!(queue.ledger().dropped.of(Reason::Overflow), 1);
}

#[test]
fn dropping_spares_protected_records_to_the_last() {
    let queue = queue(3, 100, Overflow::Drop);
    for item in [1, 2, 3] {
        queued(&queue.offer(item, 1, false));
    }
    assert_eq!(queued(&queue.offer(104, 1, true)), [3]);
    assert_eq!(
        queue.offer(5, 1, false),
        Offer::Dropped(5, Reason::Overflow)
    );
    assert_eq!(queued(&queue.offer(106, 1, true)), [2]);
    assert_eq!(queued(&queue.offer(107, 1, true)), [1]);
    assert_eq!(
        queue.offer(108, 1, true),
        Offer::Dropped(108, Reason::Overflow)
    );
    assert_eq!(drain(&queue), [104, 106, 107]);
    assert_eq!(queue.ledger().dropped.total(), 5);
}

#[test]
fn the_oldest_goes_first_and_protected_ones_last() {
    let queue = queue(3, 100, Overflow::DropOldest);
    for (item, protected) in [(101, true), (2, false), (3, false)] {
        queued(&queue.offer(item, 1, protected));
    }
    assert_eq!(queued(&queue.offer(4, 1, false)), [2]);
    assert_eq!(queued(&queue.offer(105, 1, true)), [3]);
    assert_eq!(queued(&queue.offer(106, 1, true)), [4]);
    assert_eq!(
        queue.offer(7, 1, false),
        Offer::Dropped(7, Reason::Overflow)
    );
    assert_eq!(queued(&queue.offer(108, 1, true)), [101]);
    assert_eq!(drain(&queue), [105, 106, 108]);
}

#[test]
fn nothing_is_evicted_where_that_makes_no_room() {
    let queue = queue(10, 10, Overflow::DropOldest);
    queued(&queue.offer(101, 6, true));
    queued(&queue.offer(2, 2, false));
    assert_eq!(
        queue.offer(3, 5, false),
        Offer::Dropped(3, Reason::Overflow)
    );
    assert_eq!(drain(&queue), [101, 2]);
}

#[test]
fn after_the_timeout_a_protected_record_takes_the_place_of_another() {
    let queue = queue(1, 100, Overflow::Timeout);
    queued(&queue.offer(1, 1, false));
    assert_eq!(queue.offer(2, 1, false), Offer::Full(2));
    assert_eq!(
        queue.wait_for_room(1, Some(Duration::from_millis(1))),
        Waited::TimedOut
    );
    assert_eq!(
        queue.offer_at_last(2, 1, false),
        Offer::Dropped(2, Reason::Timeout)
    );
    assert_eq!(queued(&queue.offer_at_last(103, 1, true)), [1]);
    queue.give_up(Reason::Interrupted);
    queue.fail_unqueued();
    let ledger = queue.ledger();
    assert!(ledger.adds_up());
    assert_eq!(
        (ledger.emitted, ledger.failed, ledger.dropped.total()),
        (5, 1, 3)
    );
}

#[test]
fn the_consumer_may_log_up_to_twice_the_limits() {
    let queue = queue(1, 100, Overflow::Block);
    queued(&queue.offer_from_consumer(1, 1, false));
    queued(&queue.offer_from_consumer(2, 1, false));
    assert_eq!(
        queue.offer_from_consumer(3, 1, false),
        Offer::Dropped(3, Reason::Reentrant)
    );
}

#[test]
fn a_flush_knows_what_was_before_it() {
    let queue = queue(10, 100, Overflow::Block);
    let before = queue.mark();
    assert!(queue.is_done(before));
    queued(&queue.offer(1, 1, false));
    let mark = queue.mark();
    queued(&queue.offer(2, 1, true));
    let mut batch = Vec::new();
    queue.take(2, &mut batch);
    assert!(!queue.wait_done(mark, Some(Duration::ZERO)));
    queue.finish(1, 0);
    assert!(queue.wait_done(mark, Some(Duration::ZERO)));
    assert!(!queue.is_done(queue.mark()));
}

#[test]
fn a_consumer_that_gathers_waits_for_enough_or_for_somebody_in_a_hurry() {
    const NOW: Option<Duration> = Some(Duration::ZERO);
    let queue = queue(4, 100, Overflow::Block);
    let three = Limits {
        entries: 3,
        bytes: 20,
    };
    assert_eq!(queue.hurry(), 0);
    queued(&queue.offer(1, 1, false));
    assert_eq!(queue.wait_gathered(three, NOW), Waited::TimedOut);
    assert_eq!(queue.hurry(), 1);
    assert_eq!(queue.wait_gathered(three, NOW), Waited::Ready);
    assert_eq!(drain(&queue), [1]);
    queued(&queue.offer(2, 1, false));
    assert_eq!(queue.wait_gathered(three, NOW), Waited::TimedOut);
    queued(&queue.offer(103, 19, true));
    assert_eq!(queue.wait_gathered(three, NOW), Waited::Ready);
    let many = Limits {
        entries: 10,
        ..three
    };
    queued(&queue.offer(4, 30, false));
    queued(&queue.offer(5, 1, false));
    assert_eq!(queue.wait_gathered(many, NOW), Waited::Ready);
    for expected in [vec![2, 103], vec![4], vec![5]] {
        let mut batch = Vec::new();
        queue.take_within(three, &mut batch);
        queue.finish(batch.len(), 0);
        assert_eq!(batch, expected);
    }
    queued(&queue.offer(6, 1, false));
    assert_eq!(queue.wait_gathered(many, NOW), Waited::TimedOut);
    queue.close();
    assert_eq!(queue.wait_gathered(many, None), Waited::Ready);
    assert_eq!(drain(&queue), [6]);
    assert_eq!(queue.wait_gathered(many, None), Waited::Closed);
}

#[test]
fn closed_is_closed() {
    let queue = queue(10, 100, Overflow::Block);
    queued(&queue.offer(1, 1, false));
    queued(&queue.offer(102, 1, true));
    let mut batch = Vec::new();
    queue.take(1, &mut batch);
    assert!(queue.close());
    assert!(!queue.close());
    assert_eq!(queue.offer(3, 1, false), Offer::Closed(3));
    assert_eq!(queue.offer_at_last(3, 1, false), Offer::Closed(3));
    assert_eq!(queue.offer_from_consumer(3, 1, false), Offer::Closed(3));
    assert_eq!(queue.wait_filled(None), Waited::Ready);
    assert_eq!(queue.abandon_queued(), [102]);
    assert_eq!(queue.wait_filled(None), Waited::Closed);
    queue.drop_taken(1, Reason::Closed);
    let ledger = queue.ledger();
    assert!(ledger.adds_up());
    assert_eq!(ledger.dropped.of(Reason::Closed), 2);
}

#[test]
fn four_threads_of_a_crowd_lose_nothing_and_keep_their_order() {
    const EACH: u32 = 20_000;
    let queue = Arc::new(queue(64, 1 << 20, Overflow::Block));
    let mut last = [None::<u32>; 4];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let queue = queue.clone();
            scope.spawn(move || {
                for number in 0..EACH {
                    let item = thread * EACH + number;
                    while let Offer::Full(_) = queue.offer(item, 8, number % 50 == 0) {
                        queue.wait_for_room(8, None);
                    }
                }
            });
        }
        let mut seen = 0;
        let mut batch = Vec::new();
        while seen < 4 * EACH {
            assert_eq!(queue.wait_filled(None), Waited::Ready);
            queue.take(usize::MAX, &mut batch);
            for item in batch.drain(..) {
                let (thread, number) = ((item / EACH) as usize, item % EACH);
                assert!(last[thread].is_none_or(|last| last < number));
                last[thread] = Some(number);
                seen += 1;
                queue.finish(1, 0);
            }
        }
    });
    let ledger = queue.ledger();
    assert!(ledger.adds_up());
    assert_eq!(
        (ledger.written, ledger.in_flight, ledger.bytes),
        (u64::from(4 * EACH), 0, 0)
    );
    assert!(ledger.high_water <= 64);
}

/// Directories of one test's own, removed with it.
pub(super) struct OnDisk(std::path::PathBuf);

impl OnDisk {
    pub(super) fn new(test: &str) -> Self {
        let name = format!("femtolog-spill-{}-{test}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn spill<P: Platform>(&self) -> Spill<P> {
        Spill::new(crate::spool::Options {
            dir: self.0.clone(),
            kind: "test",
            bytes: 1 << 16,
        })
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn put<P: Platform>(queue: &Queue<u32, P>, spill: &Spill<P>, item: u32) {
    if let Offer::Full(item) = queue.offer(item, 1, false) {
        let stored = spill.put(queue, &item.to_le_bytes());
        assert!(matches!(stored, Spilled::Stored | Spilled::Closed));
    }
}

pub(super) fn take<P: Platform>(queue: &Queue<u32, P>, spill: &Spill<P>) -> Vec<u32> {
    let mut taken = Vec::new();
    let made = |bytes: Vec<u8>| (u32::from_le_bytes(bytes.try_into().unwrap()), 1);
    let most = Limits {
        entries: 2,
        bytes: usize::MAX,
    };
    spill.take(queue, most, &mut taken, made).unwrap();
    taken
}

#[test]
fn once_something_is_on_disk_all_goes_there_until_it_is_taken() {
    let (dir, queue) = (OnDisk::new("order"), queue(2, 100, Overflow::Spill));
    let spill = dir.spill();
    (0..4).for_each(|item| put(&queue, &spill, item));
    assert_eq!(take(&queue, &spill), [0, 1]);
    spill.finish(&queue, 2, 0);
    put(&queue, &spill, 4);
    let ledger = queue.ledger();
    assert_eq!((ledger.queued, ledger.on_disk, ledger.spilled), (0, 3, 3));
    assert_eq!((ledger.in_flight, ledger.adds_up()), (3, true));
    let mark = queue.mark();
    assert_eq!(take(&queue, &spill), [2, 3]);
    assert_eq!((queue.ledger().on_disk, queue.ledger().spilled), (3, 3));
    assert_eq!(spill.keep(&queue, 2, &[]), 0);
    assert_eq!((queue.ledger().on_disk, queue.ledger().spilled), (3, 3));
    assert_eq!(take(&queue, &spill), [2, 3]);
    spill.finish(&queue, 1, 1);
    assert_eq!(queue.ledger().on_disk, 1);
    assert!(!queue.is_done(mark));
    assert_eq!(take(&queue, &spill), [4]);
    put(&queue, &spill, 5);
    assert_eq!(queue.ledger().queued, 1);
    spill.finish(&queue, 1, 0);
    assert!(queue.is_done(mark));
    assert_eq!(take(&queue, &spill), [5]);
}

#[test]
fn what_has_no_room_on_disk_is_dropped_and_what_is_left_is_the_next_ones() {
    let (dir, first) = (OnDisk::new("left"), queue(2, 100, Overflow::Spill));
    let spill = dir.spill();
    (0..5).for_each(|item| put(&first, &spill, item));
    assert!(matches!(
        spill.put(&first, &vec![0; 1 << 16]),
        Spilled::Refused(_)
    ));
    assert_eq!(take(&first, &spill), [0, 1]);
    first.close();
    assert_eq!(first.wait_filled(None), Waited::Closed);
    let left = [0_u32, 1].map(|item| item.to_le_bytes().to_vec());
    assert_eq!(spill.keep(&first, 0, &left), 2);
    spill.close();
    let ledger = first.ledger();
    assert_eq!((ledger.in_flight, ledger.on_disk), (5, 5));
    assert!(ledger.adds_up());

    let (second, spill) = (queue(2, 100, Overflow::Spill), dir.spill());
    spill.open(&second).unwrap();
    put(&second, &spill, 5);
    let ledger = second.ledger();
    assert_eq!(
        (ledger.recovered, ledger.spilled, ledger.on_disk),
        (5, 1, 6)
    );
    for expected in [vec![0, 1], vec![2, 3], vec![4], vec![5]] {
        assert_eq!(take(&second, &spill), expected);
        spill.finish(&second, expected.len(), 0);
    }
    assert!(second.ledger().adds_up() && second.is_done(second.mark()));
}
