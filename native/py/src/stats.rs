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
    ColdBody = "a method left to the interpreter",
}

static NATIVE: AtomicU64 = AtomicU64::new(0);
static EMITS: AtomicU64 = AtomicU64::new(0);
static REAL: AtomicU64 = AtomicU64::new(0);
static REFERENCE: [AtomicU64; REASONS.len()] = [const { AtomicU64::new(0) }; REASONS.len()];

/// Adds one. With the GIL a load and a store are exact and four times cheaper than a locked add.
#[inline]
fn bump(counter: &AtomicU64) {
    #[cfg(not(Py_GIL_DISABLED))]
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
    #[cfg(Py_GIL_DISABLED)]
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A record was made by the native tier.
#[inline]
pub fn native_record() {
    bump(&NATIVE);
}

/// A handler's `emit` ran natively.
#[inline]
pub fn native_emit() {
    bump(&EMITS);
}

/// A record became a Python `LogRecord`.
#[inline]
pub fn real_record() {
    bump(&REAL);
}

/// A step went to the reference tier.
#[cold]
pub fn reference(reason: Reason) {
    bump(&REFERENCE[reason as usize]);
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
        let count = counter.load(Ordering::Relaxed);
        if count > 0 {
            reference.set_item(text, count)?;
        }
    }
    result.set_item("native", NATIVE.load(Ordering::Relaxed))?;
    result.set_item("emits", EMITS.load(Ordering::Relaxed))?;
    result.set_item("real_records", REAL.load(Ordering::Relaxed))?;
    result.set_item("reference", reference)?;
    Ok(result)
}

/// Sets every count back to zero.
#[pyfunction]
pub fn reset_stats() {
    for counter in [&NATIVE, &EMITS, &REAL].into_iter().chain(&REFERENCE) {
        counter.store(0, Ordering::Relaxed);
    }
}
