//! `msg % args` for exact strings and plain arguments, by the rules `femtolog-core` proves; the interpreter's `%` for the rest.
use femtolog_core::plan::percent::{
    Item, Positional, PositionalPiece, Scanner, compile_positional,
};
use femtolog_core::plan::{
    Spec, Usual, push_decimal, push_fixed_float, push_float_as_int, push_float_text, push_int,
    push_str, push_text,
};
use pyo3::prelude::*;

use super::text::Buffer;
use crate::call::Args;
use crate::cell::{Counted, Shared};
use crate::ffi::{self as py_ffi, Held, Most, Obj, Res};
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

/// Longer texts are appended as the objects they are: that takes 0.2 µs, whatever their length.
const COPIED: Most = Most {
    ascii: 8192,
    wide: 64,
};

/// Longer messages with arguments, and longer texts that are padded or cut, are left to the interpreter. It raises `MemoryError` where
/// there is no room for the result, and does not have to encode and decode what is not ASCII.
const LARGE: Most = Most {
    ascii: 1 << 20,
    wide: 1024,
};

/// Can the whole message be written without running Python code?
#[inline]
pub fn is_plain_message<'py>(msg: &Obj<'py>, args: Args<'_, 'py>) -> bool {
    py_ffi::is_str(msg) && args.len() <= 64 && args.iter().all(|arg| is_plain(&arg))
}

/// Messages with arguments met so often that they were taken apart for good.
struct Kept {
    message: Option<(Held, Counted<Positional>)>,
    /// The address of a message met lately, and how often in a row.
    met: (usize, u8),
}

const MESSAGES: usize = 512;
static CACHE: Shared<[Kept; MESSAGES]> = Shared::new(
    [const {
        Kept {
            message: None,
            met: (0, 0),
        }
    }; MESSAGES],
);

/// A message is kept when it has been met that often: one that is made anew for each call is not met again, or is another one at
/// the same address.
const OFTEN: u8 = 8;
/// Longer messages are not kept.
const LONG: Most = Most {
    ascii: 4096,
    wide: 1024,
};

/// The message taken apart, if it is kept. 3 ns; taking it apart costs 10 ns for each argument.
#[inline]
fn known(msg: &Obj<'_>) -> Option<Counted<Positional>> {
    let address = msg.as_ptr() as usize;
    // A str's address has four zeros at its end.
    let place = (address >> 4 ^ address >> 13) % MESSAGES;
    let known = CACHE.with(msg.py(), |kept| match &kept[place].message {
        Some((message, plan)) if message.is(msg) => Some(plan.clone()),
        _ => None,
    });
    if known.is_none() {
        meet(msg, place);
    }
    known
}

/// Counts the message and keeps it if it is met often.
#[inline(never)]
fn meet(msg: &Obj<'_>, place: usize) {
    let py = msg.py();
    let address = msg.as_ptr() as usize;
    let often = CACHE.with(py, |kept| {
        let met = &mut kept[place].met;
        *met = if met.0 == address {
            (address, met.1 % OFTEN + 1)
        } else {
            (address, 1)
        };
        met.1 == OFTEN
    });
    let text = py_ffi::text_of(msg, LONG).filter(|_| often);
    if let Some(plan) = text.and_then(|(text, _)| compile_positional(text))
        && let Some(held) = Held::new(msg.clone())
    {
        let message = (held, Counted::new(plan));
        // What was kept is dropped when the table is no longer in use.
        let old = CACHE.with(py, |kept| kept[place].message.replace(message));
        drop(old);
    }
}

/// Appends `str(msg) % args` of a plain message (see [`is_plain_message`]). False, with the buffer as it was: not a plain one, or
/// only the interpreter can format it. Runs no Python code.
#[inline]
pub fn push_plain<'py>(buffer: &mut Buffer<'py>, msg: &Obj<'py>, args: Args<'_, 'py>) -> Res<bool> {
    if args.is_empty() {
        return Ok(push_whole(buffer, msg));
    }
    let mark = buffer.mark();
    let pushed = match known(msg) {
        Some(plan) => push_arguments(buffer, &plan, args)?,
        None => scan(buffer, msg, args)?,
    };
    if !pushed {
        buffer.rewind(mark);
    }
    Ok(pushed)
}

/// Appends a `str` as it is. False, with nothing done: it is none.
#[inline]
pub fn push_whole<'py>(buffer: &mut Buffer<'py>, text: &Obj<'py>) -> bool {
    let Some((text, ascii)) = py_ffi::text_of(text, COPIED) else {
        return push_apart(buffer, text);
    };
    buffer.push(text, ascii);
    true
}

/// The same for a long one, or one that has no UTF-8.
#[inline(never)]
fn push_apart<'py>(buffer: &mut Buffer<'py>, text: &Obj<'py>) -> bool {
    let is_text = py_ffi::is_str(text);
    if is_text {
        buffer.push_apart(text);
    }
    is_text
}

/// A message that has been taken apart, with its arguments.
#[inline]
fn push_arguments<'py>(
    buffer: &mut Buffer<'py>,
    message: &Positional,
    args: Args<'_, 'py>,
) -> Res<bool> {
    if message.arguments != args.len() {
        return Ok(false);
    }
    let mut args = args.iter();
    for piece in &message.pieces {
        match piece {
            PositionalPiece::Literal(text) => buffer.push_literal(text),
            PositionalPiece::Arg(spec, usual) => {
                let Some(arg) = args.next() else {
                    return Ok(false);
                };
                if !push_value(buffer, &arg, *usual, spec)? {
                    return Ok(false);
                }
            }
        }
    }
    buffer.widen_unless(message.ascii);
    Ok(true)
}

/// A message met for the first times, with its arguments.
#[inline(never)]
fn scan<'py>(buffer: &mut Buffer<'py>, msg: &Obj<'py>, args: Args<'_, 'py>) -> Res<bool> {
    let Some((text, ascii)) = py_ffi::text_of(msg, LARGE) else {
        return Ok(false);
    };
    let mut args = args.iter();
    for item in Scanner::new(text) {
        let pushed = match item {
            Item::Literal(literal) => {
                buffer.push(literal, true);
                true
            }
            Item::Arg(spec) => match args.next() {
                Some(value) => push_value(buffer, &value, spec.usual(), &spec)?,
                None => false,
            },
            Item::Unproven => false,
        };
        if !pushed {
            return Ok(false);
        }
    }
    // One test of the whole text instead of one for each literal.
    buffer.widen_unless(ascii);
    Ok(args.next().is_none())
}

/// Appends one value as `spec` says, which is that `usual` one; false when it is not a plain one or the interpreter has to decide.
/// A text, which most values are, takes one call.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "30 instructions by one more call, 10 without"
)]
pub fn push_value<'py>(
    buffer: &mut Buffer<'py>,
    value: &Obj<'py>,
    usual: Usual,
    spec: &Spec,
) -> Res<bool> {
    match py_ffi::ascii_of(value) {
        Some(text) if usual == Usual::Text && text.len() <= COPIED.ascii => Ok(buffer.append(text)),
        _ => push_other(buffer, value, usual, spec),
    }
}

/// The same for anything but ASCII text.
#[inline(never)]
fn push_other<'py>(
    buffer: &mut Buffer<'py>,
    value: &Obj<'py>,
    usual: Usual,
    spec: &Spec,
) -> Res<bool> {
    if usual != Usual::No
        && let Some(number) = raw::small_int(value)
    {
        push_decimal(buffer.bytes(), number);
        return Ok(true);
    }
    if usual == Usual::Text {
        push_wide(buffer, value, spec)
    } else {
        push_unusual(buffer, value, spec)
    }
}

/// The same for anything but numbers, of which most are texts.
#[inline(never)]
fn push_wide<'py>(buffer: &mut Buffer<'py>, value: &Obj<'py>, spec: &Spec) -> Res<bool> {
    if push_whole(buffer, value) {
        Ok(true)
    } else {
        push_unusual(buffer, value, spec)
    }
}

/// The same by the spec alone.
#[inline(never)]
fn push_unusual<'py>(buffer: &mut Buffer<'py>, value: &Obj<'py>, spec: &Spec) -> Res<bool> {
    if py_ffi::is_str(value) {
        let Some((text, ascii)) = py_ffi::text_of(value, LARGE) else {
            return Ok(false);
        };
        buffer.widen_unless(ascii && spec.is_ascii());
        return Ok(push_str(buffer.bytes(), text, spec) || push_rendered(buffer, value, spec));
    }
    if let Some(number) = raw::small_int(value) {
        if !spec.wants_float() {
            buffer.widen_unless(spec.is_ascii());
            return Ok(push_int(buffer.bytes(), number, spec));
        }
        return push_float(buffer, number as f64, spec);
    }
    if let Some(number) = py_ffi::float_value(value) {
        return push_float(buffer, number, spec);
    }
    Ok(push_rendered(buffer, value, spec))
}

/// The same by the interpreter's own `str()` and `repr()`; false where they are not what is wanted, or raise.
#[inline(never)]
fn push_rendered(buffer: &mut Buffer<'_>, value: &Obj<'_>, spec: &Spec) -> bool {
    if !is_plain(value) {
        return false;
    }
    let text = match spec.text_function() {
        Some(b's') => py_ffi::str(value),
        // `ascii()` of a text is another one.
        Some(function) if function == b'r' || !py_ffi::is_str(value) => py_ffi::repr(value),
        // A number's own formats, and those of `format()`.
        _ => return false,
    };
    let text = py_ffi::or_nothing(value.py(), text);
    let Some((rendered, ascii)) = text.as_ref().and_then(|text| py_ffi::text_of(text, LARGE))
    else {
        return false;
    };
    buffer.widen_unless(ascii && spec.is_ascii());
    push_text(buffer.bytes(), rendered, spec);
    true
}

/// Appends a float.
pub fn push_float(buffer: &mut Buffer<'_>, number: f64, spec: &Spec) -> Res<bool> {
    let py = buffer.py();
    buffer.widen_unless(spec.is_ascii());
    if push_fixed_float(buffer.bytes(), number, spec) {
        return Ok(true);
    }
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
