//! `Manager` and `PlaceHolder`: the tree of loggers by their dotted names.
//!
//! `loggerDict` is the one registry; it and every other attribute are read at each call, and everything happens under the
//! module's lock as in the stdlib.
use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
use crate::guard;
use crate::level;
use crate::lock;
use crate::names::Name;
use crate::natives::Target;

/// `Manager.__init__`
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(root)]) = call.parse([Name::rootnode], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let slf = call.slf();
    let none = py_ffi::none(py);
    py_ffi::setattr(&slf, Name::root, &root)?;
    py_ffi::setattr(&slf, Name::disable, &py_ffi::new_int(py, 0)?)?;
    let off = py_ffi::boolean(py, false);
    py_ffi::setattr(&slf, Name::emittedNoHandlerWarning, &off)?;
    py_ffi::setattr(&slf, Name::loggerDict, &py_ffi::new_dict(py)?)?;
    py_ffi::setattr(&slf, Name::loggerClass, &none)?;
    py_ffi::setattr(&slf, Name::logRecordFactory, &none)?;
    Ok(none)
}

/// `Manager.disable`, written: a level by number or name.
pub fn set_disable<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(value)]) = call.parse([Name::value], 1) else {
        return call.mismatch();
    };
    let level = level::checked(call.py(), &value)?;
    py_ffi::setattr(&call.slf(), Name::_disable, &level)?;
    Ok(py_ffi::none(call.py()))
}

/// `Manager.getLogger`
pub fn get_logger<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(name)]) = call.parse([Name::name], 1) else {
        return call.mismatch();
    };
    logger_named(&call.slf(), &name)
}

/// `manager.getLogger(name)` through whatever that is now.
pub fn asks_logger<'py>(manager: &Obj<'py>, name: &Obj<'py>) -> Res<Obj<'py>> {
    match guard::target(manager, Name::getLogger) {
        Target::ManagerGetLogger => logger_named(manager, name),
        _ => py_ffi::method(manager, Name::getLogger, [name]),
    }
}

fn logger_named<'py>(manager: &Obj<'py>, name: &Obj<'py>) -> Res<Obj<'py>> {
    let py = manager.py();
    if !py_ffi::is_str_like(name) {
        return Err(py_ffi::raise(
            py,
            Exc::Type,
            "A logger name must be a string",
        ));
    }
    if let Some(logger) = registered(manager, name) {
        return Ok(logger);
    }
    lock::module(py, || match known(manager, name)? {
        None => {
            let logger = new_logger(manager, name)?;
            fix_parents(manager, &logger)?;
            Ok(logger)
        }
        Some(found) if py_ffi::isinstance(&found, &globals::get(py, Name::PlaceHolder)?)? => {
            let logger = new_logger(manager, name)?;
            py_ffi::method(manager, Name::_fixupChildren, [&found, &logger])?;
            fix_parents(manager, &logger)?;
            Ok(logger)
        }
        Some(logger) => Ok(logger),
    })
}

/// A logger that the registry has, when finding it runs no Python code and nobody else holds the module's lock: then there is
/// no need to take it. A third of the time.
#[inline]
fn registered<'py>(manager: &Obj<'py>, name: &Obj<'py>) -> Option<Obj<'py>> {
    let py = manager.py();
    let registry = guard::peek(manager, Name::loggerDict)?;
    if !py_ffi::is_str(name) || !py_ffi::is_dict(&registry) || !lock::module_is_free(py) {
        return None;
    }
    let found = py_ffi::dict_get_str(&registry, name)?;
    // Certainly no `PlaceHolder`: it has the methods of a logger.
    (guard::view(&found)?.method(Name::callHandlers) == Target::LoggerCallHandlers).then_some(found)
}

/// What the registry has under `name`.
fn known<'py>(manager: &Obj<'py>, name: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    let registry = guard::attr(manager, Name::loggerDict)?;
    if py_ffi::is_dict(&registry) {
        return py_ffi::dict_get(&registry, name);
    }
    if !py_ffi::contains(&registry, name)? {
        return Ok(None);
    }
    let registry = guard::attr(manager, Name::loggerDict)?;
    py_ffi::get_item(&registry, name).map(Some)
}

/// Makes and registers a logger.
fn new_logger<'py>(manager: &Obj<'py>, name: &Obj<'py>) -> Res<Obj<'py>> {
    let mut class = guard::attr(manager, Name::loggerClass)?;
    if !py_ffi::truthy(&class)? {
        class = globals::get(manager.py(), Name::_loggerClass)?;
    }
    let logger = py_ffi::call(&class, &[name])?;
    py_ffi::setattr(&logger, Name::manager, manager)?;
    py_ffi::set_item(&guard::attr(manager, Name::loggerDict)?, name, &logger)?;
    Ok(logger)
}

fn fix_parents<'py>(manager: &Obj<'py>, logger: &Obj<'py>) -> Res<()> {
    py_ffi::method(manager, Name::_fixupParents, [logger]).map(drop)
}

/// `Manager._fixupParents`: links a new logger to the nearest ancestor, leaving place holders on the way.
pub fn fixup_parents<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(logger)]) = call.parse([Name::alogger], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let manager = call.slf();
    let name = guard::attr(&logger, Name::name)?;
    let (dot, zero, one) = (
        py_ffi::text_from(py, ".")?,
        py_ffi::new_int(py, 0)?,
        py_ffi::new_int(py, 1)?,
    );
    let mut at = py_ffi::method(&name, Name::rfind, [&dot])?;
    let mut parent = py_ffi::none(py);
    while py_ffi::gt(&at, &zero)? && !py_ffi::truthy(&parent)? {
        let prefix = py_ffi::slice(&name, None, Some(&at))?;
        match known(&manager, &prefix)? {
            None => {
                let class = globals::get(py, Name::PlaceHolder)?;
                let holder = py_ffi::call(&class, &[&logger])?;
                let registry = guard::attr(&manager, Name::loggerDict)?;
                py_ffi::set_item(&registry, &prefix, &holder)?;
            }
            Some(found) if py_ffi::isinstance(&found, &globals::get(py, Name::Logger)?)? => {
                parent = found;
            }
            Some(found) => {
                if !py_ffi::isinstance(&found, &globals::get(py, Name::PlaceHolder)?)?
                    && asserts(py)?
                {
                    return Err(py_ffi::raise_bare(py, Exc::Assertion));
                }
                py_ffi::method(&found, Name::append, [&logger])?;
            }
        }
        let before = py_ffi::sub(&at, &one)?;
        at = py_ffi::method(&name, Name::rfind, [&dot, &zero, &before])?;
    }
    if !py_ffi::truthy(&parent)? {
        parent = guard::attr(&manager, Name::root)?;
    }
    py_ffi::setattr(&logger, Name::parent, &parent)?;
    Ok(py_ffi::none(py))
}

/// Were the interpreter's bodies compiled with their `assert` statements (no `-O`)?
fn asserts(py: Python<'_>) -> Res<bool> {
    let flags = py_ffi::getattr(&globals::get(py, Name::sys)?, Name::flags)?;
    Ok(!py_ffi::truthy(&py_ffi::getattr(&flags, Name::optimize)?)?)
}

/// `Manager._fixupChildren`: the loggers below a place holder get the new logger as parent, if none is nearer.
pub fn fixup_children<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(holder), Some(logger)]) = call.parse([Name::ph, Name::alogger], 2) else {
        return call.mismatch();
    };
    let py = call.py();
    let name = guard::attr(&logger, Name::name)?;
    let length = py_ffi::new_int(py, py_ffi::len(&name)? as i64)?;
    let map = guard::attr(&holder, Name::loggerMap)?;
    let children = py_ffi::iter(&py_ffi::method(&map, Name::keys, [])?)?;
    while let Some(child) = py_ffi::next(&children)? {
        let parent = guard::attr(&child, Name::parent)?;
        let prefix = py_ffi::slice(&guard::attr(&parent, Name::name)?, None, Some(&length))?;
        if py_ffi::ne(&prefix, &name)? {
            let parent = guard::attr(&child, Name::parent)?;
            py_ffi::setattr(&logger, Name::parent, &parent)?;
            py_ffi::setattr(&child, Name::parent, &logger)?;
        }
    }
    Ok(py_ffi::none(py))
}

/// `Manager._clear_cache`: every logger forgets which levels are enabled.
///
/// Differs: up to 3.12 the stdlib keeps the module's lock for ever when this fails (it has no `finally`); here it is released.
pub fn clear_cache<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let manager = call.slf();
    lock::module(py, || {
        let registry = guard::attr(&manager, Name::loggerDict)?;
        let loggers = py_ffi::iter(&py_ffi::method(&registry, Name::values, [])?)?;
        while let Some(logger) = py_ffi::next(&loggers)? {
            if py_ffi::isinstance(&logger, &globals::get(py, Name::Logger)?)? {
                forget(&logger)?;
            }
        }
        forget(&guard::attr(&manager, Name::root)?)
    })?;
    Ok(py_ffi::none(py))
}

/// `logger._cache.clear()`
fn forget(logger: &Obj<'_>) -> Res<()> {
    let cache = guard::attr(logger, Name::_cache)?;
    if py_ffi::is_dict(&cache) {
        py_ffi::dict_clear(&cache);
        return Ok(());
    }
    py_ffi::method(&cache, Name::clear, []).map(drop)
}

/// `Manager.setLoggerClass`
pub fn set_logger_class<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(class)]) = call.parse([Name::klass], 1) else {
        return call.mismatch();
    };
    require_logger_class(&class)?;
    py_ffi::setattr(&call.slf(), Name::loggerClass, &class)?;
    Ok(py_ffi::none(call.py()))
}

/// Raises unless `class` is `Logger` or derived from it.
pub fn require_logger_class(class: &Obj<'_>) -> Res<()> {
    let py = class.py();
    if py_ffi::ne(class, &globals::get(py, Name::Logger)?)?
        && !py_ffi::issubclass(class, &globals::get(py, Name::Logger)?)?
    {
        let text = py_ffi::add(
            &py_ffi::text_from(py, "logger not derived from logging.Logger: ")?,
            &py_ffi::getattr(class, Name::__name__)?,
        )?;
        return Err(py_ffi::raise_object(py, Exc::Type, &text));
    }
    Ok(())
}

/// `Manager.setLogRecordFactory`
pub fn set_record_factory<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(factory)]) = call.parse([Name::factory], 1) else {
        return call.mismatch();
    };
    py_ffi::setattr(&call.slf(), Name::logRecordFactory, &factory)?;
    Ok(py_ffi::none(call.py()))
}

// ---- PlaceHolder

/// `PlaceHolder.__init__`
pub fn place_holder_init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(logger)]) = call.parse([Name::alogger], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let map = py_ffi::new_dict(py)?;
    py_ffi::dict_set(&map, &logger, &py_ffi::none(py))?;
    py_ffi::setattr(&call.slf(), Name::loggerMap, &map)?;
    Ok(py_ffi::none(py))
}

/// `PlaceHolder.append`
pub fn place_holder_append<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(logger)]) = call.parse([Name::alogger], 1) else {
        return call.mismatch();
    };
    let none = py_ffi::none(call.py());
    let slf = call.slf();
    if !py_ffi::contains(&guard::attr(&slf, Name::loggerMap)?, &logger)? {
        py_ffi::set_item(&guard::attr(&slf, Name::loggerMap)?, &logger, &none)?;
    }
    Ok(none)
}
