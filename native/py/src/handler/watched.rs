//! `WatchedFileHandler`: opens its file again when somebody else (logrotate) has put another one in its place.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use super::rotating::file_emit;
use super::{Place, paths};
use crate::bind;
use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
use crate::guard::{self, View};
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::stats::Reason;
use crate::trace::{At as _, call as calling, get};

/// `WatchedFileHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    super::stream::emit_by(call, emit_record)
}

/// Looks whether the file is still the one at the path, then emits to it.
pub fn emit_record<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    static HANDLES: AtomicU8 = AtomicU8::new(0);
    let reopened = match guard::target(handler, Name::reopenIfNeeded) {
        Target::WatchedReopen if Body::running(handler.py()).is_some() => reopen(handler),
        _ => guard::call_method(handler, Name::reopenIfNeeded, []).map(drop),
    };
    let (py, here) = (handler.py(), Target::WatchedEmit);
    match reopened.at(py, here, calling("reopenIfNeeded")) {
        Ok(()) => file_emit(handler, record, place, None, here),
        // Some releases report a failing reopening like any other failure of emit; the running one's body says which.
        Err(raised) if bind::reference_mentions(py, &HANDLES, here, Name::handleError) => {
            super::error::caught(handler, record, raised, here)
        }
        Err(raised) => Err(raised),
    }
}

/// The bodies `reopenIfNeeded` has had; the running one tells itself by the names it uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Up to 3.12: items of the stat result; asks for the file even when no stream is open.
    Items,
    /// From 3.13: attributes of the stat result; without an open stream there is nothing to do.
    Attributes,
}

impl Body {
    const ALL: [Body; 2] = [Body::Items, Body::Attributes];

    /// The names each uses, in the same order.
    const NAMES: [&'static [&'static str]; 2] = [
        &[
            "os",
            "stat",
            "baseFilename",
            "FileNotFoundError",
            "ST_DEV",
            "dev",
            "ST_INO",
            "ino",
            "stream",
            "flush",
            "close",
            "_open",
            "_statstream",
        ],
        &[
            "stream",
            "os",
            "stat",
            "baseFilename",
            "st_dev",
            "dev",
            "st_ino",
            "ino",
            "FileNotFoundError",
            "flush",
            "close",
            "_open",
            "_statstream",
        ],
    ];

    fn running(py: Python<'_>) -> Option<Body> {
        static SEEN: AtomicU8 = AtomicU8::new(0);
        let seen = bind::recognise(py, &SEEN, Target::WatchedReopen, &Self::NAMES)?;
        Some(Self::ALL[seen])
    }
}

/// `WatchedFileHandler.reopenIfNeeded`
pub fn reopen_if_needed<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    if Body::running(call.py()).is_none() {
        return call.reference(Reason::ColdBody);
    }
    reopen(&call.slf())?;
    Ok(py_ffi::none(call.py()))
}

fn reopen(handler: &Obj<'_>) -> Res<()> {
    let (py, here) = (handler.py(), Target::WatchedReopen);
    let body = Body::running(py);
    if body == Some(Body::Attributes) && guard::attr(handler, Name::stream)?.is_none() {
        return Ok(());
    }
    if is_same_file(handler, body)? || guard::attr(handler, Name::stream)?.is_none() {
        return Ok(());
    }
    let stream = || guard::attr(handler, Name::stream);
    py_ffi::method(&stream()?, Name::flush, []).at(py, here, calling("flush"))?;
    py_ffi::method(&stream()?, Name::close, []).at(py, here, calling("close"))?;
    // Opening may fail; then no closed stream stays behind.
    py_ffi::setattr(handler, Name::stream, &py_ffi::none(py))?;
    let stream = py_ffi::method(handler, Name::_open, []).at(py, here, calling("_open"))?;
    py_ffi::setattr(handler, Name::stream, &stream)?;
    match guard::target(handler, Name::_statstream) {
        Target::WatchedStatStream if StatBody::running(py).is_some() => stat_stream(handler),
        _ => py_ffi::method(handler, Name::_statstream, []).map(drop),
    }
    .at(py, here, calling("_statstream"))
}

/// Is it certain, by one system call and reads alone, that the handler does not open its file again before it writes?
pub fn stays(handler: &View<'_, '_>) -> bool {
    let object = handler.object();
    handler.method(Name::reopenIfNeeded) == Target::WatchedReopen
        && Body::running(object.py()).is_some()
        && matches!(plain_comparison(object), Some(true))
}

/// Is the file at the path the one that is open, where asking for it runs no Python code? `None`: ask Python.
fn plain_comparison(handler: &Obj<'_>) -> Option<bool> {
    match paths::look(handler)? {
        Ok(found) => {
            let own = |name| guard::peek(handler, name).and_then(|own| py_ffi::int_value(&own));
            let (device, inode) = (own(Name::dev)?, own(Name::ino)?);
            Some(
                u64::try_from(device) == Ok(found.device)
                    && u64::try_from(inode) == Ok(found.inode),
            )
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(false),
        // Any other error is raised by the interpreter, which says it right.
        Err(_) => None,
    }
}

/// Is the file at the path the one that is open, by device and inode?
fn is_same_file(handler: &Obj<'_>, body: Option<Body>) -> Res<bool> {
    let py = handler.py();
    if let Some(same) = plain_comparison(handler) {
        return Ok(same);
    }
    let here = Target::WatchedReopen;
    let stat = py_ffi::getattr(&globals::of_handlers(py, Name::os)?, Name::stat)?;
    let path = guard::attr(handler, Name::baseFilename).at(py, here, get("baseFilename"))?;
    let found = match py_ffi::call(&stat, &[&path]).at(py, here, calling("stat")) {
        Ok(found) => found,
        Err(raised) if raised.is(py_ffi::exception_class(py, Exc::FileNotFound)) => {
            raised.clear(py);
            return Ok(false);
        }
        Err(raised) => return Err(raised),
    };
    let items = body == Some(Body::Items);
    if items && !py_ffi::truthy(&found)? {
        return Ok(false);
    }
    let differs = |item: Name, attribute: Name, own: Name| {
        let now = field(&found, items, item, attribute)?;
        py_ffi::truthy(&py_ffi::ne_object(&now, &guard::attr(handler, own)?)?)
    };
    Ok(!differs(Name::ST_DEV, Name::st_dev, Name::dev)?
        && !differs(Name::ST_INO, Name::st_ino, Name::ino)?)
}

/// `result[ST_X]` or `result.st_x`
fn field<'py>(result: &Obj<'py>, items: bool, item: Name, attribute: Name) -> Res<Obj<'py>> {
    if items {
        py_ffi::get_item(result, &globals::of_handlers(result.py(), item)?)
    } else {
        py_ffi::getattr(result, attribute)
    }
}

/// The bodies `_statstream` has had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StatBody {
    Items,
    Attributes,
}

impl StatBody {
    const ALL: [StatBody; 2] = [StatBody::Items, StatBody::Attributes];

    /// The names each uses, in the same order.
    const NAMES: [&'static [&'static str]; 2] = [
        &[
            "stream", "os", "fstat", "fileno", "ST_DEV", "ST_INO", "dev", "ino",
        ],
        &[
            "stream", "os", "fstat", "fileno", "st_dev", "dev", "st_ino", "ino",
        ],
    ];

    fn running(py: Python<'_>) -> Option<StatBody> {
        static SEEN: AtomicU8 = AtomicU8::new(0);
        let seen = bind::recognise(py, &SEEN, Target::WatchedStatStream, &Self::NAMES)?;
        Some(Self::ALL[seen])
    }
}

/// Remembers device and inode of the open file.
fn stat_stream(handler: &Obj<'_>) -> Res<()> {
    let py = handler.py();
    let items = StatBody::running(py) == Some(StatBody::Items);
    let stream = guard::attr(handler, Name::stream)?;
    let absent = if items {
        !py_ffi::truthy(&stream)?
    } else {
        stream.is_none()
    };
    if absent {
        return Ok(());
    }
    let fstat = py_ffi::getattr(&globals::of_handlers(py, Name::os)?, Name::fstat)?;
    let here = Target::WatchedStatStream;
    let descriptor = py_ffi::method(&guard::attr(handler, Name::stream)?, Name::fileno, []).at(
        py,
        here,
        calling("fileno"),
    )?;
    let found = py_ffi::call(&fstat, &[&descriptor]).at(py, here, calling("fstat"))?;
    if items {
        let device = field(&found, true, Name::ST_DEV, Name::st_dev)?;
        let inode = field(&found, true, Name::ST_INO, Name::st_ino)?;
        py_ffi::setattr(handler, Name::dev, &device)?;
        return py_ffi::setattr(handler, Name::ino, &inode);
    }
    let device = field(&found, false, Name::ST_DEV, Name::st_dev)?;
    py_ffi::setattr(handler, Name::dev, &device)?;
    let inode = field(&found, false, Name::ST_INO, Name::st_ino)?;
    py_ffi::setattr(handler, Name::ino, &inode)
}
