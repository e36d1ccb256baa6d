//! What happens, in numbers, while somebody wants to know them: `femtolog/metrics.py`.
//!
//! Off, each record and each emission looks at one number. On, a record is counted where its name and level were met last, and one
//! emission out of several, by lot, is timed and stands for the others: reading a clock for each would cost more than all the rest.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::guard::{self, View};
use crate::handler::Ran;
use crate::names::Name;
use crate::raw;
use crate::record::Record;

/// One emission in so many is timed; 0: nobody wants to know anything.
static EVERY: AtomicU32 = AtomicU32::new(0);

/// So many loggers are told apart, so many pairs of a logger and a level, and so many handlers at a time. The rest is [`OTHERS`].
const LOGGERS: usize = 1000;
const PAIRS: usize = 8000;
const HANDLERS: usize = 1000;

/// Stands for loggers beyond that, and for names that are no text. No logger has this name by accident.
const OTHERS: &str = "*";

/// Upper ends of the ranges in which times are counted, in nanoseconds; longer ones are counted behind the last.
const BOUNDS: [u64; 14] = [
    1_000,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
];

/// For the lots.
static RANDOM: Shared<u32> = Shared::new(0x9E37_79B9);

/// All that is counted.
struct Tables {
    records: Records,
    handlers: Handlers,
}

#[cfg(not(Py_GIL_DISABLED))]
static TABLES: Shared<Option<Box<Tables>>> = Shared::new(None);

/// No thread lets others run while it has the lock, so no fork finds it held: a fork waits until all threads do.
#[cfg(Py_GIL_DISABLED)]
static TABLES: std::sync::Mutex<Option<Box<Tables>>> = std::sync::Mutex::new(None);

/// Uses what is there. `body` must not run Python code.
#[inline]
fn with<R>(py: Python<'_>, body: impl FnOnce(&mut Option<Box<Tables>>) -> R) -> R {
    #[cfg(not(Py_GIL_DISABLED))]
    return TABLES.with(py, body);
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = py;
        body(
            &mut TABLES
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }
}

/// Does anybody want to know?
#[inline]
pub fn on() -> bool {
    EVERY.load(Ordering::Relaxed) != 0
}

/// Counts a record on its way to the handlers. `usual` is the view of its logger if nothing has run since it was looked at.
#[inline]
pub fn record(py: Python<'_>, usual: Option<&View<'_, '_>>, record: &Record<'_, '_>) {
    if on() && !count_again(py, usual, record) {
        count(py, record);
    }
}

/// Counts a record of a logger and level met before.
#[inline]
fn count_again(py: Python<'_>, usual: Option<&View<'_, '_>>, record: &Record<'_, '_>) -> bool {
    let (Some(usual), Some(unseen)) = (usual, record.unseen()) else {
        return false;
    };
    let Some(level) = raw::small_int(&unseen.facts.event.level) else {
        return false;
    };
    usual.test(Name::name, |name| {
        let address = name.as_ptr().addr();
        with(py, |tables| {
            let known = tables.as_mut().map(|tables| &mut tables.records);
            known.is_some_and(|records| records.count_again(address, level))
        })
    })
}

#[cold]
fn count(py: Python<'_>, record: &Record<'_, '_>) {
    let (name, level) = if let Some(unseen) = record.unseen() {
        let level = raw::small_int(&unseen.facts.event.level);
        match unseen.facts.name() {
            Ok(name) => (Some(name.clone()), level),
            Err(raised) => {
                raised.clear(py);
                (None, level)
            }
        }
    } else {
        // Of a record of the program's own class, only what can be read without its code.
        let view = record.seen().and_then(guard::view);
        let read = |name| view.as_ref().and_then(|view| view.get(name));
        let level = read(Name::levelno).and_then(|level| raw::small_int(&level));
        (read(Name::name), level)
    };
    let name = name.filter(py_ffi::is_str);
    // Encoded before anything is locked, which may wait.
    let _ = name.as_ref().map(py_ffi::utf8);
    let replaced = with(py, |tables| {
        let records = &mut tables.as_mut()?.records;
        records.count(name.as_ref(), level.unwrap_or(0))
    });
    drop(replaced);
}

/// Counts bytes that the handler has written.
#[inline]
pub fn wrote(handler: &Obj<'_>, bytes: usize) -> Ran {
    if on() && bytes > 0 {
        note(handler, |slot| slot.bytes += bytes as u64)
    } else {
        Ran::Nothing
    }
}

/// Counts a text that the handler has given to its stream, by its size in UTF-8.
#[inline]
pub fn wrote_text(handler: &Obj<'_>, text: &Obj<'_>) {
    if on() && py_ffi::is_str(text) {
        wrote(handler, py_ffi::utf8(text).map_or(0, str::len));
    }
}

/// An `emit` of this handler, which is timed if the lot falls on it.
#[inline]
pub fn emission(handler: &Obj<'_>, emit: impl FnOnce() -> Res<Ran>) -> Res<Ran> {
    if !on() {
        return emit();
    }
    timed(handler, emit)
}

#[inline(never)]
fn timed(handler: &Obj<'_>, emit: impl FnOnce() -> Res<Ran>) -> Res<Ran> {
    let Some(timing) = Timing::begin(handler.py()) else {
        return emit();
    };
    let result = emit();
    // To meet a handler may not go on while an exception is set.
    if result.is_ok() {
        timing.end(handler);
    }
    result.map(|_| Ran::Maybe)
}

/// The same for an `emit` that may find that it is none: `None`.
#[cfg(Py_GIL_DISABLED)]
pub fn emission_if_any(
    handler: &Obj<'_>,
    emit: impl FnOnce() -> Res<Option<Ran>>,
) -> Res<Option<Ran>> {
    let Some(timing) = Timing::begin(handler.py()) else {
        return emit();
    };
    let result = emit();
    if matches!(result, Ok(Some(_))) {
        timing.end(handler);
    }
    result
}

/// An emission that is timed, and stands for so many.
struct Timing {
    begin: Instant,
    weight: u32,
}

impl Timing {
    #[inline]
    fn begin(py: Python<'_>) -> Option<Self> {
        let every = EVERY.load(Ordering::Relaxed);
        // By lot: a rhythm of the program cannot fall in with it.
        let falls_here = every != 0
            && RANDOM.with(py, |random| {
                *random ^= *random << 13;
                *random ^= *random >> 17;
                *random ^= *random << 5;
                (u64::from(*random) * u64::from(every)) >> 32 == 0
            });
        falls_here.then(|| Self {
            begin: Instant::now(),
            weight: every,
        })
    }

    fn end(self, handler: &Obj<'_>) {
        let time = self.begin.elapsed();
        note(handler, |slot| slot.observe(time, self.weight.into()));
    }
}

/// An asynchronous handler writes some records with one call of `writing`, which says how many they were.
pub fn batch(handler: &Obj<'_>, writing: impl FnOnce() -> usize) {
    let begin = on().then(Instant::now);
    let count = writing();
    if let (Some(begin), Ok(count @ 1..)) = (begin, u32::try_from(count)) {
        let time = begin.elapsed() / count;
        note(handler, |slot| slot.observe(time, count.into()));
    }
}

/// Counts an error that was told to the handler's `handleError`.
pub fn failed(handler: &Obj<'_>) {
    if on() {
        note(handler, |slot| slot.errors += 1);
    }
}

/// Adds to a handler's numbers. To meet one makes an object, which may have the garbage collector run.
#[inline]
fn note(handler: &Obj<'_>, add: impl FnOnce(&mut Slot)) -> Ran {
    let address = handler.as_ptr().addr();
    let left = with(handler.py(), |tables| {
        let Some(tables) = tables else {
            return None;
        };
        match tables.handlers.find(address) {
            Some(at) => add(&mut tables.handlers.slots[at]),
            None => return Some(add),
        }
        None
    });
    match left {
        None => Ran::Nothing,
        Some(add) => {
            meet(handler, add);
            Ran::Maybe
        }
    }
}

/// The first time. The handler is not kept alive, and is forgotten when it goes.
#[cold]
fn meet(handler: &Obj<'_>, add: impl FnOnce(&mut Slot)) {
    let py = handler.py();
    let address = handler.as_ptr().addr();
    let forgets = wrap_pyfunction!(metrics_forget, py);
    let reference = forgets.and_then(|forgets| PyWeakrefReference::new_with(handler, forgets));
    let unused = with(py, |tables| {
        let handlers = &mut tables.as_mut()?.handlers;
        let (at, unused) = match reference {
            Ok(reference) => handlers.insert(address, reference.unbind()),
            Err(_) => (0, None), // a class whose instances cannot be referred to like this
        };
        add(&mut handlers.slots[at]);
        unused
    });
    drop(unused);
}

/// A record's way is counted here.
struct Records {
    /// Where a name and a level were counted last. A name in it is alive, so that no other object can have its address.
    places: Vec<Place>,
    names: HashMap<String, u32>,
    pairs: HashMap<(u32, i64), u32>,
    counts: Vec<Count>,
}

const PLACES: usize = 512;

#[derive(Default)]
struct Place {
    address: usize,
    level: i64,
    pair: usize,
    name: Option<Py<PyAny>>,
}

struct Count {
    name: u32,
    level: i64,
    count: u64,
}

impl Records {
    fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| Place::default()).collect(),
            names: HashMap::from([(OTHERS.to_owned(), 0)]),
            pairs: HashMap::new(),
            counts: Vec::new(),
        }
    }

    #[inline]
    fn place(address: usize, level: i64) -> usize {
        ((address >> 4) ^ (level as usize).wrapping_mul(37)) % PLACES
    }

    /// Counts one of a name and level that were counted there last; false, with nothing done, for others.
    #[inline]
    fn count_again(&mut self, address: usize, level: i64) -> bool {
        let place = &self.places[Self::place(address, level)];
        let known = place.address == address && place.level == level;
        if known {
            self.counts[place.pair].count += 1;
        }
        known
    }

    /// Counts one; no name is any other. What comes back has to be freed outside.
    fn count(&mut self, name: Option<&Obj<'_>>, level: i64) -> Option<Py<PyAny>> {
        let Some(name) = name else {
            let pair = self.pair(OTHERS, level);
            self.counts[pair].count += 1;
            return None;
        };
        let address = name.as_ptr().addr();
        if self.count_again(address, level) {
            return None;
        }
        let pair = self.pair(py_ffi::utf8(name).unwrap_or(OTHERS), level);
        self.counts[pair].count += 1;
        let new = Place {
            address,
            level,
            pair,
            name: Some(name.clone().unbind()),
        };
        std::mem::replace(&mut self.places[Self::place(address, level)], new).name
    }

    /// Where this name and level are counted.
    fn pair(&mut self, name: &str, level: i64) -> usize {
        let name = match self.names.get(name) {
            Some(&known) => known,
            None if self.names.len() > LOGGERS => 0,
            None => {
                let new = self.names.len() as u32;
                self.names.insert(name.to_owned(), new);
                new
            }
        };
        // A program with that many levels does not tell them apart either.
        let fits = self.pairs.len() < PAIRS || self.pairs.contains_key(&(name, level));
        let (name, level) = if fits {
            (name, level)
        } else {
            (0, level.clamp(0, 50) / 10 * 10)
        };
        let counts = &mut self.counts;
        let pair = self.pairs.entry((name, level)).or_insert_with(|| {
            counts.push(Count {
                name,
                level,
                count: 0,
            });
            counts.len() as u32 - 1
        });
        *pair as usize
    }
}

/// What handlers do is counted here.
struct Handlers {
    by_address: HashMap<usize, usize>,
    /// The first one is for handlers that are not told apart.
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Which handler was found last, and where.
    last: (usize, usize),
}

#[derive(Default)]
struct Slot {
    handler: Option<Py<PyWeakrefReference>>,
    address: usize,
    bytes: u64,
    errors: u64,
    times: [u64; BOUNDS.len() + 1],
    time: Duration,
}

impl Slot {
    fn observe(&mut self, time: Duration, weight: u64) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.times[BOUNDS.partition_point(|bound| *bound < nanoseconds)] += weight;
        self.time = u32::try_from(weight)
            .ok()
            .and_then(|weight| self.time.checked_add(time.checked_mul(weight)?))
            .unwrap_or(Duration::MAX);
    }

    fn has_something(&self) -> bool {
        self.bytes > 0 || self.errors > 0 || self.times.iter().any(|count| *count > 0)
    }
}

impl Handlers {
    fn new() -> Self {
        Self {
            by_address: HashMap::new(),
            slots: vec![Slot::default()],
            free: Vec::new(),
            last: (0, 0),
        }
    }

    #[inline]
    fn find(&mut self, address: usize) -> Option<usize> {
        let (last, at) = self.last;
        if last == address {
            return Some(at);
        }
        let at = *self.by_address.get(&address)?;
        self.last = (address, at);
        Some(at)
    }

    /// A place for a handler, and what has to be freed outside if there is none for it alone.
    fn insert(
        &mut self,
        address: usize,
        handler: Py<PyWeakrefReference>,
    ) -> (usize, Option<Py<PyWeakrefReference>>) {
        if let Some(at) = self.find(address) {
            return (at, Some(handler)); // another thread was faster
        }
        let at = match self.free.pop() {
            Some(at) => at,
            None if self.slots.len() <= HANDLERS => {
                self.slots.push(Slot::default());
                self.slots.len() - 1
            }
            None => return (0, Some(handler)),
        };
        self.slots[at] = Slot {
            handler: Some(handler),
            address,
            ..Slot::default()
        };
        self.by_address.insert(address, at);
        (at, None)
    }

    /// The handler is gone; its address may be another's from now on.
    fn remove(&mut self, reference: &Bound<'_, PyAny>) -> Option<Slot> {
        let is_it = |slot: &Slot| slot.handler.as_ref().is_some_and(|own| own.is(reference));
        let at = self.slots.iter().position(is_it)?;
        let gone = std::mem::take(&mut self.slots[at]);
        self.by_address.remove(&gone.address);
        self.last = (0, 0);
        self.free.push(at);
        Some(gone)
    }
}

/// Begins to count: records, what handlers write, their errors, and the time of one emission in `every`. 0: no longer. What was
/// counted before is forgotten.
#[pyfunction]
pub fn metrics_count(py: Python<'_>, every: u32) {
    let tables = (every != 0).then(|| {
        Box::new(Tables {
            records: Records::new(),
            handlers: Handlers::new(),
        })
    });
    let before = with(py, |now| std::mem::replace(now, tables));
    EVERY.store(every, Ordering::Relaxed);
    drop(before);
}

/// An `emit` that has taken so many seconds.
#[pyfunction]
pub fn metrics_observe(handler: &Bound<'_, PyAny>, seconds: f64) {
    if let (true, Ok(time)) = (on(), Duration::try_from_secs_f64(seconds)) {
        note(handler, |slot| slot.observe(time, 1));
    }
}

/// Called with a weak reference when its handler is gone.
#[pyfunction]
fn metrics_forget(reference: &Bound<'_, PyAny>) {
    let gone = with(reference.py(), |tables| {
        tables.as_mut()?.handlers.remove(reference)
    });
    drop(gone);
}

/// Of a handler, or of those that are not told apart (None): bytes written, errors, how many emissions took how long, seconds in all.
type OfHandler = (Option<Py<PyAny>>, u64, u64, Vec<u64>, f64);

/// What was counted: names, levels and their number of records, and the numbers of the handlers that are alive.
#[pyfunction]
pub fn metrics_read(py: Python<'_>) -> (Vec<(String, i64, u64)>, Vec<OfHandler>) {
    let (records, handlers) = with(py, |tables| {
        let Some(tables) = tables else {
            return (Vec::new(), Vec::new());
        };
        let mut names = vec![OTHERS; tables.records.names.len()];
        for (name, at) in &tables.records.names {
            names[*at as usize] = name;
        }
        let counts = tables.records.counts.iter();
        let records = counts.map(|one| (names[one.name as usize].to_owned(), one.level, one.count));
        let used = tables
            .handlers
            .slots
            .iter()
            .filter(|slot| slot.has_something());
        let read = used.map(|slot| {
            let numbers = (slot.bytes, slot.errors, slot.times.to_vec(), slot.time);
            (
                slot.handler.as_ref().map(|handler| handler.clone_ref(py)),
                numbers,
            )
        });
        (records.collect(), read.collect())
    });
    let alive = handlers.into_iter().filter_map(|(reference, numbers)| {
        let handler = match reference {
            Some(reference) => Some(reference.bind(py).upgrade()?.unbind()),
            None => None,
        };
        let (bytes, errors, times, time) = numbers;
        Some((handler, bytes, errors, times, time.as_secs_f64()))
    });
    (records, alive.collect())
}

/// The upper ends of the ranges of the times, in seconds.
#[pyfunction]
pub fn metrics_bounds() -> Vec<f64> {
    BOUNDS.iter().map(|bound| *bound as f64 / 1e9).collect()
}
