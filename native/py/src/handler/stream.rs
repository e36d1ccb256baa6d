//! `StreamHandler`: one `write` and one `flush` of the stream for each record.
use pyo3::prelude::*;

use super::direct::Past;
use super::{Place, Ran, direct, file, rotating, watched};
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Position, Raised, Res};
use crate::format::{Buffer, Text, seen, unseen};
use crate::globals;
use crate::guard::{self, Lent, Method, Part, View};
use crate::lock;
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::stats;
use crate::trace::{At as _, call as calling, get, operator, truth};

/// `StreamHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    emit_by(call, emit_record)
}

/// An `emit` called as a method.
pub fn emit_by<'py>(
    call: &Call<'_, 'py>,
    emit_record: impl FnOnce(&Obj<'py>, &mut Record<'_, 'py>, &Place<'_, 'py>) -> Res<()>,
) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let mut record = Record::of(real.to_owned());
    emit_record(&call.slf(), &mut record, &Place::last())?;
    Ok(py_ffi::none(call.py()))
}

/// How a line that is formatted gets to its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the stream's own `write` and `flush`.
    Stream,
    /// Nobody has looked yet whether it can be written past a stream of this kind.
    Unknown,
}

/// What could be done of an emission without running any Python code.
pub enum Quiet {
    /// All: the line is in the file; or the write failed, and what the handler does then is done.
    Written(Ran),
    /// The line is there that is to be written, terminator included.
    Formatted(Way),
    /// Nothing.
    Nothing,
}

/// Of a handler that formats and writes as the stdlib does, what that takes. All but the stream is lent until Python code runs.
pub struct Parts<'a, 'py> {
    formatter: Lent<'a, 'py>,
    /// Kept alive while it is written to.
    pub stream: Obj<'py>,
    terminator: Lent<'a, 'py>,
    /// Which `emit` it is.
    emit: Target,
}

/// `emit` of a handler of streams or files as far as it runs no Python code, for a handler whose lock is free or ours, while everything
/// is [ordinary](crate::ordinary) or the record has been seen. `line` is empty.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "part of the one who calls it: what it gives stays in registers"
)]
pub fn emit_quietly<'py>(
    handler: &View<'_, 'py>,
    parts: &Parts<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    line: &mut Buffer<'py>,
) -> Res<Quiet> {
    let Parts {
        formatter,
        stream,
        terminator,
        emit,
    } = parts;
    // As the stdlib's: first the file, then the text.
    let stays = match emit {
        Target::WatchedEmit => watched::stays(handler),
        Target::RotatingEmit if record.is_seen() => rotating::may_stay(handler, stream),
        _ => true,
    };
    if !stays {
        return Ok(Quiet::Nothing);
    }
    // Both ask the formatter whether it is true, too.
    let made = if record.is_seen() {
        seen::push_quietly(line, formatter, record, place)
    } else {
        unseen::push_quietly(line, formatter, record, place)
    };
    // Without memory for it the general way, which meets that again, tells the handler.
    if py_ffi::or_nothing(handler.object().py(), made) != Some(true) {
        return Ok(Quiet::Nothing);
    }
    let position = match emit {
        Target::RotatingEmit => rotating::stays(handler, stream, line.characters()),
        _ => Some(Position::Unknown),
    };
    let Some(position) = position else {
        return Ok(Quiet::Nothing);
    };
    if !push_terminator(line, terminator) {
        return Ok(Quiet::Nothing);
    }
    match direct::write_quietly(handler, stream, line, position) {
        Ok(Past::Written(ran)) => {
            stats::native_emit();
            Ok(Quiet::Written(ran))
        }
        Ok(Past::Refused) => Ok(Quiet::Formatted(Way::Stream)),
        Ok(Past::Unknown) => Ok(Quiet::Formatted(Way::Unknown)),
        Err(raised) => {
            write_failed(handler.object(), record, raised).map(|()| Quiet::Written(Ran::Maybe))
        }
    }
}

/// The parts of a handler that formats and writes as the stdlib does by this `emit`, where reading them and formatting the record
/// runs no Python code.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit_quietly`")]
pub fn quiet_parts<'a, 'py>(
    handler: &View<'a, 'py>,
    emit: Target,
    record: &Record<'_, 'py>,
) -> Option<Parts<'a, 'py>> {
    let plain = record.unseen().is_none_or(|unseen| {
        let event = &unseen.facts.event;
        event.exc_info.is_none() && event.stack.is_none()
    });
    if !plain || handler.method(Name::format) != Target::HandlerFormat {
        return None;
    }
    let lent = handler.lend(Name::stream)?;
    if emit != Target::StreamEmit && !emits_as_streams_do(emit, &lent) {
        return None;
    }
    let terminator = handler.lend_of_class(Name::terminator)?;
    let formatter = formatter_or_default(handler)?;
    py_ffi::is_str(&terminator).then(|| Parts {
        formatter,
        stream: lent.clone(),
        terminator,
        emit,
    })
}

/// Does a handler of files do to its stream what one of streams does? What is asked of an open file is whether it is true.
#[inline]
fn emits_as_streams_do(emit: Target, stream: &Obj<'_>) -> bool {
    let py = stream.py();
    let natively = match emit {
        Target::FileEmit => file::emits_by_stream(py),
        Target::RotatingEmit | Target::WatchedEmit => rotating::emits_natively(py),
        _ => false,
    };
    natively && !stream.is_none() && py_ffi::is_true_as_any_object(stream)
}

/// The formatter that `Handler.format` would ask, where finding it runs no Python code.
#[inline]
pub fn quiet_formatter<'a, 'py>(handler: &View<'a, 'py>) -> Option<Lent<'a, 'py>> {
    formatter_or_default(handler).filter(|formatter| py_ffi::is_true_as_any_object(formatter))
}

/// The same if the handler's is true.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit_quietly`")]
fn formatter_or_default<'a, 'py>(handler: &View<'a, 'py>) -> Option<Lent<'a, 'py>> {
    let formatter = handler.lend(Name::formatter)?;
    if formatter.is_none() {
        // The module holds it.
        return globals::default_formatter(formatter.py()).map(Lent::of);
    }
    Some(formatter)
}

/// Writes a line made by [`emit_quietly`] to its stream and flushes, with the lock held; errors end in `handleError`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit_quietly`")]
pub fn emit_line<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    line: (&Obj<'py>, &mut Buffer<'py>, Way),
) -> Res<()> {
    stats::native_emit();
    match write_made(handler, record, place, line) {
        Ok(()) => Ok(()),
        Err(raised) => {
            let raised = formatted(handler, record, raised);
            failed(handler, record, raised)
        }
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit_quietly`")]
fn write_made<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    (stream, line, way): (&Obj<'py>, &mut Buffer<'py>, Way),
) -> Res<()> {
    if way == Way::Unknown && direct::write(handler, stream, line)? {
        return Ok(());
    }
    let line = line.object(handler.py())?;
    write_line(handler, record, place, stream, &line)
}

/// What follows a failed write, called by `Handler.handle`.
#[cold]
fn failed<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>, raised: Raised) -> Res<()> {
    let py = handler.py();
    // Looking at an object may drop the exception that is set meanwhile.
    let exception = raised.take(py);
    let kind = guard::target(handler, Name::emit);
    let raised = Raised::from(exception);
    let mut result = super::error::emit_failed(handler, record, raised, Target::StreamEmit);
    if matches!(
        kind,
        Target::FileEmit | Target::RotatingEmit | Target::WatchedEmit
    ) {
        result = result.at(py, Target::FileEmit, calling("emit"));
    }
    if matches!(kind, Target::RotatingEmit | Target::WatchedEmit) {
        result = result.at(py, kind, calling("emit"));
    }
    match result {
        Err(raised) if kind == Target::RotatingEmit => {
            super::error::caught(handler, record, raised, kind)
        }
        result => result,
    }
    .at(py, Target::HandlerHandle, calling("emit"))
}

/// A write that failed without the lock: what comes of it runs with the lock held.
#[cold]
fn write_failed<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>, raised: Raised) -> Res<()> {
    let exception = raised.take(handler.py());
    lock::held(handler, Target::HandlerHandle, || {
        stats::native_emit();
        let raised = formatted(handler, record, Raised::from(exception));
        failed(handler, record, raised)
    })
}

/// Formats the record and writes it; errors end in `handleError`.
pub fn emit_record<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    emit_with(handler, record, place, None)
}

/// The same, with the record's text where a rotating handler has made it already.
pub fn emit_with<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Option<Text<'py>>,
) -> Res<()> {
    stats::native_emit();
    match write(handler, record, place, text) {
        Ok(()) => Ok(()),
        Err(raised) => super::error::emit_failed(handler, record, raised, Target::StreamEmit),
    }
}

fn write<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Option<Text<'py>>,
) -> Res<()> {
    let (py, here) = (handler.py(), Target::StreamEmit);
    let text = match text {
        Some(text) => text,
        None => super::text(handler, record, place).at(py, here, calling("format"))?,
    };
    match write_text(handler, record, place, text) {
        Ok(()) => Ok(()),
        Err(raised) => Err(formatted(handler, record, raised)),
    }
}

/// The record was formatted before this failed, so the one `handleError` gets carries what formatting sets on it.
#[cold]
fn formatted<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>, raised: Raised) -> Raised {
    // Known already where making the message ran Python code, which is not to run twice.
    if record.unseen().is_none_or(|unseen| {
        unseen
            .formatted
            .is_some_and(|known| known.message.is_some())
    }) {
        return raised;
    }
    let py = handler.py();
    let exception = raised.take(py);
    // Once more, for a place that is not the last: that keeps the texts. Nothing of it runs Python code twice.
    if let Err(other) = super::text(handler, record, &Place::unknown()) {
        other.clear(py);
    }
    Raised::from(exception)
}

/// Writes the text with its terminator to the stream and flushes.
fn write_text<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Text<'py>,
) -> Res<()> {
    let (py, here) = (handler.py(), Target::StreamEmit);
    let mut view = guard::view_of(handler, Part::Handler);
    let stream = if let Some(stream) = view.and_then(|view| view.get(Name::stream)) {
        stream
    } else {
        // Whoever tells it may change the handler.
        view = None;
        py_ffi::getattr(handler, Name::stream).at(py, here, get("stream"))?
    };
    let text = match text {
        Text::Bytes(buffer) => match with_terminator(handler, buffer) {
            Ok(mut line) => {
                if direct::write(handler, &stream, &mut line)? {
                    return Ok(());
                }
                return write_line(handler, record, place, &stream, &line.object(py)?);
            }
            Err(text) => {
                view = None;
                text.object(py)?
            }
        },
        Text::Object(text) => text,
    };
    // The stdlib looks up `stream.write` before it evaluates `msg + terminator`, which may raise.
    let write = guard::method_of(&stream, Name::write).at(py, here, get("write"))?;
    let found_quietly = matches!(write, Method::Function(..));
    let end = match view
        .filter(|_| found_quietly)
        .and_then(|view| view.get(Name::terminator))
    {
        Some(end) => end,
        None => guard::attr(handler, Name::terminator).at(py, here, get("terminator"))?,
    };
    let line = py_ffi::add_text(&text, &end).at(py, here, operator("terminator"))?;
    settle_for_others(record, place)?;
    write.call([&line]).at(py, here, calling("write"))?;
    metrics::wrote_text(handler, &line);
    flush_after(handler)
}

/// `stream.write(line); handler.flush()`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit_quietly`")]
fn write_line<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    stream: &Obj<'py>,
    line: &Obj<'py>,
) -> Res<()> {
    let (py, here) = (handler.py(), Target::StreamEmit);
    settle_for_others(record, place)?;
    guard::call_method_at_once(stream, Part::Stream, Name::write, [line]).at(
        py,
        here,
        calling("write"),
    )?;
    metrics::wrote_text(handler, line);
    flush_after(handler)
}

/// The stream's own Python code may change what later handlers would read of an unseen record.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `is_last`")]
fn settle_for_others(record: &mut Record<'_, '_>, place: &Place<'_, '_>) -> Res<()> {
    if record.is_settled() || place.is_last() {
        Ok(())
    } else {
        record.settle()
    }
}

/// `self.flush()` at the end of `emit`.
#[inline(never)]
fn flush_after(handler: &Obj<'_>) -> Res<()> {
    let (py, here) = (handler.py(), Target::StreamEmit);
    match guard::direct_view(handler, Part::Handler) {
        Some(view) if view.method(Name::flush) == Target::StreamFlush => {
            lock::held_seen(handler, Some(view), Target::StreamFlush, |view| {
                flush_locked(handler, view)
            })
        }
        _ => flush_of_any(handler),
    }
    .at(py, here, calling("flush"))
}

/// The same for a handler that is not read by index.
#[inline(never)]
fn flush_of_any(handler: &Obj<'_>) -> Res<()> {
    let view = guard::view(handler);
    match guard::target_by(view.as_ref(), handler, Name::flush) {
        Target::StreamFlush => lock::held_seen(handler, view, Target::StreamFlush, |view| {
            flush_locked(handler, view)
        }),
        _ => guard::call_method(handler, Name::flush, []).map(drop),
    }
}

/// `text + handler.terminator` where that is a plain str; the text back where it is not.
#[inline]
fn with_terminator<'py>(
    handler: &Obj<'_>,
    mut text: Buffer<'py>,
) -> Result<Buffer<'py>, Buffer<'py>> {
    let plain = guard::peek(handler, Name::terminator).is_some_and(|terminator| {
        py_ffi::is_str(&terminator) && push_terminator(&mut text, &terminator)
    });
    if plain { Ok(text) } else { Err(text) }
}

/// Appends the terminator, a str; false when only Python can.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "one byte, as a rule: 46 instructions by a call, 25 without"
)]
fn push_terminator(text: &mut Buffer, terminator: &Obj<'_>) -> bool {
    match py_ffi::ascii_of(terminator) {
        Some(end) => text.push_short(end),
        None => push_wide_terminator(text, terminator),
    }
}

#[inline(never)]
fn push_wide_terminator(text: &mut Buffer, terminator: &Obj<'_>) -> bool {
    let Some(end) = py_ffi::utf8(terminator) else {
        return false;
    };
    text.push(end, py_ffi::is_ascii(terminator));
    true
}

/// `StreamHandler.flush`
pub fn flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let handler = call.slf();
    let view = guard::view(&handler);
    lock::held_seen(&handler, view, Target::StreamFlush, |view| {
        flush_locked(&handler, view)
    })?;
    Ok(py_ffi::none(call.py()))
}

/// Flushes the stream, if there is one and it can be flushed, with the handler's lock held.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `flush_after`")]
fn flush_locked<'py>(handler: &Obj<'py>, view: Option<View<'_, 'py>>) -> Res<()> {
    let (py, here) = (handler.py(), Target::StreamFlush);
    let stream = match view.and_then(|view| view.get(Name::stream)) {
        Some(stream) => stream,
        None => guard::attr(handler, Name::stream).at(py, here, get("stream"))?,
    };
    match guard::direct_view(&stream, Part::Stream).and_then(|view| flush_of(&view)) {
        Some(flush) => flush_by(&flush, &stream),
        None => flush_if_any(&stream),
    }
}

/// The Python function that flushes a true stream: what `hasattr()` would find is what a call finds, with no bound method in between.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `flush_locked`")]
fn flush_of<'py>(stream: &View<'_, 'py>) -> Option<Obj<'py>> {
    stream
        .is_true()
        .then(|| stream.function(Name::flush))
        .flatten()
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `flush_locked`")]
fn flush_by<'py>(flush: &Obj<'py>, stream: &Obj<'py>) -> Res<()> {
    py_ffi::call_on(flush, stream, []).map(drop).at(
        stream.py(),
        Target::StreamFlush,
        calling("flush"),
    )
}

/// `if self.stream and hasattr(self.stream, "flush"): self.stream.flush()`
#[inline(never)]
fn flush_if_any(stream: &Obj<'_>) -> Res<()> {
    let (py, here) = (stream.py(), Target::StreamFlush);
    if let Some(flush) = guard::view(stream).and_then(|view| flush_of(&view)) {
        return flush_by(&flush, stream);
    }
    if py_ffi::truthy(stream).at(py, here, truth("stream"))? {
        let flush = py_ffi::getattr_opt(stream, Name::flush);
        if let Some(flush) = flush.at(py, here, calling("hasattr"))? {
            py_ffi::call(&flush, &[]).at(py, here, calling("flush"))?;
        }
    }
    Ok(())
}

/// `StreamHandler.__init__`: `(self, stream=None)`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([given]) = call.parse([Name::stream], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    let base = globals::get(py, Name::Handler)?;
    py_ffi::method(&base, Name::__init__, [&handler])?;
    let stream = match given.filter(|given| !given.is_none()) {
        Some(given) => given.to_owned(),
        None => standard_error(py)?,
    };
    py_ffi::setattr(&handler, Name::stream, &stream)?;
    Ok(py_ffi::none(py))
}

/// `sys.stderr`
fn standard_error(py: Python<'_>) -> Res<Obj<'_>> {
    py_ffi::getattr(&globals::get(py, Name::sys)?, Name::stderr)
}

/// `StreamHandler.setStream`: flushes and changes the stream; returns the old one, or `None` if it was that one already.
pub fn set_stream<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(stream)]) = call.parse([Name::stream], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    if guard::attr(&handler, Name::stream)?.is(&*stream) {
        return Ok(py_ffi::none(py));
    }
    let old = guard::attr(&handler, Name::stream)?;
    let here = Target::StreamSetStream;
    lock::held(&handler, here, || {
        py_ffi::method(&handler, Name::flush, []).at(py, here, calling("flush"))?;
        py_ffi::setattr(&handler, Name::stream, &stream)
    })?;
    Ok(old)
}

/// `_StderrHandler.__init__`: `(self, level=NOTSET)`; it has no stream of its own.
pub fn stderr_init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([level]) = call.parse([Name::level], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let level = match level {
        Some(level) => level.to_owned(),
        None => py_ffi::new_int(py, 0)?,
    };
    let base = globals::get(py, Name::Handler)?;
    py_ffi::method(&base, Name::__init__, [&call.slf(), &level])?;
    Ok(py_ffi::none(py))
}
