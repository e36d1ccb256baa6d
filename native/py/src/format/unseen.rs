//! Formats a record that no Python code has seen, without making one.
//!
//! Done only where formatter, style and record class are as the stdlib defines them, the format string is compiled, and every
//! value is of an exact built-in type; anything else goes the general way on a real record, which then carries what was
//! rendered so far. Whether the text is for the last handler decides what has to be kept.
use femtolog_core::plan::{self, Attribute, Field, Piece, Plan};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time;
use crate::cell::{Counted, Shared};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, Role, View};
use crate::handler::Place;
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::record::Record;
use crate::trace::{At as _, call as calling, operator};

/// A compiled format string, kept with the str object it was compiled from.
struct Kept {
    format: *mut pyo3::ffi::PyObject,
    /// The style's `asctime_search`, which is what it should be.
    search: *mut pyo3::ffi::PyObject,
    style: Target,
    plan: Option<Counted<Plan>>,
}

const PLANS: usize = 64;
static CACHE: Shared<[Kept; PLANS]> = Shared::new(
    [const {
        Kept {
            format: std::ptr::null_mut(),
            search: std::ptr::null_mut(),
            style: Target::Foreign,
            plan: None,
        }
    }; PLANS],
);

/// The plan of a format string under a style that looks for its time field with `search`; `None` when it is not one of the
/// proven kind.
#[inline]
fn compiled(format: &Obj<'_>, style: Target, search: &Obj<'_>) -> Option<Counted<Plan>> {
    let place = (format.as_ptr() as usize >> 4) % PLANS;
    let known = CACHE.with(format.py(), |plans| {
        let kept = &plans[place];
        (kept.format == format.as_ptr() && kept.search == search.as_ptr() && kept.style == style)
            .then(|| kept.plan.clone())
    });
    known.unwrap_or_else(|| compile(format, style, search, place))
}

#[cold]
fn compile(
    format: &Obj<'_>,
    style: Target,
    search: &Obj<'_>,
    place: usize,
) -> Option<Counted<Plan>> {
    if !py_ffi::is_str(format) || !searches_own_time(search, style) {
        return None;
    }
    let text = py_ffi::utf8(format)?;
    let plan = match style {
        Target::PercentFormat => plan::percent::compile(text),
        Target::BraceFormat => plan::brace::compile(text),
        Target::TemplateFormat => plan::dollar::compile(text),
        _ => None,
    };
    let plan = plan.map(Counted::new);
    let kept = Kept {
        format: format.clone().into_ptr(),
        search: search.clone().into_ptr(),
        style,
        plan: plan.clone(),
    };
    let old = CACHE.with(format.py(), |plans| {
        std::mem::replace(&mut plans[place], kept)
    });
    py_ffi::release_all(format.py(), &[old.format, old.search]);
    plan
}

/// Does a style look for its own time field? (`asctime_search` is a class attribute anybody may change.)
fn searches_own_time(search: &Obj<'_>, style: Target) -> bool {
    let wanted = match style {
        Target::PercentFormat => "%(asctime)",
        Target::BraceFormat => "{asctime",
        _ => "${asctime}",
    };
    py_ffi::is_str(search) && py_ffi::utf8(search) == Some(wanted)
}

/// What has to hold of a formatter for its record to stay unseen.
pub(super) struct Proof<'py> {
    pub plan: Counted<Plan>,
    /// The style's defaults, when it has any.
    pub defaults: Option<Obj<'py>>,
}

/// Runs no Python code.
#[inline]
fn proof<'py>(formatter: &Obj<'py>) -> Option<Proof<'py>> {
    proven(formatter, Role::Formatter)
}

/// The same; with [`Role::FormatterSteps`] for one whose `format` may be an override that has called `Formatter.format`.
#[inline]
pub(super) fn proven<'py>(formatter: &Obj<'py>, role: Role) -> Option<Proof<'py>> {
    let view = guard::view(formatter)?;
    if !view.is(role) {
        return None;
    }
    let style = view.get(Name::_style)?;
    let style = guard::view(&style)?;
    if style.method(Name::format) != Target::StyleFormat {
        return None;
    }
    let kind = style.method(Name::_format);
    let format = match (kind, style.method(Name::usesTime)) {
        (Target::PercentFormat | Target::BraceFormat, Target::PercentUsesTime) => {
            style.get(Name::_fmt)?
        }
        (Target::TemplateFormat, Target::TemplateUsesTime) => template_text(&style)?,
        _ => return None,
    };
    let plan = compiled(&format, kind, &style.get(Name::asctime_search)?)?;
    let defaults = style.get(Name::_defaults)?;
    let defaults = if defaults.is_none() {
        None
    } else if py_ffi::is_dict(&defaults)
        && (kind == Target::PercentFormat || py_ffi::all_keys_str(&defaults))
    {
        // Keyword arguments, which the other styles use, have to be strings.
        Some(defaults)
    } else {
        return None;
    };
    Some(Proof { plan, defaults })
}

/// The text of the style's own `string.Template`, where that is the one its format names.
fn template_text<'py>(style: &View<'_, 'py>) -> Option<Obj<'py>> {
    let template = style.get(Name::_tpl)?;
    let class = globals::get_opt(template.py(), Name::Template);
    let class = class.unwrap_or_else(|raised| {
        raised.clear(template.py());
        None
    })?;
    if !class.is(template.get_type()) || !time::template_is_own(&template) {
        return None;
    }
    let text = guard::view(&template)?.get(Name::template)?;
    text.is(&style.get(Name::_fmt)?).then_some(text)
}

/// Do the texts of exceptions and stacks come from the stdlib's own methods?
fn has_plain_tail(formatter: &Obj<'_>) -> bool {
    guard::target(formatter, Name::formatException) == Target::FormatterFormatException
        && guard::target(formatter, Name::formatStack) == Target::FormatterFormatStack
}

/// Is `LogRecord.getMessage` the stdlib's?
fn gets_own_message(py: Python<'_>) -> bool {
    ordinary::is_ordinary(py)
        || globals::original(py, Name::LogRecord).is_some_and(|class| {
            py_ffi::class_has(&class, Name::getMessage, Target::RecordGetMessage)
        })
}

/// Formats an unseen record; `None` when the general way has to be taken from the start (nothing has run yet).
#[allow(
    clippy::too_many_lines,
    reason = "the hot path reads from top to bottom"
)]
pub fn text<'py>(
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Option<Text<'py>>> {
    let py = formatter.py();
    if record.unseen().is_none() || !gets_own_message(py) {
        return Ok(None);
    }
    let Some(proof) = proof(formatter) else {
        return Ok(None);
    };
    let last = place.is_last();
    if proof.plan.asks_others && !record.is_settled() {
        // Asking may run Python code, which nobody expects here: the caller settles the record and comes back.
        return Ok(None);
    }
    let Some(unseen) = record.unseen() else {
        return Ok(None);
    };
    let event = &unseen.facts.event;
    let tail = !event.exc_info.is_none()
        || !event.stack.is_none()
        || unseen.formatted.is_some_and(|f| f.exc_text.is_some());
    if tail && !has_plain_tail(formatter) {
        return Ok(None);
    }
    if event
        .args_tuple
        .is_some_and(|args| !py_ffi::is_tuple(&args))
    {
        return Ok(None);
    }
    let plain = message::is_plain_message(&event.msg, event.args);
    let mut buffer = Buffer::new();
    if !plain {
        // str() of somebody's object may change what the record has not read yet, and is to be called once.
        let args = record.args()?;
        record.settle()?;
        let Some(unseen) = record.unseen() else {
            return Ok(None);
        };
        let text = message::interpreted(&unseen.facts.event.msg, &args).at(
            py,
            Target::FormatterFormat,
            calling("getMessage"),
        )?;
        return with_message(formatter, record, text, last).map(Some);
    }
    if !proof.plan.uses_message && !event.args.is_empty() {
        // The stdlib merges the arguments even where the format does not show the message, and fails where they do not fit.
        let mut unused = Buffer::new();
        if !message::push_plain(&mut unused, &event.msg, event.args)? {
            return Ok(None);
        }
    }
    let time = if proof.plan.uses_time {
        match time::text(formatter, unseen.facts.stamp()?)? {
            Some(time) => Some(time),
            None => return Ok(None),
        }
    } else {
        None
    };
    let mut message = None;
    for piece in &proof.plan.pieces {
        let pushed = match piece {
            Piece::Literal(text) => {
                buffer.push(text, text.is_ascii());
                true
            }
            Piece::Field {
                field: Field::Known(Attribute::Message),
                spec,
            } if spec.is_plain() && message.is_none() => {
                let mark = buffer.mark();
                let pushed = message::push_plain(&mut buffer, &event.msg, event.args)?;
                if pushed && !last {
                    message = Some(buffer.since(py, mark)?);
                }
                pushed
            }
            Piece::Field { field, spec } => push_field(
                &mut buffer,
                &unseen,
                &proof,
                field,
                spec,
                time.as_ref(),
                message.as_ref(),
            )?,
        };
        if !pushed {
            return Ok(None);
        }
    }
    if !last {
        // The record may become real for a later handler, and then shows what this formatter set.
        if message.is_none() {
            let mut own = Buffer::new();
            if !message::push_plain(&mut own, &event.msg, event.args)? {
                return Ok(None);
            }
            message = Some(own.object(py)?);
        }
        let time = time.map(|time| time.object(py)).transpose()?;
        record.remember(message, time);
    }
    if tail {
        add_tail(record, buffer, last).map(Some)
    } else {
        Ok(Some(Text::Bytes(buffer)))
    }
}

/// The message is there already (making it ran Python code): the rest of the format around it.
#[cold]
fn with_message<'py>(
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    message: Obj<'py>,
    last: bool,
) -> Res<Text<'py>> {
    let py = formatter.py();
    let mut buffer = Buffer::new();
    let mut time = None;
    let mut fits = false;
    // Looked at only now, as the stdlib does: that Python code may have changed the formatter.
    if let (Some(proof), true, Some(unseen)) = (
        proof(formatter).filter(|_| has_plain_tail(formatter)),
        py_ffi::is_str(&message),
        record.unseen(),
    ) {
        fits = true;
        if proof.plan.uses_time {
            time = time::text(formatter, unseen.facts.stamp()?)?;
            fits = time.is_some();
        }
        for piece in &proof.plan.pieces {
            fits = fits
                && match piece {
                    Piece::Literal(text) => {
                        buffer.push(text, text.is_ascii());
                        true
                    }
                    Piece::Field { field, spec } => push_field(
                        &mut buffer,
                        &unseen,
                        &proof,
                        field,
                        spec,
                        time.as_ref(),
                        Some(&message),
                    )?,
                };
        }
    }
    if !fits {
        let real = record.real()?;
        py_ffi::setattr(&real, Name::message, &message)?;
        return super::after_message(formatter, &real).map(Text::Object);
    }
    let tail = record.unseen().is_some_and(|unseen| {
        let event = &unseen.facts.event;
        !event.exc_info.is_none() || !event.stack.is_none()
    });
    // Kept also for the last handler: a failing write hands the record to `handleError`, and str() must not be called again.
    let time = time.map(|time| time.object(py)).transpose()?;
    record.remember(Some(message), time);
    if tail {
        add_tail(record, buffer, last)
    } else {
        Ok(Text::Bytes(buffer))
    }
}

/// Appends one field; false when only the interpreter can.
#[inline]
fn push_field<'py>(
    buffer: &mut Buffer,
    unseen: &crate::record::Unseen<'_, '_, 'py>,
    proof: &Proof<'py>,
    field: &Field,
    spec: &plan::Spec,
    time: Option<&time::TimeText>,
    message: Option<&Obj<'py>>,
) -> Res<bool> {
    let (facts, py) = (unseen.facts, unseen.facts.event.msg.py());
    let event = &facts.event;
    let known = match field {
        Field::Known(known) => *known,
        Field::Other(name) => return push_other(buffer, unseen, proof, name, spec),
    };
    let value = match known {
        Attribute::Name => facts.name()?,
        Attribute::LevelName => facts.level_name()?,
        Attribute::LevelNo => &event.level,
        Attribute::PathName => &facts.site()?.pathname,
        Attribute::FileName => &facts.site()?.names()?.0,
        Attribute::Module => &facts.site()?.names()?.1,
        Attribute::LineNo => &facts.site()?.line,
        Attribute::FuncName => &facts.site()?.function,
        Attribute::AscTime => {
            let Some(time) = time else { return Ok(false) };
            return Ok(time.push_to(buffer, spec));
        }
        Attribute::Message => {
            if let Some(message) = message {
                message
            } else {
                let mut own = Buffer::new();
                return Ok(message::push_plain(&mut own, &event.msg, event.args)?
                    && message::push_value(buffer, &own.object(py)?, spec)?);
            }
        }
        Attribute::Created => {
            return push_number(buffer, &facts.stamp()?.created, spec, &event.msg);
        }
        Attribute::Msecs => return push_number(buffer, &facts.stamp()?.msecs, spec, &event.msg),
        Attribute::RelativeCreated => {
            return push_number(buffer, &facts.stamp()?.relative, spec, &event.msg);
        }
        Attribute::Thread => &facts.context.thread(py)?.0,
        Attribute::ThreadName => &facts.context.thread(py)?.1,
        Attribute::Process => facts.context.process(py)?,
        Attribute::ProcessName => facts.context.process_name(py)?,
        Attribute::TaskName if cfg!(Py_3_12) => facts.context.task_name(py)?,
        _ => return Ok(false),
    };
    if !message::is_plain(value) {
        return Ok(false);
    }
    message::push_value(buffer, value, spec)
}

fn push_number<'py>(
    buffer: &mut Buffer,
    number: &crate::clock::Number<'py>,
    spec: &plan::Spec,
    any: &Obj<'py>,
) -> Res<bool> {
    let value = number.object(any.py())?;
    Ok(message::is_plain(&value) && message::push_value(buffer, &value, spec)?)
}

/// A field from `extra` or the style's defaults.
fn push_other<'py>(
    buffer: &mut Buffer,
    unseen: &crate::record::Unseen<'_, '_, 'py>,
    proof: &Proof<'py>,
    name: &str,
    spec: &plan::Spec,
) -> Res<bool> {
    let event = &unseen.facts.event;
    let key = py_ffi::text_from(event.msg.py(), name)?;
    let mut value = match &event.extra {
        Some(extra) => py_ffi::dict_get(extra, &key)?,
        None => None,
    };
    if value.is_none()
        && let Some(defaults) = &proof.defaults
    {
        value = py_ffi::dict_get(defaults, &key)?;
    }
    match value {
        Some(value) if message::is_plain(&value) => message::push_value(buffer, &value, spec),
        _ => Ok(false),
    }
}

/// Appends exception and stack text, as `Formatter.format` does after the message.
#[cold]
fn add_tail<'py>(record: &mut Record<'_, 'py>, buffer: Buffer, last: bool) -> Res<Text<'py>> {
    let Some(unseen) = record.unseen() else {
        return Ok(Text::Bytes(buffer));
    };
    let event = &unseen.facts.event;
    let (info, stack) = (event.exc_info.clone(), event.stack.clone());
    let py = info.py();
    let known = unseen
        .formatted
        .and_then(|formatted| formatted.exc_text.clone());
    if !last {
        record.settle()?;
    }
    let text = match known {
        Some(text) => Some(text),
        None if py_ffi::truthy(&info)? => Some(super::exception_text(py, &info).at(
            py,
            Target::FormatterFormat,
            calling("formatException"),
        )?),
        None => None,
    };
    let mut out = Text::Bytes(buffer);
    if let Some(text) = &text {
        record.remember_exception(text.clone());
        if py_ffi::truthy(text)? {
            out = append_block(py, out, text, "exc_text", 1)?;
        }
    }
    if py_ffi::truthy(&stack)? {
        out = append_block(py, out, &stack, "stack_info", 0)?;
    }
    Ok(out)
}

/// `text` on a line of its own behind what there is; `Formatter.format` does so after reading `name` for the `nth` time.
fn append_block<'py>(
    py: Python<'py>,
    out: Text<'py>,
    text: &Obj<'py>,
    name: &'static str,
    nth: u8,
) -> Res<Text<'py>> {
    match out {
        Text::Bytes(mut buffer) if py_ffi::is_str(text) && py_ffi::utf8(text).is_some() => {
            if !buffer.ends_line() {
                buffer.push("\n", true);
            }
            if let Some(plain) = py_ffi::utf8(text) {
                buffer.push(plain, py_ffi::is_ascii(text));
            }
            Ok(Text::Bytes(buffer))
        }
        out => {
            let before = super::on_new_line(&out.object(py)?, name, nth)?;
            py_ffi::add(&before, text).map(Text::Object).at(
                py,
                Target::FormatterFormat,
                operator(name).nth(nth + 1),
            )
        }
    }
}
