//! The caller's side of an asynchronous handler (`femtolog/_enqueue.py`) where it needs no Python code: the text is made here, and
//! goes on the queue with what a `LogRecord` could be made from. Everything else is for the handler's own `handle`.
use pyo3::prelude::*;

use crate::ffi::{self as py_ffi, Obj};
use crate::guard::{Part, View};
use crate::handler::{file, rotating};
use crate::names::Name;
use crate::natives::Target;
use crate::saved::Saved;
use crate::{
    ffi::Res,
    filter,
    format::{Buffer, unseen},
    guard::{self, Role},
    handler::{Place, stream},
    ordinary,
    queue::{Put, RecordQueue},
    record::Record,
    stats,
};

/// What `handle`, `emit` and `format` are in the classes that `enqueue()` makes.
static HANDLE: Saved = Saved::new();
static EMIT: Saved = Saved::new();
static FORMAT: Saved = Saved::new();
/// `SysLogHandler.emit`, which has no native implementation.
static SYSLOG_EMIT: Saved = Saved::new();

/// Saves what is the interpreter's own at this moment. Called when binding `logging.handlers`.
pub fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let methods = module.getattr("SysLogHandler")?.getattr("__dict__")?;
    let emit = methods.get_item("emit")?;
    if py_ffi::is_function_of(&emit, module) {
        SYSLOG_EMIT.set(emit);
    }
    Ok(())
}

/// Does a handler of this class emit nothing of a record but the text that `format` makes, and its level? The view is that of an
/// instance with nothing of its own.
pub fn emits_text(probe: &View<'_, '_>) -> bool {
    let py = probe.object().py();
    match probe.method(Name::emit) {
        Target::StreamEmit => true,
        Target::FileEmit => file::emits_by_stream(py),
        Target::RotatingEmit | Target::WatchedEmit => rotating::emits_natively(py),
        _ => probe.class_has(Name::emit, &SYSLOG_EMIT),
    }
}

/// Tells what these methods are in the classes that `enqueue()` makes.
#[pyfunction]
pub fn know_asynchronous(handle: Obj<'_>, emit: Obj<'_>, format: Obj<'_>) {
    HANDLE.set(handle);
    EMIT.set(emit);
    FORMAT.set(format);
}

/// Gives a handler whose `__dict__` nobody has asked for yet that of `fresh`, an instance of the class that it is going to have, with its
/// own attributes in it. Then they stand in the places of that class; in a dict of another one each look at the handler takes a
/// search: 300 instructions in the place of 20. False, with nothing done, for any other handler, and from 3.13 on, where an object whose
/// dict is exchanged may go on setting attributes in its old places.
#[pyfunction]
#[cfg_attr(
    Py_3_13,
    allow(clippy::unnecessary_wraps, reason = "same shape as up to 3.12")
)]
pub fn move_attributes(handler: &Obj<'_>, fresh: &Obj<'_>) -> PyResult<bool> {
    #[cfg(not(Py_3_13))]
    if guard::has_no_dict(handler) && guard::has_no_dict(fresh) {
        let moved = py_ffi::own_dict(fresh).and_then(|places| {
            for (name, value) in py_ffi::dict_items(&py_ffi::own_dict(handler)?) {
                py_ffi::dict_set(&places, &name, &value)?;
            }
            py_ffi::set_own_dict(handler, &places)
        });
        return match moved {
            Ok(()) => Ok(true),
            Err(raised) => Err(PyErr::from_value(raised.take(handler.py()))),
        };
    }
    let _ = (handler, fresh);
    Ok(false)
}

/// Does what the `handle` of an asynchronous handler would do, for a record that no Python code has seen and none needs to see. False,
/// with nothing done but settling the record: for `handle` itself. `usual` as for [`offer_next`](super::offer_next).
pub fn queued<'py>(
    seen: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
) -> Res<bool> {
    if record.is_seen() || !is_one(seen) {
        return Ok(false);
    }
    if usual.is_some() {
        place.look_ahead(usual);
    }
    let handler = seen.object();
    // May run Python code, so the handler is looked at after it.
    record.settle()?;
    let Some(parts) = guard::view_of(handler, Part::Handler).and_then(|view| Parts::of(&view))
    else {
        return Ok(false);
    };
    let py = handler.py();
    let mut text = Buffer::new(py);
    let Some(asctime) = unseen::push_aside(&mut text, &parts.formatter, record, place) else {
        return Ok(false);
    };
    let queue = parts.queue.get();
    let mut put = queue.put(handler, &mut text, record, &asctime)?;
    if matches!(put, Put::Full) && parts.make_room(handler)? {
        put = queue.put(handler, &mut text, record, &asctime)?;
    }
    match put {
        Put::Queued => {}
        Put::Dropped => {
            py_ffi::method(&parts.pipeline, Name::warn_of_drops, [handler])?;
        }
        Put::Full | Put::Refused => return Ok(false),
    }
    stats::native_emit();
    let works = guard::view(&parts.pipeline)
        .is_some_and(|pipeline| pipeline.test(Name::worker, |worker| !worker.is_none()));
    if !works {
        py_ffi::method(&parts.pipeline, Name::start, [])?;
    }
    Ok(true)
}

/// Are these methods those of the classes that `enqueue()` makes?
#[inline]
fn is_one(handler: &View<'_, '_>) -> bool {
    handler.is_by(Role::Asynchronous, |handler| {
        handler.class_shows(Name::handle, &HANDLE)
            && handler.class_shows(Name::emit, &EMIT)
            && handler.class_shows(Name::format, &FORMAT)
            && handler.method(Name::filter) == Target::FiltererFilter
    })
}

/// What is asked of an asynchronous handler on a record's way.
struct Parts<'py> {
    pipeline: Obj<'py>,
    queue: Bound<'py, RecordQueue>,
    formatter: Obj<'py>,
}

impl<'py> Parts<'py> {
    /// Writes what is queued, if it is nobody's turn. A signal handler may raise, and the record gets nowhere then.
    #[cold]
    fn make_room(&self, handler: &Obj<'py>) -> Res<bool> {
        let made = py_ffi::method(&self.pipeline, Name::make_room, [handler]);
        if made.is_err() {
            self.queue.get().interrupted();
        }
        py_ffi::truthy(&made?)
    }

    /// Of a handler as `enqueue()` made it, without filters, whose class emits nothing but the text that its formatter makes.
    fn of(handler: &View<'_, 'py>) -> Option<Self> {
        let py = handler.object().py();
        if !ordinary::is_ordinary(py) || !is_one(handler) || !filter::has_none(handler) {
            return None;
        }
        let pipeline = handler.get(Name::_femtolog_pipeline)?;
        let queue = guard::view(&pipeline)?.get(Name::queue)?;
        let queue = queue.cast_into_exact::<RecordQueue>().ok()?;
        let probe = queue.get().probe(py)?;
        let probe = guard::view(&probe)?;
        if !emits_text(&probe) || probe.method(Name::format) != Target::HandlerFormat {
            return None;
        }
        Some(Parts {
            formatter: stream::quiet_formatter(handler)?.clone(),
            pipeline,
            queue,
        })
    }
}
