//! Formats a record that no Python code has seen, without making one.
//!
//! Done only where formatter, style and record class are as the stdlib defines them, the format string is compiled, and every
//! value is of an exact built-in type; anything else goes the general way on a real record, which then carries what was
//! rendered so far. Whether the text is for the last handler decides what has to be kept.
use femtolog_core::plan::{self, Attribute, Field, Piece, Plan, Usual};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time;
use crate::cell::{Counted, Shared};
use crate::clock::Number;
use crate::ffi::{self as py_ffi, Held, Obj, Ref, Res};
use crate::globals;
use crate::guard::{self, Role, View};
use crate::handler::Place;
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::record::{Event, Formatted, Record, Unseen};
use crate::trace::{At as _, call as calling, operator};

/// A compiled format string, and the names of its fields that are no attributes of every record as str objects.
pub(super) struct Compiled {
    pub plan: Plan,
    /// For each piece of the plan that is such a field its name, interned: keys of dicts are nearly always that very object.
    names: Box<[Option<Held>]>,
}

impl Compiled {
    fn new(py: Python<'_>, plan: Plan) -> Res<Self> {
        let names = plan.pieces.iter().map(|piece| match piece {
            Piece::Field {
                field: Field::Other(name),
                ..
            } => py_ffi::interned_text(py, name).map(Held::new),
            _ => Ok(None),
        });
        let names = names.collect::<Res<_>>()?;
        Ok(Compiled { plan, names })
    }

    /// The name of the field that piece `index` is, if it is no attribute of every record.
    #[inline]
    pub fn name<'py>(&self, py: Python<'py>, index: usize) -> Option<Ref<'_, 'py>> {
        Some(self.names.get(index)?.as_ref()?.object(py))
    }
}

/// A compiled format string, kept with the str object it was compiled from.
struct Kept {
    format: Held,
    /// The style's `asctime_search`, which is what it should be.
    search: Held,
    style: Role,
    compiled: Option<Counted<Compiled>>,
}

const PLANS: usize = 64;
static CACHE: Shared<[Option<Kept>; PLANS]> = Shared::new([const { None }; PLANS]);

/// The plan of a style's format string, and which of the three ways to format it takes; `None` when either is not of the proven
/// kind.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `proven_at_once`")]
fn compiled(style: &View<'_, '_>) -> Option<(Counted<Compiled>, Role)> {
    let (format, search) = (
        style.lend(Name::_fmt)?,
        style.lend_of_class(Name::asctime_search)?,
    );
    let place = (format.as_ptr() as usize >> 4) % PLANS;
    let known = CACHE.with(format.py(), |kept| {
        let kept = kept[place].as_ref()?;
        (kept.format.is(&format) && kept.search.is(&search))
            .then(|| (kept.compiled.clone(), kept.style))
    });
    match known {
        // What runs for the style's methods is asked each time: one test.
        Some((compiled, kind)) if style.is(kind) => compiled.map(|plan| (plan, kind)),
        _ => compile(style, &format, &search, place),
    }
}

#[cold]
fn compile(
    style: &View<'_, '_>,
    format: &Obj<'_>,
    search: &Obj<'_>,
    place: usize,
) -> Option<(Counted<Compiled>, Role)> {
    let py = format.py();
    let kinds = [Role::PercentStyle, Role::BraceStyle, Role::TemplateStyle];
    let kind = kinds.into_iter().find(|kind| style.is(*kind))?;
    if !py_ffi::is_str(format) || !searches_own_time(search, kind) {
        return None;
    }
    let text = py_ffi::utf8(format)?;
    let plan = match kind {
        Role::PercentStyle => plan::percent::compile(text),
        Role::BraceStyle => plan::brace::compile(text),
        _ => plan::dollar::compile(text),
    };
    let compiled = match plan {
        Some(plan) => Some(Counted::new(py_ffi::or_nothing(
            py,
            Compiled::new(py, plan),
        )?)),
        None => None,
    };
    let kept = Kept {
        format: Held::new(format.clone())?,
        search: Held::new(search.clone())?,
        style: kind,
        compiled: compiled.clone(),
    };
    // What was kept is dropped when the table is no longer in use.
    let old = CACHE.with(py, |all| all[place].replace(kept));
    drop(old);
    compiled.map(|compiled| (compiled, kind))
}

/// Does a style look for its own time field? (`asctime_search` is a class attribute anybody may change.)
fn searches_own_time(search: &Obj<'_>, style: Role) -> bool {
    let wanted = match style {
        Role::PercentStyle => "%(asctime)",
        Role::BraceStyle => "{asctime",
        _ => "${asctime}",
    };
    py_ffi::is_str(search) && py_ffi::utf8(search) == Some(wanted)
}

/// What has to hold of a formatter for its record to stay unseen; good until Python code runs.
pub(super) struct Proof<'a, 'py> {
    pub formatter: View<'a, 'py>,
    pub compiled: Counted<Compiled>,
    /// The style's defaults, when it has any.
    pub defaults: Option<Obj<'py>>,
}

impl Proof<'_, '_> {
    /// Asking others may run Python code, which nobody expects before the record is settled: the caller does that and comes back.
    #[inline]
    fn asks_nobody(&self, record: &Record<'_, '_>) -> bool {
        !self.compiled.plan.asks_others || record.is_settled()
    }
}

/// Runs no Python code.
fn proof<'a, 'py>(formatter: &'a Obj<'py>) -> Option<Proof<'a, 'py>> {
    proven_at_once(formatter, Role::Formatter)
}

/// [`proof`] as part of its caller; with [`Role::FormatterSteps`] for a formatter whose `format` may be an override that has called
/// `Formatter.format`.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "what it finds stays where it is, and is not handed back through memory"
)]
pub(super) fn proven_at_once<'a, 'py>(
    formatter: &'a Obj<'py>,
    role: Role,
) -> Option<Proof<'a, 'py>> {
    let view = guard::view(formatter)?;
    if !view.is(role) {
        return None;
    }
    let style = view.lend(Name::_style)?;
    let style = guard::view(&style)?;
    let (compiled, kind) = compiled(&style)?;
    if kind == Role::TemplateStyle && !has_own_template(&style) {
        return None;
    }
    let defaults = style.lend(Name::_defaults)?;
    let defaults = if defaults.is_none() {
        None
    } else if py_ffi::is_dict(&defaults)
        && (kind == Role::PercentStyle || py_ffi::all_keys_str(&defaults))
    {
        // Keyword arguments, which the other styles use, have to be strings.
        Some(defaults.clone())
    } else {
        return None;
    };
    Some(Proof {
        formatter: view,
        compiled,
        defaults,
    })
}

/// Is the style's `string.Template` one of its format?
fn has_own_template(style: &View<'_, '_>) -> bool {
    let Some(template) = style.lend(Name::_tpl) else {
        return false;
    };
    let py = template.py();
    let class = py_ffi::or_nothing(py, globals::get_opt(py, Name::Template)).flatten();
    class.is_some_and(|class| class.is(template.get_type()))
        && guard::view(&template).is_some_and(|template| {
            time::template_is_own(&template)
                && matches!((template.lend(Name::template), style.lend(Name::_fmt)),
                    (Some(text), Some(format)) if text.is(&*format))
        })
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
pub fn text<'py>(
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Option<Text<'py>>> {
    let Some(proof) = ready(formatter, record) else {
        return Ok(None);
    };
    let Some(unseen) = record.unseen() else {
        return Ok(None);
    };
    let event = &unseen.facts.event;
    let tail = has_tail(&unseen);
    if tail && !has_plain_tail(formatter) {
        return Ok(None);
    }
    let last = place.is_last();
    if !message::is_plain_message(&event.msg, event.args) {
        return unusual(formatter, record, last).map(Some);
    }
    let mut line = Buffer::new(formatter.py());
    if !write(&proof, record, last, &mut line)? {
        return Ok(None);
    }
    if tail {
        add_tail(record, line, last).map(Some)
    } else {
        Ok(Some(Text::Bytes(line)))
    }
}

/// Appends the same to `line` where that runs no Python code at all, not even that of arguments; false, with nothing done but
/// writing there, for any other record. Everything is [ordinary](crate::ordinary).
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `proven_at_once`")]
pub fn push_quietly<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<bool> {
    debug_assert!(ordinary::is_ordinary(formatter.py()));
    let Some(unseen) = record.unseen() else {
        return Ok(false);
    };
    if has_tail(&unseen) || !has_own_args(&unseen) {
        return Ok(false);
    }
    let Some(proof) = proven_at_once(formatter, Role::Formatter) else {
        return Ok(false);
    };
    if !proof.asks_nobody(record) {
        return Ok(false);
    }
    write(&proof, record, place.is_last(), line)
}

/// [`push_quietly`] for a record that is put aside: gives what this formatter sets as `record.asctime`, the `None` object where it
/// sets none; nothing where the line is not done.
pub fn push_aside<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Option<Obj<'py>>> {
    let (Some(proof), Some(unseen)) = (ready(formatter, record), record.unseen()) else {
        return Ok(None);
    };
    if has_tail(&unseen) || !write(&proof, record, place.is_last(), line)? {
        return Ok(None);
    }
    let time = match record.unseen() {
        Some(unseen) if proof.compiled.plan.uses_time => {
            time::text(&proof.formatter, unseen.facts.stamp()?)?
        }
        _ => None,
    };
    let time = match time {
        Some(time) => time.object(line.py())?,
        None => py_ffi::none(line.py()),
    };
    Ok(Some(time))
}

/// Appends the line of an unseen record, and keeps for later handlers what this formatter sets: the record may become real for
/// them. False: see [`render`].
#[inline(always)]
#[allow(clippy::inline_always, reason = "one test, for the last handler")]
fn write<'py>(
    proof: &Proof<'_, 'py>,
    record: &mut Record<'_, 'py>,
    last: bool,
    line: &mut Buffer<'py>,
) -> Res<bool> {
    let Some(unseen) = record.unseen() else {
        return Ok(false);
    };
    if last {
        return render(proof, &unseen, None, line, None);
    }
    let mut kept = Formatted::default();
    let done = render(proof, &unseen, None, line, Some(&mut kept))?;
    if done {
        record.remember(kept.message, kept.time);
    }
    Ok(done)
}

/// The formatter's proof, where the record may be formatted without being made.
#[inline]
fn ready<'a, 'py>(formatter: &'a Obj<'py>, record: &Record<'_, 'py>) -> Option<Proof<'a, 'py>> {
    let unseen = record.unseen()?;
    if !gets_own_message(formatter.py()) {
        return None;
    }
    let proof = proof(formatter)?;
    (proof.asks_nobody(record) && has_own_args(&unseen)).then_some(proof)
}

/// Are the arguments what the record's `args` will be, or a tuple of them?
#[inline]
fn has_own_args(unseen: &Unseen<'_, '_, '_>) -> bool {
    let tuple = unseen.facts.event.args_tuple;
    tuple.is_none_or(|args| py_ffi::is_tuple(&args))
}

/// Is there an exception or a stack to show?
#[inline]
fn has_tail(unseen: &Unseen<'_, '_, '_>) -> bool {
    let event = &unseen.facts.event;
    !event.exc_info.is_none()
        || !event.stack.is_none()
        || unseen.formatted.is_some_and(|f| f.exc_text.is_some())
}

/// A message of which only the interpreter knows the text.
#[cold]
fn unusual<'py>(formatter: &Obj<'py>, record: &mut Record<'_, 'py>, last: bool) -> Res<Text<'py>> {
    // str() of somebody's object may change what the record has not read yet, and is to be called once.
    let args = record.args()?;
    record.settle()?;
    let Some(unseen) = record.unseen() else {
        let real = record.real()?;
        return super::step_by_step(formatter, real).map(Text::Object);
    };
    let text = message::interpreted(&unseen.facts.event.msg, &args).at(
        formatter.py(),
        Target::FormatterFormat,
        calling("getMessage"),
    )?;
    with_message(formatter, record, text, last)
}

/// Appends the line, around `known` where the message is known already, and puts what formatting sets on the record to `kept`.
/// False, with nothing done but that: somebody's values, or what only the interpreter can write. Runs no Python code.
fn render<'py>(
    proof: &Proof<'_, 'py>,
    unseen: &Unseen<'_, '_, 'py>,
    known: Option<&Obj<'py>>,
    line: &mut Buffer<'py>,
    mut kept: Option<&mut Formatted<'py>>,
) -> Res<bool> {
    let (facts, event) = (unseen.facts, &unseen.facts.event);
    let py = line.py();
    let plan = &proof.compiled.plan;
    if !plan.uses_message && known.is_none() {
        // The stdlib makes the message even where the format does not show it, and fails where the arguments do not fit.
        let mark = line.mark();
        if !message::push_plain(line, &event.msg, event.args)? {
            return Ok(false);
        }
        line.rewind(mark);
    }
    let time = if plan.uses_time {
        match time::text(&proof.formatter, facts.stamp()?)? {
            Some(time) => Some(time),
            None => return Ok(false),
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
            Piece::Field {
                field: Field::Known(Attribute::Message),
                usual: Usual::Text,
                ..
            } if known.is_none() => {
                let mark = line.mark();
                let pushed = message::push_plain(line, &event.msg, event.args)?;
                if let (Some(kept), true) = (&mut kept, pushed) {
                    kept.message = Some(line.since(mark)?);
                }
                pushed
            }
            Piece::Field {
                field: Field::Known(field),
                spec,
                usual,
            } => {
                let directive = (*usual, spec);
                push_known(line, unseen, *field, directive, time.as_ref(), known)?
            }
            Piece::Field { spec, usual, .. } => match proof.compiled.name(py, index) {
                Some(name) => push_other(line, unseen, proof, &name, (*usual, spec))?,
                None => false,
            },
        };
        if !pushed {
            return Ok(false);
        }
    }
    line.widen_unless(plan.ascii);
    if let Some(kept) = &mut kept {
        if known.is_none() && kept.message.is_none() {
            kept.message = Some(own_message(event)?);
        }
        kept.time = time.map(|time| time.object(py)).transpose()?;
    }
    Ok(true)
}

/// The text of a plain message that has been written before, so that it can be.
pub fn own_message<'py>(event: &Event<'_, 'py>) -> Res<Obj<'py>> {
    let mut own = Buffer::new(event.msg.py());
    message::push_plain(&mut own, &event.msg, event.args)?;
    own.object(event.msg.py())
}

/// The message is there already (making it ran Python code): the rest of the format around it.
#[cold]
fn with_message<'py>(
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    message: Obj<'py>,
    last: bool,
) -> Res<Text<'py>> {
    let mut line = Buffer::new(formatter.py());
    let mut kept = Formatted::default();
    // Looked at only now, as the stdlib does: that Python code may have changed the formatter.
    let done = match (proof(formatter), record.unseen()) {
        (Some(proof), Some(unseen)) if has_plain_tail(formatter) && py_ffi::is_str(&message) => {
            render(&proof, &unseen, Some(&message), &mut line, Some(&mut kept))?
        }
        _ => false,
    };
    if !done {
        let real = record.real()?;
        py_ffi::setattr(real, Name::message, &message)?;
        return super::after_message(formatter, real).map(Text::Object);
    }
    let tail = record.unseen().is_some_and(|unseen| {
        let event = &unseen.facts.event;
        !event.exc_info.is_none() || !event.stack.is_none()
    });
    // Kept also for the last handler: a failing write hands the record to `handleError`, and str() must not be called again.
    record.remember(Some(message), kept.time);
    if tail {
        add_tail(record, line, last)
    } else {
        Ok(Text::Bytes(line))
    }
}

/// How a value is to be written.
type Directive<'a> = (Usual, &'a plan::Spec);

/// Appends one attribute that every record has; false when only the interpreter can.
#[inline]
fn push_known<'py>(
    line: &mut Buffer<'py>,
    unseen: &Unseen<'_, '_, 'py>,
    field: Attribute,
    (usual, spec): Directive<'_>,
    time: Option<&time::TimeText>,
    message: Option<&Obj<'py>>,
) -> Res<bool> {
    let (facts, py) = (unseen.facts, line.py());
    let event = &facts.event;
    let value = match field {
        Attribute::Name => facts.name()?,
        Attribute::LevelName => facts.level_name()?,
        Attribute::LevelNo => &event.level,
        Attribute::PathName => &facts.named()?.pathname,
        Attribute::FileName => &facts.named()?.names()?.0,
        Attribute::Module => &facts.named()?.names()?.1,
        Attribute::LineNo => &facts.named()?.line,
        Attribute::FuncName => &facts.named()?.function,
        Attribute::AscTime => return Ok(time.is_some_and(|time| time.push_to(line, usual, spec))),
        Attribute::Message => {
            let Some(message) = message else {
                // Padded or cut.
                let mut own = Buffer::new(py);
                return Ok(message::push_plain(&mut own, &event.msg, event.args)?
                    && message::push_value(line, &own.object(py)?, usual, spec)?);
            };
            message
        }
        Attribute::Created => return push_number(line, &facts.stamp()?.created, (usual, spec)),
        Attribute::Msecs => return push_number(line, &facts.stamp()?.msecs, (usual, spec)),
        Attribute::RelativeCreated => {
            return push_number(line, &facts.stamp()?.relative, (usual, spec));
        }
        Attribute::Thread | Attribute::ThreadName => match facts.context.thread_unasked(py)? {
            Some((number, _)) if field == Attribute::Thread => number,
            Some((_, name)) => name,
            None => return Ok(false),
        },
        Attribute::Process => facts.context.process(py)?,
        Attribute::ProcessName => facts.context.process_name(py)?,
        Attribute::TaskName if cfg!(Py_3_12) => facts.context.task_name(py)?,
        _ => return Ok(false),
    };
    message::push_value(line, value, usual, spec)
}

fn push_number<'py>(
    line: &mut Buffer<'py>,
    number: &Number<'py>,
    (usual, spec): Directive<'_>,
) -> Res<bool> {
    match number {
        Number::Float(value) => message::push_float(line, *value, spec),
        Number::Object(value) => message::push_value(line, value, usual, spec),
    }
}

/// A field from `extra` or the style's defaults.
fn push_other<'py>(
    line: &mut Buffer<'py>,
    unseen: &Unseen<'_, '_, 'py>,
    proof: &Proof<'_, 'py>,
    name: &Obj<'py>,
    (usual, spec): Directive<'_>,
) -> Res<bool> {
    let mut value = None;
    for dict in [&unseen.facts.event.extra, &proof.defaults]
        .into_iter()
        .flatten()
    {
        value = match py_ffi::dict_get_str(dict, name) {
            Some(value) => Some(value),
            None => py_ffi::dict_get(dict, name)?,
        };
        if value.is_some() {
            break;
        }
    }
    match value {
        Some(value) => message::push_value(line, &value, usual, spec),
        None => Ok(false),
    }
}

/// Appends exception and stack text, as `Formatter.format` does after the message.
#[cold]
fn add_tail<'py>(record: &mut Record<'_, 'py>, buffer: Buffer<'py>, last: bool) -> Res<Text<'py>> {
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
