//! `Handler`: level, filters, lock, then `emit` of whatever kind it is.
//!
//! The base takes the lock; an `emit` never thinks of locks. A failing `emit` of ours ends in `handleError`, as the stdlib's.
pub mod asynchronous;
pub mod copying;
pub mod direct;
pub mod error;
pub mod file;
pub mod framed;
pub mod memory;
pub mod paths;
pub mod queue;
pub mod rotating;
pub mod stream;
pub mod timed;
pub mod watched;

use std::cell::Cell;

use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::filter::{self, Verdict};
use crate::format::{self, Buffer, Text};
use crate::globals;
use crate::guard::{self, Lent, Part, Role, View};
use crate::level;
use crate::lock;
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
#[cfg(Py_GIL_DISABLED)]
use crate::ordinary;
use crate::raw;
use crate::record::Record;
use crate::trace::{At as _, call as calling, compare, get, raise, truth};
use stream::Quiet;

/// Has Python code run, so that whatever was looked at before has to be looked at again?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// None.
    Nothing,
    /// Perhaps some.
    Maybe,
}

/// Where in the logger tree a handler was found: tells whether anybody else still wants the record afterwards.
pub struct Place<'p, 'py> {
    rest: Option<(&'p Obj<'py>, &'p Obj<'py>, usize)>,
    last: Cell<Option<bool>>,
}

impl<'p, 'py> Place<'p, 'py> {
    /// The handler before item `next` of `handlers`, which belong to the logger `node`.
    pub fn new(node: &'p Obj<'py>, handlers: &'p Obj<'py>, next: usize) -> Self {
        Place {
            rest: Some((node, handlers, next)),
            last: Cell::new(None),
        }
    }

    /// Somewhere: others may follow.
    pub fn unknown() -> Self {
        Place {
            rest: None,
            last: Cell::new(Some(false)),
        }
    }

    /// Nobody follows.
    pub fn last() -> Self {
        Place {
            rest: None,
            last: Cell::new(Some(true)),
        }
    }

    /// Is it certain that no other handler will get the record? Looks ahead without running anything: what can only be
    /// known by asking Python code, now or later, is a "no", which costs only time. The answer is remembered: for whom a record
    /// was the last, it stays that even if somebody adds a handler while it is being written.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a test: it is known as a rule")]
    pub fn is_last(&self) -> bool {
        self.last.get().unwrap_or_else(|| self.look_ahead(None))
    }

    /// Finds that out now, where the logger has just been looked at.
    fn look_ahead(&self, node: Option<&View<'_, 'py>>) -> bool {
        let last = match self.rest {
            Some((_, handlers, next)) if next < py_ffi::list_len(handlers) => false,
            Some((at, ..)) => match node {
                Some(node) => is_followed_by_nobody(node),
                None => guard::view_of(at, Part::Logger)
                    .is_some_and(|node| is_followed_by_nobody(&node)),
            },
            None => false,
        };
        self.last.set(Some(last));
        last
    }
}

/// Is it certain that none of the loggers above this one gets its records, or that none of them has a handler?
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `look_ahead`")]
fn is_followed_by_nobody(logger: &View<'_, '_>) -> bool {
    match propagates(logger) {
        Some(false) => true,
        Some(true) => logger
            .lend(Name::parent)
            .is_some_and(|parent| parent.is_none() || nobody_from(parent.clone())),
        None => false,
    }
}

/// Does the logger hand its records to its parent? `None` where only Python code can tell.
#[inline]
pub fn propagates(logger: &View<'_, '_>) -> Option<bool> {
    let mut answer = true;
    let known = logger.test(Name::propagate, |propagate| {
        answer = !py_ffi::is_false(propagate);
        py_ffi::is_bool(propagate)
    });
    known.then_some(answer)
}

/// Is it certain that neither this logger nor those above it have a handler?
#[inline(never)]
fn nobody_from(mut node: Obj<'_>) -> bool {
    // A tree deeper than this is not looked through; a cycle of parents would never end.
    for _ in 0..64 {
        if node.is_none() {
            return true;
        }
        let Some(view) = guard::view_of(&node, Part::Above) else {
            return false;
        };
        let empty = view.test(Name::handlers, |handlers| {
            py_ffi::is_list(handlers) && py_ffi::list_len(handlers) == 0
        });
        match propagates(&view) {
            _ if !empty => return false,
            Some(false) => return true,
            Some(true) => {}
            None => return false,
        }
        let Some(parent) = view.get(Name::parent) else {
            return false;
        };
        node = parent;
    }
    false
}

/// `if record.levelno >= handler.level: handler.handle(record)`, which `callHandlers` says twice: for each handler and, `second`,
/// for the last resort. `usual` is the view of the logger whose handler this is, if everything was [ordinary] when it was looked
/// at and nothing has run since. The handler may be lent: it is held from where anything may run.
///
/// [ordinary]: crate::ordinary
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "said once by the loop over handlers: 30 instructions of each"
)]
pub fn offer_next<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
    second: bool,
) -> Res<Ran> {
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some((view, wanted)) = at_a_glance(handler, record) {
        if !wanted {
            return Ok(Ran::Nothing);
        }
        let _held = handler.clone();
        return offer_wanted(&view, record, place, usual, second);
    }
    #[cfg(Py_GIL_DISABLED)]
    return offer_closely(handler, record, place, usual, second);
    // A closer look may run Python code.
    #[cfg(not(Py_GIL_DISABLED))]
    offer_closely(handler, record, place, None, second)
}

/// The same of a handler that cannot be looked at [at a glance](at_a_glance). Apart from that, so that what is seen there is not handed on
/// through memory.
#[cfg_attr(not(Py_GIL_DISABLED), inline(never))]
#[cfg_attr(Py_GIL_DISABLED, inline)]
fn offer_closely<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
    second: bool,
) -> Res<Ran> {
    #[cfg(not(Py_GIL_DISABLED))]
    let _held = handler.clone();
    match look_closer(handler, record) {
        Some((view, true)) => offer_wanted(&view, record, place, usual, second),
        Some((_, false)) => Ok(Ran::Maybe),
        None => offer_by_attributes(handler, record, place, second),
    }
}

/// The rest of it for a handler that has been looked at, that does something, and whose level is not above the record's.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `offer_next`")]
fn offer_wanted<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
    second: bool,
) -> Res<Ran> {
    #[cfg(not(Py_GIL_DISABLED))]
    if is_open(view) && record.is_asked_nothing(usual.is_some()) {
        return emit_unlocked(view, record, place, usual).at(
            view.object().py(),
            Target::LoggerCallHandlers,
            calling("handle").nth(u8::from(second)),
        );
    }
    offer_seen(view, record, place, usual, second)
}

/// [`offer_next`] of a handler that is none of a list's.
#[inline(never)]
pub fn offer<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    second: bool,
) -> Res<Ran> {
    offer_next(handler, record, place, None, second)
}

/// The handler's view, and whether it [`wants`] the record. `None`: only a closer look can tell. This one can run nothing.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `offer_next`")]
fn at_a_glance<'a, 'py>(
    handler: &'a Obj<'py>,
    record: &Record<'_, 'py>,
) -> Option<(View<'a, 'py>, bool)> {
    let view = guard::direct_view(handler, Part::Handler)?;
    let least = view.lend_known(Name::level)?;
    let levelno = |seen| guard::direct_view(seen, Part::Record)?.lend_known(Name::levelno);
    let wants = wants(record, &least, levelno, || view.known_method(Name::handle))?;
    Some((view, wants))
}

/// The same, which may search dicts, and so run Python code that compares their keys; `None`: attributes have to be read by Python's rules.
#[cfg_attr(not(Py_GIL_DISABLED), inline(never))]
#[cfg_attr(Py_GIL_DISABLED, inline)]
fn look_closer<'a, 'py>(
    handler: &'a Obj<'py>,
    record: &Record<'_, 'py>,
) -> Option<(View<'a, 'py>, bool)> {
    let view = guard::view_of(handler, Part::Handler)?;
    let least = view.lend(Name::level)?;
    let levelno = |seen| guard::view_of(seen, Part::Record)?.lend(Name::levelno);
    let wants = wants(record, &least, levelno, || Some(view.method(Name::handle)))?;
    Some((view, wants))
}

/// Does a handler want the record, whose level has to be `least`, if that is real, as `levelno` reads it, and which runs `handle`? That a
/// `NullHandler` does nothing is asked before anything that another one does: 3 % of its call.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `offer_next`")]
fn wants<'r, 'py>(
    record: &'r Record<'_, 'py>,
    least: &Obj<'py>,
    levelno: impl FnOnce(&'r Obj<'py>) -> Option<Lent<'r, 'py>>,
    handle: impl FnOnce() -> Option<Target>,
) -> Option<bool> {
    let reached = match record.unseen() {
        Some(unseen) => reaches(&unseen.facts.event.level, least)?,
        None => reaches(&*levelno(record.seen()?)?, least)?,
    };
    Some(reached && handle()? != Target::NullHandle)
}

/// `level >= least`, for ints of 64 bits.
#[inline(always)]
#[allow(clippy::inline_always, reason = "two reads and a comparison")]
fn reaches(level: &Obj<'_>, least: &Obj<'_>) -> Option<bool> {
    match raw::level_numbers(level, least) {
        Some((level, least)) => Some(level >= least),
        None => Some(raw::small_int(level)? >= raw::small_int(least)?),
    }
}

/// [`offer_wanted`] where more has to be asked.
#[inline(never)]
fn offer_seen<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
    second: bool,
) -> Res<Ran> {
    let handler = view.object();
    let (py, here, nth) = (handler.py(), Target::LoggerCallHandlers, u8::from(second));
    #[cfg(Py_GIL_DISABLED)]
    if !record.is_seen()
        && (usual.is_some() || ordinary::is_ordinary(py))
        && let Some(done) = emit_if_free(view, record, place)
    {
        return done.at(py, here, calling("handle").nth(nth));
    }
    let handle = view.method(Name::handle);
    if handle == Target::Foreign
        && (asynchronous::queued(view, record, place, usual)
            .and_then(|queued| Ok(queued || framed::sent(view, record, place)?)))
        .at(py, here, calling("handle").nth(nth))?
    {
        return Ok(Ran::Maybe);
    }
    handle_by(handle, handler, record, place, second)
}

/// The same for any handler and any levels.
#[inline(never)]
fn offer_by_attributes<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    second: bool,
) -> Res<Ran> {
    let (py, here, nth) = (handler.py(), Target::LoggerCallHandlers, u8::from(second));
    record.settle()?;
    let levelno = (record.shown().level()).at(py, here, get("levelno").nth(nth))?;
    let level = guard::attr(handler, Name::level).at(py, here, get("level").nth(nth))?;
    if !py_ffi::ge(&levelno, &level).at(py, here, compare("level").nth(nth))? {
        return Ok(Ran::Maybe);
    }
    let handle = guard::target(handler, Name::handle);
    handle_by(handle, handler, record, place, second)
}

/// `handler.handle(record)`, which runs `handle`.
fn handle_by<'py>(
    handle: Target,
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    second: bool,
) -> Res<Ran> {
    let (py, here, nth) = (handler.py(), Target::LoggerCallHandlers, u8::from(second));
    match handle {
        Target::HandlerHandle => handle_record(handler, record, place).map(|_| Ran::Maybe),
        Target::NullHandle => Ok(Ran::Maybe),
        _ => guard::call_method(handler, Name::handle, [record.real()?]).map(|_| Ran::Maybe),
    }
    .at(py, here, calling("handle").nth(nth))
}

/// Has the handler no filters, is its lock free or ours, and is all that it does with them native?
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "45 instructions by a call, 25 without"
)]
fn is_open(handler: &View<'_, '_>) -> bool {
    handler.is(Role::Handler) && filter::has_none(handler) && is_unlocked(handler)
}

/// Is its lock free or ours?
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `is_open`")]
fn is_unlocked(handler: &View<'_, '_>) -> bool {
    handler.test(Name::lock, |lock| {
        raw::rlock_free_or_mine(lock) == Some(true)
    })
}

/// `Handler.handle`
pub fn handle<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    crate::stack::check(call.py())?;
    let handler = call.slf();
    match handle_real(
        guard::view_of(&handler, Part::Handler).as_ref(),
        &handler,
        real.to_owned(),
    )? {
        Verdict::Pass { .. } if cfg!(Py_3_12) => Ok(real.to_owned()),
        Verdict::Pass { .. } => Ok(py_ffi::boolean(call.py(), true)),
        Verdict::Drop(answer) | Verdict::Answered(answer) | Verdict::Replaced(answer) => Ok(answer),
    }
}

/// [`handle_record`] of a handler that has been looked at, and of a record that is there.
#[inline]
pub fn handle_real<'py>(
    view: Option<&View<'_, 'py>>,
    handler: &Obj<'py>,
    real: Obj<'py>,
) -> Res<Verdict<'py>> {
    let (mut record, place) = (Record::of(real), Place::last());
    #[cfg(not(Py_GIL_DISABLED))]
    if let Some(view) = view
        && is_open(view)
        && record.is_asked_nothing(false)
    {
        return emit_unlocked(view, &mut record, &place, None)
            .map(|_| Verdict::Pass { still: false });
    }
    #[cfg(Py_GIL_DISABLED)]
    let _ = view;
    handle_record(handler, &mut record, &place)
}

/// Filters, then `emit` under the lock. A record that takes another's place does so for this handler only.
fn handle_record<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Verdict<'py>> {
    let verdict = filter::ask(handler, record, Target::HandlerHandle)?;
    match &verdict {
        Verdict::Drop(_) => {}
        Verdict::Pass { .. } | Verdict::Answered(_) => emit_filtered(handler, record, place)?,
        Verdict::Replaced(other) => {
            emit_filtered(handler, &mut Record::of(other.clone()), place)?;
        }
    }
    Ok(verdict)
}

/// `emit`, under the lock, of what the filters have let pass.
fn emit_filtered<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    #[cfg(not(Py_GIL_DISABLED))]
    if record.is_seen()
        && let Some(view) = guard::view_of(handler, Part::Handler)
        && view.is(Role::Handler)
        && is_unlocked(&view)
    {
        return emit_unlocked(&view, record, place, None).map(drop);
    }
    // Whoever holds the lock may change anything before it is ours.
    record.settle()?;
    lock::held(handler, Target::HandlerHandle, || {
        measured_emit(handler, record, place)
    })
}

/// [`emit_unlocked`] without a GIL: the lock is really taken, and a record that had to wait for it would have to be settled
/// before. `None`: nothing done, the lock is not free or something is not the stdlib's.
#[cfg(Py_GIL_DISABLED)]
fn emit_if_free<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Option<Res<Ran>> {
    if !view.is(Role::Handler) || !filter::has_none(view) {
        return None;
    }
    let quiet = py_ffi::with_free_lock(&view.get(Name::lock)?, || {
        metrics::emission_if_any(view.object(), || {
            let Some(parts) = stream::quiet_parts(view, view.method(Name::emit), record) else {
                return Ok(None);
            };
            let mut line = Buffer::new(view.object().py());
            match stream::emit_quietly(view, &parts, record, place, &mut line)? {
                Quiet::Written(ran) => Ok(Some(ran)),
                Quiet::Formatted(way) => stream::emit_line(
                    view.object(),
                    record,
                    place,
                    (&parts.stream, &mut line, way),
                )
                .map(|()| Some(Ran::Maybe)),
                Quiet::Nothing => Ok(None),
            }
        })
    })?;
    match quiet {
        Ok(None) => None,
        Ok(Some(ran)) => Some(Ok(ran)),
        Err(raised) => Some(Err(raised)),
    }
}

/// `emit` of a handler whose lock is free or ours. What runs no Python code needs no taking of it: the GIL is kept throughout,
/// and nobody can tell. `usual` as for [`offer_next`].
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
fn emit_unlocked<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
) -> Res<Ran> {
    // Asked first: what `emission` is given is put together only where it is wanted.
    if metrics::on() {
        return metrics::emission(view.object(), || {
            emit_unmeasured(view, record, place, usual)
        });
    }
    emit_unmeasured(view, record, place, usual)
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
fn emit_unmeasured<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
    usual: Option<&View<'_, 'py>>,
) -> Res<Ran> {
    let (here, handler) = (Target::HandlerHandle, view.object());
    let emit = view.method(Name::emit);
    match emit {
        Target::Foreign => {
            record.real()?;
            return emit_locked(handler, record, place);
        }
        Target::BufferingEmit => return emit_to_buffer(handler, record, place),
        _ => {}
    }
    let Some(parts) = stream::quiet_parts(view, emit, record) else {
        return emit_aloud(view, record, place);
    };
    if usual.is_some() {
        place.look_ahead(usual);
    }
    let mut line = Buffer::new(handler.py());
    match stream::emit_quietly(view, &parts, record, place, &mut line)? {
        Quiet::Written(ran) => Ok(ran),
        // Nothing has run since the handler was looked at.
        Quiet::Formatted(way) => {
            let (taken, _) = lock::take(handler, Some(*view), here)?;
            let line = (&parts.stream, &mut line, way);
            let result = stream::emit_line(handler, record, place, line);
            lock::give_back(handler, here, taken, result).map(|()| Ran::Maybe)
        }
        Quiet::Nothing => {
            drop((parts, line));
            emit_aloud(view, record, place)
        }
    }
}

/// `BufferingHandler.emit`
#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
fn emit_to_buffer<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Ran> {
    let appended = memory::append_quietly(handler, record);
    if appended.at(handler.py(), Target::HandlerHandle, calling("emit"))? {
        return Ok(Ran::Maybe);
    }
    emit_locked(handler, record, place)
}

/// [`emit`] of a handler that has no filters, with its lock.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
fn emit_locked<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Ran> {
    lock::held_seen(
        handler,
        guard::view_of(handler, Part::Handler),
        Target::HandlerHandle,
        |seen| emit(handler, seen, record, place),
    )
    .map(|()| Ran::Maybe)
}

/// Will a formatter in Python, or one with steps in Python, want to see the record?
#[cfg(not(Py_GIL_DISABLED))]
fn formats_real_records(handler: &View<'_, '_>) -> bool {
    stream::quiet_formatter(handler).is_some_and(|formatter| {
        guard::view_of(&formatter, Part::Formatter)
            .is_none_or(|formatter| !formatter.is(Role::Formatter))
    })
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline(never)]
fn emit_aloud<'py>(
    view: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Ran> {
    let handler = view.object();
    match view.method(Name::emit) {
        // It knows when Python code is about to run.
        Target::RotatingEmit => {}
        _ if formats_real_records(view) => record.real().map(drop)?,
        // Python code is about to run, sooner or later.
        _ => record.settle()?,
    }
    emit_locked(handler, record, place)
}

/// [`emit`] of a handler whose lock is ours.
fn measured_emit<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    metrics::emission(handler, || {
        emit(
            handler,
            guard::view_of(handler, Part::Handler),
            record,
            place,
        )
        .map(|()| Ran::Maybe)
    })
    .map(drop)
}

/// `handler.emit(record)`; `seen` is the handler's view if nothing has run since.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "a call in Python is three calls less deep"
)]
fn emit<'py>(
    handler: &Obj<'py>,
    seen: Option<View<'_, 'py>>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<()> {
    match guard::target_by(seen.as_ref(), handler, Name::emit) {
        Target::StreamEmit => stream::emit_record(handler, record, place),
        Target::FileEmit => file::emit_record(handler, record, place),
        Target::RotatingEmit => rotating::emit_record(handler, record, place),
        Target::WatchedEmit => watched::emit_record(handler, record, place),
        Target::BufferingEmit => memory::emit_record(handler, record),
        Target::QueueEmit => queue::emit_record(handler, record),
        Target::NullEmit => Ok(()),
        _ => call_with_record(handler, seen.as_ref(), Name::emit, record).map(drop),
    }
    .at(handler.py(), Target::HandlerHandle, calling("emit"))
}

/// `obj.name(record)`; `seen` is the object's view if nothing has run since.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as for `emit`")]
pub fn call_with_record<'py>(
    obj: &Obj<'py>,
    seen: Option<&View<'_, 'py>>,
    name: Name,
    record: &mut Record<'_, 'py>,
) -> Res<Obj<'py>> {
    // To make the record may run Python code.
    if record.is_seen()
        && let Some(function) = seen.and_then(|seen| seen.function(name))
    {
        return py_ffi::call_on(&function, obj, [record.real()?]);
    }
    guard::call_method(obj, name, [record.real()?])
}

/// `handler.format(record)`
pub fn text<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Text<'py>> {
    let view = guard::view_of(handler, Part::Handler);
    if guard::target_by(view.as_ref(), handler, Name::format) != Target::HandlerFormat {
        return call_with_record(handler, view.as_ref(), Name::format, record).map(Text::Object);
    }
    with_formatter(handler, view, record, place)
}

/// `Handler.format` itself: by the handler's formatter, or by the module's. `seen` is the handler's view if nothing has run since.
#[inline]
fn with_formatter<'py>(
    handler: &Obj<'py>,
    seen: Option<View<'_, 'py>>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Text<'py>> {
    let (py, here) = (handler.py(), Target::HandlerFormat);
    let mut formatter = match seen.and_then(|view| view.get(Name::formatter)) {
        Some(formatter) => formatter,
        None => py_ffi::getattr(handler, Name::formatter).at(py, here, get("formatter"))?,
    };
    if !py_ffi::is_true_as_any_object(&formatter)
        && !py_ffi::truthy(&formatter).at(py, here, truth("formatter"))?
    {
        formatter = globals::get(py, Name::_defaultFormatter)?;
    }
    format::text(&formatter, record, place).at(py, here, calling("format"))
}

/// `Handler.format`
pub fn format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let handler = call.slf();
    let mut record = Record::of(real.to_owned());
    with_formatter(
        &handler,
        guard::view_of(&handler, Part::Handler),
        &mut record,
        &Place::last(),
    )?
    .object(call.py())
}

/// `Handler.emit`
pub fn emit_missing<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(_)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let text = "emit must be implemented by Handler subclasses";
    let raised = py_ffi::raise(py, Exc::NotImplemented, text);
    Err(raised).at(py, Target::HandlerEmit, raise("NotImplementedError"))
}

/// `NullHandler.handle` and `NullHandler.emit`
pub fn nothing<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(_)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    Ok(py_ffi::none(call.py()))
}

/// `Handler.setLevel`
pub fn set_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(given)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    let (py, here) = (call.py(), Target::HandlerSetLevel);
    let level = level::checked(py, &given).at(py, here, calling("_checkLevel"))?;
    py_ffi::setattr(&call.slf(), Name::level, &level)?;
    Ok(py_ffi::none(py))
}

/// `Handler.flush`: nothing to do.
pub fn flush<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    Ok(py_ffi::none(call.py()))
}

/// `Handler.get_name`
pub fn get_name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    guard::attr(&call.slf(), Name::_name)
}

// ---- a handler's life

/// `Handler.__init__`: `(self, level=NOTSET)`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([given]) = call.parse([Name::level], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    let none = py_ffi::none(py);
    let base = globals::get(py, Name::Filterer)?;
    py_ffi::method(&base, Name::__init__, [&handler])?;
    py_ffi::setattr(&handler, Name::_name, &none)?;
    let level = match given {
        Some(given) => level::checked(py, &given)?,
        None => level::checked(py, &py_ffi::new_int(py, 0)?)?,
    };
    py_ffi::setattr(&handler, Name::level, &level)?;
    py_ffi::setattr(&handler, Name::formatter, &none)?;
    py_ffi::setattr(&handler, Name::_closed, &py_ffi::boolean(py, false))?;
    py_ffi::call(&globals::get(py, Name::_addHandlerRef)?, &[&handler])?;
    py_ffi::method(&handler, Name::createLock, [])?;
    Ok(none)
}

/// `Handler.set_name`: the registry of names forgets the old one and learns the new one.
pub fn set_name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(name)]) = call.parse([Name::name], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    lock::module(py, || {
        let old = guard::attr(&handler, Name::_name)?;
        if py_ffi::contains(&globals::get(py, Name::_handlers)?, &old)? {
            forget_name(&handler)?;
        }
        py_ffi::setattr(&handler, Name::_name, &name)?;
        if py_ffi::truthy(&name)? {
            py_ffi::set_item(&globals::get(py, Name::_handlers)?, &name, &handler)?;
        }
        Ok(())
    })?;
    Ok(py_ffi::none(py))
}

/// `del _handlers[self._name]`
fn forget_name(handler: &Obj<'_>) -> Res<()> {
    let names = globals::get(handler.py(), Name::_handlers)?;
    py_ffi::del_item(&names, &guard::attr(handler, Name::_name)?)
}

/// `Handler.createLock`
pub fn create_lock<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    let threading = globals::get(py, Name::threading)?;
    let lock = py_ffi::method(&threading, Name::RLock, [])?;
    py_ffi::setattr(&handler, Name::lock, &lock)?;
    let register = globals::get(py, Name::_register_at_fork_reinit_lock)?;
    py_ffi::call(&register, &[&handler])?;
    Ok(py_ffi::none(py))
}

/// `NullHandler.createLock`: it needs none.
pub fn create_no_lock<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let none = py_ffi::none(call.py());
    py_ffi::setattr(&call.slf(), Name::lock, &none)?;
    Ok(none)
}

/// `NullHandler._at_fork_reinit`: there is no lock.
pub fn no_lock_to_reinit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    Ok(py_ffi::none(call.py()))
}

/// `Handler._at_fork_reinit`: in a forked child nobody holds the lock.
pub fn at_fork_reinit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let lock = guard::attr(&call.slf(), Name::lock)?;
    py_ffi::method(&lock, Name::_at_fork_reinit, [])?;
    Ok(py_ffi::none(call.py()))
}

/// `Handler.close`: only the name is given up; the handler can still be used.
pub fn close<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let handler = call.slf();
    lock::module(py, || {
        py_ffi::setattr(&handler, Name::_closed, &py_ffi::boolean(py, true))?;
        let name = guard::attr(&handler, Name::_name)?;
        if py_ffi::truthy(&name)?
            && py_ffi::contains(
                &globals::get(py, Name::_handlers)?,
                &guard::attr(&handler, Name::_name)?,
            )?
        {
            forget_name(&handler)?;
        }
        Ok(())
    })?;
    Ok(py_ffi::none(py))
}
