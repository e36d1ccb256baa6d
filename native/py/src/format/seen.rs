//! Formats a real record where that runs no Python code: somebody has seen the record, but its values are plain ones.
//!
//! The values are read in place, as `vars(record)` would show them, each time: whoever had the record may have changed them.
use femtolog_core::plan::{Attribute, Field, Piece, Spec, Usual};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time::{self, TimeText};
use super::unseen::{Proof, proven};
use crate::call::Args;
use crate::clock::{Number, Stamp};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::guard::{self, Role, View};
use crate::names::Name;
use crate::natives::Target;

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
    let pushed = push(&mut line, formatter, record, Role::FormatterSteps)?;
    Ok(pushed.then_some(Text::Bytes(line)))
}

/// Appends `formatter.format(record)` to an empty `line` where all of it runs no Python code; false, with nothing done but writing
/// there, where it could.
pub fn push_quietly<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &Obj<'py>,
) -> Res<bool> {
    push(line, formatter, record, Role::Formatter)
}

#[inline]
fn push<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &Obj<'py>,
    role: Role,
) -> Res<bool> {
    let (Some(proof), Some(view)) = (proven(formatter, role), guard::view(record)) else {
        return Ok(false);
    };
    // What is not given up here but in its turn may change what comes after it.
    let drops_text = |name: Name| view.lend_own(name).is_none_or(|old| py_ffi::is_str(&old));
    if !drops_text(Name::message) || !drops_text(Name::asctime) {
        return Ok(false);
    }
    push_by(line, &view, &proof)
}

fn push_by<'py>(
    line: &mut Buffer<'py>,
    record: &View<'_, 'py>,
    proof: &Proof<'_, 'py>,
) -> Res<bool> {
    if !is_plain_record(record) {
        return Ok(false);
    }
    let Some((message, time)) = render(line, record, proof)? else {
        return Ok(false);
    };
    let time = time.map(|time| time.object(line.py())).transpose()?;
    guard::set_by(record, Name::message, message)?;
    if let Some(time) = time {
        guard::set_by(record, Name::asctime, time)?;
    }
    Ok(true)
}

/// Are the record's attributes plain values that nobody computes, and is there neither exception nor stack to show?
#[inline]
fn is_plain_record(record: &View<'_, '_>) -> bool {
    let is_none = |name: Name| record.test(name, PyAnyMethods::is_none);
    record.is_direct()
        && record.is_by(Role::PlainRecord, |record| {
            record.method(Name::getMessage) == Target::RecordGetMessage
                && record.has_own_dict()
                && record.may_be_set(Name::message)
                && record.may_be_set(Name::asctime)
        })
        && is_none(Name::exc_info)
        && is_none(Name::exc_text)
        && is_none(Name::stack_info)
}

/// Appends the line; gives what is to be set on the record.
fn render<'py>(
    line: &mut Buffer<'py>,
    record: &View<'_, 'py>,
    proof: &Proof<'_, 'py>,
) -> Res<Option<(Obj<'py>, Option<TimeText>)>> {
    let py = line.py();
    let plan = &proof.compiled.plan;
    let Some(message) = own_message(line, record)? else {
        return Ok(None);
    };
    let time = if plan.uses_time {
        match own_time(record, proof)? {
            Some(time) => Some(time),
            None => return Ok(None),
        }
    } else {
        None
    };
    for (index, piece) in plan.pieces.iter().enumerate() {
        let pushed = match piece {
            Piece::Literal(text) => {
                line.push(text, true);
                true
            }
            Piece::Field { field, spec, usual } => match field {
                Field::Known(Attribute::Message) => {
                    message::push_value(line, &message, *usual, spec)?
                }
                Field::Known(Attribute::AscTime) => {
                    let Some(time) = &time else { return Ok(None) };
                    time.push_to(line, *usual, spec)
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
                        return Ok(None);
                    };
                    if record.type_has(&key) {
                        return Ok(None);
                    }
                    match py_ffi::getattr_opt_by(record.object(), &key)? {
                        Some(value) => message::push_value(line, &value, *usual, spec)?,
                        None => push_default(line, proof, &key, *usual, spec)?,
                    }
                }
            },
        };
        if !pushed {
            return Ok(None);
        }
    }
    line.widen_unless(plan.ascii);
    Ok(Some((message, time)))
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
fn own_time<'py>(record: &View<'_, 'py>, proof: &Proof<'_, 'py>) -> Res<Option<TimeText>> {
    let number = |name: Name| {
        record
            .lend(name)
            .and_then(|value| py_ffi::float_value(&value))
    };
    let (Some(created), Some(msecs)) = (number(Name::created), number(Name::msecs)) else {
        return Ok(None);
    };
    let stamp = Stamp {
        created: Number::Float(created),
        msecs: Number::Float(msecs),
        relative: Number::Float(0.0),
    };
    time::text(&proof.formatter, &stamp)
}

/// `record.getMessage()` of plain values, worked out in `line`, which is as it was before.
#[inline]
fn own_message<'py>(line: &mut Buffer<'py>, record: &View<'_, 'py>) -> Res<Option<Obj<'py>>> {
    let (Some(msg), Some(args)) = (record.lend(Name::msg), record.lend(Name::args)) else {
        return Ok(None);
    };
    if !py_ffi::is_str(&msg) {
        return Ok(None);
    }
    if args.is_none() {
        return Ok(Some(msg.clone()));
    }
    if !py_ffi::is_tuple(&args) {
        return Ok(None);
    }
    let args = Args::of_tuple(&args);
    if args.is_empty() {
        return Ok(Some(msg.clone()));
    }
    let mark = line.mark();
    if !message::push_plain(line, &msg, args)? {
        return Ok(None);
    }
    let message = line.since(mark)?;
    line.rewind(mark);
    Ok(Some(message))
}
