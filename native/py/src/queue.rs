//! The queue of an asynchronous handler, as Python sees it. What is on it, and what becomes of it, `femtolog/_enqueue.py` says.
//!
//! Whatever waits gives the GIL away. No item is dropped while the queue's lock is held: its finalizer may run Python code.
use std::sync::Arc;
use std::time::Duration;

use femtolog_core::queue::{Limits, Offer, Os, Overflow, Queue, Reason, Waited};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::handler::direct;

type Items = Queue<Py<PyAny>, Os>;

/// Queued in the place of others, which were dropped.
const QUEUED: u8 = 0;
const EVICTED: u8 = 1;
const DROPPED: u8 = 2;
const FULL: u8 = 3;
const CLOSED: u8 = 4;

/// A bounded queue of items, each with a weight in bytes, that counts what becomes of each.
#[pyclass(frozen, module = "femtolog._native")]
pub struct RecordQueue {
    items: Arc<Items>,
}

fn seconds(timeout: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(timeout.max(0.0))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

fn outcome(offer: Offer<Py<PyAny>>) -> u8 {
    match offer {
        Offer::Queued(evicted) if evicted.is_empty() => QUEUED,
        Offer::Queued(_) => EVICTED,
        Offer::Dropped(..) => DROPPED,
        Offer::Full(_) => FULL,
        Offer::Closed(_) => CLOSED,
    }
}

#[pymethods]
impl RecordQueue {
    /// `overflow` is `block`, `drop`, `drop_oldest` or `timeout`.
    #[new]
    fn new(capacity: usize, capacity_bytes: usize, overflow: &str) -> PyResult<Self> {
        let overflow = match overflow {
            "block" => Overflow::Block,
            "drop" => Overflow::Drop,
            "drop_oldest" => Overflow::DropOldest,
            "timeout" => Overflow::Timeout,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let limits = Limits {
            entries: capacity,
            bytes: capacity_bytes,
        };
        Ok(Self {
            items: Arc::new(Items::new(limits, overflow)),
        })
    }

    /// Does what the policy says as far as that takes no waiting.
    fn offer(&self, item: Py<PyAny>, weight: usize, protected: bool) -> u8 {
        outcome(self.items.offer(item, weight, protected))
    }

    /// For the last time, after waiting for room in vain.
    fn offer_at_last(&self, item: Py<PyAny>, weight: usize, protected: bool) -> u8 {
        outcome(self.items.offer_at_last(item, weight, protected))
    }

    /// For what is logged while an item of this queue is being written.
    fn offer_from_consumer(&self, item: Py<PyAny>, weight: usize, protected: bool) -> u8 {
        outcome(self.items.offer_from_consumer(item, weight, protected))
    }

    /// Waits up to so many seconds for room. False: there is none.
    fn wait_for_room(&self, py: Python<'_>, weight: usize, timeout: f64) -> PyResult<bool> {
        let timeout = Some(seconds(timeout)?);
        Ok(py.detach(|| self.items.wait_for_room(weight, timeout)) != Waited::TimedOut)
    }

    /// Counts a record whose caller was interrupted while it waited for room.
    fn interrupted(&self) {
        self.items.give_up(Reason::Interrupted);
    }

    /// Counts a record that could not be prepared.
    fn unprepared(&self) {
        self.items.fail_unqueued();
    }

    /// Waits until there is something to take. False: the queue is closed, and empty.
    fn wait_filled(&self, py: Python<'_>) -> bool {
        py.detach(|| self.items.wait_filled(None)) == Waited::Ready
    }

    /// Up to so many items, the oldest first.
    fn take(&self, most: usize) -> Vec<Py<PyAny>> {
        let mut items = Vec::new();
        self.items.take(most, &mut items);
        items
    }

    /// The oldest taken items: so many are written, then so many failed.
    fn finish(&self, written: usize, failed: usize) {
        self.items.finish(written, failed);
    }

    /// Drops everything that is queued, and so many taken items, as closed.
    fn abandon(&self, taken: usize) {
        self.items.abandon_taken(taken);
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
        let ledger = self.items.ledger();
        let account = PyDict::new(py);
        account.set_item("emitted", ledger.emitted)?;
        account.set_item("written", ledger.written)?;
        account.set_item("failed", ledger.failed)?;
        account.set_item("dropped", ledger.dropped.total())?;
        account.set_item("in_flight", ledger.in_flight)?;
        let reasons = PyDict::new(py);
        for reason in Reason::ALL {
            reasons.set_item(reason.name(), ledger.dropped.of(reason))?;
        }
        account.set_item("dropped_by", reasons)?;
        account.set_item("bytes", ledger.bytes)?;
        account.set_item("queue_len", ledger.queued)?;
        account.set_item("queue_high_water", ledger.high_water)?;
        Ok(account)
    }

    /// Keeps the memory of this queue for ever. For a forked child: a thread that the child does not have may have been holding the
    /// lock, and what is queued is the parent's.
    fn leak(&self) {
        std::mem::forget(Arc::clone(&self.items));
    }
}

/// How many of these lines, each with the terminator, were written to the file behind the stream, and what the next one raised:
/// see `handler::direct`. Nothing is written where that would not be the same as the stream's own `write` and `flush`.
#[pyfunction]
pub fn write_lines<'py>(
    stream: &Bound<'py, PyAny>,
    terminator: &Bound<'py, PyAny>,
    lines: &Bound<'py, PyList>,
) -> (usize, Option<Bound<'py, PyAny>>) {
    let lines: Vec<Bound<'py, PyAny>> = lines.iter().collect();
    let (written, raised) = direct::write_lines(stream, terminator, &lines);
    (written, raised.map(|raised| raised.take(stream.py())))
}
