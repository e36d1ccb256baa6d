//! The locks of `logging` as native methods take them: the handler's own lock and the module's.
//!
//! They stay the Python objects they are (`handler.lock` may be held, replaced or be a subclass's), so waiting for one gives
//! the GIL away as the stdlib does, and no Rust lock is ever held while Python code runs.
use pyo3::prelude::*;

use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, View};
use crate::names::Name;
use crate::natives::Target;
#[cfg(not(Py_3_13))]
use crate::trace::{At as _, call, get, truth};
#[cfg(Py_3_13)]
use crate::trace::{At as _, enter, get};

/// Runs `body` holding the handler's lock, as the running version's methods take it: through `acquire()` and `release()` up to
/// 3.12 (which a subclass may override), by entering `self.lock` itself from 3.13 on. `within` is the method that takes it.
#[inline(never)]
pub fn held(handler: &Obj<'_>, within: Target, body: impl FnOnce() -> Res<()>) -> Res<()> {
    let view = guard::view(handler);
    held_seen(handler, view, within, |_| body())
}

/// The same for a handler that has just been looked at. `body` gets the view back if taking the lock has run nothing.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `take`")]
pub fn held_seen<'a, 'py>(
    handler: &'a Obj<'py>,
    view: Option<View<'a, 'py>>,
    within: Target,
    body: impl FnOnce(Option<View<'a, 'py>>) -> Res<()>,
) -> Res<()> {
    let (taken, seen) = take(handler, view, within)?;
    give_back(handler, within, taken, body(seen))
}

/// A handler's lock that is held, to be [given back](give_back).
pub struct Taken<'py> {
    /// The lock, and how it was entered: what is left is what was entered, whatever the handler has by then.
    #[cfg(Py_3_13)]
    lock: (Obj<'py>, py_ffi::Entered<'py>),
    #[cfg(not(Py_3_13))]
    _py: Python<'py>,
}

/// Takes it. The view comes back if that has run nothing.
#[cfg(Py_3_13)]
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "twice for each record to a stream: what is done meanwhile is part of the caller, which saves 40 instructions"
)]
pub fn take<'a, 'py>(
    handler: &'a Obj<'py>,
    view: Option<View<'a, 'py>>,
    within: Target,
) -> Res<(Taken<'py>, Option<View<'a, 'py>>)> {
    let py = handler.py();
    let mut seen = view;
    let lock = if let Some(lock) = seen.and_then(|view| view.get(Name::lock)) {
        lock
    } else {
        seen = None;
        py_ffi::getattr(handler, Name::lock).at(py, within, get("lock"))?
    };
    let entered = py_ffi::enter(&lock).at(py, within, enter("lock"))?;
    if matches!(entered, py_ffi::Entered::By(_)) {
        seen = None;
    }
    let lock = (lock, entered);
    Ok((Taken { lock }, seen))
}

/// As above.
#[cfg(not(Py_3_13))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `release`")]
pub fn take<'a, 'py>(
    handler: &'a Obj<'py>,
    view: Option<View<'a, 'py>>,
    within: Target,
) -> Res<(Taken<'py>, Option<View<'a, 'py>>)> {
    let py = handler.py();
    let seen = match view {
        Some(view)
            if view.method(Name::acquire) == Target::HandlerAcquire
                && view
                    .lend(Name::lock)
                    .is_some_and(|lock| py_ffi::try_acquire(&lock)) =>
        {
            Some(view)
        }
        _ => {
            acquire(handler).at(py, within, call("acquire"))?;
            None
        }
    };
    Ok((Taken { _py: py }, seen))
}

/// Gives the lock back, with what was done meanwhile.
#[cfg(Py_3_13)]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `take`")]
pub fn give_back<'py>(
    handler: &Obj<'py>,
    within: Target,
    taken: Taken<'py>,
    result: Res<()>,
) -> Res<()> {
    let (lock, entered) = taken.lock;
    let mark = |left: Res<()>| left.at(handler.py(), within, enter("lock"));
    py_ffi::leave(&lock, entered, result.map(Some), mark).map(drop)
}

/// As above.
#[cfg(not(Py_3_13))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `release`")]
pub fn give_back<'py>(
    handler: &Obj<'py>,
    within: Target,
    _: Taken<'py>,
    result: Res<()>,
) -> Res<()> {
    match result {
        Ok(()) => release(handler).at(handler.py(), within, call("release")),
        Err(raised) => Err(release_raised(handler, within, raised)),
    }
}

/// An error of the release hides the first one, which is its context then.
#[cfg(not(Py_3_13))]
#[cold]
fn release_raised(handler: &Obj<'_>, within: Target, raised: py_ffi::Raised) -> py_ffi::Raised {
    let py = handler.py();
    let exception = raised.take(py);
    let release = || release(handler).at(py, within, call("release"));
    match py_ffi::while_handling(&exception, release) {
        Ok(()) => py_ffi::Raised::from(exception),
        Err(raised) => raised,
    }
}

/// `handler.acquire()`
#[cfg(not(Py_3_13))]
#[cold]
fn acquire(handler: &Obj<'_>) -> Res<()> {
    if guard::target(handler, Name::acquire) == Target::HandlerAcquire {
        let (py, here) = (handler.py(), Target::HandlerAcquire);
        let lock = guard::attr(handler, Name::lock).at(py, here, get("lock"))?;
        if !py_ffi::try_acquire(&lock) && py_ffi::truthy(&lock).at(py, here, truth("lock"))? {
            py_ffi::method(&lock, Name::acquire, []).at(py, here, call("acquire"))?;
        }
        return Ok(());
    }
    guard::call_method(handler, Name::acquire, []).map(drop)
}

/// `handler.release()`
#[cfg(not(Py_3_13))]
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "twice for each record to a stream: 75 instructions by a call, 40 without"
)]
fn release(handler: &Obj<'_>) -> Res<()> {
    match guard::view_of(handler, guard::Part::Handler) {
        Some(view)
            if view.method(Name::release) == Target::HandlerRelease
                && view
                    .lend(Name::lock)
                    .is_some_and(|lock| py_ffi::try_release(&lock)) =>
        {
            Ok(())
        }
        _ => release_by_method(handler),
    }
}

#[cfg(not(Py_3_13))]
#[cold]
fn release_by_method(handler: &Obj<'_>) -> Res<()> {
    if guard::target(handler, Name::release) == Target::HandlerRelease {
        let (py, here) = (handler.py(), Target::HandlerRelease);
        let lock = guard::attr(handler, Name::lock).at(py, here, get("lock"))?;
        if !py_ffi::try_release(&lock) && py_ffi::truthy(&lock).at(py, here, truth("lock"))? {
            py_ffi::method(&lock, Name::release, []).at(py, here, call("release"))?;
        }
        return Ok(());
    }
    guard::call_method(handler, Name::release, []).map(drop)
}

/// Runs `body` holding the module's lock: `_acquireLock()`/`_releaseLock()` up to 3.12, `with _lock` from 3.13 on.
#[cfg(Py_3_13)]
pub fn module<T>(py: Python<'_>, body: impl FnOnce() -> Res<T>) -> Res<T> {
    let lock = globals::get(py, Name::_lock)?;
    let result = py_ffi::with_statement(&lock, || body().map(Some))?;
    result.ok_or_else(|| {
        py_ffi::raise(
            py,
            py_ffi::Exc::Runtime,
            "the logging lock swallowed an exception",
        )
    })
}

/// As above.
#[cfg(not(Py_3_13))]
pub fn module<T>(py: Python<'_>, body: impl FnOnce() -> Res<T>) -> Res<T> {
    let taken = on_own_lock(
        py,
        Name::_acquireLock,
        Target::AcquireLock,
        py_ffi::try_acquire,
    );
    if !taken? {
        py_ffi::call(&globals::get(py, Name::_acquireLock)?, &[])?;
    }
    let release = || {
        let released = on_own_lock(
            py,
            Name::_releaseLock,
            Target::ReleaseLock,
            py_ffi::try_release,
        )?;
        if released {
            return Ok(());
        }
        let release = globals::get(py, Name::_releaseLock)?;
        py_ffi::call(&release, &[]).map(drop)
    };
    match body() {
        Ok(value) => release().map(|()| value),
        Err(raised) => {
            let exception = raised.take(py);
            Err(match py_ffi::while_handling(&exception, release) {
                Ok(()) => py_ffi::Raised::from(exception),
                Err(raised) => raised,
            })
        }
    }
}

/// Does to the module's lock what that function of the module would, where it is the interpreter's own and the lock one whose structure is
/// known: a third of what a call of it takes. False, with nothing done, for any other.
#[cfg(not(Py_3_13))]
fn on_own_lock<'py>(
    py: Python<'py>,
    name: Name,
    target: Target,
    act: impl FnOnce(&Obj<'py>) -> bool,
) -> Res<bool> {
    Ok(globals::is_own(py, name, target)?
        && globals::get_opt(py, Name::_lock)?.is_some_and(|lock| act(&lock)))
}

/// Is the module's lock free or ours, and would taking it call nothing of anybody's?
pub fn module_is_free(py: Python<'_>) -> bool {
    let own = |name: Name, target: Target| {
        cfg!(Py_3_13)
            || globals::is_own(py, name, target).unwrap_or_else(|raised| {
                raised.clear(py);
                false
            })
    };
    let lock = globals::get_opt(py, Name::_lock).unwrap_or_else(|raised| {
        raised.clear(py);
        None
    });
    own(Name::_acquireLock, Target::AcquireLock)
        && own(Name::_releaseLock, Target::ReleaseLock)
        && lock.is_some_and(|lock| crate::raw::rlock_free_or_mine(&lock) == Some(true))
}
