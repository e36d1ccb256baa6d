//! Is a logger enabled for a level? `isEnabledFor`, `getEffectiveLevel` and the cache between them.
use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::globals;
use crate::guard;
use crate::lock;
use crate::names::Name;
use crate::natives::Target;
use crate::trace::{self, At as _, call as calling, compare, get, item, truth};

/// `Logger.isEnabledFor`
pub fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 1
        && call.keywords() == 0
        && let Some(level) = call.arg(0)
        && let Some(known) = guard::view(&call.slf()).and_then(|view| view.cached_enabled(&level))
    {
        return Ok(py_ffi::boolean(call.py(), known));
    }
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    enabled(&call.slf(), &level)
}

/// `logger.isEnabledFor(level)` as the stdlib defines it; the cached object itself, whatever it is.
pub fn enabled<'py>(logger: &Obj<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (logger.py(), Target::LoggerIsEnabledFor);
    if let Some(known) = guard::view(logger).and_then(|view| view.cached_enabled(level)) {
        return Ok(py_ffi::boolean(py, known));
    }
    let disabled = guard::attr(logger, Name::disabled).at(py, here, get("disabled"))?;
    if py_ffi::truthy(&disabled).at(py, here, truth("disabled"))? {
        return Ok(py_ffi::boolean(py, false));
    }
    let cache = guard::attr(logger, Name::_cache).at(py, here, get("_cache"))?;
    if py_ffi::is_dict(&cache) {
        if let Some(known) = py_ffi::dict_get(&cache, level).at(py, here, item("_cache"))? {
            return Ok(known);
        }
    } else {
        match py_ffi::get_item(&cache, level).at(py, here, item("_cache")) {
            Ok(known) => return Ok(known),
            Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Key)) => raised.clear(py),
            Err(raised) => return Err(raised),
        }
    }
    decide_uncached(logger, level)
}

/// As the stdlib does it: while handling the `KeyError` of the cache, which whatever is raised here then has as its context.
#[cold]
fn decide_uncached<'py>(logger: &Obj<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let py = logger.py();
    let missing = py_ffi::raise_object(py, Exc::Key, level).take(py);
    py_ffi::while_handling(&missing, || decide(logger, level)).map_err(|raised| {
        // Taken out first: the entry is made by code that must not find an exception set.
        let exception = raised.take(py);
        trace::add(&missing, Target::LoggerIsEnabledFor, item("_cache"));
        Raised::from(exception)
    })
}

/// Not in the cache: computes the answer and stores it, under the module's lock.
fn decide<'py>(logger: &Obj<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (logger.py(), Target::LoggerIsEnabledFor);
    lock::module(py, || {
        let manager = guard::attr(logger, Name::manager).at(py, here, get("manager"))?;
        let disabled_to = py_ffi::getattr(&manager, Name::disable).at(py, here, get("disable"))?;
        let answer = if py_ffi::ge(&disabled_to, level).at(py, here, compare("disable"))? {
            py_ffi::boolean(py, false)
        } else {
            let effective = match guard::target(logger, Name::getEffectiveLevel) {
                Target::LoggerGetEffectiveLevel => effective_level(logger),
                _ => py_ffi::method(logger, Name::getEffectiveLevel, []),
            }
            .at(py, here, calling("getEffectiveLevel"))?;
            py_ffi::ge_object(level, &effective).at(py, here, compare("getEffectiveLevel"))?
        };
        py_ffi::set_item(&guard::attr(logger, Name::_cache)?, level, &answer)?;
        Ok(answer)
    })
}

/// Is the logger enabled, asked through whatever `logger.isEnabledFor` is now, by the method `within`?
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
pub(super) fn ask<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    match guard::quickly_enabled(logger, level) {
        Some(known) => Ok(known),
        None => ask_the_method(logger, level, within),
    }
}

#[cold]
fn ask_the_method<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    let py = logger.py();
    let answer = if guard::target(logger, Name::isEnabledFor) == Target::LoggerIsEnabledFor {
        enabled(logger, level)
    } else {
        py_ffi::method(logger, Name::isEnabledFor, [level])
    }
    .at(py, within, calling("isEnabledFor"))?;
    py_ffi::truthy(&answer).at(py, within, truth("isEnabledFor"))
}

/// `Logger.getEffectiveLevel`
pub fn get_effective_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    effective_level(&call.slf())
}

fn effective_level<'py>(logger: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (logger.py(), Target::LoggerGetEffectiveLevel);
    let mut logger = logger.clone();
    while py_ffi::truthy(&logger)? {
        let level = guard::attr(&logger, Name::level).at(py, here, get("level"))?;
        if py_ffi::truthy(&level).at(py, here, truth("level"))? {
            return Ok(level);
        }
        logger = guard::attr(&logger, Name::parent).at(py, here, get("parent"))?;
    }
    globals::get(py, Name::NOTSET)
}
