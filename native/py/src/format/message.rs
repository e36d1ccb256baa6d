//! `msg % args` for exact strings and plain arguments, by the rules `femtolog-core` proves; the interpreter's `%` for the rest.
use femtolog_core::plan::percent::{Item, Scanner};
use femtolog_core::plan::{
    Spec, Style, push_float_as_int, push_float_text, push_int, push_str, push_text,
};
use pyo3::prelude::*;

use super::text::Buffer;
use crate::call::Args;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::natives::Target;
use crate::raw;
use crate::trace::{At as _, call as calling, operator, truth};

/// Can this value be written without running Python code?
#[inline]
pub fn is_plain(value: &Obj<'_>) -> bool {
    py_ffi::is_str(value)
        || py_ffi::is_int(value)
        || value.is_none()
        || py_ffi::is_float(value)
        || py_ffi::is_bool(value)
}

/// Texts above this size are left to the interpreter, which raises `MemoryError` where there is no room for the result.
const LARGE: usize = 1 << 20;

/// Can the whole message be written without running Python code?
#[inline]
pub fn is_plain_message<'py>(msg: &Obj<'py>, args: Args<'_, 'py>) -> bool {
    py_ffi::is_str(msg) && args.len() <= 64 && args.iter().all(|arg| is_plain(&arg))
}

/// The text of a str that is not large.
#[inline]
fn small_utf8<'a>(text: &'a Obj<'_>) -> Option<&'a str> {
    if py_ffi::str_len(text) > LARGE {
        None
    } else {
        py_ffi::utf8(text)
    }
}

/// Appends `str(msg) % args` of a plain message (see [`is_plain_message`]). False, with the buffer as it was: only the
/// interpreter can format it.
#[inline]
pub fn push_plain<'py>(buffer: &mut Buffer, msg: &Obj<'py>, args: Args<'_, 'py>) -> Res<bool> {
    let Some(text) = small_utf8(msg) else {
        return Ok(false);
    };
    if args.is_empty() {
        buffer.push(text, py_ffi::is_ascii(msg));
        return Ok(true);
    }
    let mark = buffer.mark();
    let mut next = 0;
    for item in Scanner::new(text) {
        let pushed = match item {
            Item::Literal(literal) => {
                buffer.push(literal, true);
                true
            }
            Item::Arg(spec) => match args.get(next) {
                Some(value) => {
                    next += 1;
                    push_value(buffer, &value, &spec)?
                }
                None => false,
            },
            Item::Unproven => false,
        };
        if !pushed {
            buffer.rewind(mark);
            return Ok(false);
        }
    }
    if next != args.len() {
        buffer.rewind(mark);
        return Ok(false);
    }
    // One test of the whole text instead of one for each literal.
    if !py_ffi::is_ascii(msg) {
        buffer.widen();
    }
    Ok(true)
}

/// Appends one plain value as `spec` says; false when the interpreter has to decide, with the buffer as it was.
#[inline]
pub fn push_value(buffer: &mut Buffer, value: &Obj<'_>, spec: &Spec) -> Res<bool> {
    let py = value.py();
    if py_ffi::is_str(value) {
        let Some(text) = small_utf8(value) else {
            return Ok(false);
        };
        if spec.is_plain() {
            buffer.push(text, py_ffi::is_ascii(value));
            return Ok(true);
        }
        buffer.widen_unless(py_ffi::is_ascii(value) && spec.is_ascii());
        return Ok(push_str(buffer.bytes(), text, spec));
    }
    if let Some(number) = raw::small_int(value) {
        if !spec.wants_float() {
            buffer.widen_unless(spec.is_ascii());
            return Ok(push_int(buffer.bytes(), number, spec));
        }
        return push_float(py, buffer, number as f64, spec);
    }
    if let Some(number) = py_ffi::float_value(value) {
        return push_float(py, buffer, number, spec);
    }
    if py_ffi::is_int(value) || spec.style() == Style::Format {
        // Larger than 64 bits, or `format(None, spec)`: the interpreter's business.
        return Ok(false);
    }
    // None and booleans under %s and %r.
    let text = match spec.text_function() {
        Some(b's') => py_ffi::str(value)?,
        Some(b'r' | b'a') => py_ffi::repr(value)?,
        _ => return Ok(false),
    };
    let Some(rendered) = py_ffi::utf8(&text) else {
        return Ok(false);
    };
    buffer.widen_unless(spec.is_ascii());
    push_text(buffer.bytes(), rendered, spec);
    Ok(true)
}

fn push_float(py: Python<'_>, buffer: &mut Buffer, number: f64, spec: &Spec) -> Res<bool> {
    buffer.widen_unless(spec.is_ascii());
    let Some(digits) = spec.float_digits() else {
        return Ok(spec.truncates_float() && push_float_as_int(buffer.bytes(), number, spec));
    };
    py_ffi::with_double(
        py,
        number,
        digits.code,
        i32::from(digits.precision),
        digits.alternate,
        digits.add_dot_0,
        |text| push_float_text(buffer.bytes(), text, spec),
    )
}

/// `str(msg) % args` by the interpreter's own operators; `args` as the record would hold them.
pub fn interpreted<'py>(msg: &Obj<'py>, args: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (msg.py(), Target::RecordGetMessage);
    let text = py_ffi::str(msg).at(py, here, calling("str"))?;
    if py_ffi::truthy(args).at(py, here, truth("args"))? {
        py_ffi::remainder(&text, args).at(py, here, operator("args").nth(1))
    } else {
        Ok(text)
    }
}
