//! The queue of an asynchronous handler, as Python sees it. What is on it, and what becomes of it, `femtolog/_enqueue.py` says.
//!
//! Whatever waits gives the GIL away. No item is dropped while the queue's lock is held: its finalizer may run Python code.
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use femtolog_core::queue::{
    Ledger, Limits, Offer, Os, Overflow, Queue, Reason, Spill, Spilled, Waited,
};
use femtolog_core::spool;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use pyo3::{PyTraverseError, PyVisit};

use crate::cell::Field;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::format::Buffer;
use crate::guard;
use crate::handler::{asynchronous, direct, file};
use crate::kept::{BULK_OF, BULK_WITHIN, Kept};
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
use crate::{raw, record::Record};

type Items = Queue<Item, Os>;

/// Queued in the place of others, which were dropped.
pub const QUEUED: u8 = 0;
const EVICTED: u8 = 1;
pub const DROPPED: u8 = 2;
const FULL: u8 = 3;
pub const CLOSED: u8 = 4;

/// A record on the queue, its handler, and what `format` gave, or the exception that it raised. It keeps its handler alive.
#[pyclass(frozen, get_all, module = "femtolog._native")]
pub struct QueuedRecord {
    handler: Py<PyAny>,
    record: Py<PyAny>,
    text: Py<PyAny>,
}

#[pymethods]
impl QueuedRecord {
    #[new]
    fn new(handler: Py<PyAny>, record: Py<PyAny>, text: Py<PyAny>) -> Self {
        Self {
            handler,
            record,
            text,
        }
    }
}

/// The same without a record: its text, and what the record can be made from.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    ascii: bool,
    /// Nothing in a line that waits to be used again, and so what the record can be made from.
    handler: Option<Py<PyAny>>,
    kept: Kept,
}

impl Line {
    /// What it occupies.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.capacity()
    }

    /// Gives up what it is of. What is freed by that may run Python code.
    fn clear(&mut self, py: Python<'_>) {
        if let Some(handler) = self.handler.take() {
            handler.drop_ref(py);
        }
        self.kept.clear(py);
    }
}

enum Item {
    Made(Py<QueuedRecord>),
    Line(Box<Line>),
    /// As it was on disk.
    Stored(Stored),
}

/// A record as it is on disk: the length of its text, or what no text has, its text, and what else `femtolog/_spill.py` made of it.
struct Stored(Vec<u8>);

/// The length of no text.
const NO_TEXT: u32 = u32::MAX;

impl Stored {
    fn new(text: Option<&[u8]>, rest: &[u8]) -> Self {
        let length = text.map_or(NO_TEXT, |text| text.len() as u32);
        Self([&length.to_le_bytes(), text.unwrap_or_default(), rest].concat())
    }

    /// The text and the rest; nothing for what is not as [`new`](Self::new) makes it.
    fn parts(&self) -> Option<(Option<&[u8]>, &[u8])> {
        let (length, after) = self.0.split_first_chunk::<4>()?;
        match u32::from_le_bytes(*length) {
            NO_TEXT => Some((None, after)),
            length => {
                let (text, rest) = after.split_at_checked(length as usize)?;
                Some((Some(text), rest))
            }
        }
    }
}

impl Item {
    /// With the record made.
    fn made(&self, py: Python<'_>, spilled: Option<&Spilling>) -> PyResult<Py<QueuedRecord>> {
        match self {
            Item::Stored(stored) => {
                let parts = stored.parts().zip(spilled);
                let ((text, rest), spilled) =
                    parts.ok_or_else(|| PyValueError::new_err("not a record"))?;
                let text = text.map(|text| PyBytes::new(py, text));
                let made = spilled.decode.call1(py, (text, PyBytes::new(py, rest)))?;
                Ok(made.extract(py)?)
            }
            Item::Made(made) => Ok(made.clone_ref(py)),
            Item::Line(line) => {
                let text = py_ffi::text_from_utf8(py, &line.text, line.ascii);
                let made = text.and_then(|text| Ok((text, line.kept.record(py)?)));
                let (text, record) = made.map_err(|raised| PyErr::from_value(raised.take(py)))?;
                let (Some(handler), Some(record)) = (&line.handler, record) else {
                    return Err(PyRuntimeError::new_err("a line of no record"));
                };
                let handler = handler.clone_ref(py);
                Py::new(
                    py,
                    QueuedRecord::new(handler, record.unbind(), text.unbind()),
                )
            }
        }
    }

    /// Appends its text to what will be written; false where only Python code can write it.
    fn push_to(&self, py: Python<'_>, lines: &mut direct::Lines) -> bool {
        match self {
            Item::Line(line) => lines.push(&line.text, line.ascii),
            Item::Stored(stored) => match stored.parts() {
                Some((Some(text), _)) => lines.push(text, text.is_ascii()),
                _ => false,
            },
            Item::Made(made) => {
                let text = made.get().text.bind(py);
                py_ffi::is_str(text)
                    && py_ffi::utf8(text)
                        .is_some_and(|bytes| lines.push(bytes.as_bytes(), py_ffi::is_ascii(text)))
            }
        }
    }
}

/// Lines of no record, to be used again.
struct Spare {
    #[allow(
        clippy::vec_box,
        reason = "they come from the queue and go there as they are"
    )]
    lines: Vec<Box<Line>>,
    /// All that they occupy.
    bytes: usize,
}

impl Spare {
    const NONE: Self = Spare {
        lines: Vec::new(),
        bytes: 0,
    };
    /// So much is kept in all, and of each line that much at most.
    const MOST: usize = 4 << 20;
    const MOST_OF_A_LINE: usize = 1024;

    fn pop(&mut self) -> Option<Box<Line>> {
        let line = self.lines.pop()?;
        self.bytes -= line.bytes();
        Some(line)
    }

    fn push(&mut self, mut line: Box<Line>) {
        let bytes = line.bytes();
        if bytes <= Self::MOST_OF_A_LINE && self.bytes + bytes <= Self::MOST {
            line.text.clear();
            self.lines.push(line);
            self.bytes += bytes;
        }
    }
}

/// What became of a line that was offered.
pub enum Put {
    /// It is in the queue.
    Queued,
    /// It was dropped, or others were.
    Dropped,
    /// Nothing was done: there is no room, and it is to be waited for.
    Full,
    /// Nothing was done.
    Refused,
}

/// What a queue has that spills.
struct Spilling {
    spill: Arc<Spill>,
    /// A [`QueuedRecord`], made of a text or None and the rest.
    decode: Py<PyAny>,
}

/// A bounded queue of records, each with a weight in bytes, that counts what becomes of each.
#[pyclass(frozen, module = "femtolog._native")]
pub struct RecordQueue {
    items: Arc<Items>,
    spilling: Option<Spilling>,
    /// What was taken and is not reported yet, oldest first. For those who hold the handler's lock.
    hand: Mutex<VecDeque<Item>>,
    /// Lines to be used again. Allocating and freeing them, each by another thread, takes 600 instructions a record.
    spare: Field<Spare>,
    /// An instance of the handler's class that has nothing of its own: what it would run is what the class has.
    probe: Option<Py<PyAny>>,
    /// Is room waited for, for as long as it takes?
    blocks: bool,
    /// From this level on records are dropped last.
    protect_level: Option<i64>,
}

/// About how many bytes the values of a record's dict occupy where they are large, each once: the message may be two of them.
#[pyfunction]
pub fn bulk(values: &Obj<'_>) -> usize {
    let (mut seen, mut left) = (Vec::new(), BULK_OF);
    let mut sum = 0;
    for value in py_ffi::first_values(values, BULK_OF) {
        let size = py_ffi::bulk(&value, BULK_WITHIN, &mut left);
        if size > 0 && !seen.contains(&value.as_ptr()) {
            seen.push(value.as_ptr());
            sum += size;
        }
    }
    sum
}

/// A policy by its name.
pub fn overflow(name: &str) -> PyResult<Overflow> {
    Ok(match name {
        "block" => Overflow::Block,
        "drop" => Overflow::Drop,
        "drop_oldest" => Overflow::DropOldest,
        "timeout" => Overflow::Timeout,
        "spill" => Overflow::Spill,
        other => return Err(PyValueError::new_err(other.to_owned())),
    })
}

/// The account of a queue, where these are the reasons to drop a record.
pub fn account<'py>(
    py: Python<'py>,
    ledger: &Ledger,
    dropped_by: &[Reason],
) -> PyResult<Bound<'py, PyDict>> {
    let account = PyDict::new(py);
    account.set_item("emitted", ledger.emitted)?;
    account.set_item("written", ledger.written)?;
    account.set_item("failed", ledger.failed)?;
    account.set_item("dropped", ledger.dropped.total())?;
    account.set_item("in_flight", ledger.in_flight)?;
    account.set_item("spilled", ledger.spilled)?;
    account.set_item("recovered", ledger.recovered)?;
    account.set_item("on_disk", ledger.on_disk)?;
    let reasons = PyDict::new(py);
    for &reason in dropped_by {
        reasons.set_item(reason.name(), ledger.dropped.of(reason))?;
    }
    account.set_item("dropped_by", reasons)?;
    account.set_item("bytes", ledger.bytes)?;
    account.set_item("queue_len", ledger.queued)?;
    account.set_item("queue_high_water", ledger.high_water)?;
    Ok(account)
}

pub fn seconds(timeout: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout.max(0.0))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

fn outcome(offer: Offer<Item>) -> u8 {
    match offer {
        Offer::Queued(evicted) if evicted.is_empty() => QUEUED,
        Offer::Queued(_) => EVICTED,
        Offer::Dropped(..) => DROPPED,
        Offer::Full(_) => FULL,
        Offer::Closed(_) => CLOSED,
    }
}

impl RecordQueue {
    /// Nothing of anybody's runs while it is locked.
    fn hand(&self) -> MutexGuard<'_, VecDeque<Item>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes so many out of the hand.
    fn let_go(&self, count: usize) -> Vec<Item> {
        let mut hand = self.hand();
        let count = count.min(hand.len());
        hand.drain(..count).collect()
    }

    /// Gives items up that are written, or dropped.
    fn forget(&self, py: Python<'_>, mut items: Vec<Item>) {
        for item in &mut items {
            if let Item::Line(line) = item {
                line.clear(py);
            }
        }
        let mut others = Vec::new();
        self.spare.with(py, |spare| {
            for item in items {
                match item {
                    Item::Line(line) => spare.push(line),
                    other => others.push(other),
                }
            }
        });
        drop(others);
    }

    /// See the field.
    pub fn probe<'py>(&self, py: Python<'py>) -> Option<Obj<'py>> {
        Some(self.probe.as_ref()?.bind(py).clone())
    }

    /// Offers the text of a settled record that no Python code has seen, and what the record can be made from.
    pub fn put<'py>(
        &self,
        handler: &Obj<'py>,
        text: &mut Buffer<'_>,
        record: &Record<'_, 'py>,
        asctime: &Obj<'py>,
    ) -> Res<Put> {
        let py = handler.py();
        let (Some(protect_level), Some(level)) =
            (self.protect_level, raw::small_int(&record.level()?))
        else {
            return Ok(Put::Refused);
        };
        let ascii = text.is_ascii();
        let Some(text) = text.utf8() else {
            return Ok(Put::Refused);
        };
        let spare = self.spare.with(py, Spare::pop);
        let mut line = spare.unwrap_or_default();
        if !line.kept.fill(record, asctime)? {
            self.spare.with(py, |spare| spare.push(line));
            return Ok(Put::Refused);
        }
        let bulk = line.kept.bulk(py);
        line.text.extend_from_slice(text);
        line.ascii = ascii;
        line.handler = Some(handler.clone().unbind());
        let item = Item::Line(line);
        let weight = Self::RECORD_WEIGHT + text.len() + bulk;
        let evicted = match self.items.offer(item, weight, level >= protect_level) {
            Offer::Queued(evicted) if evicted.is_empty() => return Ok(Put::Queued),
            Offer::Queued(evicted) => evicted,
            Offer::Dropped(item, _) => vec![item],
            Offer::Full(item) => {
                self.forget(py, vec![item]);
                return Ok(if self.blocks { Put::Full } else { Put::Refused });
            }
            Offer::Closed(item) => {
                self.forget(py, vec![item]);
                return Ok(Put::Refused);
            }
        };
        self.forget(py, evicted);
        Ok(Put::Dropped)
    }

    /// The handler's stream, and lines for the file behind it, where `emit` and `flush` of its class do nothing but write there.
    fn lines_for<'py>(&self, handler: &Obj<'py>) -> Res<Option<(Obj<'py>, direct::Lines)>> {
        let py = handler.py();
        let Some(probe) = self.probe.as_ref().map(|probe| probe.bind(py)) else {
            return Ok(None);
        };
        let emits_lines = match guard::target(probe, Name::emit) {
            Target::StreamEmit => true,
            Target::FileEmit => file::emits_by_stream(py),
            _ => false,
        };
        if !emits_lines || guard::target(probe, Name::flush) != Target::StreamFlush {
            return Ok(None);
        }
        let own = |name| py_ffi::or_nothing(py, guard::attr(handler, name));
        let (Some(stream), Some(terminator)) = (own(Name::stream), own(Name::terminator)) else {
            return Ok(None);
        };
        let lines = direct::Lines::new(&stream, &terminator)?;
        Ok(lines.map(|lines| (stream, lines)))
    }
}

#[pymethods]
impl RecordQueue {
    /// Bytes that a record occupies beside its text and what of its message, arguments and `extra` is large, about.
    #[classattr]
    const RECORD_WEIGHT: usize = 1024;

    /// `overflow` is `block`, `drop`, `drop_oldest`, `timeout` or `spill`; `probe` an instance of the handler's class without anything of its own;
    /// `spill` a directory, the size it may have, and what makes a `QueuedRecord` of a text or None and the rest.
    #[new]
    #[pyo3(signature = (capacity, capacity_bytes, overflow, protect_level, probe, spill=None))]
    fn new(
        capacity: usize,
        capacity_bytes: usize,
        overflow: &str,
        protect_level: &Bound<'_, PyAny>,
        probe: Option<Py<PyAny>>,
        spill: Option<(PathBuf, u64, Py<PyAny>)>,
    ) -> PyResult<Self> {
        let limits = Limits {
            entries: capacity,
            bytes: capacity_bytes,
        };
        Ok(Self {
            items: Arc::new(Items::new(limits, self::overflow(overflow)?)),
            spilling: spill.map(|(dir, bytes, decode)| {
                let options = spool::Options {
                    dir,
                    kind: "records",
                    bytes,
                };
                Spilling {
                    spill: Arc::new(Spill::new(options)),
                    decode,
                }
            }),
            hand: Mutex::new(VecDeque::new()),
            spare: Field::new(Spare::NONE),
            probe,
            blocks: overflow == "block",
            protect_level: protect_level.extract().ok(),
        })
    }

    /// Does the handler's class emit nothing of a record but its text?
    fn emits_text(&self, py: Python<'_>) -> bool {
        let probe = self.probe.as_ref().map(|probe| probe.bind(py));
        probe
            .and_then(guard::view)
            .is_some_and(|probe| asynchronous::emits_text(&probe))
    }

    /// Does what the policy says as far as that takes no waiting.
    fn offer(&self, item: Py<QueuedRecord>, weight: usize, protected: bool) -> u8 {
        outcome(self.items.offer(Item::Made(item), weight, protected))
    }

    /// For the last time, after waiting for room in vain.
    fn offer_at_last(&self, item: Py<QueuedRecord>, weight: usize, protected: bool) -> u8 {
        outcome(
            self.items
                .offer_at_last(Item::Made(item), weight, protected),
        )
    }

    /// For what is logged while an item of this queue is being written.
    fn offer_from_consumer(&self, item: Py<QueuedRecord>, weight: usize, protected: bool) -> u8 {
        outcome(
            self.items
                .offer_from_consumer(Item::Made(item), weight, protected),
        )
    }

    /// Waits up to so many seconds for room. False: there is none.
    fn wait_for_room(&self, py: Python<'_>, weight: usize, timeout: f64) -> PyResult<bool> {
        let timeout = Some(seconds(timeout)?);
        Ok(py.detach(|| self.items.wait_for_room(weight, timeout)) != Waited::TimedOut)
    }

    /// Counts a record whose caller was interrupted while it waited for room.
    pub fn interrupted(&self) {
        self.items.give_up(Reason::Interrupted);
    }

    /// Counts a record that came when the queue was closed.
    fn late(&self) {
        self.items.give_up(Reason::Closed);
    }

    /// Counts a record that could not be prepared.
    fn unprepared(&self) {
        self.items.fail_unqueued();
    }

    /// Waits until there is something to take. False: the queue is closed, and empty.
    fn wait_filled(&self, py: Python<'_>) -> bool {
        py.detach(|| self.items.wait_filled(None)) == Waited::Ready
    }

    /// Opens what is on disk, whoever has left it there. `OSError` if that cannot be.
    fn open_spill(&self, py: Python<'_>) -> PyResult<()> {
        match &self.spilling {
            Some(Spilling { spill, .. }) => Ok(py.detach(|| spill.open(&self.items))?),
            None => Ok(()),
        }
    }

    /// Puts a record on disk for which there was no room.
    #[pyo3(name = "spill")]
    fn put_on_disk(&self, py: Python<'_>, text: Option<&[u8]>, rest: &[u8]) -> u8 {
        let Some(Spilling { spill, .. }) = &self.spilling else {
            return CLOSED;
        };
        let stored = Stored::new(text, rest);
        match py.detach(|| spill.put(&self.items, &stored.0)) {
            Spilled::Stored => QUEUED,
            Spilled::Refused(_) => {
                self.items.give_up(Reason::Spill);
                DROPPED
            }
            Spilled::Closed => CLOSED,
        }
    }

    /// Takes up to so many records, the oldest first, unless some are in hand. False: there are none. `OSError`: those on disk cannot be
    /// read now.
    fn take(&self, py: Python<'_>, most: usize) -> PyResult<bool> {
        if self.has_taken() {
            return Ok(true);
        }
        let mut taken = Vec::new();
        match &self.spilling {
            None => self.items.take(most, &mut taken),
            Some(Spilling { spill, .. }) => py.detach(|| {
                let most = Limits {
                    entries: most,
                    bytes: usize::MAX,
                };
                let made = |record: Vec<u8>| {
                    let weight = Self::RECORD_WEIGHT + record.len();
                    (Item::Stored(Stored(record)), weight)
                };
                spill.take(&self.items, most, &mut taken, made).map(drop)
            })?,
        }
        let mut hand = self.hand();
        hand.extend(taken);
        Ok(!hand.is_empty())
    }

    /// Are taken records not reported yet?
    fn has_taken(&self) -> bool {
        !self.hand().is_empty()
    }

    /// Are some on disk that are not taken?
    fn has_spilled(&self) -> bool {
        self.items.ledger().on_disk > 0
    }

    /// The oldest taken record; it stays in hand.
    fn first(&self, py: Python<'_>) -> PyResult<Option<Py<QueuedRecord>>> {
        let Some(item) = self.hand().pop_front() else {
            return Ok(None);
        };
        let made = item.made(py, self.spilling.as_ref());
        let again = match &made {
            Ok(made) => Item::Made(made.clone_ref(py)),
            Err(_) => item,
        };
        self.hand().push_front(again);
        made.map(Some)
    }

    /// Is there a file behind the handler's stream that [`write_lines`](Self::write_lines) can write to now?
    fn writes_lines(&self, handler: &Bound<'_, PyAny>) -> bool {
        match self.lines_for(handler) {
            Ok(found) => found.is_some(),
            Err(raised) => {
                raised.clear(handler.py());
                false
            }
        }
    }

    /// Writes what is in hand to the file behind the handler's stream, as far as that is what its class would do. So many records are
    /// written then, and reported; and what the next one has raised, if anything. For those who hold the handler's lock.
    fn write_lines<'py>(&self, handler: &Bound<'py, PyAny>) -> (usize, Option<Bound<'py, PyAny>>) {
        let py = handler.py();
        let (stream, mut lines) = match self.lines_for(handler) {
            Ok(Some(found)) => found,
            Ok(None) => return (0, None),
            Err(raised) => return (0, Some(raised.take(py))),
        };
        for item in &*self.hand() {
            if !item.push_to(py, &mut lines) {
                break;
            }
        }
        let (mut written, mut raised) = (0, None);
        metrics::batch(handler, || {
            (written, raised) = lines.write(handler, &stream);
            written
        });
        let raised = raised.map(|raised| raised.take(py));
        self.finish(py, written, 0);
        (written, raised)
    }

    /// The oldest taken records: so many are written, then so many failed.
    fn finish(&self, py: Python<'_>, written: usize, failed: usize) {
        let done = self.let_go(written + failed);
        match &self.spilling {
            None => self.items.finish(written, failed),
            Some(Spilling { spill, .. }) => {
                py.detach(|| spill.finish(&self.items, written, failed));
            }
        }
        self.forget(py, done);
    }

    /// The oldest taken record is none.
    fn lose_damaged(&self, py: Python<'_>) {
        let lost = self.let_go(1);
        if let Some(Spilling { spill, .. }) = &self.spilling {
            py.detach(|| spill.drop_taken(&self.items, lost.len(), Reason::Damaged));
        }
        self.forget(py, lost);
    }

    /// Puts everything on disk that is queued, and what is in hand if that is `taken` as well; `encode` makes a text or None and the rest of
    /// each record. What cannot be there is dropped.
    fn put_away(&self, py: Python<'_>, taken: bool, encode: &Bound<'_, PyAny>) {
        let Some(spilling) = &self.spilling else {
            return;
        };
        let mut items = if taken {
            self.let_go(usize::MAX)
        } else {
            Vec::new()
        };
        self.items.take(usize::MAX, &mut items);
        let (mut of_disk, mut records, mut lost) = (0, Vec::new(), 0);
        for item in &items {
            if let Item::Stored(_) = item {
                of_disk += 1;
                continue;
            }
            let encoded = item
                .made(py, Some(spilling))
                .and_then(|made| encode.call1((made,)))
                .and_then(|encoded| encoded.extract::<(Option<Vec<u8>>, Vec<u8>)>());
            match encoded {
                Ok((text, rest)) => records.push(Stored::new(text.as_deref(), &rest).0),
                Err(_) => lost += 1,
            }
        }
        py.detach(|| {
            let kept = spilling.spill.keep(&self.items, of_disk, &records);
            let dropped = records.len() - kept + lost;
            self.items.drop_taken(dropped, Reason::Spill);
        });
        self.forget(py, items);
    }

    /// Leaves what is on disk to whoever opens that directory next.
    fn close_spill(&self, py: Python<'_>) {
        if let Some(Spilling { spill, .. }) = &self.spilling {
            py.detach(|| spill.close());
        }
    }

    /// Drops everything that is queued as closed, and what is in hand if that is `taken` as well.
    fn abandon(&self, taken: bool) {
        if taken {
            let left = self.let_go(usize::MAX);
            self.items.drop_taken(left.len(), Reason::Closed);
            drop(left);
        }
        drop(self.items.abandon_queued());
    }

    /// A mark behind everything that was put in so far.
    fn mark(&self) -> u64 {
        self.items.mark()
    }

    /// Is everything before the mark out of flight?
    fn is_done(&self, mark: u64) -> bool {
        self.items.is_done(mark)
    }

    /// Waits up to so many seconds until it is.
    fn wait_done(&self, py: Python<'_>, mark: u64, timeout: f64) -> PyResult<bool> {
        let timeout = Some(seconds(timeout)?);
        Ok(py.detach(|| self.items.wait_done(mark, timeout)))
    }

    /// Lets nothing more in. False if it was closed already.
    fn close(&self) -> bool {
        self.items.close()
    }

    /// Is it closed?
    fn is_closed(&self) -> bool {
        self.items.is_closed()
    }

    /// The account at this moment.
    fn account<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let reasons: &[Reason] = match self.spilling {
            None => &Reason::OF_QUEUES,
            Some(_) => &Reason::OF_SPILLING_QUEUES,
        };
        account(py, &self.items.ledger(), reasons)
    }

    /// How many records got lost that somebody who flushes is told of.
    fn lost(&self) -> u64 {
        self.items.ledger().lost()
    }

    /// Keeps the memory of this queue for ever, and gives the descriptors that are to be closed. For a forked child: a thread that the child
    /// does not have may have been holding the lock, and what is queued, or on disk, is the parent's.
    fn leak(&self) -> Vec<i32> {
        std::mem::forget(Arc::clone(&self.items));
        self.spilling.as_ref().map_or_else(Vec::new, |spilling| {
            std::mem::forget(Arc::clone(&spilling.spill));
            spilling.spill.descriptors().to_vec()
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // What is queued keeps its handler alive until it is written.
        if let Some(Spilling { decode, .. }) = &self.spilling {
            visit.call(decode)?;
        }
        visit.call(&self.probe)
    }
}
