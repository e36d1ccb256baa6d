//! `Logger`: from `info()` to the handlers.
//!
//! A record's way: enabled? (`enabled`, `methods`) → caller and record (`log`) → the logger's filters → the handlers up the tree
//! (`dispatch`). Every step is dispatched on the object as it is now: an override costs only its own step. This file holds what
//! makes and changes a logger.
mod dispatch;
mod enabled;
mod extra;
mod log;
mod methods;

pub use dispatch::{call_handlers, handle, has_handlers};
pub use enabled::{
    ask_first, enabled, first_look, get_effective_level, is_enabled_for, level_named, root,
};
pub(crate) use enabled::{known_root, level_at_once, place_of, verdict};
pub use extra::{rename_clashing_extra, renames_clashing_extra};
pub use log::makes_records_alone;
pub use log::{find_caller_method, log_low_method, make_record};
pub use methods::{
    adapted_at_once, critical, debug, error, error_of_exception, exception, fatal, info, log,
    log_with, may_want_frames, root_at_once, wants_frames, warn, warning,
};

use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use crate::bind;
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard;
use crate::level;
use crate::lock;
use crate::manager;
use crate::names::Name;
use crate::natives::Target;
use crate::trace::{At as _, call as calling, get, store};

/// `Logger.setLevel`
pub fn set_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    let logger = call.slf();
    let (py, here) = (call.py(), Target::LoggerSetLevel);
    let level = level::checked(py, &level).at(py, here, calling("_checkLevel"))?;
    py_ffi::setattr(&logger, Name::level, &level).at(py, here, store("level"))?;
    let manager = guard::attr(&logger, Name::manager).at(py, here, get("manager"))?;
    py_ffi::method(&manager, Name::_clear_cache, []).at(py, here, calling("_clear_cache"))?;
    Ok(py_ffi::none(py))
}

/// `RootLogger.__init__`: `(self, level)`.
pub fn root_init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    let base = globals::get(call.py(), Name::Logger)?;
    let name = Name::root.object(call.py());
    py_ffi::method(&base, Name::__init__, [&call.slf(), &name, &level])?;
    Ok(py_ffi::none(call.py()))
}

/// `Logger.addHandler`
pub fn add_handler<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(handler)]) = call.parse([Name::hdlr], 1) else {
        return call.mismatch();
    };
    let logger = call.slf();
    lock::module(call.py(), || {
        if !py_ffi::contains(&guard::attr(&logger, Name::handlers)?, &handler)? {
            py_ffi::append(&guard::attr(&logger, Name::handlers)?, &handler)?;
        }
        Ok(())
    })?;
    Ok(py_ffi::none(call.py()))
}

/// `Logger.removeHandler`. Older releases take it out of the list in place; newer ones put a copy in the list's place, which
/// leaves a dispatch going on in another thread alone.
pub fn remove_handler<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    static COPIES: AtomicU8 = AtomicU8::new(0);
    let Some([Some(handler)]) = call.parse([Name::hdlr], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let logger = call.slf();
    lock::module(py, || {
        if !py_ffi::contains(&guard::attr(&logger, Name::handlers)?, &handler)? {
            return Ok(());
        }
        let handlers = guard::attr(&logger, Name::handlers)?;
        if !bind::reference_mentions(py, &COPIES, Target::LoggerRemoveHandler, Name::copy) {
            return py_ffi::method(&handlers, Name::remove, [&handler]).map(drop);
        }
        let handlers = py_ffi::method(&handlers, Name::copy, [])?;
        py_ffi::method(&handlers, Name::remove, [&handler])?;
        py_ffi::setattr(&logger, Name::handlers, &handlers)
    })?;
    Ok(py_ffi::none(py))
}

/// `Logger.getChild`
pub fn get_child<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(suffix)]) = call.parse([Name::suffix], 1) else {
        return call.mismatch();
    };
    let logger = call.slf();
    let mut name = suffix.to_owned();
    if !guard::attr(&logger, Name::root)?.is(&*logger) {
        let own = guard::attr(&logger, Name::name)?;
        name = py_ffi::join(".", &py_ffi::new_tuple(call.py(), &[&own, &name])?)?;
    }
    manager::asks_logger(&guard::attr(&logger, Name::manager)?, &name)
}

/// `Logger.getChildren` (3.12+)
pub fn get_children<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let logger = call.slf();
    let manager = guard::attr(&logger, Name::manager)?;
    let registry = guard::attr(&manager, Name::loggerDict)?;
    lock::module(py, || {
        let children = py_ffi::new_set(py)?;
        let all = py_ffi::iter(&py_ffi::method(&registry, Name::values, [])?)?;
        while let Some(item) = py_ffi::next(&all)? {
            if py_ffi::isinstance(&item, &globals::get(py, Name::Logger)?)?
                && guard::attr(&item, Name::parent)?.is(&*logger)
                && is_one_deeper(&item)?
            {
                py_ffi::set_add(&children, &item)?;
            }
        }
        Ok(children)
    })
}

/// Is a logger exactly one name component below its parent?
fn is_one_deeper(logger: &Obj<'_>) -> Res<bool> {
    let one = py_ffi::new_int(logger.py(), 1)?;
    let own = depth(logger)?;
    let above = depth(&guard::attr(logger, Name::parent)?)?;
    py_ffi::eq_operator(&own, &py_ffi::add(&one, &above)?)
}

/// The number of components of a logger's name; 0 for the root.
fn depth<'py>(logger: &Obj<'py>) -> Res<Obj<'py>> {
    let py = logger.py();
    let manager = guard::attr(logger, Name::manager)?;
    if guard::attr(&manager, Name::root)?.is(logger) {
        return py_ffi::new_int(py, 0);
    }
    let name = guard::attr(logger, Name::name)?;
    let dots = py_ffi::method(&name, Name::count, [&py_ffi::text_from(py, ".")?])?;
    py_ffi::add(&py_ffi::new_int(py, 1)?, &dots)
}

/// `Logger.__reduce__`: a logger is pickled as `getLogger(name)`, if that leads back to it.
pub fn reduce<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let logger = call.slf();
    let get_logger = globals::get(py, Name::getLogger)?;
    let found = py_ffi::call(&get_logger, &[&guard::attr(&logger, Name::name)?])?;
    if !found.is(&*logger) {
        let pickle = py_ffi::import(py, "pickle")?;
        let error = py_ffi::getattr(&pickle, Name::PicklingError)?;
        return Err(py_ffi::raise_class(&error, "logger cannot be pickled"));
    }
    let get_logger = globals::get(py, Name::getLogger)?;
    let args = py_ffi::new_tuple(py, &[&guard::attr(&logger, Name::name)?])?;
    py_ffi::new_tuple(py, &[&get_logger, &args])
}

/// `RootLogger.__reduce__`
pub fn root_reduce<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let get_logger = globals::get(py, Name::getLogger)?;
    py_ffi::new_tuple(py, &[&get_logger, &py_ffi::new_tuple(py, &[])?])
}
