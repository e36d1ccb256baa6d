//! `LoggerAdapter`: a logger with something added to every call.
//!
//! `info` → `log` → `process` → the logger's `log` runs as one Rust call while nothing on that way is overridden: no argument
//! tuple, no keyword dict. An override costs its own step. There are no frames of ours on the stack, so where the logger's own
//! `findCaller` counts frames the interpreter's bodies run from the start.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::bind;
use crate::call::{Args, Call};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard;
use crate::logger;
use crate::names::Name;
use crate::natives::Target;
use crate::stats::Reason;
use crate::trace::{At as _, call as calling, get, truth};

/// Keyword arguments on their way: names and values, in the order given.
pub type Keywords<'py> = SmallVec<[(Obj<'py>, Obj<'py>); 4]>;

fn keywords<'py>(call: &Call<'_, 'py>) -> Keywords<'py> {
    (0..call.keywords())
        .map(|index| {
            let (name, value) = call.keyword(index);
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// `LoggerAdapter.__init__`: `(self, logger, extra=None)`, from 3.13 on also `merge_extra=False`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = if cfg!(Py_3_13) {
        call.parse([Name::logger, Name::extra, Name::merge_extra], 1)
    } else {
        call.parse([Name::logger, Name::extra], 1)
            .map(|[logger, extra]| [logger, extra, None])
    };
    let Some([Some(logger), extra, merge]) = parsed else {
        return call.mismatch();
    };
    let py = call.py();
    let slf = call.slf();
    let none = py_ffi::none(py);
    py_ffi::setattr(&slf, Name::logger, &logger)?;
    py_ffi::setattr(&slf, Name::extra, extra.as_deref().unwrap_or(&none))?;
    if cfg!(Py_3_13) {
        let off = py_ffi::boolean(py, false);
        py_ffi::setattr(&slf, Name::merge_extra, merge.as_deref().unwrap_or(&off))?;
    }
    Ok(none)
}

// ---- the level methods

macro_rules! level_methods {
    ($($(#[$doc:meta])* $name:ident = $level:ident;)*) => {
        $($(#[$doc])* pub fn $name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
            const PLACE: usize = logger::place_of(Name::$level);
            match at_once(call, PLACE) {
                Some(logged) => logged.map(|()| py_ffi::none(call.py())),
                None => at_level(call, Name::$level, None),
            }
        })*
    };
}

level_methods! {
    /// `LoggerAdapter.debug`
    debug = DEBUG;
    /// `LoggerAdapter.info`
    info = INFO;
    /// `LoggerAdapter.warning`
    warning = WARNING;
    /// `LoggerAdapter.error`
    error = ERROR;
    /// `LoggerAdapter.critical`
    critical = CRITICAL;
}

/// What the methods look at first: is the adapter's logger disabled for their level?
pub mod first_look {
    use crate::call::Call;
    use crate::natives::Look;
    use crate::{guard, logger};

    logger::first_look::by_level!(look);

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    fn look<'a, 'py>(call: &Call<'a, 'py>, nth: usize, closely: bool) -> Look<'a, 'py> {
        let py = call.py();
        if call.len() == 0 || !call.has_no_keywords() {
            return Look::Nothing;
        }
        let slf = call.slf();
        let (Some((level, number)), Some(logger)) =
            (logger::level_at_once(py, nth), guard::adapted(&slf))
        else {
            return Look::Nothing;
        };
        let found = guard::enabled_at_once(&logger, &level, number, closely);
        logger::verdict(py, found)
    }

    /// Of `isEnabledFor`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    pub fn is_enabled_for<'a, 'py>(call: &Call<'a, 'py>, closely: bool) -> Look<'a, 'py> {
        match guard::adapted(&call.slf()) {
            Some(logger) => logger::first_look::says(call, &logger, closely),
            None => Look::Nothing,
        }
    }
}

/// `LoggerAdapter.exception`: at `ERROR`, with `exc_info=True` unless given.
pub fn exception<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    at_level(call, Name::ERROR, Some(&py_ffi::boolean(call.py(), true)))
}

/// `LoggerAdapter.warn`: deprecated; warns and does what `warning()` does.
pub fn warn<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    let (py, here) = (call.py(), Target::AdapterWarn);
    if let Some(reason) = wants_frames(&call.slf())? {
        // Before the warning: the reference body gives its own.
        return call.reference(reason);
    }
    py_ffi::warn_deprecated(
        py,
        &globals::get(py, Name::warnings)?,
        "The 'warn' method is deprecated, use 'warning' instead",
    )
    .at(py, here, calling("warn"))?;
    if guard::target(&call.slf(), Name::warning) == Target::AdapterWarning {
        warning(&call.of(Target::AdapterWarning))
    } else {
        let warning = py_ffi::getattr(&call.slf(), Name::warning)?;
        call.pass_to(&warning, &[], None).map(|_| py_ffi::none(py))
    }
    .at(py, here, calling("warning"))
}

/// What [`at_level`] comes to for a call without keywords where nobody has replaced anything: a third of its instructions.
fn at_once(call: &Call<'_, '_>, place: usize) -> Option<Res<()>> {
    let (seen, slf, py) = (call.enabled()?, call.slf(), call.py());
    let (logger, extra) = guard::adapted_adding(&slf)?;
    let logged = logger::adapted_at_once((logger, seen), place, call.arg(0)?, call.rest(1), extra)?;
    Some(
        logged
            .at(py, Target::AdapterLog, calling("log"))
            .at(py, call.target(), calling("log")),
    )
}

/// `self.log(level, msg, *args, **kwargs)`
fn at_level<'py>(call: &Call<'_, 'py>, level: Name, exc_info: Option<&Obj<'py>>) -> Res<Obj<'py>> {
    // A `level=` among the keywords fails only inside `log`; the interpreter's bodies say it in their words.
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg, Name::level]) {
        return call.mismatch();
    }
    let (py, here) = (call.py(), call.target());
    let slf = call.slf();
    guard::learn(&slf);
    let level = logger::level_named(py, level)?;
    if guard::target(&slf, Name::log) != Target::AdapterLog {
        if let Some(reason) = wants_frames(&slf)? {
            return call.reference(reason);
        }
        let log = py_ffi::getattr(&slf, Name::log)?;
        call.pass_to(
            &log,
            &[&level],
            exc_info.map(|value| (Name::exc_info, value)),
        )
        .at(py, here, calling("log"))?;
        return Ok(py_ffi::none(py));
    }
    let mut given = keywords(call);
    if let Some(exc_info) = exc_info
        && call.keyword_named(Name::exc_info).is_none()
    {
        given.insert(0, (Name::exc_info.object(py).to_owned(), exc_info.clone()));
    }
    send(call, &level, 0, given).at(py, here, calling("log"))
}

/// `LoggerAdapter.log`: `(self, level, msg, *args, **kwargs)`.
pub fn log<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let (Some(level), true) = (call.arg(0), call.len() >= 2) else {
        return call.mismatch();
    };
    if call.any_keyword(&[Name::self_, Name::level, Name::msg]) {
        return call.mismatch();
    }
    send(call, &level, 1, keywords(call))
}

/// The rest of `log`; `msg` is positional argument `start`.
fn send<'py>(
    call: &Call<'_, 'py>,
    level: &Obj<'py>,
    start: usize,
    given: Keywords<'py>,
) -> Res<Obj<'py>> {
    let slf = call.slf();
    let Some(msg) = call.arg(start) else {
        return call.mismatch();
    };
    if let Some(reason) = wants_frames(&slf)? {
        return call.reference(reason);
    }
    log_through(&slf, level, &msg, call.rest(start + 1), given)?;
    Ok(py_ffi::none(call.py()))
}

/// Does somebody look at the frames below the logger at the end of a chain of adapters? See [`logger::wants_frames`].
fn wants_frames(adapter: &Obj<'_>) -> Res<Option<Reason>> {
    let Ok(mut object) =
        guard::attr(adapter, Name::logger).map_err(|raised| raised.clear(adapter.py()))
    else {
        // It has none: that comes up again where the logger is asked something.
        return Ok(None);
    };
    // An adapter of adapters ends somewhere; one that wraps itself is found out by the recursion limit later.
    for _ in 0..64 {
        match guard::target(&object, Name::log) {
            Target::LoggerLog => return logger::wants_frames(&object),
            Target::AdapterLog => {}
            // An adapter that overrides it ends at a logger, too.
            _ if guard::target(&object, Name::isEnabledFor) == Target::AdapterIsEnabledFor => {}
            _ => return logger::may_want_frames(&object),
        }
        object = guard::attr(&object, Name::logger)?;
    }
    Ok(None)
}

/// `adapter.log(level, msg, *args, **keywords)` as the stdlib defines it.
fn log_through<'py>(
    adapter: &Obj<'py>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    mut given: Keywords<'py>,
) -> Res<()> {
    let (py, here) = (adapter.py(), Target::AdapterLog);
    if !asks_enabled(adapter, level)? {
        return Ok(());
    }
    if guard::target(adapter, Name::process_) == Target::AdapterProcess {
        add_extra(adapter, &mut given)
            .at(py, Target::AdapterProcess, get("extra"))
            .at(py, here, calling("process"))?;
        return hand_over(adapter, level, msg, args, given);
    }
    processed(adapter, level, msg, args, &given)
}

/// `self.logger.log(level, msg, *args, **keywords)`
fn hand_over<'py>(
    adapter: &Obj<'py>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    given: Keywords<'py>,
) -> Res<()> {
    let (py, here) = (adapter.py(), Target::AdapterLog);
    let target = guard::attr(adapter, Name::logger).at(py, here, get("logger"))?;
    let clashes = given.iter().any(|(name, _)| {
        // Nearly always the one name that was added here.
        !name.is(&*Name::extra.object(py))
            && [Name::self_, Name::level, Name::msg]
                .iter()
                .any(|own| own.is(name))
    });
    match guard::target(&target, Name::log) {
        Target::LoggerLog if !clashes => logger::log_with(&target, level, msg, args, &given),
        Target::AdapterLog if !clashes => {
            py_ffi::guarded_recursion(py, || log_through(&target, level, msg, args, given))
        }
        _ => {
            let log = py_ffi::getattr(&target, Name::log).at(py, here, get("log"))?;
            call_log(&log, level, msg, args, &given)
        }
    }
    .at(py, here, calling("log"))
}

/// `callable(level, msg, *args, **keywords)`
fn call_log<'py>(
    callable: &Obj<'py>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    given: &Keywords<'py>,
) -> Res<()> {
    let args: Vec<Obj<'py>> = args.iter().map(pyo3::Borrowed::to_owned).collect();
    let values: Vec<&Obj<'py>> = [level, msg]
        .into_iter()
        .chain(&args)
        .chain(given.iter().map(|(_, value)| value))
        .collect();
    if given.is_empty() {
        return py_ffi::call(callable, &values).map(drop);
    }
    let names: Vec<&Obj<'py>> = given.iter().map(|(name, _)| name).collect();
    let names = py_ffi::new_tuple(callable.py(), &names)?;
    py_ffi::call_keywords(callable, &values, Some(&names)).map(drop)
}

// ---- process

/// Calls an overridden `process` and hands over what it made of the call.
fn processed<'py>(
    adapter: &Obj<'py>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    given: &Keywords<'py>,
) -> Res<()> {
    let py = adapter.py();
    let kwargs = py_ffi::new_dict(py)?;
    for (name, value) in given {
        py_ffi::dict_set(&kwargs, name, value)?;
    }
    let here = Target::AdapterLog;
    let answer = guard::call_method(adapter, Name::process_, [msg, &kwargs]).at(
        py,
        here,
        calling("process"),
    )?;
    let [msg, kwargs] = py_ffi::unpack(&answer)?;
    if py_ffi::is_dict(&kwargs) {
        let items = py_ffi::dict_items(&kwargs);
        if items.iter().all(|(key, _)| py_ffi::is_str(key)) {
            return hand_over(adapter, level, &msg, args, items.into_iter().collect());
        }
    }
    // Another mapping, or something the interpreter refuses.
    let target = guard::attr(adapter, Name::logger)?;
    let log = py_ffi::getattr(&target, Name::log)?;
    let args: Vec<Obj<'py>> = args.iter().map(pyo3::Borrowed::to_owned).collect();
    let all: Vec<&Obj<'py>> = [level, &msg].into_iter().chain(&args).collect();
    let all = py_ffi::new_tuple(py, &all)?;
    py_ffi::call_double_star(&log, &all, &kwargs)
        .map(drop)
        .at(py, here, calling("log"))
}

/// What the stdlib's `process` does to the keyword arguments: `extra` becomes the adapter's, or both merged (3.13+).
fn add_extra<'py>(adapter: &Obj<'py>, given: &mut Keywords<'py>) -> Res<()> {
    let py = adapter.py();
    let place = given.iter().position(|(name, _)| Name::extra.is(name));
    let extra = if cfg!(Py_3_13) && py_ffi::truthy(&guard::attr(adapter, Name::merge_extra)?)? {
        match merged(adapter, place.map(|index| &given[index].1))? {
            Some(extra) => extra,
            None => return Ok(()),
        }
    } else {
        guard::attr(adapter, Name::extra)?
    };
    match place {
        Some(index) => given[index].1 = extra,
        None => given.push((Name::extra.object(py).to_owned(), extra)),
    }
    Ok(())
}

/// Does a merging adapter leave an `extra` of `None` out? Patch releases differ: older ones merge whatever stands there, newer ones use
/// `kwargs.get`.
fn spares_none(py: Python<'_>) -> bool {
    static SEEN: AtomicU8 = AtomicU8::new(0);
    bind::reference_mentions(py, &SEEN, Target::AdapterProcess, Name::get)
}

/// The `extra` of a merging adapter; `None` where the caller's stays as it is.
fn merged<'py>(adapter: &Obj<'py>, given: Option<&Obj<'py>>) -> Res<Option<Obj<'py>>> {
    let py = adapter.py();
    let spares_none = spares_none(py);
    let Some(given) = given.filter(|given| !(spares_none && given.is_none())) else {
        return guard::attr(adapter, Name::extra).map(Some);
    };
    let own = guard::attr(adapter, Name::extra)?;
    if spares_none && own.is_none() {
        return Ok(None);
    }
    let merged = py_ffi::new_dict(py)?;
    py_ffi::dict_display_update(&merged, &own)?;
    py_ffi::dict_display_update(&merged, given)?;
    Ok(Some(merged))
}

/// `LoggerAdapter.process`
pub fn process<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(msg), Some(kwargs)]) = call.parse([Name::msg, Name::kwargs], 2) else {
        return call.mismatch();
    };
    let py = call.py();
    let slf = call.slf();
    let key = Name::extra.object(py);
    let extra = if cfg!(Py_3_13) && py_ffi::truthy(&guard::attr(&slf, Name::merge_extra)?)? {
        let given = if spares_none(py) {
            Some(py_ffi::method(&kwargs, Name::get, [&key])?)
        } else if py_ffi::contains(&kwargs, &key)? {
            Some(py_ffi::get_item(&kwargs, &key)?)
        } else {
            None
        };
        merged(&slf, given.as_ref())?
    } else {
        Some(guard::attr(&slf, Name::extra)?)
    };
    if let Some(extra) = extra {
        py_ffi::set_item(&kwargs, &key, &extra)?;
    }
    py_ffi::new_tuple(py, &[&msg, &kwargs])
}

// ---- what is asked of the logger

/// `LoggerAdapter.isEnabledFor`
pub fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    enabled(&call.slf(), &level)
}

fn enabled<'py>(adapter: &Obj<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (adapter.py(), Target::AdapterIsEnabledFor);
    let target = guard::attr(adapter, Name::logger).at(py, here, get("logger"))?;
    match guard::target(&target, Name::isEnabledFor) {
        Target::LoggerIsEnabledFor => logger::enabled(&target, level),
        Target::AdapterIsEnabledFor => py_ffi::guarded_recursion(py, || enabled(&target, level)),
        _ => guard::call_method(&target, Name::isEnabledFor, [level]),
    }
    .at(py, here, calling("isEnabledFor"))
}

fn asks_enabled<'py>(adapter: &Obj<'py>, level: &Obj<'py>) -> Res<bool> {
    let known = guard::adapted(adapter).and_then(|logger| guard::quickly_enabled(&logger, level));
    if let Some(known) = known {
        return Ok(known);
    }
    let answer = match guard::target(adapter, Name::isEnabledFor) {
        Target::AdapterIsEnabledFor => enabled(adapter, level),
        _ => guard::call_method(adapter, Name::isEnabledFor, [level]),
    }
    .at(adapter.py(), Target::AdapterLog, calling("isEnabledFor"))?;
    py_ffi::truthy(&answer).at(adapter.py(), Target::AdapterLog, truth("isEnabledFor"))
}

/// `LoggerAdapter.setLevel`
pub fn set_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    let target = guard::attr(&call.slf(), Name::logger)?;
    py_ffi::method(&target, Name::setLevel, [&level])?;
    Ok(py_ffi::none(call.py()))
}

/// `LoggerAdapter.getEffectiveLevel`
pub fn get_effective_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    asked_of_logger(call, Name::getEffectiveLevel)
}

/// `LoggerAdapter.hasHandlers`
pub fn has_handlers<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    asked_of_logger(call, Name::hasHandlers)
}

fn asked_of_logger<'py>(call: &Call<'_, 'py>, question: Name) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    py_ffi::method(&guard::attr(&call.slf(), Name::logger)?, question, [])
}

/// `LoggerAdapter._log`: `(self, level, msg, args, **kwargs)`; older patch releases name the three keywords they pass on.
pub fn log_low<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    const TAKES_KEYWORDS: i64 = 0x08;
    let py = call.py();
    if let Some(reason) = wants_frames(&call.slf())? {
        return call.reference(reason);
    }
    let reference = bind::reference_function(py, Target::AdapterLogLow)?;
    let code = py_ffi::getattr(&reference, Name::__code__)?;
    let flags = py_ffi::int_value(&py_ffi::getattr(&code, Name::co_flags)?).unwrap_or(0);
    let slf = call.slf();
    if flags & TAKES_KEYWORDS != 0 {
        if call.len() != 3 || call.any_keyword(&[Name::self_, Name::level, Name::msg, Name::args]) {
            return call.mismatch();
        }
        let target = guard::attr(&slf, Name::logger)?;
        return call.pass_to(&py_ffi::getattr(&target, Name::_log)?, &[], None);
    }
    let parsed = call.parse(
        [
            Name::level,
            Name::msg,
            Name::args,
            Name::exc_info,
            Name::extra,
            Name::stack_info,
        ],
        3,
    );
    let Some(
        [
            Some(level),
            Some(msg),
            Some(args),
            exc_info,
            extra,
            stack_info,
        ],
    ) = parsed
    else {
        return call.mismatch();
    };
    let names = [Name::exc_info, Name::extra, Name::stack_info].map(|name| name.object(py));
    let names = py_ffi::new_tuple(py, &[&names[0], &names[1], &names[2]])?;
    let (none, off) = (py_ffi::none(py), py_ffi::boolean(py, false));
    py_ffi::method_keywords(
        &guard::attr(&slf, Name::logger)?,
        Name::_log,
        &[
            &level,
            &msg,
            &args,
            exc_info.as_deref().unwrap_or(&none),
            extra.as_deref().unwrap_or(&none),
            stack_info.as_deref().unwrap_or(&off),
        ],
        Some(&names),
    )
}

// ---- the properties

/// `LoggerAdapter.manager`, read.
pub fn manager<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    asked_attribute(call, Name::manager)
}

/// `LoggerAdapter.manager`, written through to the logger.
pub fn set_manager<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(value)]) = call.parse([Name::value], 1) else {
        return call.mismatch();
    };
    let target = guard::attr(&call.slf(), Name::logger)?;
    py_ffi::setattr(&target, Name::manager, &value)?;
    Ok(py_ffi::none(call.py()))
}

fn asked_attribute<'py>(call: &Call<'_, 'py>, name: Name) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    py_ffi::getattr(&guard::attr(&call.slf(), Name::logger)?, name)
}
