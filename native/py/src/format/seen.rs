//! Formats a real record where that runs no Python code: somebody has seen the record, but its values are plain ones.
//!
//! The values are read in place, as `vars(record)` would show them, each time: whoever had the record may have changed them.
use femtolog_core::plan::{Attribute, Field, Piece, Spec, Usual};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time::{self, TimeText};
use super::unseen::{Proof, proven_at_once};
use crate::call::Args;
use crate::clock::{Number, Stamp};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::guard::{self, Lent, Part, Role, Unaltered, View};
use crate::handler::Place;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;

/// The names of [`Attribute`]s, in their order.
const NAMES: [Name; 23] = [
    Name::name,
    Name::msg,
    Name::args,
    Name::levelname,
    Name::levelno,
    Name::pathname,
    Name::filename,
    Name::module,
    Name::exc_info,
    Name::exc_text,
    Name::stack_info,
    Name::lineno,
    Name::funcName,
    Name::created,
    Name::msecs,
    Name::relativeCreated,
    Name::thread,
    Name::threadName,
    Name::processName,
    Name::process,
    Name::taskName,
    Name::message,
    Name::asctime,
];

/// `Formatter.format` of the record, which sets `message` and `asctime` on it; `None`, with nothing done, when that has to be done
/// step by step. Whether `formatter.format` is that method is not asked: who calls it knows.
pub fn text<'py>(formatter: &Obj<'py>, record: &Obj<'py>) -> Res<Option<Text<'py>>> {
    let mut line = Buffer::new(record.py());
    let pushed = push(&mut line, formatter, record, Role::FormatterSteps, None)?;
    Ok((!matches!(pushed, Pushed::Nothing)).then_some(Text::Bytes(line)))
}

/// Appends `formatter.format(record)` to an empty `line` where all of it runs no Python code; false, with nothing done but writing
/// there, where it could.
pub fn push_quietly<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<bool> {
    let wait = record.is_hidden() || (record.is_nobody_elses() && place.is_last());
    // It may be set on it now.
    record.forget_that_it_is_unaltered();
    let Some(real) = record.seen() else {
        return Ok(false);
    };
    let waiting = wait.then_some(&*record);
    match push(line, formatter, real, Role::Formatter, waiting)? {
        Pushed::Nothing => return Ok(false),
        Pushed::All => {}
        Pushed::ButMessage(unaltered) if cfg!(Py_3_12) => record.hide(unaltered),
        // The collector may have run.
        Pushed::ButMessage(_) => record.hide(record.unaltered()),
    }
    Ok(true)
}

/// What has been done.
enum Pushed {
    /// Nothing but perhaps writing.
    Nothing,
    /// All of it.
    All,
    /// All but to set `message`, and what is known of the record.
    ButMessage(Option<Unaltered>),
}

/// `waiting`: whose `LogRecord` it is, if a message that has been written need not be set on it.
fn push<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &Obj<'py>,
    role: Role,
    waiting: Option<&Record<'_, 'py>>,
) -> Res<Pushed> {
    // One after the other: a tuple of them would be copied twice.
    let Some(proof) = proven_at_once(formatter, role) else {
        return Ok(Pushed::Nothing);
    };
    let Some(view) = guard::view_of(record, Part::Record) else {
        return Ok(Pushed::Nothing);
    };
    let unaltered = waiting.and_then(Record::unaltered);
    if !is_plain_record(&view, unaltered) {
        return Ok(Pushed::Nothing);
    }
    let Some(logged) = Logged::of(&view) else {
        return Ok(Pushed::Nothing);
    };
    let mut time = None;
    if proof.compiled.plan.uses_time {
        time = own_time(&view, &proof)?;
        if time.is_none() {
            return Ok(Pushed::Nothing);
        }
    }
    // `asctime` comes after it.
    let wait = waiting.is_some() && time.is_none();
    let message = match render(line, &view, &proof, &logged, time.as_ref(), wait)? {
        Rendered::Not => return Ok(Pushed::Nothing),
        Rendered::Message(message) => message,
        Rendered::Written => return Ok(Pushed::ButMessage(unaltered)),
    };
    let time = match time {
        Some(time) => Some(time.object(line.py())?),
        None => None,
    };
    guard::set_by(&view, Name::message, message)?;
    if let Some(time) = time {
        guard::set_by(&view, Name::asctime, time)?;
    }
    Ok(Pushed::All)
}

/// What [`is_plain_record`] looks at, or what is set on it.
const OWN: [Name; 5] = [
    Name::message,
    Name::asctime,
    Name::exc_info,
    Name::exc_text,
    Name::stack_info,
];

/// Are the record's attributes plain values that nobody computes, and is there neither exception nor stack to show?
#[inline]
fn is_plain_record(record: &View<'_, '_>, unaltered: Option<Unaltered>) -> bool {
    let is_none = |name: Name| record.test(name, PyAnyMethods::is_none);
    // What is not given up here but in its turn may change what comes after it.
    let drops_text = |name: Name| record.lend_own(name).is_none_or(|old| py_ffi::is_str(&old));
    let of_class = record.is_direct()
        && record.is_by(Role::PlainRecord, |record| {
            record.method(Name::getMessage) == Target::RecordGetMessage
                && record.has_own_dict()
                && (OWN.iter()).all(|name| record.may_be_set(*name))
        });
    let plain = || {
        is_none(Name::exc_info)
            && is_none(Name::exc_text)
            && is_none(Name::stack_info)
            && drops_text(Name::message)
            && drops_text(Name::asctime)
    };
    // It has neither `message` nor `asctime`.
    of_class && unaltered.map_or_else(plain, |unaltered| unaltered.tailless)
}

/// What there is of a line.
enum Rendered<'py> {
    /// It is not to be written at once.
    Not,
    /// The line, and the message, which is to be set on the record.
    Message(Obj<'py>),
    /// The line, which has the message in it.
    Written,
}

/// Appends the line. `wait`: what the message is need not be told.
#[inline]
fn render<'py>(
    line: &mut Buffer<'py>,
    record: &View<'_, 'py>,
    proof: &Proof<'_, 'py>,
    logged: &Logged<'_, 'py>,
    time: Option<&TimeText>,
    wait: bool,
) -> Res<Rendered<'py>> {
    let py = line.py();
    let plan = &proof.compiled.plan;
    let (mut message, mut written) = (None, false);
    for (index, piece) in plan.pieces.iter().enumerate() {
        let pushed = match piece {
            Piece::Literal(text) => {
                line.push_literal(text);
                true
            }
            // The record's attributes are anybody's.
            Piece::Place(_) => true,
            Piece::Field { field, spec, usual } => match field {
                Field::Known(Attribute::Message) => {
                    if *usual == Usual::Text && message.is_none() && wait {
                        let mark = line.mark();
                        written = logged.append(line)?;
                        if written && line.has_apart_since(mark) {
                            // A long text, for which there may be no memory: that is found out now, as in the stdlib.
                            message = line.since(mark).map(Some)?;
                        }
                        written
                    } else if *usual == Usual::Text && message.is_none() {
                        message = logged.push(line)?;
                        message.is_some()
                    } else {
                        if message.is_none() {
                            message = logged.message(line)?;
                        }
                        match &message {
                            Some(message) => message::push_value(line, message, *usual, spec)?,
                            None => false,
                        }
                    }
                }
                Field::Known(Attribute::AscTime) => {
                    time.is_some_and(|time| time.push_to(line, *usual, spec))
                }
                Field::Known(attribute) => {
                    let name = NAMES[*attribute as usize];
                    match record.lend_own(name) {
                        Some(value) => message::push_value(line, &value, *usual, spec)?,
                        None => push_default(line, proof, &name.object(py), *usual, spec)?,
                    }
                }
                Field::Other(_) => {
                    let Some(key) = proof.compiled.name(py, index) else {
                        return Ok(Rendered::Not);
                    };
                    if record.type_has(&key) {
                        return Ok(Rendered::Not);
                    }
                    match py_ffi::getattr_opt_by(record.object(), &key)? {
                        Some(value) => message::push_value(line, &value, *usual, spec)?,
                        None => push_default(line, proof, &key, *usual, spec)?,
                    }
                }
            },
        };
        if !pushed {
            return Ok(Rendered::Not);
        }
    }
    line.widen_unless(plan.ascii);
    if message.is_none() && written {
        return Ok(Rendered::Written);
    }
    if message.is_none() {
        message = logged.message(line)?;
    }
    Ok(message.map_or(Rendered::Not, Rendered::Message))
}

/// One value of the style's defaults; false when there is none, or only the interpreter can write it.
#[inline(never)]
fn push_default<'py>(
    line: &mut Buffer<'py>,
    proof: &Proof<'_, 'py>,
    name: &Obj<'py>,
    usual: Usual,
    spec: &Spec,
) -> Res<bool> {
    let Some(defaults) = &proof.defaults else {
        return Ok(false);
    };
    match py_ffi::dict_get(defaults, name)? {
        Some(value) => message::push_value(line, &value, usual, spec),
        None => Ok(false),
    }
}

/// `formatter.formatTime(record, formatter.datefmt)` of a record with plain times.
#[inline(never)]
fn own_time<'py>(record: &View<'_, 'py>, proof: &Proof<'_, 'py>) -> Res<Option<TimeText>> {
    match stamp_of(record) {
        Some(stamp) => time::text(&proof.formatter, &stamp),
        None => Ok(None),
    }
}

/// `Formatter.formatTime(formatter, record, datefmt)`; `None`, with nothing done, where Python code could run.
pub fn time_text<'py>(
    formatter: &Obj<'py>,
    record: &Obj<'py>,
    datefmt: &Obj<'py>,
) -> Res<Option<Obj<'py>>> {
    let (Some(formatter), Some(record)) = (guard::view(formatter), guard::view(record)) else {
        return Ok(None);
    };
    let Some(stamp) = stamp_of(&record) else {
        return Ok(None);
    };
    match time::text_by(&formatter, &stamp, datefmt)? {
        Some(text) => text.object(datefmt.py()).map(Some),
        None => Ok(None),
    }
}

/// When the record was made, where its times are plain ones.
fn stamp_of<'py>(record: &View<'_, 'py>) -> Option<Stamp<'py>> {
    let number = |name: Name| {
        record
            .lend(name)
            .and_then(|value| py_ffi::float_value(&value))
    };
    Some(Stamp {
        created: Number::Float(number(Name::created)?),
        msecs: Number::Float(number(Name::msecs)?),
        relative: Number::Float(0.0),
    })
}

/// What was logged: a text, and a tuple of arguments or none.
struct Logged<'a, 'py> {
    msg: Lent<'a, 'py>,
    args: Option<Lent<'a, 'py>>,
}

impl<'a, 'py> Logged<'a, 'py> {
    #[inline]
    fn of(record: &View<'a, 'py>) -> Option<Self> {
        let (msg, args) = (record.lend(Name::msg)?, record.lend(Name::args)?);
        if !py_ffi::is_str(&msg) {
            return None;
        }
        let args = if py_ffi::is_tuple(&args) {
            Some(args).filter(|args| py_ffi::tuple_len(args) > 0)
        } else if args.is_none() {
            None
        } else {
            return None;
        };
        Some(Logged { msg, args })
    }

    /// Appends `record.getMessage()`, and gives it; nothing, with nothing done, where only the interpreter can make it.
    #[inline]
    fn push(&self, line: &mut Buffer<'py>) -> Res<Option<Obj<'py>>> {
        if self.args.is_none() {
            return Ok(message::push_whole(line, &self.msg).then(|| self.msg.clone()));
        }
        let mark = line.mark();
        if self.append(line)? {
            line.since(mark).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Appends it; false, with nothing done, where only the interpreter can make it.
    #[inline]
    fn append(&self, line: &mut Buffer<'py>) -> Res<bool> {
        match &self.args {
            Some(args) => message::push_plain(line, &self.msg, Args::of_tuple(args)),
            None => Ok(message::push_whole(line, &self.msg)),
        }
    }

    /// The same without leaving it there.
    #[inline(never)]
    fn message(&self, line: &mut Buffer<'py>) -> Res<Option<Obj<'py>>> {
        if self.args.is_none() {
            return Ok(Some(self.msg.clone()));
        }
        let mark = line.mark();
        let message = self.push(line)?;
        line.rewind(mark);
        Ok(message)
    }
}
