//! The methods programs call: `debug()` … `critical()`, `exception()`, `log()`. They ask whether the logger is enabled and
//! pass on to `_log`.

use pyo3::prelude::*;

use super::enabled;
use super::log::{has_name, log_late, log_low};
use crate::call::{Args, Call};
use crate::ffi::{self as py_ffi, Exc, Obj, Ref, Res};
use crate::globals;
use crate::guard::{self, Part, Role, Seen, View};
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::record::{self, Event};
use crate::stats::Reason;
use crate::trace::{At as _, call as calling, raise};

/// The keyword arguments of `Logger._log`.
#[derive(Default)]
pub(super) struct Options<'a, 'py> {
    pub exc_info: Option<Ref<'a, 'py>>,
    pub extra: Option<Ref<'a, 'py>>,
    pub stack_info: Option<Ref<'a, 'py>>,
    pub stacklevel: Option<Ref<'a, 'py>>,
}

impl<'a, 'py> Options<'a, 'py> {
    /// Takes a keyword; false when `_log` has none of that name (or has it already).
    fn take(&mut self, name: &Obj<'py>, value: Ref<'a, 'py>) -> bool {
        self.put(|known| known.is(name), value)
    }

    /// The keywords of a call, if each name is the very string that is interned, as in a call that spells it: four addresses are compared,
    /// no texts. `None` says nothing.
    #[inline]
    fn spelled(call: &Call<'a, 'py>) -> Option<Self> {
        let mut options = Self::default();
        (0..call.keywords())
            .all(|index| {
                let (name, value) = call.keyword(index);
                options.put(|known| known.object(call.py()).is(&*name), value)
            })
            .then_some(options)
    }

    /// The same by their texts. `None`: `_log` has none of a name, or it was given twice.
    #[cold]
    fn of(call: &Call<'a, 'py>) -> Option<Self> {
        let mut options = Self::default();
        (0..call.keywords())
            .all(|index| {
                let (name, value) = call.keyword(index);
                options.take(&name, value)
            })
            .then_some(options)
    }

    #[inline]
    fn put(&mut self, is: impl Fn(Name) -> bool, value: Ref<'a, 'py>) -> bool {
        let slot = if is(Name::exc_info) {
            &mut self.exc_info
        } else if is(Name::extra) {
            &mut self.extra
        } else if is(Name::stack_info) {
            &mut self.stack_info
        } else if is(Name::stacklevel) {
            &mut self.stacklevel
        } else {
            return false;
        };
        slot.replace(value).is_none()
    }

    /// Is there nothing that has to be looked at before the record is made: no exception, no stack, no other frame, an `extra` that
    /// clashes with nothing?
    #[inline]
    pub(super) fn may_wait(&self) -> bool {
        let off = |option: Option<Ref<'_, 'py>>| {
            option.is_none_or(|given| given.is_none() || py_ffi::is_false(&given))
        };
        off(self.exc_info)
            && off(self.stack_info)
            && self.stacklevel.is_none()
            && self
                .extra
                .is_none_or(|extra| extra.is_none() || record::is_plain_extra(&extra))
    }
}

macro_rules! level_methods {
    ($($(#[$doc:meta])* $name:ident = $level:ident, $target:ident;)*) => {
        $($(#[$doc])* pub fn $name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
            const PLACE: usize = enabled::place_of(Name::$level);
            match at_once(call, PLACE, Target::$target) {
                Some(logged) => logged.map(|()| py_ffi::none(call.py())),
                None => at_level(call, Name::$level, Target::$target),
            }
        })*
    };
}

level_methods! {
    /// `Logger.debug`
    debug = DEBUG, LoggerDebug;
    /// `Logger.info`
    info = INFO, LoggerInfo;
    /// `Logger.warning`
    warning = WARNING, LoggerWarning;
    /// `Logger.error`
    error = ERROR, LoggerError;
    /// `Logger.critical`
    critical = CRITICAL, LoggerCritical;
}

/// `debug()` … `critical()`: `(self, msg, *args, **kwargs)`.
#[inline(never)]
fn at_level<'py>(call: &Call<'_, 'py>, name: Name, here: Target) -> Res<Obj<'py>> {
    let level = &enabled::level_named(call.py(), name)?;
    let spelled = Options::spelled(call).is_some();
    if call.len() == 0 || (!spelled && call.any_keyword(&[Name::self_, Name::msg])) {
        // msg by keyword, missing or given twice: rare enough for the interpreter's own body.
        return call.mismatch();
    }
    if call.is_known_enabled() {
        forward(call, level, 0, None, here)?;
        return Ok(py_ffi::none(call.py()));
    }
    match ask_once(call, level, here)? {
        // The global is read again: whoever was asked may have given it another value.
        Ok(true) => forward(call, &enabled::level_named(call.py(), name)?, 0, None, here)?,
        Ok(false) => {}
        Err(reason) => return call.reference(reason),
    }
    Ok(py_ffi::none(call.py()))
}

/// Is the logger enabled? The error: the interpreter's body has to ask, because it will have to go on, and an `isEnabledFor` of
/// somebody's own must not be called twice.
#[inline]
fn ask_once<'py>(
    call: &Call<'_, 'py>,
    level: &Obj<'py>,
    here: Target,
) -> Res<Result<bool, Reason>> {
    let logger = call.slf();
    let view = guard::view(&logger);
    if guard::target_by(view.as_ref(), &logger, Name::isEnabledFor) == Target::LoggerIsEnabledFor {
        return match view.and_then(|view| view.cached_enabled(level)) {
            Some(known) => Ok(Ok(known)),
            None => enabled::ask_native(&logger, level, here).map(Ok),
        };
    }
    if let Some(reason) = wants_frames_by(view.as_ref(), &logger)? {
        return Ok(Err(reason));
    }
    enabled::ask_own(&logger, level, here).map(Ok)
}

/// What [`at_level`] comes to for a call with no keyword but a plain `extra` where nobody has replaced anything, with nothing asked
/// twice: 250 instructions less, with `extra` 600. `None`, with nothing done: anything else.
#[inline(never)]
fn at_once(call: &Call<'_, '_>, place: usize, here: Target) -> Option<Res<()>> {
    // The first look says so for a level that is a small int only.
    let (seen, logger, py) = (call.enabled()?, call.slf(), call.py());
    let Plain(extra) = Plain::of_call(call)?;
    let (msg, args) = (call.arg(0)?, call.rest(1));
    let view = waiting(&logger, seen, args)?;
    // Owned: Python code may give the global another value while the record is on its way.
    let level = enabled::level_seen(py, place).to_owned();
    Some(send(&view, &level, msg, args, extra, here))
}

/// The same of `log()`, whose first argument is the level.
#[inline(never)]
fn log_at_once(call: &Call<'_, '_>) -> Option<Res<()>> {
    let (seen, logger) = (call.enabled()?, call.slf());
    let Plain(extra) = Plain::of_call(call)?;
    let (level, msg, args) = (call.arg(0)?, call.arg(1)?, call.rest(2));
    let view = waiting(&logger, seen, args)?;
    Some(send(&view, &level, msg, args, extra, Target::LoggerLog))
}

/// The same of the module's function for level number `place`, which calls the root logger's method `here`.
#[inline(never)]
pub fn root_at_once(call: &Call<'_, '_>, place: usize, here: Target) -> Option<Res<()>> {
    let (seen, py) = (call.enabled()?, call.py());
    let Plain(extra) = Plain::of_call(call)?;
    let (msg, args) = (call.arg(0)?, call.rest(1));
    // Owned as the level is.
    let root = enabled::known_root(py)?.to_owned();
    let view = waiting(&root, seen, args)?;
    let level = enabled::level_seen(py, place).to_owned();
    Some(send(&view, &level, msg, args, extra, here))
}

/// The same of an adapter's method for level number `place`: `logger` is the adapter's, which has been `seen`, and whose `log` is called
/// with the adapter's `extra`.
#[inline(never)]
pub fn adapted_at_once<'py>(
    (logger, seen): (Ref<'_, 'py>, Seen),
    place: usize,
    msg: Ref<'_, 'py>,
    args: Args<'_, 'py>,
    extra: Ref<'_, 'py>,
) -> Option<Res<()>> {
    let Plain(extra) = Plain::of(extra)?;
    // Owned: Python code may give the adapter another one.
    let logger = logger.to_owned();
    let view = waiting(&logger, seen, args)?;
    if view.method(Name::log) != Target::LoggerLog {
        return None;
    }
    let level = enabled::level_seen(logger.py(), place).to_owned();
    Some(send(&view, &level, msg, args, extra, Target::LoggerLog))
}

/// The view of a logger that has been seen to be enabled, if nobody has replaced anything and a record with these arguments can be made
/// when somebody wants to see it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `at_once`")]
fn waiting<'a, 'py>(
    logger: &'a Obj<'py>,
    seen: Seen,
    args: Args<'_, 'py>,
) -> Option<View<'a, 'py>> {
    let view = View::of_seen(logger, seen);
    (!record::has_doubtful_mapping(args) && has_name(&view) && is_usual(&view)).then_some(view)
}

/// `logger._log(level, msg, args, extra=extra)` for such a one, said by the method `here`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `at_once`")]
fn send<'py>(
    logger: &View<'_, 'py>,
    level: &Obj<'py>,
    msg: Ref<'_, 'py>,
    args: Args<'_, 'py>,
    extra: Option<Ref<'_, 'py>>,
    here: Target,
) -> Res<()> {
    let (py, object) = (level.py(), logger.object().as_borrowed());
    if let Err(raised) = crate::stack::check(py) {
        return Err(raised).at(py, here, calling("_log"));
    }
    let event = Event::plain(object, level.as_borrowed(), msg, args, extra);
    log_late(logger, event, true).at(py, here, calling("_log"))
}

/// An `extra` that can be added to any record, or none at all.
struct Plain<'a, 'py>(Option<Ref<'a, 'py>>);

impl<'a, 'py> Plain<'a, 'py> {
    /// That of a call with no other keyword. `None` says nothing.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "nearly always there is no keyword")]
    fn of_call(call: &Call<'a, 'py>) -> Option<Self> {
        if call.has_no_keywords() {
            Some(Plain(None))
        } else {
            Self::only(call)
        }
    }

    #[inline(never)]
    fn only(call: &Call<'a, 'py>) -> Option<Self> {
        if call.keywords() != 1 {
            return None;
        }
        let (name, extra) = call.keyword(0);
        // By identity: the compiler interns what a call spells.
        if !name.is(&*Name::extra.object(call.py())) {
            return None;
        }
        Self::of(extra)
    }

    #[inline]
    fn of(extra: Ref<'a, 'py>) -> Option<Self> {
        if extra.is_none() {
            return Some(Plain(None));
        }
        record::is_plain_extra(&extra).then_some(Plain(Some(extra)))
    }
}

/// `Logger.log`: `(self, level, msg, *args, **kwargs)`.
pub fn log<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let py = call.py();
    let (Some(level), true) = (call.arg(0), call.len() >= 2) else {
        return call.mismatch();
    };
    if call.any_keyword(&[Name::self_, Name::level, Name::msg]) {
        return call.mismatch();
    }
    if !py_ffi::is_int_like(&level) {
        if globals::truthy(py, Name::raiseExceptions)? {
            let raised = py_ffi::raise(py, Exc::Type, "level must be an integer");
            return Err(raised).at(py, Target::LoggerLog, raise("TypeError"));
        }
        return Ok(py_ffi::none(py));
    }
    let here = Target::LoggerLog;
    if let Some(logged) = log_at_once(call) {
        return logged.map(|()| py_ffi::none(py));
    }
    let enabled = if call.is_known_enabled() {
        Ok(true)
    } else {
        ask_once(call, &level, here)?
    };
    match enabled {
        Ok(true) => forward(call, &level, 1, None, here)?,
        Ok(false) => {}
        Err(reason) => return call.reference(reason),
    }
    Ok(py_ffi::none(py))
}

/// `Logger.exception`: `error()` with `exc_info=True` unless given.
pub fn exception<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    if let Some(reason) = wants_frames(&call.slf())? {
        return call.reference(reason);
    }
    if guard::target(&call.slf(), Name::error) == Target::LoggerError {
        error_of_exception(call)
    } else {
        let given = call.keyword_named(Name::exc_info).is_some();
        pass_on(call, Name::error, given)
    }
    .at(call.py(), Target::LoggerException, calling("error"))
}

/// `Logger.error` as `exception` calls it: with `exc_info=True` unless given. The arguments fit `error`.
pub fn error_of_exception<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let (py, here) = (call.py(), Target::LoggerError);
    let level = globals::get(py, Name::ERROR)?;
    if enabled::ask(&call.slf(), &level, here)? {
        let given = call.keyword_named(Name::exc_info).is_some();
        let exc_info = (!given).then(|| py_ffi::boolean(py, true));
        let level = globals::get(py, Name::ERROR)?;
        forward(call, &level, 0, exc_info.as_ref(), here)?;
    }
    Ok(py_ffi::none(py))
}

/// `Logger.fatal`: `critical()`.
pub fn fatal<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    if let Some(reason) = wants_frames(&call.slf())? {
        return call.reference(reason);
    }
    if guard::target(&call.slf(), Name::critical) == Target::LoggerCritical {
        critical(call)
    } else {
        pass_on(call, Name::critical, true)
    }
    .at(call.py(), Target::LoggerFatal, calling("critical"))
}

/// `Logger.warn`: deprecated; warns and does what `warning()` does.
pub fn warn<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    if let Some(reason) = wants_frames(&call.slf())? {
        return call.reference(reason);
    }
    let (py, here) = (call.py(), Target::LoggerWarn);
    py_ffi::warn_deprecated(
        py,
        &globals::get(py, Name::warnings)?,
        "The 'warn' method is deprecated, use 'warning' instead",
    )
    .at(py, here, calling("warn"))?;
    if guard::target(&call.slf(), Name::warning) == Target::LoggerWarning {
        warning(call)
    } else {
        pass_on(call, Name::warning, true)
    }
    .at(py, here, calling("warning"))
}

/// `logger.log(level, msg, *args, **keywords)` as the stdlib defines it, for an adapter. No keyword is called `self`, `level`
/// or `msg`.
pub fn log_with<'py>(
    logger: &Obj<'py>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    keywords: &[(Obj<'py>, Obj<'py>)],
) -> Res<()> {
    let (py, here) = (logger.py(), Target::LoggerLog);
    if !py_ffi::is_int_like(level) {
        if globals::truthy(py, Name::raiseExceptions)? {
            let raised = py_ffi::raise(py, Exc::Type, "level must be an integer");
            return Err(raised).at(py, here, raise("TypeError"));
        }
        return Ok(());
    }
    if !enabled::ask(logger, level, here)? {
        return Ok(());
    }
    if guard::target(logger, Name::_log) == Target::LoggerLogLow {
        let mut options = Options::default();
        if keywords
            .iter()
            .all(|(name, value)| options.take(name, value.as_borrowed()))
        {
            let usual = usual(logger);
            return log_low(logger, usual, level, msg, args, None, &options).at(
                py,
                here,
                calling("_log"),
            );
        }
    }
    let args = args.to_tuple()?;
    let values: Vec<&Obj<'py>> = [level, msg, &args]
        .into_iter()
        .chain(keywords.iter().map(|(_, value)| value))
        .collect();
    let names: Vec<&Obj<'py>> = keywords.iter().map(|(name, _)| name).collect();
    let names = (!names.is_empty())
        .then(|| py_ffi::new_tuple(py, &names))
        .transpose()?;
    py_ffi::method_keywords(logger, Name::_log, &values, names.as_ref())
        .map(drop)
        .at(py, here, calling("_log"))
}

/// Calls `self.name` with the same arguments (adding `exc_info=True` unless `as_given`), because it is overridden.
fn pass_on<'py>(call: &Call<'_, 'py>, name: Name, as_given: bool) -> Res<Obj<'py>> {
    let py = call.py();
    let args: Vec<Obj<'py>> = call.rest(0).iter().map(pyo3::Borrowed::to_owned).collect();
    let mut values: Vec<Obj<'py>> = Vec::new();
    let mut names: Vec<Obj<'py>> = Vec::new();
    if !as_given {
        names.push(Name::exc_info.object(py).to_owned());
        values.push(py_ffi::boolean(py, true));
    }
    for index in 0..call.keywords() {
        let (given, value) = call.keyword(index);
        names.push(given.to_owned());
        values.push(value.to_owned());
    }
    let all: Vec<&Obj<'py>> = args.iter().chain(&values).collect();
    let names: Vec<&Obj<'py>> = names.iter().collect();
    let names = py_ffi::new_tuple(py, &names)?;
    py_ffi::method_keywords(&call.slf(), name, &all, Some(&names))?;
    Ok(py_ffi::none(py))
}

/// `self._log(level, msg, args, **kwargs)`, said by the method `here`; `msg` is positional argument `start`, `exc_info` a
/// default for the keyword.
#[inline(never)]
fn forward<'py>(
    call: &Call<'_, 'py>,
    level: &Obj<'py>,
    start: usize,
    exc_info: Option<&Obj<'py>>,
    here: Target,
) -> Res<()> {
    let (py, logger) = (call.py(), call.slf());
    let Some(msg) = call.arg(start) else {
        return call.mismatch().map(drop);
    };
    let args = call.rest(start + 1);
    let usual = match call.enabled() {
        // Nothing has run since.
        Some(seen) => Some(View::of_seen(&logger, seen)).filter(is_usual),
        None => usual(&logger),
    };
    let mut native = usual.is_some() || guard::target(&logger, Name::_log) == Target::LoggerLogLow;
    if usual.is_none()
        && let Some(reason) = wants_frames(&logger)?
    {
        if enabled::is_native(&logger) {
            return call.reference(reason).map(drop);
        }
        // An `isEnabledFor` of somebody's own has been called, and made it so: it is not called again.
        native = false;
    }
    let options = native
        .then(|| Options::spelled(call).or_else(|| Options::of(call)))
        .flatten();
    if let Some(mut options) = options {
        if let Some(exc_info) = exc_info {
            options.exc_info = Some(exc_info.as_borrowed());
        }
        return log_low(&logger, usual, level, &msg, args, None, &options).at(
            py,
            here,
            calling("_log"),
        );
    }
    // Overridden, or with keywords `_log` does not know: the Python call does or raises what it should.
    let args = args.to_tuple()?;
    let mut values: Vec<Obj<'py>> = vec![level.clone(), msg.to_owned(), args];
    let mut names: Vec<Obj<'py>> = Vec::new();
    if let Some(exc_info) = exc_info {
        names.push(Name::exc_info.object(py).to_owned());
        values.push(exc_info.clone());
    }
    for index in 0..call.keywords() {
        let (name, value) = call.keyword(index);
        names.push(name.to_owned());
        values.push(value.to_owned());
    }
    let values: Vec<&Obj<'py>> = values.iter().collect();
    let names: Vec<&Obj<'py>> = names.iter().collect();
    let names = (!names.is_empty())
        .then(|| py_ffi::new_tuple(py, &names))
        .transpose()?;
    py_ffi::method_keywords(&logger, Name::_log, &values, names.as_ref())
        .map(drop)
        .at(py, here, calling("_log"))
}

/// The view of a logger all of whose methods on a record's way are native, where everything a record is made from is ordinary.
#[inline]
pub(super) fn usual<'a, 'py>(logger: &'a Obj<'py>) -> Option<View<'a, 'py>> {
    guard::view_of(logger, Part::Logger).filter(is_usual)
}

#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "two tests and their answers: 47 instructions by a call, 34 without"
)]
fn is_usual(logger: &View<'_, '_>) -> bool {
    logger.is(Role::Logger) && ordinary::is_ordinary(logger.object().py())
}

/// Does somebody look at the stdlib's own frames, so that the interpreter's bodies must be on the stack? An own `findCaller` counts
/// them (it gets the two of `info` and `_log`); with another `_srcfile`, or another `os.path` to compare it by, they may be the
/// answer.
#[inline]
pub fn wants_frames(logger: &Obj<'_>) -> Res<Option<Reason>> {
    wants_frames_by(guard::view(logger).as_ref(), logger)
}

/// The same of a logger whose view, where it has one, was made just now.
#[inline]
fn wants_frames_by<'py>(view: Option<&View<'_, 'py>>, logger: &Obj<'py>) -> Res<Option<Reason>> {
    if guard::target_by(view, logger, Name::findCaller) != Target::LoggerFindCaller {
        return Ok(Some(Reason::FindCaller));
    }
    looks_for_frames(logger.py())
}

/// The same of an object that may be no logger.
pub fn may_want_frames(object: &Obj<'_>) -> Res<Option<Reason>> {
    if py_ffi::type_attr(object, Name::findCaller).is_some() {
        wants_frames(object)
    } else {
        looks_for_frames(object.py())
    }
}

#[inline]
fn looks_for_frames(py: Python<'_>) -> Res<Option<Reason>> {
    if ordinary::is_ordinary(py) {
        Ok(None)
    } else {
        frames_may_answer(py)
    }
}

/// Do neither `_srcfile` nor `os.path` want them? Holds as long as no global of the modules changes that a record depends on.
pub(super) fn are_frames_unseen(py: Python<'_>) -> Res<bool> {
    Ok(frames_may_answer(py)?.is_none())
}

#[cold]
fn frames_may_answer(py: Python<'_>) -> Res<Option<Reason>> {
    let asked = globals::truthy(py, Name::_srcfile)?;
    let own = globals::is_original(py, Name::_srcfile)? && globals::paths_are_own(py)?;
    Ok((asked && !own).then_some(Reason::SourceFile))
}
