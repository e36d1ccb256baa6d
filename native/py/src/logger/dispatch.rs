//! From the logger to the handlers: `handle`, `callHandlers`, `hasHandlers`.

use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::filter::{self, Verdict};
use crate::globals;
use crate::guard::{self, Part, View};
use crate::handler::{self, Place, Ran};
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::trace::{At as _, call as calling, get, iter, next, truth};

/// `Logger.handle`
pub fn handle<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    handle_record(&call.slf(), &mut Record::of(record.to_owned()))?;
    Ok(py_ffi::none(call.py()))
}

/// The same for a record of which nothing has been worked out yet, and a logger whose methods are all native, and which is known
/// to be `enabled` or not.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `log_late`")]
pub(super) fn handle_late<'py>(
    logger: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    enabled: bool,
) -> Res<()> {
    let enabled = enabled || logger.test(Name::disabled, py_ffi::is_false);
    if enabled && filter::has_none(logger) {
        let (py, object) = (logger.object().py(), logger.object());
        return call_all(object, Some(logger), true, record).at(
            py,
            Target::LoggerHandle,
            calling("callHandlers"),
        );
    }
    if !enabled {
        // What is asked from here on may be Python code.
        record.settle()?;
    } else if record.become_real(true)? {
        // Its filters want to see it, and the logger is as it was.
        return handle_enabled(logger.object(), Some(*logger), record);
    }
    handle_record(logger.object(), record)
}

/// `logger.handle(record)` as the stdlib defines it.
pub(super) fn handle_record<'py>(logger: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<()> {
    let (py, here) = (logger.py(), Target::LoggerHandle);
    let mut view = guard::view_of(logger, Part::Logger);
    if !view.is_some_and(|view| view.test(Name::disabled, py_ffi::is_false)) {
        let disabled = guard::attr(logger, Name::disabled).at(py, here, get("disabled"))?;
        if py_ffi::truthy(&disabled).at(py, here, truth("disabled"))? {
            return Ok(());
        }
        view = guard::view_of(logger, Part::Logger);
    }
    handle_enabled(logger, view, record)
}

/// The rest of it, of a logger that is not disabled; `view` is its view if nothing has run since.
fn handle_enabled<'py>(
    logger: &Obj<'py>,
    view: Option<View<'_, 'py>>,
    record: &mut Record<'_, 'py>,
) -> Res<()> {
    let (py, here) = (logger.py(), Target::LoggerHandle);
    // What the filters answered (from 3.12 on), and the record that another one takes the place of, live until the handlers have been asked.
    let (mut still, mut _kept) = (false, None);
    match filter::ask_seen(logger, view, record, here)? {
        // Without the GIL other threads have run.
        Verdict::Pass { still: passed } => still = cfg!(not(Py_GIL_DISABLED)) && passed,
        Verdict::Answered(answer) if cfg!(Py_3_12) => _kept = Some(answer),
        Verdict::Answered(_) => {}
        Verdict::Drop(_) => return Ok(()),
        Verdict::Replaced(other) => _kept = record.replace(other),
    }
    let view = guard::view_of(logger, Part::Logger);
    match guard::target_by(view.as_ref(), logger, Name::callHandlers) {
        // Without a view Python code may have been asked.
        Target::LoggerCallHandlers => {
            call_all(logger, view.as_ref(), still && view.is_some(), record)
        }
        _ => guard::call_method(logger, Name::callHandlers, [record.real()?]).map(drop),
    }
    .at(py, here, calling("callHandlers"))
}

/// `Logger.callHandlers`
pub fn call_handlers<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    call_all(&call.slf(), None, false, &mut Record::of(record.to_owned()))?;
    Ok(py_ffi::none(call.py()))
}

/// Hands the record to the handlers of the logger and of those above. `view` is the logger's if nothing has run since it was looked at;
/// `still`: and everything was found to be [ordinary](crate::ordinary).
fn call_all<'py>(
    logger: &Obj<'py>,
    mut view: Option<&View<'_, 'py>>,
    mut still: bool,
    record: &mut Record<'_, 'py>,
) -> Res<()> {
    let (py, here) = (logger.py(), Target::LoggerCallHandlers);
    metrics::record(py, view.filter(|_| still), record);
    // The caller holds the first one.
    let mut above = None;
    let mut found = false;
    loop {
        let node = above.as_ref().unwrap_or(logger);
        if node.is_none() {
            break;
        }
        // The caller's is not copied: it has just been put together, and would have to be waited for.
        let mut own;
        let mut seen = view.take();
        if seen.is_none() {
            own = guard::view_of(node, Part::Above);
            seen = own.as_ref();
        }
        if !seen.is_some_and(View::is_true) && !py_ffi::is_true_as_any_object(node) {
            // Its class's own `__bool__` or `__len__` may change anything.
            record.settle()?;
            still = false;
            if !py_ffi::truthy(node)? {
                break;
            }
            own = guard::view_of(node, Part::Above);
            seen = own.as_ref();
        }
        let handlers = if let Some(handlers) = seen.and_then(|view| view.get(Name::handlers)) {
            handlers
        } else {
            // A descriptor's Python code, for all that is known.
            record.settle()?;
            (still, seen) = (false, None);
            py_ffi::getattr(node, Name::handlers).at(py, here, get("handlers"))?
        };
        let mut index = 0;
        if py_ffi::is_list(&handlers) {
            // Live iteration, as the stdlib's `for`: a handler that removes itself shifts the next.
            while let Some(handler) = py_ffi::list_lend(&handlers, index) {
                found = true;
                index += 1;
                let place = Place::new(node, &handlers, index);
                let usual = if still { seen } else { None };
                let ran = handler::offer_next(&handler, record, &place, usual, false)?;
                // Without the GIL other threads have run.
                still &= cfg!(not(Py_GIL_DISABLED)) && ran == Ran::Nothing;
            }
        } else {
            still = false;
            record.settle()?;
            let iterator = py_ffi::iter(&handlers).at(py, here, iter("handlers"))?;
            while let Some(handler) = py_ffi::next(&iterator).at(py, here, next("handlers"))? {
                found = true;
                handler::offer(&handler, record, &Place::unknown(), false)?;
            }
        }
        if !still {
            own = guard::view_of(node, Part::Above);
            seen = own.as_ref();
        }
        let known = seen.and_then(|view| {
            if handler::propagates(view)? {
                view.get(Name::parent).map(Some)
            } else {
                Some(None)
            }
        });
        let parent = match known {
            Some(Some(parent)) => parent,
            Some(None) => break,
            None => {
                still = false;
                record.settle()?;
                let propagate =
                    guard::attr(node, Name::propagate).at(py, here, get("propagate"))?;
                if !py_ffi::truthy(&propagate).at(py, here, truth("propagate"))? {
                    break;
                }
                guard::attr(node, Name::parent).at(py, here, get("parent"))?
            }
        };
        above = Some(parent);
    }
    if found {
        Ok(())
    } else {
        nobody(logger, record)
    }
}

/// No handler anywhere: the last resort, or a complaint, once.
#[cold]
fn nobody<'py>(logger: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<()> {
    let (py, here) = (logger.py(), Target::LoggerCallHandlers);
    let last = globals::get(py, Name::lastResort)?;
    if py_ffi::truthy(&last).at(py, here, truth("lastResort"))? {
        return handler::offer(&last, record, &Place::last(), true).map(drop);
    }
    let manager = guard::attr(logger, Name::manager).at(py, here, get("manager"))?;
    if globals::truthy(py, Name::raiseExceptions)?
        && !py_ffi::truthy(&py_ffi::getattr(&manager, Name::emittedNoHandlerWarning)?)?
    {
        let text = py_ffi::remainder(
            &py_ffi::text_from(py, "No handlers could be found for logger \"%s\"\n")?,
            &guard::attr(logger, Name::name)?,
        )?;
        let stderr = py_ffi::getattr(&globals::get(py, Name::sys)?, Name::stderr)?;
        let write = py_ffi::getattr(&stderr, Name::write).at(py, here, get("write"))?;
        py_ffi::call(&write, &[&text]).at(py, here, calling("write"))?;
        py_ffi::setattr(
            &guard::attr(logger, Name::manager)?,
            Name::emittedNoHandlerWarning,
            &py_ffi::boolean(py, true),
        )?;
    }
    Ok(())
}

/// `Logger.hasHandlers`
pub fn has_handlers<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let mut node = call.slf().to_owned();
    while py_ffi::truthy(&node)? {
        if py_ffi::truthy(&guard::attr(&node, Name::handlers)?)? {
            return Ok(py_ffi::boolean(py, true));
        }
        if !py_ffi::truthy(&guard::attr(&node, Name::propagate)?)? {
            break;
        }
        node = guard::attr(&node, Name::parent)?;
    }
    Ok(py_ffi::boolean(py, false))
}
