//! `_log` and what it asks for: `findCaller` and `makeRecord`.
use pyo3::prelude::*;

use super::dispatch::{handle_late, handle_record};
use super::extra;
use super::methods::{Options, usual, wants_frames};
use crate::call::{Args, Call};
use crate::caller::{self, Caller, Site};
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::filter;
use crate::globals;
use crate::guard::{self, View};
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::raw;
use crate::record::{self, Event, Record};
use crate::stats::{self, Reason};
use crate::trace::{self, At as _, call as calling, compare, get, item, iter, next, raise, truth};

/// `Logger._log`: `(self, level, msg, args, exc_info=None, extra=None, stack_info=False, stacklevel=1)`.
pub fn log_low_method<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = call.parse(
        [
            Name::level,
            Name::msg,
            Name::args,
            Name::exc_info,
            Name::extra,
            Name::stack_info,
            Name::stacklevel,
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
            stacklevel,
        ],
    ) = parsed
    else {
        return call.mismatch();
    };
    let logger = call.slf();
    if let Some(reason) = wants_frames(&logger)? {
        return call.reference(reason);
    }
    let options = Options {
        exc_info,
        extra,
        stack_info,
        stacklevel,
    };
    let usual = usual(&logger);
    if py_ffi::is_tuple(&args) {
        log_low(
            &logger,
            usual,
            &level,
            &msg,
            Args::of_tuple(&args),
            Some(&args),
            &options,
        )?;
    } else {
        // Not a tuple: the record must carry this very object.
        let empty = py_ffi::new_tuple(call.py(), &[])?;
        log_low(
            &logger,
            usual,
            &level,
            &msg,
            Args::of_tuple(&empty),
            Some(&args),
            &options,
        )?;
    }
    Ok(py_ffi::none(call.py()))
}

/// The core of every log call; `usual` is the logger's view where it has one (see [`usual`]) and nothing has run since.
pub(super) fn log_low<'py>(
    logger: &Obj<'py>,
    usual: Option<View<'_, 'py>>,
    level: &Obj<'py>,
    msg: &Obj<'py>,
    args: Args<'_, 'py>,
    args_tuple: Option<&Obj<'py>>,
    options: &Options<'_, 'py>,
) -> Res<()> {
    let py = logger.py();
    crate::stack::check(py)?;
    let here = Target::LoggerLogLow;
    let mut event = Event::plain(
        logger.as_borrowed(),
        level.as_borrowed(),
        msg.as_borrowed(),
        args,
        None,
    );
    event.args_tuple = args_tuple.map(|args| args.as_borrowed());
    if let Some(view) = usual
        && options.may_wait()
        && may_be_late(&event, &view)
    {
        if let Some(given) = options.exc_info.as_deref() {
            event.exc_info = given.clone();
        }
        event.extra = options
            .extra
            .as_deref()
            .filter(|extra| !extra.is_none())
            .cloned();
        return log_late(&view, event, false);
    }
    let site = if py_ffi::truthy(&globals::get(py, Name::_srcfile)?)? {
        match find_caller(
            py,
            options.stack_info.as_deref(),
            options.stacklevel.as_deref(),
        ) {
            Ok((site, text)) => {
                event.stack = text;
                site
            }
            Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Value)) => {
                raised.clear(py);
                Site::unknown(py)?
            }
            Err(raised) => return Err(raised).at(py, here, calling("findCaller")),
        }
    } else {
        Site::unknown(py)?
    };
    let is_true = |given| py_ffi::truthy(given).at(py, here, truth("findCaller"));
    match options.exc_info.as_deref() {
        Some(given) if !given.is_none() && is_true(given)? => {
            event.exc_info = normalised(py, given).at(py, here, calling("exc_info"))?;
        }
        Some(given) => event.exc_info = given.clone(),
        None => {}
    }
    event.extra = options
        .extra
        .as_deref()
        .filter(|extra| !extra.is_none())
        .cloned();
    let name = guard::attr(logger, Name::name).at(py, here, get("name"))?;
    let mut record = match guard::target(logger, Name::makeRecord) {
        Target::LoggerMakeRecord => make(py, event, name, site),
        _ => make_by(logger, Name::makeRecord, &event, &name, &site).map(Record::of),
    }
    .at(py, here, calling("makeRecord"))?;
    stats::native_record();
    match guard::target(logger, Name::handle) {
        Target::LoggerHandle => handle_record(logger, &mut record),
        _ => guard::call_method(logger, Name::handle, [record.real()?]).map(drop),
    }
    .at(py, here, calling("handle"))
}

/// Handles the record of an event that [may be late](may_be_late); `enabled`: the logger has just been seen not to be disabled.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "the event is put together where it stays: 25 instructions"
)]
pub(super) fn log_late<'py>(
    logger: &View<'_, 'py>,
    event: Event<'_, 'py>,
    enabled: bool,
) -> Res<()> {
    stats::native_record();
    let mut record = Record::late(event);
    let handled = handle_late(logger, &mut record, enabled);
    if record.owns_nothing() {
        std::mem::forget(record);
    }
    handled.at(
        logger.object().py(),
        Target::LoggerLogLow,
        calling("handle"),
    )
}

/// Can this record be made when somebody wants to see it? Then nobody of those who take part in making one has been replaced,
/// and nothing they do could fail or run anybody's code. What was given beside message and arguments, [`Options::may_wait`] asks.
#[inline]
fn may_be_late<'py>(event: &Event<'_, 'py>, logger: &View<'_, 'py>) -> bool {
    event.args_tuple.is_none_or(|args| py_ffi::is_tuple(&args))
        && !record::has_doubtful_mapping(event.args)
        && raw::small_int(&event.level).is_some()
        && has_name(logger)
}

/// Is there a name, which can be read at any time?
#[inline]
pub(super) fn has_name(logger: &View<'_, '_>) -> bool {
    logger.test(Name::name, |_| true)
}

/// `exc_info` as a triple: of an exception, of the current one, or as given.
fn normalised<'py>(py: Python<'py>, given: &Obj<'py>) -> Res<Obj<'py>> {
    if py_ffi::is_exception(given) {
        let kind = given.get_type().into_any();
        let trace = py_ffi::getattr(given, Name::__traceback__)?;
        return py_ffi::new_tuple(py, &[&kind, given, &trace]);
    }
    if py_ffi::is_tuple_like(given) {
        return Ok(given.clone());
    }
    py_ffi::method(&globals::get(py, Name::sys)?, Name::exc_info, [])
}

// ---- findCaller

/// `Logger.findCaller`: `(self, stack_info=False, stacklevel=1)`.
pub fn find_caller_method<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([stack_info, stacklevel]) = call.parse([Name::stack_info, Name::stacklevel], 0) else {
        return call.mismatch();
    };
    let (site, stack) = find_caller(call.py(), stack_info.as_deref(), stacklevel.as_deref())?;
    let site = site.named()?;
    py_ffi::new_tuple(
        call.py(),
        &[&site.pathname, &site.line, &site.function, &stack],
    )
}

fn find_caller<'py>(
    py: Python<'py>,
    stack_info: Option<&Obj<'py>>,
    stacklevel: Option<&Obj<'py>>,
) -> Res<(Site<'py>, Obj<'py>)> {
    let level = stacklevel.map_or(Some(1), |given| py_ffi::int_value(given));
    let found = match level {
        Some(level) => caller::find(py, level)?,
        None => Caller::Reference(Reason::StackLevel),
    };
    let wanted = match stack_info {
        Some(given) => py_ffi::truthy(given)?,
        None => false,
    };
    match found {
        Caller::At(site) if !wanted => Ok((site, py_ffi::none(py))),
        Caller::At(site) => {
            let frame = caller::frame(py, level.unwrap_or(1))?;
            let stack = caller::stack_text(py, &frame)?;
            Ok((site, stack))
        }
        Caller::Reference(reason) => {
            stats::reference(reason);
            let none = py_ffi::none(py);
            let off = py_ffi::boolean(py, false);
            let one = py_ffi::new_int(py, 1)?;
            let args = [
                &none,
                stack_info.unwrap_or(&off),
                stacklevel.unwrap_or(&one),
            ]
            .map(pyo3::Bound::as_ptr);
            let found = crate::bind::call_reference(
                py,
                Target::LoggerFindCaller,
                &args,
                std::ptr::null_mut(),
            )?;
            let [pathname, line, function, stack] = py_ffi::unpack(&found)?;
            Ok((Site::of(pathname, line, function), stack))
        }
    }
}

impl<'py> Site<'py> {
    /// The place of the running log call.
    pub fn of_caller(py: Python<'py>) -> Res<Self> {
        if ordinary::is_ordinary(py)
            && let Some(site) = caller::known_site(py)
        {
            return Ok(site);
        }
        find_caller(py, None, None).map(|(site, _)| site)
    }

    /// The place `_log` assumes when nobody knows.
    fn unknown(py: Python<'py>) -> Res<Self> {
        Ok(Site::of(
            py_ffi::text_from(py, "(unknown file)")?,
            py_ffi::new_int(py, 0)?,
            py_ffi::text_from(py, "(unknown function)")?,
        ))
    }
}

// ---- makeRecord

/// `Logger.makeRecord`: `(self, name, level, fn, lno, msg, args, exc_info, func=None, extra=None, sinfo=None)`.
pub fn make_record<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = call.parse(
        [
            Name::name,
            Name::level,
            Name::fn_,
            Name::lno,
            Name::msg,
            Name::args,
            Name::exc_info,
            Name::func,
            Name::extra,
            Name::sinfo,
        ],
        7,
    );
    let Some(
        [
            Some(name),
            Some(level),
            Some(path),
            Some(line),
            Some(msg),
            Some(args),
            Some(exc_info),
            func,
            extra,
            sinfo,
        ],
    ) = parsed
    else {
        return call.mismatch();
    };
    let py = call.py();
    let none = py_ffi::none(py);
    let positional: [&Obj<'py>; 9] = [
        &name,
        &level,
        &path,
        &line,
        &msg,
        &args,
        &exc_info,
        func.as_deref().unwrap_or(&none),
        sinfo.as_deref().unwrap_or(&none),
    ];
    by_factory(
        py,
        &positional,
        extra.as_deref().filter(|extra| !extra.is_none()),
    )
}

/// Has nobody had a record of this logger in hand once it is made and has passed the filters? Of which it has none then.
#[pyfunction]
pub fn makes_records_alone(logger: &Obj<'_>) -> bool {
    ordinary::is_ordinary(logger.py())
        && guard::view(logger).is_some_and(|logger| {
            logger.method(Name::makeRecord) == Target::LoggerMakeRecord
                && logger.method(Name::filter) == Target::FiltererFilter
                && filter::has_none(&logger)
        })
}

/// A record by the factory in force, with the `extra` that was given added to it.
fn by_factory<'py>(
    py: Python<'py>,
    args: &[&Obj<'py>; 9],
    given: Option<&Obj<'py>>,
) -> Res<Obj<'py>> {
    let here = Target::LoggerMakeRecord;
    let factory = globals::get(py, Name::_logRecordFactory)?;
    let record = py_ffi::call(&factory, args).at(py, here, calling("_logRecordFactory"))?;
    if let Some(given) = given {
        let keys = py_ffi::iter(given).at(py, here, iter("_logRecordFactory"))?;
        while let Some(key) = py_ffi::next(&keys).at(py, here, next("_logRecordFactory"))? {
            let own = py_ffi::eq(&Name::message.object(py), &key)?
                || py_ffi::eq(&Name::asctime.object(py), &key)?;
            let dict = || py_ffi::getattr(&record, Name::__dict__).at(py, here, get("__dict__"));
            let mut stored_as = None;
            if own || py_ffi::contains(&dict()?, &key).at(py, here, compare("__dict__"))? {
                if !extra::is_renamed(&key) {
                    return Err(clash(py, &key));
                }
                stored_as = Some(extra::free_name(&key, |name| {
                    Ok(py_ffi::contains(&dict()?, name)? || py_ffi::contains(given, name)?)
                })?);
            }
            let value = py_ffi::get_item(given, &key).at(py, here, item("KeyError"))?;
            let key = stored_as.as_ref().unwrap_or(&key);
            py_ffi::set_item(&py_ffi::getattr(&record, Name::__dict__)?, key, &value)?;
        }
    }
    Ok(record)
}

#[cold]
fn clash<'py>(py: Python<'py>, key: &Obj<'py>) -> Raised {
    let text = py_ffi::text_from(py, "Attempt to overwrite %r in LogRecord")
        .and_then(|format| py_ffi::remainder(&format, key));
    let raised = match text {
        Ok(text) => py_ffi::raise_object(py, Exc::Key, &text),
        Err(raised) => raised,
    };
    trace::pass(py, raised, Target::LoggerMakeRecord, raise("KeyError"))
}

/// The record of `event` as `makeRecord` makes it: unseen when the factory is `LogRecord` itself, as it was defined.
fn make<'a, 'py>(
    py: Python<'py>,
    mut event: Event<'a, 'py>,
    name: Obj<'py>,
    site: Site<'py>,
) -> Res<Record<'a, 'py>> {
    let here = Target::LoggerMakeRecord;
    let factory = globals::get(py, Name::_logRecordFactory)?;
    let own = globals::original(py, Name::LogRecord).is_some_and(|class| class.is(&factory))
        && py_ffi::is_plain_class(&factory)
        && py_ffi::class_has(&factory, Name::__init__, Target::LogRecordInit);
    let simple = own
        && event
            .args_tuple
            .is_none_or(|args| py_ffi::is_tuple(&args))
        // Hashing and comparing a key that is no str may run Python code, which must see the record's dict.
        && event
            .extra
            .as_ref()
            .is_none_or(|extra| py_ffi::is_dict(extra) && py_ffi::all_keys(extra, record::is_attribute_alone));
    if !simple {
        let args = event.tuple()?;
        let site = site.named()?;
        let positional: [&Obj<'py>; 9] = [
            &name,
            &event.level,
            &site.pathname,
            &site.line,
            &event.msg,
            &args,
            &event.exc_info,
            &site.function,
            &event.stack,
        ];
        return by_factory(py, &positional, event.extra.as_ref()).map(Record::of);
    }
    if let Some(given) = &event.extra {
        for (key, _) in py_ffi::dict_items(given) {
            if record::is_reserved(&key) {
                if extra::is_renamed(&key) {
                    event.extra = Some(extra::renamed(given)?);
                    break;
                }
                // The stdlib makes the record first, so its level name and time are read before the error.
                Record::new(py, event, name, site).at(py, here, calling("_logRecordFactory"))?;
                return Err(clash(py, &key));
            }
        }
    }
    Record::new(py, event, name, site).at(py, here, calling("_logRecordFactory"))
}

/// `self.makeRecord(…)` of a logger that overrides it.
fn make_by<'py>(
    logger: &Obj<'py>,
    method: Name,
    event: &Event<'_, 'py>,
    name: &Obj<'py>,
    site: &Site<'py>,
) -> Res<Obj<'py>> {
    let none = py_ffi::none(logger.py());
    let (args, site) = (event.tuple()?, site.named()?);
    guard::call_method(
        logger,
        method,
        [
            name,
            &event.level,
            &site.pathname,
            &site.line,
            &event.msg,
            &args,
            &event.exc_info,
            &site.function,
            event.extra.as_ref().unwrap_or(&none),
            &event.stack,
        ],
    )
}
