//! Is a logger enabled for a level? `isEnabledFor`, `getEffectiveLevel` and the cache between them.
use pyo3::prelude::*;

use crate::call::Call;
use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Ref, Res};
use crate::globals;
use crate::guard::{self, Found, Own, Part, Seen};
use crate::lock;
use crate::names::Name;
use crate::natives::{Look, Target};
use crate::ordinary;
use crate::raw;
use crate::trace::{self, At as _, call as calling, compare, get, item, truth};

/// `Logger.isEnabledFor`
pub fn is_enabled_for<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
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
                _ => guard::call_method(logger, Name::getEffectiveLevel, []),
            }
            .at(py, here, calling("getEffectiveLevel"))?;
            py_ffi::ge_object(level, &effective).at(py, here, compare("getEffectiveLevel"))?
        };
        py_ffi::set_item(&guard::attr(logger, Name::_cache)?, level, &answer)?;
        Ok(answer)
    })
}

// ---- the first look

/// What the first looks need of the module's globals, as long as its state is `state`: the levels of the methods by their names.
struct Levels {
    state: u64,
    levels: [Level; LEVELS.len()],
    /// The global `root`, borrowed from the module's dict; not without a GIL, where another thread could exchange it meanwhile.
    root: *mut pyo3::ffi::PyObject,
}

/// A level that is a small int, borrowed from the module's dict; without a GIL one that is immortal.
#[derive(Clone, Copy)]
struct Level {
    object: *mut pyo3::ffi::PyObject,
    number: usize,
    /// Does nobody look at the stdlib's own frames (see [`super::methods::wants_frames`])? "No" also where that is not known.
    frameless: bool,
}

const LEVELS: [Name; 5] = [
    Name::DEBUG,
    Name::INFO,
    Name::WARNING,
    Name::ERROR,
    Name::CRITICAL,
];

const NO_LEVEL: Level = Level {
    object: std::ptr::null_mut(),
    number: 0,
    frameless: false,
};

static KNOWN: Shared<Levels> = Shared::new(Levels {
    state: 0,
    levels: [NO_LEVEL; LEVELS.len()],
    root: std::ptr::null_mut(),
});

impl Levels {
    /// The same for this state of the module.
    fn at(&mut self, state: u64) -> &mut Self {
        if self.state != state {
            *self = Levels {
                state,
                levels: [NO_LEVEL; LEVELS.len()],
                root: std::ptr::null_mut(),
            };
        }
        self
    }
}

/// Which of [`LEVELS`] that is.
pub(crate) const fn place_of(level: Name) -> usize {
    let mut place = 0;
    while LEVELS[place] as usize != level as usize {
        place += 1;
    }
    place
}

/// The level number `nth` of [`LEVELS`] and its number.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
pub(crate) fn level_at_once(py: Python<'_>, nth: usize) -> Option<(Ref<'static, '_>, usize)> {
    known_level(py, nth).map(|(level, known)| (level, known.number))
}

/// The same with what else is known of it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
fn known_level(py: Python<'_>, nth: usize) -> Option<(Ref<'static, '_>, Level)> {
    let state = globals::state(py);
    let level = KNOWN.with(py, |known| {
        if known.state == state {
            known.levels[nth]
        } else {
            NO_LEVEL
        }
    });
    (!level.object.is_null()).then(|| (py_ffi::lent(py, level.object), level))
}

/// The same, where a first look has just found it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
pub(super) fn level_seen(py: Python<'_>, nth: usize) -> Ref<'static, '_> {
    py_ffi::lent(py, KNOWN.with(py, |known| known.levels[nth].object))
}

/// The root logger, as the module's global says.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
pub(crate) fn known_root(py: Python<'_>) -> Option<Ref<'static, '_>> {
    let state = globals::state(py);
    let root = KNOWN.with(py, |known| {
        if known.state == state {
            known.root
        } else {
            std::ptr::null_mut()
        }
    });
    (!root.is_null()).then(|| py_ffi::lent(py, root))
}

/// The module's global `root`; kept for the first looks.
#[inline]
pub fn root(py: Python<'_>) -> Res<Obj<'_>> {
    if let Some(root) = known_root(py) {
        return Ok(root.to_owned());
    }
    let state = globals::state(py);
    let root = globals::get(py, Name::root)?;
    guard::learn(&root);
    if globals::is_state_true() && py_ffi::Remembered::new(&root).is_usable() {
        KNOWN.with(py, |known| known.at(state).root = root.as_ptr());
    }
    Ok(root)
}

/// What a call of the method for level number `nth` can be answered by reads alone. Also what the whole method asks first; so
/// most calls that log nothing end here, before anything of a call has been put together.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
fn look<'a, 'py>(call: &Call<'a, 'py>, nth: usize, closely: bool) -> Look<'a, 'py> {
    if call.len() == 0 {
        return Look::Nothing;
    }
    let Some((level, known)) = known_level(call.py(), nth) else {
        return Look::Nothing;
    };
    match guard::enabled_at_once(&call.slf(), &level, known.number, closely) {
        // One of them may be an error.
        Found::Enabled(false, _) if !call.has_no_keywords() => Look::Nothing,
        Found::Own(seen) if known.frameless || ordinary::is_known(call.py()) => {
            Look::Ask(seen, level)
        }
        found => verdict(call.py(), found),
    }
}

/// Asks the `isEnabledFor` of somebody's own that a first look has found. `None`, with nothing done: more has to be looked at first.
#[inline]
pub fn ask_first<'py>(call: &Call<'_, 'py>, seen: Seen, level: &Obj<'py>) -> Res<Option<bool>> {
    if !call.has_no_keywords() {
        return Ok(None);
    }
    let logger = call.slf();
    let Some(own) = guard::own_is_enabled_for(&logger, seen) else {
        return Ok(None);
    };
    // Owned: it may give the global another value. Without a GIL that level is immortal.
    #[cfg(not(Py_GIL_DISABLED))]
    let level = &level.clone();
    let answer = match own {
        Own::Method(function) => py_ffi::call_on(&function, &logger, [level]),
        Own::Attribute(value) if py_ffi::is_function(&value) => py_ffi::call_on(&value, level, []),
        Own::Attribute(value) => py_ffi::call(&value, &[level]),
    };
    truth_of(answer, call.py(), call.target()).map(Some)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "see `guard`")]
pub(crate) fn verdict(py: Python<'_>, found: Found) -> Look<'static, '_> {
    match found {
        Found::Enabled(false, _) => Look::Answer(py_ffi::none(py)),
        Found::Enabled(true, Some(seen)) => Look::Enabled(seen),
        Found::Unsure => Look::Closer,
        _ => Look::Nothing,
    }
}

/// The level of the methods that the global `name` is now.
pub fn level_named(py: Python<'_>, name: Name) -> Res<Obj<'_>> {
    let place = LEVELS.iter().position(|known| *known == name);
    match place.and_then(|place| level_at_once(py, place)) {
        Some((level, _)) => Ok(level.to_owned()),
        None => look_up_level(py, name, globals::state(py)),
    }
}

/// The same by the module's dict; keeps it for the next time.
#[cold]
fn look_up_level(py: Python<'_>, name: Name, state: u64) -> Res<Obj<'_>> {
    let level = globals::get(py, name)?;
    let place = LEVELS.iter().position(|known| *known == name);
    let number = raw::level_number(&level).filter(|_| py_ffi::Remembered::new(&level).is_usable());
    if let (Some(place), Some(number), true) = (place, number, globals::is_state_true()) {
        // From 3.12 on it is one number that tells both.
        let frameless =
            cfg!(Py_3_12) && globals::is_epoch_true() && super::methods::are_frames_unseen(py)?;
        KNOWN.with(py, |known| {
            known.at(state).levels[place] = Level {
                object: level.as_ptr(),
                number,
                frameless,
            };
        });
    }
    Ok(level)
}

/// The first looks of `Logger`'s methods.
pub mod first_look {
    use super::{Call, Found, Look, look, verdict};
    use crate::ffi::{self as py_ffi, Obj};
    use crate::{guard, ordinary, raw};

    macro_rules! by_level {
        ($look:path) => {
            crate::logger::first_look::by_level! { $look =>
                /// Of `debug`.
                debug = 0;
                /// Of `info`.
                info = 1;
                /// Of `warning`.
                warning = 2;
                /// Of `error`.
                error = 3;
                /// Of `critical`.
                critical = 4;
            }
        };
        ($look:path => $($(#[$doc:meta])* $name:ident = $nth:literal;)*) => {
            $($(#[$doc])*
            #[inline(always)]
            #[allow(clippy::inline_always, reason = "part of the entry point")]
            pub fn $name<'a, 'py>(
                call: &$crate::call::Call<'a, 'py>,
                closely: bool,
            ) -> $crate::natives::Look<'a, 'py> {
                $look(call, $nth, closely)
            })*
        };
    }
    pub(crate) use by_level;

    by_level!(look);

    /// Of `log`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    pub fn log<'a, 'py>(call: &Call<'a, 'py>, closely: bool) -> Look<'a, 'py> {
        if call.len() < 2 || !call.has_no_keywords() {
            return Look::Nothing;
        }
        match (of_level_given(call, &call.slf(), closely), call.arg(0)) {
            (Found::Own(seen), Some(level)) if ordinary::is_known(call.py()) => {
                Look::Ask(seen, level)
            }
            (found, _) => verdict(call.py(), found),
        }
    }

    /// Of `isEnabledFor`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    pub fn is_enabled_for<'a, 'py>(call: &Call<'a, 'py>, closely: bool) -> Look<'a, 'py> {
        if call.len() != 1 || !call.has_no_keywords() {
            return Look::Nothing;
        }
        let Some(level) = call.arg(0) else {
            return Look::Nothing;
        };
        match raw::level_number(&level) {
            Some(number) => {
                let found = guard::cached_at_once(&call.slf(), &level, number, closely);
                answer(call, found)
            }
            None => Look::Nothing,
        }
    }

    /// What `isEnabledFor` of that logger answers.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    pub fn says<'a, 'py>(call: &Call<'a, 'py>, logger: &Obj<'py>, closely: bool) -> Look<'a, 'py> {
        if call.len() != 1 || !call.has_no_keywords() {
            return Look::Nothing;
        }
        answer(call, of_level_given(call, logger, closely))
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    fn answer<'a, 'py>(call: &Call<'a, 'py>, found: Found) -> Look<'a, 'py> {
        match found {
            Found::Enabled(known, _) => Look::Answer(py_ffi::boolean(call.py(), known)),
            Found::Unsure => Look::Closer,
            Found::Own(_) | Found::Nothing => Look::Nothing,
        }
    }

    /// For the level that is the first argument.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    fn of_level_given(call: &Call<'_, '_>, logger: &Obj<'_>, closely: bool) -> Found {
        let Some(level) = call.arg(0) else {
            return Found::Nothing;
        };
        match raw::level_number(&level) {
            Some(number) => guard::enabled_at_once(logger, &level, number, closely),
            None => Found::Nothing,
        }
    }
}

/// Is the logger enabled, asked through whatever `logger.isEnabledFor` is now, by the method `within`?
#[inline]
pub(super) fn ask<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    match guard::quickly_enabled(logger, level) {
        Some(known) => Ok(known),
        None => ask_the_method(logger, level, within),
    }
}

/// Is the logger's `isEnabledFor` the stdlib's?
#[inline]
pub(super) fn is_native(logger: &Obj<'_>) -> bool {
    guard::target(logger, Name::isEnabledFor) == Target::LoggerIsEnabledFor
}

#[cold]
fn ask_the_method<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    if is_native(logger) {
        ask_native(logger, level, within)
    } else {
        ask_own(logger, level, within)
    }
}

/// The same where it is the stdlib's, and the cache does not say.
#[cold]
pub(super) fn ask_native<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    truth_of(enabled(logger, level), logger.py(), within)
}

/// The same where it is somebody's own.
#[inline]
pub(super) fn ask_own<'py>(logger: &Obj<'py>, level: &Obj<'py>, within: Target) -> Res<bool> {
    let function =
        guard::direct_view(logger, Part::Logger).and_then(|view| view.function(Name::isEnabledFor));
    let answer = match function {
        Some(function) => py_ffi::call_on(&function, logger, [level]),
        None => py_ffi::method(logger, Name::isEnabledFor, [level]),
    };
    truth_of(answer, logger.py(), within)
}

#[inline]
fn truth_of<'py>(answer: Res<Obj<'py>>, py: Python<'py>, within: Target) -> Res<bool> {
    let answer = answer.at(py, within, calling("isEnabledFor"))?;
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
