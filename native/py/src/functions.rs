//! The functions of the `logging` module.
//!
//! `root`, `basicConfig`, `_lock` and all the rest are looked up in the module at each call, as the interpreter's bodies do, and
//! called as they are there. None of these functions has a frame of its own, so what they log is attributed to their caller.
use pyo3::prelude::*;

use crate::bind;
use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
use crate::guard;
use crate::lock;
use crate::logger;
use crate::manager;
use crate::names::Name;
use crate::natives::{NativeFn, Target};
use crate::trace::{At as _, call as calling, get};

// ---- debug() … log(): the root logger, configured if it has no handler

macro_rules! root_functions {
    ($($(#[$doc:meta])* $name:ident = $level:ident, $target:ident;)*) => {
        $($(#[$doc])* pub fn $name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
            const PLACE: usize = logger::place_of(Name::$level);
            match logger::root_at_once(call, PLACE, Target::$target) {
                Some(logged) => logged
                    .map(|()| py_ffi::none(call.py()))
                    .at(call.py(), call.target(), calling(stringify!($name))),
                None => at_root(call, 1, Name::$name, Target::$target, logger::$name),
            }
        })*
    };
}

root_functions! {
    /// `logging.debug`
    debug = DEBUG, LoggerDebug;
    /// `logging.info`
    info = INFO, LoggerInfo;
    /// `logging.warning`
    warning = WARNING, LoggerWarning;
    /// `logging.error`
    error = ERROR, LoggerError;
    /// `logging.critical`
    critical = CRITICAL, LoggerCritical;
}

/// `logging.log`
pub fn log<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    at_root(call, 2, Name::log, Target::LoggerLog, logger::log)
}

/// `if len(root.handlers) == 0: basicConfig()`, then the root logger's method of that name.
fn at_root<'py>(
    call: &Call<'_, 'py>,
    required: usize,
    name: Name,
    target: Target,
    run: NativeFn,
) -> Res<Obj<'py>> {
    let py = call.py();
    if call.len() < required || call.any_keyword(own_parameters(required)) {
        return call.mismatch();
    }
    let root = logger::root(py)?;
    if let Some(reason) = logger::wants_frames(&root)? {
        return call.reference(reason);
    }
    let here = call.target();
    configure_if_bare(&root, here)?;
    let root = logger::root(py)?;
    if guard::target(&root, name) == target {
        run(&call.on(&root, target))
    } else {
        let method = py_ffi::getattr(&root, name).at(py, here, get(name.text()))?;
        call.pass_to(&method, &[], None)
    }
    .at(py, here, calling(name.text()))?;
    Ok(py_ffi::none(py))
}

/// What the functions look at first: is the root logger, which has handlers, disabled for their level?
pub mod first_look {
    use crate::call::Call;
    use crate::guard::Found;
    use crate::natives::Look;
    use crate::{guard, logger};

    logger::first_look::by_level!(look);

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of the entry point")]
    fn look<'a, 'py>(call: &Call<'a, 'py>, nth: usize, _: bool) -> Look<'a, 'py> {
        let py = call.py();
        if call.len() == 0 {
            return Look::Nothing;
        }
        let (Some((level, number)), Some(root)) =
            (logger::level_at_once(py, nth), logger::known_root(py))
        else {
            return Look::Nothing;
        };
        match guard::root_enabled_at_once(&root, &level, number) {
            // One of them may be an error.
            Some(Found::Enabled(false, _)) if !call.has_no_keywords() => Look::Nothing,
            Some(found) => logger::verdict(py, found),
            None => Look::Nothing,
        }
    }
}

fn own_parameters(required: usize) -> &'static [Name] {
    if required == 1 {
        &[Name::self_, Name::msg]
    } else {
        &[Name::self_, Name::level, Name::msg]
    }
}

fn configure_if_bare(root: &Obj<'_>, here: Target) -> Res<()> {
    let py = root.py();
    let handlers = guard::attr(root, Name::handlers).at(py, here, get("handlers"))?;
    if py_ffi::is_list(&handlers) && py_ffi::list_len(&handlers) > 0 {
        return Ok(());
    }
    if py_ffi::len(&handlers).at(py, here, calling("len"))? == 0 {
        py_ffi::call(&globals::get(py, Name::basicConfig)?, &[]).at(
            py,
            here,
            calling("basicConfig"),
        )?;
    }
    Ok(())
}

/// `logging.exception`: `error()` with `exc_info=True` unless given.
pub fn exception<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let py = call.py();
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    let here = Target::Exception;
    let yes = py_ffi::boolean(py, true);
    let default = Some((Name::exc_info, &yes));
    if !globals::is_own(py, Name::error, Target::Error)? {
        call.pass_to(&globals::get(py, Name::error)?, &[], default)
            .at(py, here, calling("error"))?;
        return Ok(py_ffi::none(py));
    }
    let root = globals::get(py, Name::root)?;
    if let Some(reason) = logger::wants_frames(&root)? {
        return call.reference(reason);
    }
    configure_if_bare(&root, Target::Error).at(py, here, calling("error"))?;
    let root = globals::get(py, Name::root)?;
    if guard::target(&root, Name::error) == Target::LoggerError {
        logger::error_of_exception(&call.on(&root, Target::LoggerError))
    } else {
        call.pass_to(&py_ffi::getattr(&root, Name::error)?, &[], default)
    }
    .at(py, Target::Error, calling("error"))
    .at(py, here, calling("error"))?;
    Ok(py_ffi::none(py))
}

/// `logging.fatal`: `critical()`.
pub fn fatal<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    if let Some(reason) = logger::wants_frames(&globals::get(call.py(), Name::root)?)? {
        return call.reference(reason);
    }
    other_function(call, Name::critical, Target::Critical, critical)
}

/// `logging.warn`: deprecated; warns and does what `warning()` does.
pub fn warn<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() == 0 || call.any_keyword(&[Name::self_, Name::msg]) {
        return call.mismatch();
    }
    let py = call.py();
    if let Some(reason) = logger::wants_frames(&globals::get(py, Name::root)?)? {
        // Before the warning: the reference body gives its own.
        return call.reference(reason);
    }
    py_ffi::warn_deprecated(
        py,
        &globals::get(py, Name::warnings)?,
        "The 'warn' function is deprecated, use 'warning' instead",
    )
    .at(py, Target::Warn, calling("warn"))?;
    other_function(call, Name::warning, Target::Warning, warning)
}

/// The module's function `name` with the same arguments.
fn other_function<'py>(
    call: &Call<'_, 'py>,
    name: Name,
    target: Target,
    run: NativeFn,
) -> Res<Obj<'py>> {
    let py = call.py();
    if globals::is_own(py, name, target)? {
        run(&call.of(target))
    } else {
        call.pass_to(&globals::get(py, name)?, &[], None)
    }
    .at(py, call.target(), calling(name.text()))?;
    Ok(py_ffi::none(py))
}

// ---- loggers, factories, levels

/// `logging.getLogger`: `(name=None)`.
pub fn get_logger<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([name]) = call.parse([Name::name], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let Some(name) = name else {
        return globals::get(py, Name::root);
    };
    if !py_ffi::truthy(&name)? {
        return globals::get(py, Name::root);
    }
    if py_ffi::is_str_like(&name) {
        let root = globals::get(py, Name::root)?;
        if py_ffi::eq_operator(&name, &guard::attr(&root, Name::name)?)? {
            return globals::get(py, Name::root);
        }
    }
    let logger = globals::get(py, Name::Logger)?;
    manager::asks_logger(&py_ffi::getattr(&logger, Name::manager)?, &name)
}

/// `logging.getLoggerClass`
pub fn get_logger_class<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    global_value(call, Name::_loggerClass)
}

/// `logging.getLogRecordFactory`
pub fn get_record_factory<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    global_value(call, Name::_logRecordFactory)
}

fn global_value<'py>(call: &Call<'_, 'py>, name: Name) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    globals::get(call.py(), name)
}

/// `logging.setLoggerClass`
pub fn set_logger_class<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(class)]) = call.parse([Name::klass], 1) else {
        return call.mismatch();
    };
    manager::require_logger_class(&class)?;
    globals::set(Name::_loggerClass, &class)?;
    Ok(py_ffi::none(call.py()))
}

/// `logging.setLogRecordFactory`
pub fn set_record_factory<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(factory)]) = call.parse([Name::factory], 1) else {
        return call.mismatch();
    };
    globals::set(Name::_logRecordFactory, &factory)?;
    Ok(py_ffi::none(call.py()))
}

/// `logging.makeLogRecord`
pub fn make_log_record<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(attributes)]) = call.parse([Name::dict], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let none = py_ffi::none(py);
    let empty = py_ffi::text_from(py, "")?;
    let factory = globals::get(py, Name::_logRecordFactory)?;
    let record = py_ffi::call(
        &factory,
        &[
            &none,
            &none,
            &empty,
            &py_ffi::new_int(py, 0)?,
            &empty,
            &py_ffi::new_tuple(py, &[])?,
            &none,
            &none,
        ],
    )?;
    let own = py_ffi::getattr(&record, Name::__dict__)?;
    py_ffi::method(&own, Name::update, [&attributes])?;
    Ok(record)
}

/// `logging.addLevelName`
pub fn add_level_name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level), Some(name)]) = call.parse([Name::level, Name::levelName], 2) else {
        return call.mismatch();
    };
    let py = call.py();
    lock::module(py, || {
        py_ffi::set_item(&globals::get(py, Name::_levelToName)?, &level, &name)?;
        py_ffi::set_item(&globals::get(py, Name::_nameToLevel)?, &name, &level)
    })?;
    Ok(py_ffi::none(py))
}

/// `logging.getLevelNamesMapping`: a copy.
pub fn get_level_names_mapping<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    py_ffi::method(
        &globals::get(call.py(), Name::_nameToLevel)?,
        Name::copy,
        [],
    )
}

/// `logging.disable`: `(level=CRITICAL)`.
pub fn disable<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([level]) = call.parse([Name::level], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let level = match level {
        Some(level) => level.to_owned(),
        None => py_ffi::new_int(py, 50)?,
    };
    let manager =
        || -> Res<Obj<'py>> { py_ffi::getattr(&globals::get(py, Name::root)?, Name::manager) };
    py_ffi::setattr(&manager()?, Name::disable, &level)?;
    py_ffi::method(&manager()?, Name::_clear_cache, [])?;
    Ok(py_ffi::none(py))
}

// ---- the registry of handlers

/// `logging._addHandlerRef`
pub fn add_handler_ref<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(handler)]) = call.parse([Name::handler], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    lock::module(py, || {
        let list = globals::get(py, Name::_handlerList)?;
        let make = py_ffi::getattr(&globals::get(py, Name::weakref)?, Name::ref_)?;
        let gone = globals::get(py, Name::_removeHandlerRef)?;
        py_ffi::append(&list, &py_ffi::call(&make, &[&handler, &gone])?)
    })?;
    Ok(py_ffi::none(py))
}

/// `logging._removeHandlerRef`: a handler has died. At the interpreter's end the module's globals may be `None` already.
pub fn remove_handler_ref<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(reference)]) = call.parse([Name::wr], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let guards: &[Name] = if cfg!(Py_3_13) {
        &[Name::_lock]
    } else {
        &[Name::_acquireLock, Name::_releaseLock]
    };
    let handlers = globals::get(py, Name::_handlerList)?;
    for guard in guards {
        if !globals::truthy(py, *guard)? {
            return Ok(py_ffi::none(py));
        }
    }
    if py_ffi::truthy(&handlers)? {
        lock::module(py, || {
            match py_ffi::method(&handlers, Name::remove, [&reference]) {
                Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Value)) => {
                    raised.clear(py);
                    Ok(())
                }
                result => result.map(drop),
            }
        })?;
    }
    Ok(py_ffi::none(py))
}

/// `logging.shutdown`: `(handlerList=<the list the module was made with>)`.
pub fn shutdown<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([list]) = call.parse([Name::handlerList], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let list = if let Some(list) = list {
        list.to_owned()
    } else {
        let function = bind::reference_function(py, Target::Shutdown)?;
        let defaults = py_ffi::getattr(&function, Name::__defaults__)?;
        py_ffi::get_item(&defaults, &py_ffi::new_int(py, 0)?)?
    };
    let references = py_ffi::iter(&py_ffi::reversed(&py_ffi::slice(&list, None, None)?)?)?;
    while let Some(reference) = py_ffi::next(&references)? {
        if let Err(raised) = close_referent(&reference) {
            let exception = raised.take(py);
            let raises =
                py_ffi::while_handling(&exception, || globals::truthy(py, Name::raiseExceptions))?;
            if raises {
                return Err(py_ffi::Raised::from(exception));
            }
        }
    }
    Ok(py_ffi::none(py))
}

/// Flushes and closes the handler a weak reference leads to, if it still lives.
fn close_referent(reference: &Obj<'_>) -> Res<()> {
    let (py, here) = (reference.py(), Target::Shutdown);
    let handler = py_ffi::call(reference, &[])?;
    if !py_ffi::truthy(&handler)? {
        return Ok(());
    }
    let attempt = || -> Res<()> {
        py_ffi::method(&handler, Name::acquire, []).at(py, here, calling("acquire"))?;
        // From 3.12 on a memory handler may say that it wants no flush.
        let flushes = !cfg!(Py_3_12)
            || match py_ffi::getattr_opt(&handler, Name::flushOnClose)? {
                Some(wanted) => py_ffi::truthy(&wanted)?,
                None => true,
            };
        if flushes {
            py_ffi::method(&handler, Name::flush, []).at(py, here, calling("flush"))?;
        }
        py_ffi::method(&handler, Name::close, [])
            .map(drop)
            .at(py, here, calling("close"))
    };
    let guarded = || {
        attempt().or_else(|raised| {
            // The file may be closed or gone already; that is no error at this point.
            let expected = [Exc::Os, Exc::Value]
                .into_iter()
                .any(|kind| raised.is(py_ffi::exception_class(py, kind)));
            if expected {
                raised.clear(py);
                return Ok(());
            }
            Err(raised)
        })
    };
    py_ffi::finally(py, guarded, || {
        py_ffi::method(&handler, Name::release, [])
            .map(drop)
            .at(py, here, calling("release"))
    })
}

// ---- fork and the module's lock

/// `logging._acquireLock` (up to 3.12)
pub fn acquire_lock<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    on_module_lock(call, Name::acquire)
}

/// `logging._releaseLock` (up to 3.12)
pub fn release_lock<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    on_module_lock(call, Name::release)
}

fn on_module_lock<'py>(call: &Call<'_, 'py>, method: Name) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    if globals::truthy(py, Name::_lock)? {
        py_ffi::method(&globals::get(py, Name::_lock)?, method, [])?;
    }
    Ok(py_ffi::none(py))
}

/// `logging._prepareFork` (3.13+)
pub fn prepare_fork<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let lock = globals::get(py, Name::_lock)?;
    if let Err(raised) = py_ffi::method(&lock, Name::acquire, []) {
        let exception = raised.take(py);
        py_ffi::while_handling(&exception, || {
            py_ffi::method(&globals::get(py, Name::_lock)?, Name::release, [])
        })?;
        return Err(py_ffi::Raised::from(exception));
    }
    Ok(py_ffi::none(py))
}

/// `logging._afterFork` (3.13+)
pub fn after_fork<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    py_ffi::method(&globals::get(call.py(), Name::_lock)?, Name::release, [])?;
    Ok(py_ffi::none(call.py()))
}

/// `logging._register_at_fork_reinit_lock`, where the platform can fork.
pub fn register_reinit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(instance)]) = call.parse([Name::instance], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    if let Some(known) = globals::get_opt(py, Name::_at_fork_reinit_lock_weakset)? {
        lock::module(py, || {
            py_ffi::method(&known, Name::add, [&instance]).map(drop)
        })?;
    }
    Ok(py_ffi::none(py))
}

/// `logging._after_at_fork_child_reinit_locks`
pub fn reinit_locks<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let known = globals::get(py, Name::_at_fork_reinit_lock_weakset)?;
    let handlers = py_ffi::iter(&known)?;
    while let Some(handler) = py_ffi::next(&handlers)? {
        py_ffi::method(&handler, Name::_at_fork_reinit, [])?;
    }
    py_ffi::method(&globals::get(py, Name::_lock)?, Name::_at_fork_reinit, [])?;
    Ok(py_ffi::none(py))
}

// ---- warnings

/// `logging._showwarning`: `(message, category, filename, lineno, file=None, line=None)`.
pub fn show_warning<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = call.parse(
        [
            Name::message,
            Name::category,
            Name::filename,
            Name::lineno,
            Name::file,
            Name::line,
        ],
        4,
    );
    let Some(
        [
            Some(message),
            Some(category),
            Some(filename),
            Some(lineno),
            file,
            line,
        ],
    ) = parsed
    else {
        return call.mismatch();
    };
    let py = call.py();
    let none = py_ffi::none(py);
    let line = line.as_deref().unwrap_or(&none);
    if let Some(file) = file.filter(|file| !file.is_none()) {
        let shown = globals::get(py, Name::_warnings_showwarning)?;
        if !shown.is_none() {
            py_ffi::call(
                &shown,
                &[&message, &category, &filename, &lineno, &file, line],
            )?;
        }
        return Ok(none);
    }
    let warnings = globals::get(py, Name::warnings)?;
    let text = py_ffi::method(
        &warnings,
        Name::formatwarning,
        [&*message, &*category, &*filename, &*lineno, line],
    )?;
    let get_logger = globals::get(py, Name::getLogger)?;
    let logger = py_ffi::call(&get_logger, &[&py_ffi::text_from(py, "py.warnings")?])?;
    if !py_ffi::truthy(&py_ffi::getattr(&logger, Name::handlers)?)? {
        let handler = py_ffi::call(&globals::get(py, Name::NullHandler)?, &[])?;
        py_ffi::method(&logger, Name::addHandler, [&handler])?;
    }
    py_ffi::method(&logger, Name::warning, [&py_ffi::str(&text)?])?;
    Ok(none)
}
