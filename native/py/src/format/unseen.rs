//! Formats a record that no Python code has seen, without making one.
//!
//! Done only where formatter, style and record class are as the stdlib defines them, the format string is compiled, and every
//! value is of an exact built-in type; anything else goes the general way on a real record, which then carries what was
//! rendered so far. Whether the text is for the last handler decides what has to be kept.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use femtolog_core::plan::{self, Asks, Attribute, Field, Piece, Plan, Usual};
use pyo3::prelude::*;

use super::message;
use super::text::{Buffer, Text};
use super::time;
use crate::caller::PlaceText;
use crate::cell::{Counted, Shared};
use crate::clock::Number;
use crate::ffi::{self as py_ffi, Held, Obj, Ref, Res};
use crate::globals;
use crate::guard::{self, Lent, Part, Role, View};
use crate::handler::Place;
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::record::{Event, Facts, Formatted, Record, Unseen};
use crate::trace::{At as _, call as calling, operator};

/// How many formats have been compiled.
static COMPILED: AtomicU64 = AtomicU64::new(0);

/// A compiled format string, and the names of its fields that are no attributes of every record as str objects.
pub(super) struct Compiled {
    pub plan: Plan,
    /// Never given twice.
    number: u64,
    /// For each piece of the plan that is such a field its name, interned: keys of dicts are nearly always that very object.
    names: Box<[Option<Held>]>,
}

impl Compiled {
    fn new(py: Python<'_>, plan: Plan) -> Res<Self> {
        let names = plan.pieces.iter().map(|piece| match piece {
            Piece::Field {
                field: Field::Other(name),
                ..
            } => py_ffi::interned_text(py, name.as_bytes()).map(Held::new),
            _ => Ok(None),
        });
        let names = names.collect::<Res<_>>()?;
        let number = COMPILED.fetch_add(1, Relaxed);
        Ok(Compiled {
            plan,
            number,
            names,
        })
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
    let place = place_of(&format);
    let known = CACHE.with(format.py(), |kept| {
        let kept = kept.get(place)?.as_ref()?;
        (kept.format.is(&format) && kept.search.is(&search))
            .then(|| (kept.compiled.clone(), kept.style))
    });
    match known {
        // What runs for the style's methods is asked each time: one test.
        Some((compiled, kind)) if style.is(kind) => compiled.map(|plan| (plan, kind)),
        _ => compile(style, &format, &search),
    }
}

/// Where a format string is kept.
#[inline]
fn place_of(format: &Obj<'_>) -> usize {
    (format.as_ptr() as usize >> 4) % PLANS
}

#[cold]
fn compile(
    style: &View<'_, '_>,
    format: &Obj<'_>,
    search: &Obj<'_>,
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
    let old = CACHE.with(py, |all| all[place_of(format)].replace(kept));
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
    pub defaults: Option<Lent<'a, 'py>>,
}

impl Proof<'_, '_> {
    /// Asking others may run Python code, which nobody expects before the record is settled: the caller does that and comes back.
    #[inline]
    fn asks_nobody(&self, record: &Record<'_, '_>) -> bool {
        let asks = self.compiled.plan.asks;
        asks == Asks::Nobody || record.is_settled() || knows_others(record, asks == Asks::Task)
    }
}

/// Does the record know its process (and its task, if that is wanted, too), or find them without asking anybody?
#[inline(never)]
fn knows_others(record: &Record<'_, '_>, task_too: bool) -> bool {
    record.unseen().is_some_and(|unseen| {
        let py = unseen.facts.event.msg.py();
        unseen.facts.context().knows_others(py, task_too)
    })
}

/// Runs no Python code.
fn proof<'a, 'py>(formatter: &'a Obj<'py>) -> Option<Proof<'a, 'py>> {
    proven_at_once(formatter, Role::Formatter)
}

/// [`proof`] as part of its caller; with [`Role::FormatterSteps`] for a formatter whose `format` may be an override that has called
/// `Formatter.format`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `proven_by`")]
pub(super) fn proven_at_once<'a, 'py>(
    formatter: &'a Obj<'py>,
    role: Role,
) -> Option<Proof<'a, 'py>> {
    let formatter = guard::view_of(formatter, Part::Formatter)?;
    proven_by(formatter, role, |style| guard::view_of(style, Part::Style))
}

/// The same by somebody who has looked at the formatter; `look` looks at the style.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "what it finds stays where it is, and is not handed back through memory"
)]
fn proven_by<'a, 'py>(
    view: View<'a, 'py>,
    role: Role,
    look: impl for<'b> FnOnce(&'b Obj<'py>) -> Option<View<'b, 'py>>,
) -> Option<Proof<'a, 'py>> {
    if !view.is(role) {
        return None;
    }
    let style = view.lend(Name::_style)?;
    let style = look(&style)?;
    let (compiled, kind) = compiled(&style)?;
    if kind == Role::TemplateStyle && !has_own_template(&style) {
        return None;
    }
    let defaults = style.lend(Name::_defaults)?;
    let defaults = if defaults.is_none() {
        None
    } else if py_ffi::is_dict(&defaults) && py_ffi::all_keys_str(&defaults) {
        // Keyword arguments, which the other styles use, have to be strings; what else is a key may run code when it is compared.
        Some(defaults.held())
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
        return match record.unseen() {
            // What is wrong, or odd, is the message.
            Some(unseen) if !fits(&mut line, &unseen.facts.event)? => {
                unusual(formatter, record, last).map(Some)
            }
            _ => Ok(None),
        };
    }
    if tail {
        add_tail(record, line, last).map(Some)
    } else {
        Ok(Some(Text::Bytes(line)))
    }
}

/// Appends the same to `line` where that runs no Python code at all, not even that of arguments; false, with nothing done but
/// writing there, for any other record. Everything is [ordinary](crate::ordinary).
#[inline(never)]
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
    let proof = guard::direct_view(formatter, Part::Formatter).and_then(|formatter| {
        proven_by(formatter, Role::Formatter, |style| {
            guard::direct_view(style, Part::Style)
        })
    });
    let Some(proof) = proof else {
        return push_otherwise(line, formatter, record, place);
    };
    if !proof.asks_nobody(record) {
        return Ok(false);
    }
    if !place.is_last() {
        return write(&proof, record, false, line);
    }
    render_at_once(&proof, &unseen, None, line, None)
}

/// The same for a formatter, or a style, that is not read by index.
#[inline(never)]
fn push_otherwise<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<bool> {
    match proof(formatter) {
        Some(proof) if proof.asks_nobody(record) => write(&proof, record, place.is_last(), line),
        _ => Ok(false),
    }
}

/// [`push_quietly`] for a record that is put aside: gives what this formatter sets as `record.asctime`, the `None` object where it
/// sets none; nothing where the line is not done, for want of memory, too, which whoever does it then meets again.
pub fn push_aside<'py>(
    line: &mut Buffer<'py>,
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Option<Obj<'py>> {
    let py = line.py();
    py_ffi::or_nothing(py, with_its_time(line, formatter, record, place)).flatten()
}

fn with_its_time<'py>(
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
    kept: Option<&mut Formatted<'py>>,
) -> Res<bool> {
    render_at_once(proof, unseen, known, line, kept)
}

/// [`render`] as part of its caller.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "with what the caller has proven it is one function for nearly all lines: 50 instructions"
)]
fn render_at_once<'py>(
    proof: &Proof<'_, 'py>,
    unseen: &Unseen<'_, '_, 'py>,
    known: Option<&Obj<'py>>,
    line: &mut Buffer<'py>,
    mut kept: Option<&mut Formatted<'py>>,
) -> Res<bool> {
    let (facts, event) = (unseen.facts, &unseen.facts.event);
    let py = line.py();
    let plan = &proof.compiled.plan;
    if !plan.uses_message && known.is_none() && !fits(line, event)? {
        return Ok(false);
    }
    let mut given = Given {
        message: known,
        time: None,
    };
    if plan.uses_time {
        given.time = time::text(&proof.formatter, facts.stamp()?)?;
        if given.time.is_none() {
            return Ok(false);
        }
    }
    let mut place = None;
    let mut pieces = plan.pieces.iter();
    while let Some(piece) = pieces.next() {
        let (field, spec, usual) = match piece {
            Piece::Literal(text) => {
                line.push_literal(text);
                continue;
            }
            Piece::Place(length) => {
                if let Some((still, rest)) = pieces.as_slice().split_at_checked(*length)
                    && push_place(line, facts, &proof.compiled, still)?
                {
                    pieces = rest.iter();
                }
                continue;
            }
            Piece::Field { field, spec, usual } => (field, spec, *usual),
        };
        // What nothing else needs is only lent: no Python code runs before the line is done.
        let value = match field {
            Field::Known(Attribute::Message) if usual == Usual::Text && known.is_none() => {
                let mark = line.mark();
                if !push_message(line, event)? {
                    return Ok(false);
                }
                if let Some(kept) = &mut kept {
                    kept.message = Some(line.since(mark)?);
                }
                continue;
            }
            Field::Known(Attribute::Name) => facts.lent_name()?,
            Field::Known(Attribute::LevelName) => match facts.lent_level_name()? {
                Some(name) => name,
                None => return Ok(false),
            },
            Field::Known(Attribute::PathName) => find(&mut place, facts)?.pathname,
            Field::Known(Attribute::FileName) => find(&mut place, facts)?.filename,
            Field::Known(Attribute::Module) => find(&mut place, facts)?.module,
            Field::Known(Attribute::FuncName) => find(&mut place, facts)?.function,
            Field::Known(Attribute::LineNo) => find(&mut place, facts)?.line,
            Field::Known(Attribute::ThreadName) => match facts.lent_thread()? {
                Some((_, name)) => name,
                None => return Ok(false),
            },
            Field::Known(field) => {
                let directive = (usual, spec);
                if push_known(line, unseen, *field, directive, &given)? {
                    continue;
                }
                return Ok(false);
            }
            Field::Other(_) => {
                let index = plan.pieces.len() - pieces.len() - 1;
                if push_other(line, unseen, proof, index, (usual, spec))? {
                    continue;
                }
                return Ok(false);
            }
        };
        if !message::push_value(line, &value, usual, spec)? {
            return Ok(false);
        }
    }
    line.widen_unless(plan.ascii);
    if let Some(kept) = &mut kept {
        if known.is_none() && kept.message.is_none() {
            kept.message = Some(own_message(event)?);
        }
        kept.time = given.time.map(|time| time.object(py)).transpose()?;
    }
    Ok(true)
}

/// What a line takes that is no attribute of its record yet.
struct Given<'a, 'py> {
    /// `record.message`, where it is known already.
    message: Option<&'a Obj<'py>>,
    /// `record.asctime`, where the format shows it.
    time: Option<time::TimeText>,
}

/// The stdlib makes the message even where the format does not show it, and fails where the arguments do not fit.
#[inline(never)]
fn fits<'py>(line: &mut Buffer<'py>, event: &Event<'_, 'py>) -> Res<bool> {
    let mark = line.mark();
    let fits = message::push_plain(line, &event.msg, event.args)?;
    line.rewind(mark);
    Ok(fits)
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
        guard::set(real, Name::message, message)?;
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

/// Where the call stands.
#[derive(Clone, Copy)]
struct Named<'a, 'py> {
    pathname: Ref<'a, 'py>,
    filename: Ref<'a, 'py>,
    module: Ref<'a, 'py>,
    function: Ref<'a, 'py>,
    line: Ref<'a, 'py>,
}

/// Finds the place, unless it has been found; good until Python code runs.
#[inline(always)]
#[allow(clippy::inline_always, reason = "one test and a read, five times")]
fn find<'a, 'p, 'py>(
    found: &'p mut Option<Named<'a, 'py>>,
    facts: &'a Facts<'_, 'py>,
) -> Res<&'p Named<'a, 'py>> {
    if let Some(found) = found {
        return Ok(found);
    }
    Ok(found.insert(lent_place(facts)?))
}

/// Appends what `pieces` have said of this place before; false, with nothing appended: that is not known.
#[inline(never)]
fn push_place<'py>(
    line: &mut Buffer<'py>,
    facts: &Facts<'_, 'py>,
    compiled: &Compiled,
    pieces: &[Piece],
) -> Res<bool> {
    match facts.place_text(compiled.number, |text, ascii| line.push_known(text, ascii)) {
        PlaceText::Told => Ok(true),
        PlaceText::Unknown => Ok(false),
        PlaceText::Wanted => {
            keep_place(facts, compiled, pieces)?;
            Ok(false)
        }
    }
}

/// Keeps it, if all of it is a text that is copied.
#[cold]
fn keep_place(facts: &Facts<'_, '_>, compiled: &Compiled, pieces: &[Piece]) -> Res<()> {
    let mut own = Buffer::new(facts.event.msg.py());
    let place = lent_place(facts)?;
    for piece in pieces {
        let (field, spec, usual) = match piece {
            Piece::Literal(text) => {
                own.push_literal(text);
                continue;
            }
            Piece::Field { field, spec, usual } => (field, spec, *usual),
            Piece::Place(_) => continue,
        };
        let value = match field {
            Field::Known(Attribute::PathName) => place.pathname,
            Field::Known(Attribute::FileName) => place.filename,
            Field::Known(Attribute::Module) => place.module,
            Field::Known(Attribute::FuncName) => place.function,
            Field::Known(Attribute::LineNo) => place.line,
            _ => return Ok(()),
        };
        if !message::push_value(&mut own, &value, usual, spec)? {
            return Ok(());
        }
    }
    own.widen_unless(compiled.plan.ascii);
    let ascii = own.is_ascii();
    if let Some(text) = own.copied() {
        facts.keep_place_text(compiled.number, text, ascii);
    }
    Ok(())
}

#[inline(never)]
fn lent_place<'a, 'py>(facts: &'a Facts<'_, 'py>) -> Res<Named<'a, 'py>> {
    if let Some([pathname, filename, module, function, line]) = facts.lent_names() {
        return Ok(Named {
            pathname,
            filename,
            module,
            function,
            line,
        });
    }
    known_place(facts)
}

/// The same of a place that is known already, or not remembered.
#[inline(never)]
fn known_place<'a, 'py>(facts: &'a Facts<'_, 'py>) -> Res<Named<'a, 'py>> {
    let named = facts.named()?;
    let (filename, module) = named.names()?;
    Ok(Named {
        pathname: named.pathname.as_borrowed(),
        filename: filename.as_borrowed(),
        module: module.as_borrowed(),
        function: named.function.as_borrowed(),
        line: named.line.as_borrowed(),
    })
}

/// How a value is to be written.
type Directive<'a> = (Usual, &'a plan::Spec);

/// Appends one of the other attributes that every record has; false when only the interpreter can.
#[inline(never)]
fn push_known<'py>(
    line: &mut Buffer<'py>,
    unseen: &Unseen<'_, '_, 'py>,
    field: Attribute,
    (usual, spec): Directive<'_>,
    given: &Given<'_, 'py>,
) -> Res<bool> {
    let (facts, py) = (unseen.facts, line.py());
    let event = &facts.event;
    let value = match field {
        Attribute::LevelNo => &event.level,
        Attribute::AscTime => {
            let time = given.time.as_ref();
            return Ok(time.is_some_and(|time| time.push_to(line, usual, spec)));
        }
        Attribute::Message => {
            let Some(message) = given.message else {
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
        Attribute::Process => facts.context().process(py)?,
        Attribute::ProcessName => facts.context().process_name(py)?,
        Attribute::TaskName if cfg!(Py_3_12) => facts.context().task_name(py)?,
        Attribute::Thread => match facts.context().thread_unasked(py)? {
            Some((number, _)) => number,
            None => return Ok(false),
        },
        _ => return Ok(false),
    };
    message::push_value(line, value, usual, spec)
}

/// Appends the text of a plain message.
#[inline(never)]
fn push_message<'py>(line: &mut Buffer<'py>, event: &Event<'_, 'py>) -> Res<bool> {
    message::push_plain(line, &event.msg, event.args)
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

/// A field from `extra` or the style's defaults, piece `index` of the format.
#[inline(never)]
fn push_other<'py>(
    line: &mut Buffer<'py>,
    unseen: &Unseen<'_, '_, 'py>,
    proof: &Proof<'_, 'py>,
    index: usize,
    (usual, spec): Directive<'_>,
) -> Res<bool> {
    let Some(name) = proof.compiled.name(line.py(), index) else {
        return Ok(false);
    };
    let mut value = None;
    let extra = unseen.facts.event.extra.as_ref();
    for dict in extra.into_iter().chain(proof.defaults.as_deref()) {
        value = match py_ffi::dict_get_str(dict, &name) {
            Some(value) => Some(value),
            None => py_ffi::dict_get(dict, &name)?,
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
        Text::Bytes(mut buffer) if py_ffi::is_str(text) => {
            if !buffer.ends_line() {
                buffer.push("\n", true);
            }
            message::push_whole(&mut buffer, text);
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
