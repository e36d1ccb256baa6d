//! `BaseRotatingHandler` and `RotatingFileHandler`: a file that gives way to a new one when it would grow too large.
//!
//! "Certainly no rollover" is decided here; a rollover itself is `doRollover`, the interpreter's own or an override.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use super::{Place, file, paths, timed};
use crate::bind;
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Position, Res};
use crate::format::Text;
use crate::format::message::is_plain_message;
use crate::globals;
use crate::guard::{self, View};
use crate::names::Name;
use crate::natives::Target;
use crate::raw::textio;
use crate::record::Record;
use crate::stats::{self, Reason};
use crate::trace::{At as _, call as calling, compare, get, operator, truth};

/// `BaseRotatingHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    super::stream::emit_by(call, emit_record)
}

/// Rolls over if it is time, then emits to the file. Every `Exception` on the way goes to `handleError`, also a
/// `RecursionError`, which the base classes let through.
pub fn emit_record<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    match roll_and_write(handler, record, place) {
        Ok(()) => Ok(()),
        Err(raised) => super::error::caught(handler, record, raised, Target::RotatingEmit),
    }
}

fn roll_and_write<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    let (py, here) = (handler.py(), Target::RotatingEmit);
    if !decides_quietly(handler) {
        record.settle()?;
    }
    let test = match (
        guard::target(handler, Name::shouldRollover),
        SizeBody::running(py),
        timed::Body::running(py),
    ) {
        (Target::SizeShouldRollover, Some(body), _) => {
            would_be_full(handler, record, body, place).at(py, here, calling("shouldRollover"))?
        }
        (Target::TimedShouldRollover, _, Some(body)) => timed::is_due(handler, body)
            .at(py, here, calling("shouldRollover"))?
            .into(),
        _ => {
            let real = record.real()?;
            let answer = guard::call_method(handler, Name::shouldRollover, [real]).at(
                py,
                here,
                calling("shouldRollover"),
            )?;
            py_ffi::truthy(&answer)
                .at(py, here, truth("shouldRollover"))?
                .into()
        }
    };
    if test.due {
        record.settle()?;
        stats::reference(Reason::Rollover);
        py_ffi::method(handler, Name::doRollover, []).at(py, here, calling("doRollover"))?;
    }
    file_emit(handler, record, place, test.text, here)
}

/// Does finding out whether to roll over run no Python code? (An overridden `shouldRollover` gets the real record anyway.)
#[inline]
fn decides_quietly(handler: &Obj<'_>) -> bool {
    guard::peek(handler, Name::stream).is_some_and(|stream| buffered_file(&stream).is_some())
        && paths::are_own(handler.py())
}

/// The file behind an idle stream as `open()` makes one, which is where its descriptor is.
fn buffered_file(stream: &Obj<'_>) -> Option<textio::File> {
    match textio::idle(stream) {
        textio::Idle::Yes(file) if !file.unbuffered => Some(file),
        _ => None,
    }
}

/// Is nothing but the length of its text in the way of [`stays`], or not even that? To be asked before a record that somebody has seen is
/// formatted, which leaves its mark on it: where the stdlib's handler runs other code before it formats, that code could look.
pub fn may_stay(handler: &View<'_, '_>, stream: &Obj<'_>) -> bool {
    let py = stream.py();
    match handler.method(Name::shouldRollover) {
        Target::SizeShouldRollover => SizeBody::running(py).is_some_and(|body| {
            let limit = handler.get(Name::maxBytes);
            (body != SizeBody::FileFirst || paths::are_own(py))
                && limit.is_some_and(|limit| {
                    py_ffi::int_value(&limit)
                        .is_some_and(|limit| limit <= 0 || buffered_file(stream).is_some())
                })
        }),
        Target::TimedShouldRollover => {
            timed::Body::running(py).is_some_and(|body| timed::is_early(handler, body))
        }
        _ => false,
    }
}

/// Is it certain, by reads alone, that the handler does not roll over before a record of which everything is plain and whose text
/// has so many characters? Then nothing is left to do but to write the text to its open `stream`, and the answer is what is known
/// of that.
pub fn stays(handler: &View<'_, '_>, stream: &Obj<'_>, characters: usize) -> Option<Position> {
    let py = stream.py();
    match handler.method(Name::shouldRollover) {
        Target::SizeShouldRollover => has_room(handler, stream, SizeBody::running(py)?, characters),
        Target::TimedShouldRollover => {
            timed::is_early(handler, timed::Body::running(py)?).then_some(Position::Unknown)
        }
        _ => None,
    }
}

/// [`would_be_full`] for [`stays`]. Whether the path leads to a regular file matters only to a handler that is about to roll over,
/// so the system call that asks for it (1.3 µs, more than a write) is left out, and with it the one answer of no: a file that is
/// special keeps its position, until something is written.
fn has_room(
    handler: &View<'_, '_>,
    stream: &Obj<'_>,
    body: SizeBody,
    characters: usize,
) -> Option<Position> {
    if body == SizeBody::FileFirst && !paths::are_own(stream.py()) {
        return None;
    }
    let limit = py_ffi::int_value(&handler.get(Name::maxBytes)?)?;
    if limit <= 0 {
        return Some(Position::Unknown);
    }
    let file = buffered_file(stream)?;
    let position = || py_ffi::file_position(file.fd, false);
    let end = || py_ffi::file_position(file.fd, true);
    let fits = |position: i64| position.saturating_add(characters as i64).saturating_add(1) < limit;
    let room = match body {
        // The write to come leaves it at the end anyway, special or not.
        SizeBody::FileFirst if file.appends => fits(end()?),
        SizeBody::FileFirst => {
            let (position, end) = (position()?, end()?);
            if end != position {
                // Somebody else has written, or emptied the file.
                py_ffi::move_file(file.fd, position);
                return None;
            }
            fits(end)
        }
        SizeBody::FileLast => fits(end()?),
        SizeBody::NeverEmpty | SizeBody::NeverPipe => {
            let position = position()?;
            position == 0 || fits(position)
        }
    };
    room.then_some(Position::Known)
}

/// Is what `emit` calls in the end, `FileHandler.emit` and `StreamHandler.emit`, the stdlib's?
pub fn emits_natively(py: Python<'_>) -> bool {
    let file = globals::of_handlers(py, Name::logging).and_then(|logging| {
        Ok(globals::LOGGING.is(&logging)
            && py_ffi::plain_class_has(
                &globals::get(py, Name::FileHandler)?,
                Name::emit,
                Target::FileEmit,
            ))
    });
    file.unwrap_or_else(|raised| {
        raised.clear(py);
        false
    }) && file::emits_by_stream(py)
}

/// `logging.FileHandler.emit(self, record)`, said by the method `within`: the attribute as it is now, whoever replaced it. `text` is the record's, if it has
/// been made already and making it again would give the same unnoticed.
pub fn file_emit<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    text: Option<Text<'py>>,
    within: Target,
) -> Res<()> {
    let logging = globals::of_handlers(handler.py(), Name::logging)?;
    let class = if globals::LOGGING.is(&logging) {
        globals::get(handler.py(), Name::FileHandler)?
    } else {
        py_ffi::getattr(&logging, Name::FileHandler)?
    };
    if py_ffi::plain_class_has(&class, Name::emit, Target::FileEmit) {
        file::emit_with(handler, record, place, text)
    } else {
        py_ffi::method(&class, Name::emit, [handler, record.real()?]).map(drop)
    }
    .at(handler.py(), within, calling("emit"))
}

/// `BaseRotatingHandler.rotation_filename`
pub fn rotation_filename<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(default)]) = call.parse([Name::default_name], 1) else {
        return call.mismatch();
    };
    if py_ffi::is_callable(&guard::attr(&call.slf(), Name::namer)?) {
        py_ffi::method(&call.slf(), Name::namer, [&default])
    } else {
        Ok(default.to_owned())
    }
}

/// The bodies `RotatingFileHandler.shouldRollover` has had. Patch releases changed it, so the running body tells, by the names
/// it uses, not the version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SizeBody {
    /// Up to 3.12.4: asks for a regular file at each record, seeks to the end.
    FileFirst = 1,
    /// 3.12.5: asks for a regular file when about to roll over.
    FileLast = 2,
    /// From 3.12.6: asks for the position first and never rolls over an empty file.
    NeverEmpty = 3,
    /// From 3.14.3: a stream without a position (a named pipe) never rolls over.
    NeverPipe = 4,
}

impl SizeBody {
    const ALL: [SizeBody; 4] = [
        SizeBody::FileFirst,
        SizeBody::FileLast,
        SizeBody::NeverEmpty,
        SizeBody::NeverPipe,
    ];

    /// The names each uses, in the same order.
    const NAMES: [&'static [&'static str]; 4] = [
        &[
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
            "stream",
            "_open",
            "maxBytes",
            "format",
            "seek",
            "tell",
            "len",
        ],
        &[
            "stream",
            "_open",
            "maxBytes",
            "format",
            "seek",
            "tell",
            "len",
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
        ],
        &[
            "stream",
            "_open",
            "maxBytes",
            "tell",
            "format",
            "len",
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
        ],
        &[
            "stream",
            "_open",
            "maxBytes",
            "tell",
            "io",
            "UnsupportedOperation",
            "format",
            "len",
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
        ],
    ];

    /// The running one; `None`: unknown, to be left to the interpreter.
    fn running(py: Python<'_>) -> Option<SizeBody> {
        static SEEN: AtomicU8 = AtomicU8::new(0);
        let seen = bind::recognise(py, &SEEN, Target::SizeShouldRollover, &Self::NAMES)?;
        Some(Self::ALL[seen])
    }
}

/// `RotatingFileHandler.shouldRollover`
pub fn should_rollover<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let Some(body) = SizeBody::running(call.py()) else {
        return call.reference(Reason::ColdBody);
    };
    let place = Place::unknown();
    let test = would_be_full(&call.slf(), &mut Record::of(real.to_owned()), body, &place)?;
    Ok(py_ffi::boolean(call.py(), test.due))
}

/// The outcome of asking whether to roll over.
pub struct Test<'py> {
    due: bool,
    /// The record's text, where nothing can have changed it since: no Python code has run.
    text: Option<Text<'py>>,
}

impl From<bool> for Test<'_> {
    fn from(due: bool) -> Self {
        Test { due, text: None }
    }
}

/// Would this record make the file reach `maxBytes`?
fn would_be_full<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    body: SizeBody,
    place: &Place<'_, 'py>,
) -> Res<Test<'py>> {
    let py = handler.py();
    let here = Target::SizeShouldRollover;
    let mut quiet = true;
    if body == SizeBody::FileFirst && paths::is_special(handler, &mut quiet)? {
        return Ok(false.into());
    }
    if guard::attr(handler, Name::stream)?.is_none() {
        // Opening was delayed.
        let stream = py_ffi::method(handler, Name::_open, []).at(py, here, calling("_open"))?;
        py_ffi::setattr(handler, Name::stream, &stream)?;
    }
    let limit = guard::attr(handler, Name::maxBytes).at(py, here, get("maxBytes"))?;
    if !is_positive(&limit).at(py, here, compare("maxBytes"))? {
        return Ok(false.into());
    }
    let seeks = matches!(body, SizeBody::FileFirst | SizeBody::FileLast);
    let mut position = None;
    if !seeks {
        match tell(handler, &mut quiet).at(py, here, calling("tell")) {
            Err(raised) if body == SizeBody::NeverPipe => {
                return without_position(py, raised).map(Test::from);
            }
            found => position = Some(found?),
        }
        let nowhere = match &position {
            Some(Number::Native(position)) => *position == 0,
            Some(Number::Object(position)) => !py_ffi::truthy(position)?,
            None => false,
        };
        if nowhere {
            return Ok(false.into());
        }
    }
    // Formatted once more for output, and until then whoever sees the record finds on it what formatting sets.
    let unknown = Place::unknown();
    let place = if emits_natively(py) { place } else { &unknown };
    let text = super::text(handler, record, place).at(py, here, calling("format"))?;
    quiet = is_repeatable(handler, record, &text);
    let length = if let Some(characters) = text.characters() {
        Number::Native(characters as i64 + 1)
    } else {
        let pattern = py_ffi::text_from(py, "%s\n")?;
        let line =
            py_ffi::remainder(&pattern, &text.object(py)?).at(py, here, operator("format"))?;
        Number::Native(py_ffi::len(&line)? as i64)
    };
    let position = match position {
        Some(position) => position,
        None => end(handler, &mut quiet).at(py, here, calling("seek"))?,
    };
    let due = reaches(handler, &position, &length, &mut quiet)?
        && (body == SizeBody::FileFirst || !paths::is_special(handler, &mut quiet)?);
    Ok(Test {
        due,
        text: (quiet && !due).then_some(text),
    })
}

/// Was the text made without any Python code, from what nobody can have changed since, so that making it again is not seen?
fn is_repeatable<'py>(handler: &Obj<'py>, record: &Record<'_, 'py>, text: &Text<'py>) -> bool {
    let plain = record.unseen().is_some_and(|unseen| {
        unseen.facts.event.exc_info.is_none()
            && unseen.facts.event.stack.is_none()
            && is_plain_message(&unseen.facts.event.msg, unseen.facts.event.args)
    });
    plain
        && matches!(text, Text::Bytes(_))
        && [Name::stream, Name::maxBytes, Name::terminator]
            .into_iter()
            .all(|name| guard::peek(handler, name).is_some())
        && guard::peek(handler, Name::formatter).is_some_and(|formatter| {
            formatter.is_none()
                || [Name::__bool__, Name::__len__]
                    .into_iter()
                    .all(|name| py_ffi::type_attr(&formatter, name).is_none())
        })
}

/// A file position or a length: usually a small number.
enum Number<'py> {
    Native(i64),
    Object(Obj<'py>),
}

impl<'py> Number<'py> {
    fn object(&self, py: Python<'py>) -> Res<Obj<'py>> {
        match self {
            Number::Native(value) => py_ffi::new_int(py, *value),
            Number::Object(object) => Ok(object.clone()),
        }
    }
}

/// `obj > 0`
fn is_positive(obj: &Obj<'_>) -> Res<bool> {
    match py_ffi::int_value(obj) {
        Some(value) => Ok(value > 0),
        None => py_ffi::truthy(&py_ffi::gt_object(obj, &py_ffi::new_int(obj.py(), 0)?)?),
    }
}

/// `self.stream.tell()`
fn tell<'py>(handler: &Obj<'py>, quiet: &mut bool) -> Res<Number<'py>> {
    let stream = guard::attr(handler, Name::stream)?;
    if let Some(position) = native_position(&stream, false)? {
        return Ok(Number::Native(position));
    }
    *quiet = false;
    py_ffi::method(&stream, Name::tell, []).map(Number::Object)
}

/// `self.stream.seek(0, 2)`, then `self.stream.tell()`
fn end<'py>(handler: &Obj<'py>, quiet: &mut bool) -> Res<Number<'py>> {
    let py = handler.py();
    let stream = guard::attr(handler, Name::stream)?;
    if let Some(position) = native_position(&stream, true)? {
        return Ok(Number::Native(position));
    }
    *quiet = false;
    let (zero, end) = (py_ffi::new_int(py, 0)?, py_ffi::new_int(py, 2)?);
    py_ffi::method(&stream, Name::seek, [&zero, &end])?;
    let stream = guard::attr(handler, Name::stream)?;
    py_ffi::method(&stream, Name::tell, []).map(Number::Object)
}

/// The position of an idle plain file, which is that of its descriptor; `at_end` moves there first. `None`: ask the stream.
fn native_position(stream: &Obj<'_>, at_end: bool) -> Res<Option<i64>> {
    match textio::idle(stream) {
        textio::Idle::Yes(file) if !file.unbuffered => Ok(py_ffi::file_position(file.fd, at_end)),
        textio::Idle::Yes(_) | textio::Idle::No => Ok(None),
        // Learns the stream's kind for the next time.
        textio::Idle::Unprepared => match textio::prepare(stream) {
            Ok(()) => Ok(None),
            Err(error) => {
                error.restore(stream.py());
                Err(py_ffi::Raised::already())
            }
        },
    }
}

/// `except io.UnsupportedOperation: return False`
#[cold]
fn without_position(py: Python<'_>, raised: py_ffi::Raised) -> Res<bool> {
    let exception = raised.take(py);
    let expected = py_ffi::while_handling(&exception, || {
        let io = globals::of_handlers(py, Name::io)?;
        py_ffi::getattr(&io, Name::UnsupportedOperation)
            .map(|class| py_ffi::except_matches(&exception, &class))
    });
    match expected {
        Ok(true) => Ok(false),
        Ok(false) => Err(py_ffi::Raised::from(exception)),
        Err(raised) => Err(py_ffi::chain(py, raised, exception)),
    }
}

/// `position + length >= self.maxBytes`
fn reaches<'py>(
    handler: &Obj<'py>,
    position: &Number<'py>,
    length: &Number<'py>,
    quiet: &mut bool,
) -> Res<bool> {
    let limit = guard::attr(handler, Name::maxBytes)?;
    if let (Number::Native(position), Number::Native(length), Some(limit)) =
        (position, length, py_ffi::int_value(&limit))
    {
        return Ok(position + length >= limit);
    }
    *quiet = false;
    let py = handler.py();
    let sum = py_ffi::add(&position.object(py)?, &length.object(py)?)?;
    py_ffi::ge(&sum, &limit)
}
