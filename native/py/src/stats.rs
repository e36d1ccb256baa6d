//! Counts what ran natively and what was left to the interpreter's own bodies, and why.
//!
//! The counts are the measure of this project: right output through the slow tier is how a broken fast path hides.
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyDict;

macro_rules! reasons {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// Why a step was left to the reference tier: the interpreter's own Python body.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Reason { $($variant),* }
        const REASONS: &[&str] = &[$($text),*];
    };
}

reasons! {
    Arguments = "arguments the signature does not take",
    FindCaller = "findCaller overridden: it counts frames",
    FrameHelpers = "currentframe or _is_internal_frame replaced",
    StackLevel = "stacklevel below 1 or not an int, or no Python caller",
    SourceFile = "_srcfile or os.path replaced",
    Rollover = "a rollover",
    RecordClass = "a record's class computes what LogRecord sets",
    ColdBody = "a method left to the interpreter",
}

static NATIVE: Counter = Counter::new();
static EMITS: Counter = Counter::new();
static REAL: Counter = Counter::new();
static REFERENCE: [Counter; REASONS.len()] = [const { Counter::new() }; REASONS.len()];

/// A count that every thread adds to.
#[cfg(not(Py_GIL_DISABLED))]
struct Counter(AtomicU64);

#[cfg(not(Py_GIL_DISABLED))]
impl Counter {
    const fn new() -> Self {
        Counter(AtomicU64::new(0))
    }

    /// Adds one. With the GIL a load and a store are exact and four times cheaper than a locked add.
    #[inline]
    fn bump(&self) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
    }

    fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A count that every thread adds to: several counts, each on a cache line of its own, so that threads which log side by side
/// do not take one line from each other at each record (40 ns each time).
#[cfg(Py_GIL_DISABLED)]
struct Counter([Stripe; STRIPES]);

#[cfg(Py_GIL_DISABLED)]
#[repr(align(64))]
struct Stripe(AtomicU64);

#[cfg(Py_GIL_DISABLED)]
const STRIPES: usize = 16;

#[cfg(Py_GIL_DISABLED)]
impl Counter {
    const fn new() -> Self {
        Counter([const { Stripe(AtomicU64::new(0)) }; STRIPES])
    }

    /// Adds one.
    #[inline]
    fn bump(&self) {
        static THREADS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        thread_local! {
            static STRIPE: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
        }
        let mut stripe = STRIPE.get();
        if stripe == usize::MAX {
            stripe = THREADS.fetch_add(1, Ordering::Relaxed) % STRIPES;
            STRIPE.set(stripe);
        }
        self.0[stripe].0.fetch_add(1, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        let counts = self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed));
        counts.fold(0, u64::wrapping_add)
    }

    fn reset(&self) {
        for stripe in &self.0 {
            stripe.0.store(0, Ordering::Relaxed);
        }
    }
}

/// A record was made by the native tier.
#[inline]
pub fn native_record() {
    NATIVE.bump();
}

/// A handler's `emit` ran natively.
#[inline]
pub fn native_emit() {
    EMITS.bump();
}

/// A record became a Python `LogRecord`.
#[inline]
pub fn real_record() {
    REAL.bump();
}

/// A step went to the reference tier.
#[cold]
pub fn reference(reason: Reason) {
    REFERENCE[reason as usize].bump();
}

/// How often each tier did the work since the process started or `reset_stats()`.
///
/// `native`: records made and dispatched natively; `emits`: handler emissions done natively; `real_records`: records that
/// Python code had to see and that therefore became `LogRecord` objects; `reference`: a dict of reasons and counts, only those
/// that occurred. A reason counts once for each step that was left to the interpreter's own Python body.
#[pyfunction]
pub fn stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let result = PyDict::new(py);
    let reference = PyDict::new(py);
    for (text, counter) in REASONS.iter().zip(&REFERENCE) {
        let count = counter.total();
        if count > 0 {
            reference.set_item(text, count)?;
        }
    }
    result.set_item("native", NATIVE.total())?;
    result.set_item("emits", EMITS.total())?;
    result.set_item("real_records", REAL.total())?;
    result.set_item("reference", reference)?;
    Ok(result)
}

/// Sets every count back to zero.
#[pyfunction]
pub fn reset_stats() {
    for counter in [&NATIVE, &EMITS, &REAL].into_iter().chain(&REFERENCE) {
        counter.reset();
    }
}
