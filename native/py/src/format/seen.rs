//! Formats a real record where that runs no Python code: somebody has seen the record, but its values are plain ones.
//!
//! The values are read in place, as `vars(record)` would show them, each time: whoever had the record may have changed them.
use femtolog_core::plan::{Attribute, Field, Piece, Spec, Usual};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time::{self, TimeText};
use super::unseen::{Proof, proof};
use crate::call::Args;
use crate::clock::{Number, Stamp};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::guard::{self, View};
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

/// Formats the record and sets `message` and `asctime` on it; `None`, with nothing done, when that has to be done step by step.
pub fn text<'py>(formatter: &Obj<'py>, record: &Obj<'py>) -> Res<Option<Text<'py>>> {
    let Some(proof) = proof(formatter) else {
        return Ok(None);
    };
    let Some(view) = guard::view(record).filter(is_plain_record) else {
        return Ok(None);
    };
    let Some((buffer, message, time)) = rendered(&view, &proof)? else {
        return Ok(None);
    };
    py_ffi::setattr(record, Name::message, &message)?;
    if let Some(time) = time {
        py_ffi::setattr(record, Name::asctime, &time.object(record.py())?)?;
    }
    Ok(Some(Text::Bytes(buffer)))
}

/// Are the record's attributes plain values that nobody computes, and is there neither exception nor stack to show?
fn is_plain_record(record: &View<'_, '_>) -> bool {
    record.is_direct()
        && record.method(Name::getMessage) == Target::RecordGetMessage
        && record.has_own_dict()
        && record.may_be_set(Name::message)
        && record.may_be_set(Name::asctime)
        && [Name::exc_info, Name::exc_text, Name::stack_info]
            .into_iter()
            .all(|name| record.get(name).is_some_and(|value| value.is_none()))
}

type Rendered<'py> = (Buffer<'py>, Obj<'py>, Option<TimeText>);

fn rendered<'py>(record: &View<'_, 'py>, proof: &Proof<'_, 'py>) -> Res<Option<Rendered<'py>>> {
    let py = record.object().py();
    let plan = &proof.compiled.plan;
    let Some(message) = own_message(record)? else {
        return Ok(None);
    };
    let mut time = None;
    if plan.uses_time {
        let (Some(created), Some(msecs)) = (
            record
                .get(Name::created)
                .and_then(|value| py_ffi::float_value(&value)),
            record
                .get(Name::msecs)
                .and_then(|value| py_ffi::float_value(&value)),
        ) else {
            return Ok(None);
        };
        let stamp = Stamp {
            created: Number::Float(created),
            msecs: Number::Float(msecs),
            relative: Number::Float(0.0),
        };
        time = time::text(&proof.formatter, &stamp)?;
        if time.is_none() {
            return Ok(None);
        }
    }
    let mut buffer = Buffer::new(py);
    for (index, piece) in plan.pieces.iter().enumerate() {
        let pushed = match piece {
            Piece::Literal(text) => {
                buffer.push(text, true);
                true
            }
            Piece::Field { field, spec, usual } => match field {
                Field::Known(Attribute::Message) => {
                    message::push_value(&mut buffer, &message, *usual, spec)?
                }
                Field::Known(Attribute::AscTime) => {
                    let Some(time) = &time else { return Ok(None) };
                    time.push_to(&mut buffer, *usual, spec)
                }
                Field::Known(attribute) => {
                    let name = NAMES[*attribute as usize];
                    let value = record.own(name);
                    push_own(&mut buffer, value, proof, &name.object(py), *usual, spec)?
                }
                Field::Other(_) => {
                    let Some(key) = proof.compiled.name(py, index) else {
                        return Ok(None);
                    };
                    if record.type_has(&key) {
                        return Ok(None);
                    }
                    let value = py_ffi::getattr_opt_by(record.object(), &key)?;
                    push_own(&mut buffer, value, proof, &key, *usual, spec)?
                }
            },
        };
        if !pushed {
            return Ok(None);
        }
    }
    buffer.widen_unless(plan.ascii);
    Ok(Some((buffer, message, time)))
}

/// One value of the record, or of the style's defaults; false when only the interpreter can write it.
fn push_own<'py>(
    buffer: &mut Buffer<'py>,
    value: Option<Obj<'py>>,
    proof: &Proof<'_, 'py>,
    name: &Obj<'py>,
    usual: Usual,
    spec: &Spec,
) -> Res<bool> {
    let value = match (value, &proof.defaults) {
        (Some(value), _) => value,
        (None, Some(defaults)) => match py_ffi::dict_get(defaults, name)? {
            Some(value) => value,
            None => return Ok(false),
        },
        (None, None) => return Ok(false),
    };
    message::push_value(buffer, &value, usual, spec)
}

/// `record.getMessage()` of plain values.
fn own_message<'py>(record: &View<'_, 'py>) -> Res<Option<Obj<'py>>> {
    let (Some(msg), Some(args)) = (record.get(Name::msg), record.get(Name::args)) else {
        return Ok(None);
    };
    if !py_ffi::is_str(&msg) {
        return Ok(None);
    }
    if args.is_none() {
        return Ok(Some(msg));
    }
    if !py_ffi::is_tuple(&args) {
        return Ok(None);
    }
    let args = Args::of_tuple(&args);
    if args.is_empty() {
        return Ok(Some(msg));
    }
    let mut buffer = Buffer::new(msg.py());
    if !message::push_plain(&mut buffer, &msg, args)? {
        return Ok(None);
    }
    buffer.object(msg.py()).map(Some)
}
