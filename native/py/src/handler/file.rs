//! `FileHandler`: a `StreamHandler` that opens its own file, at the first record when it was told to wait.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use super::{Place, error, stream};
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::format::Text;
use crate::globals;
use crate::guard;
use crate::lock;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::trace::{At as _, call as calling, call_after, compare, get, store, truth};

/// `FileHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    super::stream::emit_by(call, emit_record)
}

/// Opens the file if need be, then emits to it.
pub fn emit_record<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    emit_with(handler, record, place, None)
}

/// The same, with the record's text where it has been made already and making it again would give the same unnoticed.
pub fn emit_with<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Option<Text<'py>>,
) -> Res<()> {
    let (py, here) = (handler.py(), Target::FileEmit);
    let mut file = guard::attr(handler, Name::stream).at(py, here, get("stream"))?;
    if file.is_none() {
        if !open_again(handler, record)? {
            return Ok(());
        }
        file = guard::attr(handler, Name::stream)?;
    }
    if py_ffi::truthy(&file).at(py, here, truth("stream").nth(1))? {
        stream_emit(handler, record, place, text).at(py, here, calling("emit"))?;
    }
    Ok(())
}

/// `StreamHandler.emit(self, record)`: an explicit call of the base class, so an override of `emit` in a class below is not
/// asked again, but whoever replaced the base's own is.
fn stream_emit<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Option<Text<'py>>,
) -> Res<()> {
    if emits_by_stream(handler.py()) {
        return stream::emit_with(handler, record, place, text);
    }
    let class = globals::get(handler.py(), Name::StreamHandler)?;
    py_ffi::method(&class, Name::emit, [handler, record.real()?]).map(drop)
}

/// Is `StreamHandler.emit` the stdlib's?
#[inline]
pub fn emits_by_stream(py: Python<'_>) -> bool {
    #[cfg(Py_GIL_DISABLED)]
    if let Some(class) = globals::kept(py, &globals::LOGGING, Name::StreamHandler) {
        return guard::class_target(&class, Name::emit) == Target::StreamEmit;
    }
    match globals::get(py, Name::StreamHandler) {
        Ok(class) => py_ffi::plain_class_has(&class, Name::emit, Target::StreamEmit),
        Err(raised) => {
            raised.clear(py);
            false
        }
    }
}

/// No stream: opens it, unless the handler was closed and opening would empty the file. False when the error was handled.
#[cold]
fn open_again<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<bool> {
    static HANDLES: AtomicU8 = AtomicU8::new(0);
    let (py, here) = (handler.py(), Target::FileEmit);
    let mode = guard::attr(handler, Name::mode).at(py, here, get("mode"))?;
    let write_mode =
        py_ffi::eq_operator(&mode, &py_ffi::text_from(py, "w")?).at(py, here, compare("mode"))?;
    let closed = || guard::attr(handler, Name::_closed).at(py, here, get("_closed"));
    if write_mode && py_ffi::truthy(&closed()?).at(py, here, truth("_closed"))? {
        return Ok(true);
    }
    match py_ffi::method(handler, Name::_open, []).at(py, here, calling("_open")) {
        Ok(stream) => py_ffi::setattr(handler, Name::stream, &stream)
            .map(|()| true)
            .at(py, here, store("stream")),
        // Some patch releases report a failing open like any other failure of emit; the running one's body says which.
        Err(raised)
            if crate::bind::reference_mentions(
                py,
                &HANDLES,
                Target::FileEmit,
                Name::handleError,
            ) =>
        {
            if !raised.is(py_ffi::exception_class(py, py_ffi::Exc::Exception)) {
                return Err(raised);
            }
            let exception = raised.take(py);
            let real = record.real()?;
            py_ffi::while_handling(&exception, || {
                error::ask(handler, real).at(py, here, calling("handleError"))
            })?;
            Ok(false)
        }
        Err(raised) => Err(raised),
    }
}

/// `FileHandler.__init__`: `(self, filename, mode='a', encoding=None, delay=False, errors=None)`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = call.parse(
        [
            Name::filename,
            Name::mode,
            Name::encoding,
            Name::delay,
            Name::errors,
        ],
        1,
    );
    let Some([Some(filename), mode, encoding, delay, errors]) = parsed else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    let none = py_ffi::none(py);
    let mode = match mode {
        Some(mode) => mode.to_owned(),
        None => py_ffi::text_from(py, "a")?,
    };
    let encoding = encoding.as_deref().unwrap_or(&none);
    let off = py_ffi::boolean(py, false);
    let delay = delay.as_deref().unwrap_or(&off);
    let os = || globals::get(py, Name::os);
    let here = Target::FileInit;
    let filename =
        py_ffi::method(&os()?, Name::fspath, [&filename]).at(py, here, calling("fspath"))?;
    let path = py_ffi::getattr(&os()?, Name::path)?;
    let absolute = py_ffi::method(&path, Name::abspath, [&filename])?;
    py_ffi::setattr(&handler, Name::baseFilename, &absolute)?;
    py_ffi::setattr(&handler, Name::mode, &mode)?;
    py_ffi::setattr(&handler, Name::encoding, encoding)?;
    if !py_ffi::contains(&mode, &py_ffi::text_from(py, "b")?)? {
        py_ffi::setattr(&handler, Name::encoding, &text_encoding(encoding)?)?;
    }
    py_ffi::setattr(&handler, Name::errors, errors.as_deref().unwrap_or(&none))?;
    py_ffi::setattr(&handler, Name::delay, delay)?;
    // Kept, because at the interpreter's end `open` may be gone before the last record is logged.
    let open = globals::get_or_builtin(py, Name::open)?;
    py_ffi::setattr(&handler, Name::_builtin_open, &open)?;
    if py_ffi::truthy(delay)? {
        let base = globals::get(py, Name::Handler)?;
        py_ffi::method(&base, Name::__init__, [&handler])?;
        py_ffi::setattr(&handler, Name::stream, &none)?;
    } else {
        let base = py_ffi::getattr(&globals::get(py, Name::StreamHandler)?, Name::__init__)?;
        let stream = py_ffi::method(&handler, Name::_open, []).at(py, here, calling("_open"))?;
        py_ffi::call(&base, &[&handler, &stream]).at(py, here, calling("__init__"))?;
    }
    Ok(none)
}

/// `io.text_encoding(encoding)`, whose warning under `-X warn_default_encoding` names the caller of the native method.
pub fn text_encoding<'py>(encoding: &Obj<'py>) -> Res<Obj<'py>> {
    let py = encoding.py();
    let io = globals::get(py, Name::io)?;
    if encoding.is_none() {
        let flags = py_ffi::getattr(&globals::get(py, Name::sys)?, Name::flags)?;
        if py_ffi::truthy(&py_ffi::getattr(&flags, Name::warn_default_encoding)?)? {
            // Its default of 2 skips the frame of the method, which a native one does not have.
            let one = py_ffi::new_int(py, 1)?;
            return py_ffi::method(&io, Name::text_encoding, [encoding, &one]);
        }
    }
    py_ffi::method(&io, Name::text_encoding, [encoding])
}

/// `FileHandler._open`
pub fn open<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    let open = guard::attr(&handler, Name::_builtin_open)?;
    let keywords = py_ffi::new_tuple(py, &[&Name::encoding.object(py), &Name::errors.object(py)])?;
    py_ffi::call_keywords(
        &open,
        &[
            &guard::attr(&handler, Name::baseFilename)?,
            &guard::attr(&handler, Name::mode)?,
            &guard::attr(&handler, Name::encoding)?,
            &guard::attr(&handler, Name::errors)?,
        ],
        Some(&keywords),
    )
    .at(py, Target::FileOpen, call_after("_builtin_open"))
}

/// `FileHandler.close`: flushes and closes the file, whatever fails on the way.
pub fn close<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    lock::held(&handler, Target::FileClose, || {
        py_ffi::finally(
            py,
            || close_stream(&handler),
            || {
                let base = globals::get(py, Name::StreamHandler)?;
                py_ffi::method(&base, Name::close, [&handler]).map(drop)
            },
        )
    })?;
    Ok(py_ffi::none(py))
}

fn close_stream(handler: &Obj<'_>) -> Res<()> {
    let py = handler.py();
    if !py_ffi::truthy(&guard::attr(handler, Name::stream)?)? {
        return Ok(());
    }
    py_ffi::finally(
        py,
        || py_ffi::method(handler, Name::flush, []).map(drop),
        || {
            let stream = guard::attr(handler, Name::stream)?;
            py_ffi::setattr(handler, Name::stream, &py_ffi::none(py))?;
            if let Some(close) = py_ffi::getattr_opt(&stream, Name::close)? {
                py_ffi::call(&close, &[])?;
            }
            Ok(())
        },
    )
}
