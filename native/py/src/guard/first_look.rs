//! What a call that logs nothing asks: is this logger enabled for that level? By reads alone where there is a GIL.
#![allow(clippy::inline_always, reason = "part of a disabled call; see `guard`")]
use pyo3::ffi;
#[cfg(not(Py_GIL_DISABLED))]
use pyo3::prelude::*;

#[cfg(Py_GIL_DISABLED)]
use super::own_value;
use super::types::{Info, Kind, Part, State, direct, direct_or_info, direct_part, slot};
use super::{
    Seen, function_of, own_or_type_target, peek_anywhere, value_address, values_by, values_of,
    view_at_once,
};
use crate::ffi as py_ffi;
use crate::ffi::Obj;
#[cfg(not(Py_GIL_DISABLED))]
use crate::ffi::Ref;
use crate::names::Name;
use crate::natives::Target;
use crate::raw::{self, NO_INDEX};

/// What a call that logs nothing reads of the loggers or adapters of one class: places, [`NO_INDEX`] for what has none or is not
/// plain, and which of the class's methods are native.
#[derive(Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "answers to questions of their own"
)]
pub(super) struct Enabling {
    /// Has it been looked for?
    pub(super) known: bool,
    /// `isEnabledFor` of a logger.
    pub(super) native: bool,
    /// A logger's `debug` … `log`.
    pub(super) methods: bool,
    /// `log` and `isEnabledFor` of an adapter.
    pub(super) adapts: bool,
    /// These and `process`, all that it reads being plain.
    pub(super) adds: bool,
    /// A logger's, both known or none.
    pub(super) disabled: u8,
    pub(super) cache: u8,
    /// A logger's.
    #[cfg_attr(
        Py_GIL_DISABLED,
        expect(dead_code, reason = "for the root logger's first look")
    )]
    pub(super) handlers: u8,
    /// An adapter's.
    pub(super) logger: u8,
    pub(super) extra: u8,
    /// From 3.13 on.
    pub(super) merge_extra: u8,
}

impl Enabling {
    pub(super) const UNKNOWN: Self = Enabling {
        known: false,
        native: false,
        methods: false,
        adapts: false,
        adds: false,
        disabled: NO_INDEX,
        cache: NO_INDEX,
        handlers: NO_INDEX,
        logger: NO_INDEX,
        extra: NO_INDEX,
        merge_extra: NO_INDEX,
    };
    const METHODS: [(Name, Target); 6] = [
        (Name::debug, Target::LoggerDebug),
        (Name::info, Target::LoggerInfo),
        (Name::warning, Target::LoggerWarning),
        (Name::error, Target::LoggerError),
        (Name::critical, Target::LoggerCritical),
        (Name::log, Target::LoggerLog),
    ];
}

/// What the cache of a logger whose `isEnabledFor` is native says; see [`View::cached_enabled`].
#[inline(always)]
pub fn quickly_enabled<'py>(logger: &Obj<'py>, level: &Obj<'py>) -> Option<bool> {
    let view = view_at_once(logger)?;
    // Without values to read there is no answer here: do not look for the method either.
    if view.is_direct() && view.method(Name::isEnabledFor) == Target::LoggerIsEnabledFor {
        view.cached_enabled(level)
    } else {
        None
    }
}

/// What a look at a logger has found.
#[derive(Clone, Copy)]
pub enum Found {
    /// Whether it is enabled. What has been seen is missing where it does not hold for all of the logger's methods.
    Enabled(bool, Option<Seen>),
    /// An `isEnabledFor` of somebody's own.
    Own(Seen),
    /// Nothing yet: it was not looked at closely.
    Unsure,
    /// Nothing.
    Nothing,
}

impl Found {
    /// Of a logger with these values.
    #[inline(always)]
    fn of(enabled: Option<bool>, seen: Option<Seen>) -> Self {
        match enabled {
            Some(enabled) => Found::Enabled(enabled, seen),
            None => Found::Nothing,
        }
    }
}

/// Is a logger enabled for a level whose number is known? Unless it is looked at `closely` nothing is called, and what is known is only of
/// loggers of a class that was asked before and has the stdlib's `isEnabledFor`.
#[inline(always)]
pub fn enabled_at_once(logger: &Obj<'_>, level: &Obj<'_>, number: usize, closely: bool) -> Found {
    let known = match direct_or_info(logger, closely) {
        Ok((info, values)) => {
            let enabling = info.enabling.get();
            if enabling.native {
                // SAFETY: the values of a logger of that type; raw reads are on where objects are read directly.
                let enabled = unsafe { cached(values, enabling, level, number) };
                return Found::of(enabled, Some(Seen(info, values)));
            }
            if closely && enabling.known {
                return Found::Own(Seen(info, values));
            }
            Some(info)
        }
        Err(known) => known,
    };
    if closely {
        enabled_otherwise(logger, known, level, number, true)
    } else {
        Found::Unsure
    }
}

/// What the stdlib's `isEnabledFor` itself would answer, whoever overrides it; `closely` as above.
#[inline(always)]
pub fn cached_at_once(logger: &Obj<'_>, level: &Obj<'_>, number: usize, closely: bool) -> Found {
    if let Some((info, values)) = direct_part(logger, Part::Logger) {
        let enabling = info.enabling.get();
        if enabling.cache == NO_INDEX {
            return Found::Nothing;
        }
        // SAFETY: as above; where the cache has a place, both have.
        let enabled = unsafe { cached(values, enabling, level, number) };
        return Found::of(enabled, None);
    }
    if closely {
        enabled_otherwise(logger, None, level, number, false)
    } else {
        Found::Unsure
    }
}

/// The same for a logger some attribute of which has the name of a method, for others of such a class, and for one whose attributes stand
/// in a dict by now; `through` its `isEnabledFor`, or by that itself. `known` is what is known of its class, if its tag has just been
/// compared. Of a logger that hides a method nothing has been seen.
#[cold]
#[inline(never)]
fn enabled_otherwise(
    logger: &Obj<'_>,
    known: Option<&'static Info>,
    level: &Obj<'_>,
    number: usize,
    through: bool,
) -> Found {
    if !raw::reads_instances() {
        return Found::Nothing;
    }
    // Owned: it may be an adapter's, and a class is looked at.
    let logger = &logger.clone();
    let found = match known {
        // Without a tag it may be another class's.
        Some(info) if info.tag.get() != 0 && info.is_current() => values_by(logger, info),
        _ => values_of(logger),
    };
    let Some((info, values, hides)) = found else {
        return Found::Nothing;
    };
    if values.is_null() {
        // SAFETY: a live object of a plain type.
        #[cfg(not(Py_GIL_DISABLED))]
        if unsafe { !raw::finds_names_quietly(logger.as_ptr()) } {
            return Found::Nothing;
        }
        return Found::of(enabled_by_name(logger, level, number, through), None);
    }
    let mut enabling = info.enabling.get();
    if !enabling.known {
        enabling = find_enabling(logger, info);
    }
    let own = through
        && (!enabling.native || {
            let place = slot(logger, info, Name::isEnabledFor).index;
            // SAFETY: the values of an instance of the type.
            hides && unsafe { is_set(values, place) }
        });
    // Looked at last, as for a view.
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: the array is the logger's.
    if unsafe { !raw::are_valid(values) } {
        return Found::Nothing;
    }
    if own {
        return Found::Own(Seen(info, values));
    }
    if enabling.cache == NO_INDEX {
        return Found::Nothing;
    }
    // SAFETY: the values of a logger of that type, in whose keys both have places.
    let enabled = unsafe { cached(values, enabling, level, number) };
    Found::of(enabled, (!hides).then_some(Seen(info, values)))
}

/// Has an instance an attribute at that place?
///
/// # Safety
/// The values of an instance, and a place in the shared keys of its type or none.
#[inline]
unsafe fn is_set(values: *mut *mut ffi::PyObject, place: u8) -> bool {
    // SAFETY: the caller's.
    place != NO_INDEX && unsafe { !value_address(values, place).is_null() }
}

/// An `isEnabledFor` of somebody's own.
pub enum Own<'py> {
    /// A Python function of the logger's class.
    Method(Obj<'py>),
    /// An attribute of the logger.
    Attribute(Obj<'py>),
}

/// That of a logger that has [one](Found::Own), as it was seen just now, and whose `findCaller` is the stdlib's. `None` says nothing.
#[inline]
pub fn own_is_enabled_for<'py>(logger: &Obj<'py>, Seen(info, values): Seen) -> Option<Own<'py>> {
    let finder = slot(logger, info, Name::findCaller);
    let asked = slot(logger, info, Name::isEnabledFor);
    // SAFETY: the values of an instance of the type.
    let (finds, answers) = unsafe { (is_set(values, finder.index), is_set(values, asked.index)) };
    // Functions are no data descriptors, so an instance attribute wins.
    let functions = asked.kind == Kind::Function || asked.target != Target::Foreign;
    if finder.target != Target::LoggerFindCaller || finds || !functions {
        return None;
    }
    let own = if answers {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: as above; owned before anything can run.
        let value = unsafe {
            Borrowed::from_ptr(logger.py(), value_address(values, asked.index)).to_owned()
        };
        #[cfg(Py_GIL_DISABLED)]
        // SAFETY: as above.
        let value = unsafe { own_value(logger.py(), values, asked.index) }?;
        Own::Attribute(value)
    } else if asked.target == Target::Foreign {
        Own::Method(function_of(logger, info, asked, Name::isEnabledFor)?)
    } else {
        return None;
    };
    // Looked at last, as for a view.
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: the array is the logger's.
    if unsafe { !raw::are_valid(values) } {
        return None;
    }
    Some(own)
}

/// The same for a logger with a dict of its own, which shares no keys with others.
fn enabled_by_name(
    logger: &Obj<'_>,
    level: &Obj<'_>,
    number: usize,
    through: bool,
) -> Option<bool> {
    if through && own_or_type_target(logger, Name::isEnabledFor) != Target::LoggerIsEnabledFor {
        return None;
    }
    let disabled = peek_anywhere(logger, Name::disabled).filter(py_ffi::is_bool)?;
    if !py_ffi::is_false(&disabled) {
        return Some(false);
    }
    let cache = peek_anywhere(logger, Name::_cache).filter(py_ffi::is_dict)?;
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: an exact dict, alive, and an exact int with its number; the singletons' addresses are only compared.
    return unsafe {
        let known = raw::peek_small_int(cache.as_ptr(), level.as_ptr(), number as isize);
        (known == ffi::Py_False() || known == ffi::Py_True()).then(|| known == ffi::Py_True())
    };
    #[cfg(Py_GIL_DISABLED)]
    {
        let _ = number;
        let known = py_ffi::or_nothing(level.py(), py_ffi::dict_get(&cache, level))??;
        py_ffi::is_bool(&known).then(|| !py_ffi::is_false(&known))
    }
}

/// The same for the root logger where the module's functions of that name would call the method: `None` also for one without
/// handlers.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn root_enabled_at_once(root: &Obj<'_>, level: &Obj<'_>, number: usize) -> Option<Found> {
    let (info, values) = direct_part(root, Part::Logger)?;
    let enabling = info.enabling.get();
    if !enabling.native || !enabling.methods || enabling.handlers == NO_INDEX {
        return None;
    }
    // SAFETY: the values of a logger of that type; a list is asked for its length; raw reads are on where objects are read
    // directly.
    unsafe {
        let handlers = *values.add(enabling.handlers as usize);
        if handlers.is_null()
            || ffi::PyList_CheckExact(handlers) == 0
            || ffi::PyList_GET_SIZE(handlers) == 0
        {
            return None;
        }
        let enabled = cached(values, enabling, level, number)?;
        Some(Found::Enabled(enabled, Some(Seen(info, values))))
    }
}

/// The logger of an adapter that asks it whether it is enabled, lent as long as no Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub fn adapted<'a, 'py>(adapter: &'a Obj<'py>) -> Option<Ref<'a, 'py>> {
    let (info, values) = direct_part(adapter, Part::Adapter)?;
    let enabling = info.enabling.get();
    if !enabling.adapts {
        return None;
    }
    // SAFETY: the values of an adapter of that type; what stands there is alive as long as the adapter is unchanged.
    unsafe { Borrowed::from_ptr_or_opt(adapter.py(), *values.add(enabling.logger as usize)) }
}

/// The logger of an adapter that asks it whether it is enabled, and the `extra` that it adds to a call without one; both lent as long as
/// no Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub fn adapted_adding<'a, 'py>(adapter: &'a Obj<'py>) -> Option<(Ref<'a, 'py>, Ref<'a, 'py>)> {
    let (info, values) = direct_part(adapter, Part::Adapter)?;
    let enabling = info.enabling.get();
    if !enabling.adds {
        return None;
    }
    // SAFETY: as in `adapted`.
    unsafe {
        let own = |place: u8| Borrowed::from_ptr_or_opt(adapter.py(), *values.add(place as usize));
        // Asked whether it is true, which must run nothing; without an `extra` in the call there is nothing to merge.
        #[cfg(Py_3_13)]
        own(enabling.merge_extra).filter(|merge| py_ffi::is_bool(merge))?;
        Some((own(enabling.logger)?, own(enabling.extra)?))
    }
}

/// Looks at what the first looks read of a logger or an adapter, for the next time.
#[inline]
pub fn learn(object: &Obj<'_>) {
    if let Some((info, _)) = direct(object)
        && !info.enabling.get().known
    {
        find_enabling(object, info);
    }
}

#[cold]
pub(super) fn find_enabling(object: &Obj<'_>, info: &'static Info) -> Enabling {
    let place = |name| {
        let slot = slot(object, info, name);
        if slot.state == State::Plain {
            slot.index
        } else {
            NO_INDEX
        }
    };
    let is = |name, target: Target| slot(object, info, name).target == target;
    let mut enabling = Enabling {
        known: true,
        handlers: place(Name::handlers),
        logger: place(Name::logger),
        extra: place(Name::extra),
        merge_extra: place(Name::merge_extra),
        ..Enabling::UNKNOWN
    };
    let (disabled, cache) = (place(Name::disabled), place(Name::_cache));
    if disabled != NO_INDEX && cache != NO_INDEX {
        (enabling.disabled, enabling.cache) = (disabled, cache);
        enabling.native = is(Name::isEnabledFor, Target::LoggerIsEnabledFor);
        enabling.methods = Enabling::METHODS
            .iter()
            .all(|(name, target)| is(*name, *target));
    }
    enabling.adapts = enabling.logger != NO_INDEX
        && is(Name::log, Target::AdapterLog)
        && is(Name::isEnabledFor, Target::AdapterIsEnabledFor);
    enabling.adds = enabling.adapts
        && enabling.extra != NO_INDEX
        && (cfg!(not(Py_3_13)) || enabling.merge_extra != NO_INDEX)
        && is(Name::process_, Target::AdapterProcess);
    info.enabling.set(enabling);
    enabling
}

/// Without the GIL the module's functions have no first look: the root logger would have to be owned.
#[cfg(Py_GIL_DISABLED)]
pub fn root_enabled_at_once(_: &Obj<'_>, _: &Obj<'_>, _: usize) -> Option<Found> {
    None
}

/// Nor have adapters: so would their logger.
#[cfg(Py_GIL_DISABLED)]
pub fn adapted<'a, 'py>(_: &'a Obj<'py>) -> Option<py_ffi::Ref<'a, 'py>> {
    None
}

/// As above.
#[cfg(Py_GIL_DISABLED)]
pub fn adapted_adding<'a, 'py>(
    _: &'a Obj<'py>,
) -> Option<(py_ffi::Ref<'a, 'py>, py_ffi::Ref<'a, 'py>)> {
    None
}

/// [`cache_says`] of a level whose number that is.
///
/// # Safety
/// The values of a logger, in whose type's shared keys `enabling` tells places; not none.
#[inline(always)]
unsafe fn cached(
    values: *mut *mut ffi::PyObject,
    enabling: Enabling,
    level: &Obj<'_>,
    number: usize,
) -> Option<bool> {
    // SAFETY: the caller's; the number is the level's.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return cache_says(values, enabling, |cache| {
            raw::peek_first(cache, level.as_ptr(), number as isize)
        });
        #[cfg(Py_GIL_DISABLED)]
        {
            let _ = number;
            cache_says(level, values, enabling)
        }
    }
}

/// What a logger says of an exact int: no while it is disabled, else what its `_cache` has; `None` when anything is not as usual. The one
/// reference taken is to the cache, which another thread could exchange.
///
/// # Safety
/// The values of a logger, in whose type's shared keys `enabling` tells places; not none.
#[cfg(Py_GIL_DISABLED)]
#[inline(always)]
pub(super) unsafe fn cache_says(
    level: &Obj<'_>,
    values: *mut *mut ffi::PyObject,
    enabling: Enabling,
) -> Option<bool> {
    let py = level.py();
    // SAFETY: indexes of the shared keys, which the array has; the singleton's address is only compared.
    let cache = unsafe {
        let disabled = value_address(values, enabling.disabled);
        if disabled != ffi::Py_False() {
            return (disabled == ffi::Py_True()).then_some(false);
        }
        own_value(py, values, enabling.cache)?
    };
    if !py_ffi::is_dict(&cache) {
        return None;
    }
    let known = py_ffi::or_nothing(py, py_ffi::dict_get(&cache, level))??;
    py_ffi::is_bool(&known).then(|| !py_ffi::is_false(&known))
}

/// What a logger says of a level: no while it is disabled, else what its `_cache` has; `None` when anything is not as usual. Reads alone: no
/// reference is taken. `look_up` is what a dict holds for the level, null when that cannot be told.
///
/// # Safety
/// The values of a logger, in whose type's shared keys `enabling` tells places; not none.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub(super) unsafe fn cache_says(
    values: *mut *mut ffi::PyObject,
    enabling: Enabling,
    look_up: impl FnOnce(*mut ffi::PyObject) -> *mut ffi::PyObject,
) -> Option<bool> {
    // SAFETY: indexes of the shared keys, which the array has; nothing runs between the reads.
    unsafe {
        let disabled = *values.add(enabling.disabled as usize);
        let cache = *values.add(enabling.cache as usize);
        if disabled != ffi::Py_False() {
            return (disabled == ffi::Py_True()).then_some(false);
        }
        if cache.is_null() || ffi::PyDict_CheckExact(cache) == 0 {
            return None;
        }
        let known = look_up(cache);
        if known == ffi::Py_False() {
            Some(false)
        } else if known == ffi::Py_True() {
            Some(true)
        } else {
            None
        }
    }
}
