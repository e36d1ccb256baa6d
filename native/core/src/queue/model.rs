//! Runs the queue's real code under every schedule its threads could have, and looks at what comes of each.
//!
//! A scenario's threads run one at a time. Before a lock is taken, before a notification and where a thread waits or ends, the next
//! to run is chosen; a wait with a timeout may end in two ways, which is a choice as well. All choices are tried, depth first, by running
//! the scenario again. Everything the threads share is behind one lock, so there are no schedules beside these. A schedule in which nobody can go
//! on is a deadlock and fails the test.
//!
//! A producer and a consumer are run in all schedules. Where a scenario would have millions, those are run in which at most [`FEW_TIMES`] a
//! thread that could go on is interrupted, or a wait times out though somebody could go on; threads that wait are switched as often as they wait.
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::tests::{OnDisk, put, take};
use super::{Ledger, Limits, Offer, Overflow, Platform, Queue, Reason, Spill, Waited};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    /// Can go on.
    Ready,
    /// Can go on when this lock is free.
    Wants(usize),
    /// Waits for this signal, then wants this lock; may time out.
    Waits(usize, usize, bool),
    Done,
}

#[derive(Clone, Copy)]
enum Action {
    Run(usize),
    TimeOut(usize),
}

struct Choice {
    taken: usize,
    of: usize,
}

#[derive(Default)]
struct Schedule {
    status: Vec<Status>,
    timed_out: Vec<bool>,
    running: Option<usize>,
    owners: HashMap<usize, usize>,
    path: Vec<Choice>,
    position: usize,
    broken: Option<String>,
    /// How many more times a thread that could go on may be interrupted.
    preemptions: usize,
}

/// How often a thread is interrupted in scenarios that are not run in all schedules.
const FEW_TIMES: usize = 2;
const EVERYWHERE: usize = usize::MAX;

impl Schedule {
    /// Chooses who runs next.
    fn decide(&mut self) {
        loop {
            let mut actions = Vec::new();
            for (thread, status) in self.status.iter().enumerate() {
                match status {
                    Status::Ready => actions.push(Action::Run(thread)),
                    Status::Wants(lock) if !self.owners.contains_key(lock) => {
                        actions.push(Action::Run(thread));
                    }
                    Status::Waits(_, _, true) => actions.push(Action::TimeOut(thread)),
                    _ => {}
                }
            }
            // Whoever ran until now comes first if it can go on.
            let goes_on = self.running.and_then(|last| {
                actions
                    .iter()
                    .position(|action| matches!(action, Action::Run(thread) if *thread == last))
            });
            if let Some(index) = goes_on {
                actions.swap(0, index);
                if self.preemptions == 0 {
                    actions.truncate(1);
                }
            }
            if actions.is_empty() {
                self.running = None;
                if self.status.iter().any(|status| *status != Status::Done) {
                    self.broken
                        .get_or_insert_with(|| format!("deadlock: {:?}", self.status));
                }
                return;
            }
            if self.position == self.path.len() {
                self.path.push(Choice {
                    taken: 0,
                    of: actions.len(),
                });
            }
            let choice = &self.path[self.position];
            assert_eq!(choice.of, actions.len(), "the scenario is deterministic");
            self.position += 1;
            if goes_on.is_some() && choice.taken > 0 {
                self.preemptions -= 1;
            }
            match actions[choice.taken] {
                Action::Run(thread) => {
                    if let Status::Wants(lock) = self.status[thread] {
                        self.owners.insert(lock, thread);
                    }
                    self.status[thread] = Status::Ready;
                    self.running = Some(thread);
                    return;
                }
                Action::TimeOut(thread) => {
                    if let Status::Waits(_, lock, _) = self.status[thread] {
                        self.status[thread] = Status::Wants(lock);
                        self.timed_out[thread] = true;
                    }
                }
            }
        }
    }
}

struct World {
    schedule: Mutex<Schedule>,
    turn: Condvar,
}

impl World {
    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the turn away in this state, and waits for it to come back.
    fn pause(&self, me: usize, status: Status) {
        let mut schedule = self.schedule();
        schedule.status[me] = status;
        schedule.decide();
        self.turn.notify_all();
        self.wait_turn(me, schedule);
    }

    fn wait_turn(&self, me: usize, mut schedule: MutexGuard<'_, Schedule>) {
        while schedule.running != Some(me) && schedule.broken.is_none() {
            schedule = self
                .turn
                .wait(schedule)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let broken = schedule.broken.is_some();
        drop(schedule);
        assert!(
            !broken || std::thread::panicking(),
            "another thread has failed"
        );
    }
}

thread_local! {
    static HERE: RefCell<Option<(Arc<World>, usize)>> = const { RefCell::new(None) };
}

fn here() -> Option<(Arc<World>, usize)> {
    HERE.with_borrow(Clone::clone)
}

static IDENTITY: AtomicUsize = AtomicUsize::new(0);

/// The platform whose every schedule is tried. Outside a scenario's threads its locks are plain ones.
struct Model;

struct ModelMutex<T> {
    identity: usize,
    value: Mutex<T>,
}

struct ModelGuard<'a, T> {
    mutex: &'a ModelMutex<T>,
    guard: Option<MutexGuard<'a, T>>,
}

impl<T> Deref for ModelGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.guard.as_ref().unwrap()
    }
}

impl<T> DerefMut for ModelGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().unwrap()
    }
}

impl<T> Drop for ModelGuard<'_, T> {
    fn drop(&mut self) {
        if self.guard.take().is_some()
            && let Some((world, _)) = here()
        {
            world.schedule().owners.remove(&self.mutex.identity);
        }
    }
}

fn locked<T>(mutex: &ModelMutex<T>) -> ModelGuard<'_, T> {
    ModelGuard {
        mutex,
        guard: Some(mutex.value.lock().unwrap_or_else(PoisonError::into_inner)),
    }
}

impl Platform for Model {
    type Mutex<T: Send> = ModelMutex<T>;
    type Guard<'a, T: Send + 'a> = ModelGuard<'a, T>;
    type Condvar = usize;

    fn mutex<T: Send>(value: T) -> ModelMutex<T> {
        ModelMutex {
            identity: IDENTITY.fetch_add(1, Ordering::Relaxed),
            value: Mutex::new(value),
        }
    }

    fn condvar() -> usize {
        IDENTITY.fetch_add(1, Ordering::Relaxed)
    }

    fn lock<T: Send>(mutex: &ModelMutex<T>) -> ModelGuard<'_, T> {
        if let Some((world, me)) = here() {
            world.pause(me, Status::Wants(mutex.identity));
        }
        locked(mutex)
    }

    fn wait<'a, T: Send + 'a>(
        mut guard: ModelGuard<'a, T>,
        condvar: &usize,
        timeout: Option<Duration>,
    ) -> (ModelGuard<'a, T>, bool) {
        let (world, me) = here().expect("only a scenario's threads wait");
        let mutex = guard.mutex;
        guard.guard = None;
        {
            let mut schedule = world.schedule();
            schedule.owners.remove(&mutex.identity);
            schedule.timed_out[me] = false;
        }
        world.pause(
            me,
            Status::Waits(*condvar, mutex.identity, timeout.is_some()),
        );
        let timed_out = world.schedule().timed_out[me];
        (locked(mutex), timed_out)
    }

    fn notify_all(condvar: &usize) {
        let Some((world, me)) = here() else {
            return;
        };
        world.pause(me, Status::Ready);
        for status in &mut world.schedule().status {
            if let Status::Waits(signal, lock, _) = *status
                && signal == *condvar
            {
                *status = Status::Wants(lock);
            }
        }
    }
}

type Line = Queue<u32, Model>;
type Thread = Box<dyn FnOnce() + Send>;

/// Runs the threads that `scenario` makes, once for each schedule; gives the number of schedules. `after` judges what is left.
fn explore(
    limits: Limits,
    overflow: Overflow,
    preemptions: usize,
    threads: impl Fn(&Arc<Line>, &Arc<Mutex<Vec<u32>>>) -> Vec<Thread>,
    after: impl Fn(&Ledger, &[u32]),
) -> usize {
    let mut path: Vec<Choice> = Vec::new();
    let mut count = 0;
    loop {
        count += 1;
        let queue = Arc::new(Line::new(limits, overflow));
        let out = Arc::new(Mutex::new(Vec::new()));
        let threads = threads(&queue, &out);
        let world = Arc::new(World {
            schedule: Mutex::new(Schedule {
                status: vec![Status::Ready; threads.len()],
                timed_out: vec![false; threads.len()],
                preemptions,
                path: std::mem::take(&mut path),
                ..Schedule::default()
            }),
            turn: Condvar::new(),
        });
        std::thread::scope(|scope| {
            for (me, thread) in threads.into_iter().enumerate() {
                let world = world.clone();
                scope.spawn(move || {
                    HERE.set(Some((world.clone(), me)));
                    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        world.wait_turn(me, world.schedule());
                        thread();
                    }));
                    let mut schedule = world.schedule();
                    if ended.is_err() {
                        schedule
                            .broken
                            .get_or_insert_with(|| "a thread has panicked".to_owned());
                    }
                    schedule.status[me] = Status::Done;
                    schedule.decide();
                    world.turn.notify_all();
                });
            }
            world.schedule().decide();
            world.turn.notify_all();
        });
        let mut schedule = world.schedule();
        let taken: Vec<usize> = schedule.path.iter().map(|choice| choice.taken).collect();
        if let Some(broken) = &schedule.broken {
            panic!("{broken}, in schedule {count}: {taken:?}");
        }
        let ledger = queue.ledger();
        assert!(ledger.adds_up(), "{ledger:?} in {taken:?}");
        after(&ledger, &out.lock().unwrap());
        path = std::mem::take(&mut schedule.path);
        while path
            .last()
            .is_some_and(|choice| choice.taken + 1 == choice.of)
        {
            path.pop();
        }
        let Some(choice) = path.last_mut() else {
            println!("{count} schedules");
            return count;
        };
        choice.taken += 1;
    }
}

const FEW: Limits = Limits {
    entries: 1,
    bytes: 100,
};

/// Puts these in, waiting for room as long as it takes; the queue may be closed meanwhile.
fn producer(queue: &Arc<Line>, items: &'static [u32]) -> Thread {
    let queue = queue.clone();
    Box::new(move || {
        for item in items {
            while let Offer::Full(_) = queue.offer(*item, 1, *item >= 100) {
                if queue.wait_for_room(1, None) == Waited::Closed {
                    return;
                }
            }
        }
    })
}

/// Writes `count` records, or all until the queue is closed.
fn consumer(queue: &Arc<Line>, out: &Arc<Mutex<Vec<u32>>>, count: usize) -> Thread {
    let (queue, out) = (queue.clone(), out.clone());
    Box::new(move || {
        let mut batch = Vec::new();
        let mut written = 0;
        while written < count && queue.wait_filled(None) == Waited::Ready {
            queue.take(usize::MAX, &mut batch);
            let taken = batch.len();
            out.lock().unwrap().append(&mut batch);
            queue.finish(taken, 0);
            written += taken;
        }
    })
}

#[test]
fn producers_that_wait_for_room_lose_nothing() {
    let schedules = explore(
        FEW,
        Overflow::Block,
        FEW_TIMES,
        |queue, out| {
            vec![
                producer(queue, &[1]),
                producer(queue, &[2]),
                consumer(queue, out, 2),
            ]
        },
        |ledger, out| {
            assert_eq!(ledger.written, 2);
            assert_eq!(out.iter().sum::<u32>(), 3);
            assert_eq!(ledger.high_water, 1);
        },
    );
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn whoever_hurries_does_not_wait_for_more_to_come() {
    explore(
        Limits { entries: 5, ..FEW },
        Overflow::Block,
        EVERYWHERE,
        |queue, out| {
            let hurrying = queue.clone();
            let flush = move || {
                hurrying.offer(1, 1, false);
                assert!(hurrying.wait_done(hurrying.hurry(), None));
            };
            let (queue, out) = (queue.clone(), out.clone());
            let gather = move || {
                let three = Limits { entries: 3, ..FEW };
                assert_eq!(queue.wait_gathered(three, None), Waited::Ready);
                let mut batch = Vec::new();
                queue.take(usize::MAX, &mut batch);
                queue.finish(batch.len(), 0);
                out.lock().unwrap().append(&mut batch);
            };
            vec![Box::new(flush), Box::new(gather)]
        },
        |_, out| assert_eq!(out, [1]),
    );
}

#[test]
fn what_one_thread_puts_in_comes_out_in_order() {
    explore(
        Limits { entries: 2, ..FEW },
        Overflow::Block,
        EVERYWHERE,
        |queue, out| vec![producer(queue, &[1, 102, 3]), consumer(queue, out, 3)],
        |_, out| assert_eq!(out, [1, 102, 3]),
    );
}

#[test]
fn the_oldest_makes_room_but_no_protected_one() {
    explore(
        FEW,
        Overflow::DropOldest,
        FEW_TIMES,
        |queue, out| {
            let closer = queue.clone();
            vec![
                producer(queue, &[101, 2, 3]),
                consumer(queue, out, 3),
                Box::new(move || assert!(closer.close())),
            ]
        },
        |ledger, out| {
            assert_eq!(ledger.written, out.len() as u64);
            assert_eq!(ledger.failed + ledger.dropped.of(Reason::Timeout), 0);
            assert!(ledger.emitted == 0 || out.contains(&101));
            assert!(out.is_sorted_by_key(|item| *item % 100));
        },
    );
}

#[test]
fn a_flush_is_done_when_what_was_before_it_is() {
    explore(
        FEW,
        Overflow::Block,
        EVERYWHERE,
        |queue, out| {
            let (flusher, seen) = (queue.clone(), out.clone());
            vec![
                Box::new(move || {
                    assert!(matches!(flusher.offer(1, 1, false), Offer::Queued(_)));
                    let mark = flusher.mark();
                    if flusher.wait_done(mark, Some(Duration::from_secs(3600))) {
                        assert!(seen.lock().unwrap().contains(&1));
                        assert!(flusher.ledger().written >= 1);
                    }
                }),
                consumer(queue, out, 1),
            ]
        },
        |ledger, _| assert_eq!(ledger.written, 1),
    );
}

#[test]
fn a_flush_without_deadline_ends() {
    explore(
        FEW,
        Overflow::Block,
        FEW_TIMES,
        |queue, out| {
            let (flusher, seen) = (queue.clone(), out.clone());
            vec![
                producer(queue, &[1]),
                consumer(queue, out, 1),
                Box::new(move || {
                    let mark = flusher.mark();
                    assert!(flusher.wait_done(mark, None));
                    assert!(seen.lock().unwrap().len() as u64 >= mark);
                }),
            ]
        },
        |ledger, _| assert_eq!(ledger.in_flight, 0),
    );
}

#[test]
fn closing_wakes_everybody_and_what_is_in_comes_out() {
    explore(
        FEW,
        Overflow::Block,
        FEW_TIMES,
        |queue, out| {
            let closer = queue.clone();
            vec![
                producer(queue, &[1, 2]),
                consumer(queue, out, usize::MAX),
                Box::new(move || {
                    assert!(closer.close());
                    assert!(!closer.close());
                }),
            ]
        },
        |ledger, out| {
            assert_eq!((ledger.in_flight, ledger.dropped.total()), (0, 0));
            assert_eq!(out, &[1, 2][..out.len()]);
            assert_eq!(ledger.emitted, out.len() as u64);
        },
    );
}

#[test]
fn whoever_waits_in_vain_drops_and_says_so() {
    explore(
        FEW,
        Overflow::Timeout,
        FEW_TIMES,
        |queue, out| {
            let mut threads = vec![consumer(queue, out, usize::MAX)];
            let (queue, closer) = (queue.clone(), queue.clone());
            threads.push(Box::new(move || {
                for item in [1, 102] {
                    let protected = item > 100;
                    if let Offer::Full(item) = queue.offer(item, 1, protected)
                        && queue.wait_for_room(1, Some(Duration::from_secs(3600))) != Waited::Closed
                    {
                        queue.offer_at_last(item, 1, protected);
                    }
                }
                closer.close();
            }));
            threads
        },
        |ledger, out| {
            assert_eq!(ledger.emitted, 2);
            assert_eq!(ledger.written, out.len() as u64);
            assert_eq!(2 - ledger.written, ledger.dropped.of(Reason::Timeout));
        },
    );
}

#[test]
fn abandoned_records_are_dropped_records() {
    explore(
        Limits { entries: 2, ..FEW },
        Overflow::Block,
        FEW_TIMES,
        |queue, out| {
            let closer = queue.clone();
            vec![
                producer(queue, &[1, 2]),
                consumer(queue, out, usize::MAX),
                Box::new(move || {
                    closer.close();
                    closer.abandon_queued();
                }),
            ]
        },
        |ledger, out| {
            assert_eq!(ledger.in_flight, 0);
            assert_eq!(ledger.written, out.len() as u64);
            assert_eq!(
                ledger.emitted,
                ledger.written + ledger.dropped.of(Reason::Closed)
            );
        },
    );
}

#[test]
fn what_goes_to_disk_comes_out_in_order() {
    let dir = OnDisk::new("model");
    let schedules = explore(
        FEW,
        Overflow::Spill,
        FEW_TIMES,
        |queue, out| {
            let spill: Arc<Spill<Model>> = Arc::new(dir.spill());
            let producer = |items: &'static [u32]| -> Thread {
                let (queue, spill) = (queue.clone(), spill.clone());
                Box::new(move || items.iter().for_each(|item| put(&queue, &spill, *item)))
            };
            let threads = [producer(&[1, 2]), producer(&[11, 12])];
            let (queue, out) = (queue.clone(), out.clone());
            let consumer: Thread = Box::new(move || {
                let mut written = 0;
                while written < 4 && queue.wait_filled(None) == Waited::Ready {
                    let mut taken = take(&queue, &spill);
                    let count = taken.len();
                    out.lock().unwrap().append(&mut taken);
                    spill.finish(&queue, count, 0);
                    written += count;
                }
            });
            threads.into_iter().chain([consumer]).collect()
        },
        |ledger, out| {
            assert_eq!((ledger.written, ledger.on_disk), (4, 0));
            for own in [[1, 2], [11, 12]] {
                let seen = out.iter().filter(|item| own.contains(item));
                assert_eq!(seen.copied().collect::<Vec<_>>(), own);
            }
        },
    );
    assert!(schedules > 100, "{schedules}");
}
