//! The time of a record: one reading of the clock, through `time.time`/`time.time_ns` when somebody has replaced them.
//!
//! Up to 3.12 a record's time is the float of `time.time()`, from 3.13 on the integer of `time.time_ns()`; the derived values
//! follow `Lib/logging/__init__.py, LogRecord.__init__` of either generation, to the last bit.
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

#[cfg(not(Py_GIL_DISABLED))]
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
#[cfg(not(Py_GIL_DISABLED))]
use crate::globals::Epoch;
use crate::names::Name;

/// `time.time` or `time.time_ns`, whichever the running version reads.
pub const SOURCE: Name = if cfg!(Py_3_13) {
    Name::time_ns
} else {
    Name::time
};

/// The built-in clock function as it was when the extension was loaded.
static BUILTIN: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
/// Its C entry.
static ENTRY: AtomicUsize = AtomicUsize::new(0);

/// The three times of a record: Unix time in seconds, whole milliseconds of it, milliseconds since logging was loaded.
#[derive(Clone)]
pub struct Stamp<'py> {
    /// `record.created`
    pub created: Number<'py>,
    /// `record.msecs`
    pub msecs: Number<'py>,
    /// `record.relativeCreated`
    pub relative: Number<'py>,
}

/// A float, or whatever a replaced clock made of it.
#[derive(Clone)]
pub enum Number<'py> {
    /// The usual case.
    Float(f64),
    /// From a clock that does not return plain numbers.
    Object(Obj<'py>),
}

impl<'py> Number<'py> {
    /// As a Python object.
    #[inline]
    pub fn object(&self, py: Python<'py>) -> Res<Obj<'py>> {
        match self {
            Number::Float(value) => py_ffi::new_float(py, *value),
            Number::Object(object) => Ok(object.clone()),
        }
    }
}

impl<'py> Stamp<'py> {
    /// `created`, `msecs` and `relativeCreated` as Python objects.
    pub fn objects(&self, py: Python<'py>) -> Res<[Obj<'py>; 3]> {
        Ok([
            self.created.object(py)?,
            self.msecs.object(py)?,
            self.relative.object(py)?,
        ])
    }
}

/// Created, milliseconds, relative: see [`Stamp`].
type Times = [f64; 3];

impl From<Times> for Stamp<'_> {
    fn from(times: Times) -> Self {
        let [created, msecs, relative] = times.map(Number::Float);
        Stamp {
            created,
            msecs,
            relative,
        }
    }
}

/// The built-in `time.time` as it was when the extension was loaded, and its C entry.
static SECONDS: (AtomicPtr<ffi::PyObject>, AtomicUsize) =
    (AtomicPtr::new(std::ptr::null_mut()), AtomicUsize::new(0));

/// `int(time.time())` for what the global `time` of a module is now.
pub fn whole_seconds<'py>(time: &Obj<'py>) -> Res<Obj<'py>> {
    let py = time.py();
    if let Some(now) = plain_seconds(time) {
        return py_ffi::new_int(py, now);
    }
    let source = py_ffi::getattr(time, Name::time)?;
    py_ffi::int(&py_ffi::call(&source, &[])?)
}

/// The same where `time` is the standard library's module and its `time` the built-in clock: runs no Python code.
pub fn plain_seconds(time: &Obj<'_>) -> Option<i64> {
    let py = time.py();
    if !globals::TIME.is(time) {
        return None;
    }
    let source = py_ffi::or_nothing(py, globals::TIME.get_opt(py, Name::time))??;
    let own = source.as_ptr() == SECONDS.0.load(Ordering::Relaxed)
        && py_ffi::builtin_entry(&source) == SECONDS.1.load(Ordering::Relaxed);
    own.then(|| seconds(system_time()).trunc() as i64)
}

/// `time.time()` of a reading in nanoseconds: `_PyTime_AsSecondsDouble` converts whole seconds exactly and divides else.
fn seconds(nanoseconds: i64) -> f64 {
    if nanoseconds % 1_000_000_000 == 0 {
        (nanoseconds / 1_000_000_000) as f64
    } else {
        nanoseconds as f64 / 1e9
    }
}

/// Remembers the built-in clock. Called once at load.
pub fn init(py: Python<'_>) -> Res<()> {
    let time = py_ffi::import(py, "time")?;
    let seconds = py_ffi::getattr(&time, Name::time)?;
    let entry = py_ffi::builtin_entry(&seconds);
    if entry != 0 {
        SECONDS.1.store(entry, Ordering::Relaxed);
        SECONDS.0.store(seconds.into_ptr(), Ordering::Relaxed);
    }
    let source = py_ffi::getattr(&time, SOURCE)?;
    let entry = py_ffi::builtin_entry(&source);
    if entry != 0 {
        ENTRY.store(entry, Ordering::Relaxed);
        BUILTIN.store(source.into_ptr(), Ordering::Relaxed);
    }
    Ok(())
}

/// Is `source` the built-in clock as it was when the extension was loaded?
pub fn is_builtin(source: &Obj<'_>) -> bool {
    source.as_ptr() == BUILTIN.load(Ordering::Relaxed)
        && py_ffi::builtin_entry(source) == ENTRY.load(Ordering::Relaxed)
}

/// Does the built-in clock still run the C function it ran then? (time-machine replaces that.)
#[inline]
pub fn is_untouched(py: Python<'_>) -> bool {
    let clock = BUILTIN.load(Ordering::Relaxed);
    // `init` has seen that it is a built-in function; no object of such a type becomes one of another.
    !clock.is_null()
        && py_ffi::entry_of_builtin(&py_ffi::immortal(py, clock)) == ENTRY.load(Ordering::Relaxed)
}

/// Is the time `logging` was loaded at a number as the running version stores it?
pub fn starts_plainly(py: Python<'_>) -> Res<bool> {
    Ok(start_of(&globals::get(py, Name::_startTime)?).is_some())
}

/// The time `logging` was loaded at as the running version stores it, where that is a plain number.
#[cfg(not(Py_3_13))]
type Start = f64;
/// As above.
#[cfg(Py_3_13)]
type Start = i64;

#[cfg(not(Py_3_13))]
fn start_of(object: &Obj<'_>) -> Option<Start> {
    py_ffi::float_value(object)
}

#[cfg(Py_3_13)]
fn start_of(object: &Obj<'_>) -> Option<Start> {
    py_ffi::int_value(object)
}

/// For a state of the modules: `_startTime`, where it is a plain number and the clock the built-in one.
#[cfg(not(Py_GIL_DISABLED))]
struct Known {
    epoch: Option<Epoch>,
    start: Option<Start>,
}

#[cfg(not(Py_GIL_DISABLED))]
static KNOWN: Shared<Known> = Shared::new(Known {
    epoch: None,
    start: None,
});

/// Reads the clock for a new record.
#[inline]
pub fn now(py: Python<'_>) -> Res<Stamp<'_>> {
    match plain(py) {
        Some(times) => Ok(times.into()),
        None => asked(py),
    }
}

/// The same where it is known to be the built-in one.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "three numbers that need not go through memory"
)]
pub fn plain(py: Python<'_>) -> Option<Times> {
    #[cfg(not(Py_GIL_DISABLED))]
    {
        if !is_untouched(py) {
            return None;
        }
        let epoch = globals::epoch(py);
        let start = KNOWN.with(py, |known| {
            if known.epoch == Some(epoch) {
                known.start
            } else {
                None
            }
        })?;
        Some(since(system_time(), start))
    }
    #[cfg(Py_GIL_DISABLED)]
    {
        let builtin = BUILTIN.load(Ordering::Relaxed);
        if !globals::reaches(py, Name::time, &globals::TIME, SOURCE, builtin) || !is_untouched(py) {
            return None;
        }
        let start = globals::kept(py, &globals::LOGGING, Name::_startTime)?;
        Some(since(system_time(), start_of(&start)?))
    }
}

/// The same by looking at what the globals are.
#[inline(never)]
fn asked(py: Python<'_>) -> Res<Stamp<'_>> {
    #[cfg(not(Py_GIL_DISABLED))]
    let epoch = globals::epoch(py);
    let source = globals::from_module(py, Name::time, &globals::TIME, SOURCE)?;
    if is_builtin(&source) {
        let reading = system_time();
        let start = globals::get(py, Name::_startTime)?;
        return match start_of(&start) {
            Some(start) => {
                #[cfg(not(Py_GIL_DISABLED))]
                if globals::is_epoch_true() {
                    KNOWN.with(py, |known| {
                        *known = Known {
                            epoch: Some(epoch),
                            start: Some(start),
                        };
                    });
                }
                Ok(since(reading, start).into())
            }
            None => replaced_arithmetic(py, &plain_reading(py, reading)?),
        };
    }
    let reading = py_ffi::call(&source, &[])?;
    replaced(py, &reading)
}

/// Has any thread been in [`at`]?
static EVER_GIVEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The time that [`at`] gave this thread's records.
    static GIVEN: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Runs `body`, in which the built-in clock shows `nanoseconds` on this thread, if that is given: for shadow mode, which makes a
/// record twice.
pub fn at<R>(nanoseconds: Option<i64>, body: impl FnOnce() -> R) -> R {
    if nanoseconds.is_some() {
        EVER_GIVEN.store(true, Ordering::Relaxed);
    }
    let before = GIVEN.replace(nanoseconds);
    let result = body();
    GIVEN.set(before);
    result
}

/// [`py_ffi::system_clock`], or what [`at`] gave.
#[inline]
fn system_time() -> i64 {
    if EVER_GIVEN.load(Ordering::Relaxed)
        && let Some(given) = GIVEN.get()
    {
        return given;
    }
    py_ffi::system_clock()
}

/// What the clock of the running version returns for that time.
#[cfg(not(Py_3_13))]
fn plain_reading(py: Python<'_>, nanoseconds: i64) -> Res<Obj<'_>> {
    py_ffi::new_float(py, seconds(nanoseconds))
}

#[cfg(not(Py_3_13))]
fn since(nanoseconds: i64, start: Start) -> Times {
    from_float(seconds(nanoseconds), start)
}

#[cfg(not(Py_3_13))]
fn from_float(created: f64, start: Start) -> Times {
    // Below 2**63 (the callers see to it) the whole seconds are an integer, which takes no call to cut off.
    let whole = created as i64 as f64;
    let msecs = ((created - whole) * 1000.0) as i64 as f64;
    [created, msecs, (created - start) * 1000.0]
}

#[cfg(not(Py_3_13))]
fn replaced<'py>(py: Python<'py>, reading: &Obj<'py>) -> Res<Stamp<'py>> {
    match py_ffi::float_value(reading) {
        // int() of infinities and NaN raises; only the interpreter's operators say it right.
        Some(created) if created.abs() < 1e15 => {
            match start_of(&globals::get(py, Name::_startTime)?) {
                Some(start) => Ok(from_float(created, start).into()),
                None => replaced_arithmetic(py, reading),
            }
        }
        _ => replaced_arithmetic(py, reading),
    }
}

/// `LogRecord`'s arithmetic with Python's own operators, for clocks that return something else than a float.
#[cfg(not(Py_3_13))]
#[cold]
fn replaced_arithmetic<'py>(py: Python<'py>, ct: &Obj<'py>) -> Res<Stamp<'py>> {
    let start = globals::get(py, Name::_startTime)?;
    let thousand = py_ffi::new_int(py, 1000)?;
    let fraction = py_ffi::sub(ct, &py_ffi::int(ct)?)?;
    let msecs = py_ffi::add(
        &py_ffi::int(&py_ffi::mul(&fraction, &thousand)?)?,
        &py_ffi::new_float(py, 0.0)?,
    )?;
    let relative = py_ffi::mul(&py_ffi::sub(ct, &start)?, &thousand)?;
    Ok(Stamp {
        created: Number::Object(ct.clone()),
        msecs: Number::Object(msecs),
        relative: Number::Object(relative),
    })
}

#[cfg(Py_3_13)]
fn plain_reading(py: Python<'_>, ns: i64) -> Res<Obj<'_>> {
    py_ffi::new_int(py, ns)
}

#[cfg(Py_3_13)]
fn since(ns: i64, start: Start) -> Times {
    // An int divided by a float becomes a float first, so both divisions are plain ones.
    let created = ns as f64 / 1e9;
    let mut msecs = (ns.rem_euclid(1_000_000_000) / 1_000_000) as f64;
    // The division can round up to the next second; then the milliseconds must not say .999 of it.
    if msecs >= 999.0 && created.trunc() > ns.div_euclid(1_000_000_000) as f64 {
        msecs = 0.0;
    }
    [created, msecs, (ns - start) as f64 / 1e6]
}

#[cfg(Py_3_13)]
fn replaced<'py>(py: Python<'py>, reading: &Obj<'py>) -> Res<Stamp<'py>> {
    match py_ffi::int_value(reading) {
        Some(ns) if ns.unsigned_abs() < 1 << 62 => {
            match start_of(&globals::get(py, Name::_startTime)?) {
                Some(start) => Ok(since(ns, start).into()),
                None => replaced_arithmetic(py, reading),
            }
        }
        _ => replaced_arithmetic(py, reading),
    }
}

/// `LogRecord`'s arithmetic with Python's own operators, for clocks that return something else than an int.
#[cfg(Py_3_13)]
#[cold]
fn replaced_arithmetic<'py>(py: Python<'py>, ct: &Obj<'py>) -> Res<Stamp<'py>> {
    let start = globals::get(py, Name::_startTime)?;
    let (billion, million) = (
        py_ffi::new_int(py, 1_000_000_000)?,
        py_ffi::new_int(py, 1_000_000)?,
    );
    let created = py_ffi::div(ct, &py_ffi::new_float(py, 1e9)?)?;
    let mut msecs = py_ffi::add(
        &py_ffi::floor_div(&py_ffi::remainder(ct, &billion)?, &million)?,
        &py_ffi::new_float(py, 0.0)?,
    )?;
    if py_ffi::eq(&msecs, &py_ffi::new_float(py, 999.0)?)?
        && !py_ffi::eq(&py_ffi::int(&created)?, &py_ffi::floor_div(ct, &billion)?)?
    {
        msecs = py_ffi::new_float(py, 0.0)?;
    }
    let relative = py_ffi::div(&py_ffi::sub(ct, &start)?, &py_ffi::new_float(py, 1e6)?)?;
    Ok(Stamp {
        created: Number::Object(created),
        msecs: Number::Object(msecs),
        relative: Number::Object(relative),
    })
}
