//! `asctime`: the text of a record's time, kept for the second it belongs to.
use femtolog_core::clock::{self as core_clock, DatePlan, SecondCache};
use femtolog_core::plan::{Spec, Usual, push_str};
use pyo3::prelude::*;

use super::text::Buffer;
use crate::cell::{Counted, Shared};
use crate::clock::{Number, Stamp};
use crate::ffi::{self as py_ffi, Held, Most, Obj, Res};
use crate::globals;
use crate::guard::View;
use crate::names::Name;
use crate::saved::Saved;

/// A rendered time; ASCII, as date formats of the proven kind are.
pub struct TimeText {
    /// Up to the seconds.
    second: Counted<Vec<u8>>,
    /// Comma and milliseconds.
    tail: Option<[u8; 4]>,
}

impl TimeText {
    fn push_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.second);
        if let Some(tail) = &self.tail {
            bytes.extend_from_slice(tail);
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.second.len() + 4);
        self.push_bytes(&mut bytes);
        bytes
    }

    /// Appends it as `spec` says, which is that `usual` one; false when only the interpreter can.
    #[inline]
    pub fn push_to(&self, buffer: &mut Buffer<'_>, usual: Usual, spec: &Spec) -> bool {
        if usual == Usual::Text {
            self.push_bytes(buffer.bytes());
            return true;
        }
        let bytes = self.bytes();
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return false;
        };
        buffer.widen_unless(spec.is_ascii());
        push_str(buffer.bytes(), text, spec)
    }

    /// As a new `str`.
    pub fn object<'py>(&self, py: Python<'py>) -> Res<Obj<'py>> {
        py_ffi::text_from_utf8(py, &self.bytes(), true)
    }
}

static LOCALTIME: Saved = Saved::new();
static GMTIME: Saved = Saved::new();
static STRFTIME: Saved = Saved::new();
static SUBSTITUTE: Saved = Saved::new();

/// Saves the interpreter's own time functions. Called when binding.
pub fn init(py: Python<'_>) -> PyResult<()> {
    let time = py.import("time")?;
    LOCALTIME.set_builtin(time.getattr("localtime")?);
    GMTIME.set_builtin(time.getattr("gmtime")?);
    STRFTIME.set_builtin(time.getattr("strftime")?);
    SUBSTITUTE.set(
        py.import("string")?
            .getattr("Template")?
            .getattr("substitute")?,
    );
    Ok(())
}

/// Is `template.substitute` the method `string.Template` started with?
pub fn template_is_own(template: &View<'_, '_>) -> bool {
    template.class_has(Name::substitute, &SUBSTITUTE)
}

/// Is `logging.time.strftime` the function it was when binding? Found out once for each state of the two modules on the way.
#[inline]
fn strftime_is_own(py: Python<'_>) -> Res<bool> {
    static KNOWN: Shared<([u64; 2], bool)> = Shared::new(([0; 2], false));
    let reaches = globals::reaches(
        py,
        Name::time,
        &globals::TIME,
        Name::strftime,
        STRFTIME.address(),
    );
    let now = [
        globals::LOGGING.generation(py),
        globals::TIME.generation(py),
    ];
    let known = KNOWN.with(py, |known| (known.0 == now).then_some(known.1));
    let own = if reaches {
        true
    } else if let Some(own) = known {
        own
    } else {
        let strftime = globals::from_module(py, Name::time, &globals::TIME, Name::strftime)?;
        let own = STRFTIME.is(&strftime);
        KNOWN.with(py, |known| *known = (now, own));
        own
    };
    Ok(own && STRFTIME.runs_as_it_did(py))
}

static TEXTS: Shared<SecondCache<Counted<Vec<u8>>>> = Shared::new(SecondCache::new());

/// `formatter.formatTime(record, formatter.datefmt)` for a formatter whose `formatTime` is the stdlib's; `None` when the
/// interpreter has to do it. Runs no Python code.
#[inline]
pub fn text<'py>(formatter: &View<'_, 'py>, stamp: &Stamp<'py>) -> Res<Option<TimeText>> {
    match formatter.lend(Name::datefmt) {
        Some(datefmt) => text_by(formatter, stamp, &datefmt),
        None => Ok(None),
    }
}

/// The same with another `datefmt` than the formatter's.
#[inline]
pub fn text_by<'py>(
    formatter: &View<'_, 'py>,
    stamp: &Stamp<'py>,
    datefmt: &Obj<'py>,
) -> Res<Option<TimeText>> {
    let py = formatter.object().py();
    let (Number::Float(created), Number::Float(msecs)) = (&stamp.created, &stamp.msecs) else {
        return Ok(None);
    };
    let Some(converter) = formatter.lend(Name::converter) else {
        return Ok(None);
    };
    let local = LOCALTIME.is_untouched(&converter);
    if (!local && !GMTIME.is_untouched(&converter)) || !strftime_is_own(py)? {
        return Ok(None);
    }
    let plan = if datefmt.is_none() || py_ffi::is_empty_str(datefmt) {
        let (Some(format), Some(milliseconds)) = (
            formatter.lend(Name::default_time_format),
            formatter.lend(Name::default_msec_format),
        ) else {
            return Ok(None);
        };
        plan(&format, Some(&milliseconds))
    } else {
        plan(datefmt, None)
    };
    let (Some(plan), Some(second)) = (plan, core_clock::floor_second(*created)) else {
        return Ok(None);
    };
    // Anything that changes the zone from Python (`time.tzset`) changes the `time` module's globals.
    let zone = globals::TIME.generation(py) << 1 | u64::from(local);
    let tail = if plan.adds_milliseconds {
        match core_clock::msecs_tail(*msecs) {
            Some(tail) => Some(tail),
            None => return Ok(None),
        }
    } else {
        None
    };
    let known = TEXTS.with(py, |texts| {
        texts.get(second, zone, plan.identity).map(Counted::clone)
    });
    let second = known.or_else(|| render(py, &plan, second, zone, local));
    Ok(second.map(|second| TimeText { second, tail }))
}

/// The text of a second met for the first time.
#[cold]
fn render(
    py: Python<'_>,
    plan: &Dated,
    second: i64,
    zone: u64,
    local: bool,
) -> Option<Counted<Vec<u8>>> {
    let civil = py_ffi::civil_time(second, local)?;
    let mut rendered = Vec::with_capacity(40);
    if !plan.date.render(&mut rendered, &civil) {
        return None;
    }
    let rendered = Counted::new(rendered);
    TEXTS.with(py, |texts| {
        texts.put(second, zone, plan.identity, rendered.clone());
    });
    Some(rendered)
}

/// A compiled date format.
struct Dated {
    identity: u64,
    date: DatePlan,
    /// Do ",%03d" milliseconds follow?
    adds_milliseconds: bool,
}

/// A date format compiled, with the str objects it was compiled from: a `datefmt`, or the default format and the one that adds
/// milliseconds.
struct Kept {
    format: Held,
    milliseconds: Option<Held>,
    plan: Option<Counted<Dated>>,
}

const PLANS: usize = 16;
static DATES: Shared<[Option<Kept>; PLANS]> = Shared::new([const { None }; PLANS]);
static NEXT_IDENTITY: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

/// The plan of a date format, with that of the milliseconds if those are added; `None` when it is not of the proven kind.
#[inline]
fn plan(format: &Obj<'_>, milliseconds: Option<&Obj<'_>>) -> Option<Counted<Dated>> {
    let place = (format.as_ptr() as usize >> 4) % PLANS;
    let known = DATES.with(format.py(), |kept| {
        let kept = kept[place].as_ref()?;
        let same = kept.format.is(format)
            && match (&kept.milliseconds, milliseconds) {
                (None, None) => true,
                (Some(kept), Some(given)) => kept.is(given),
                _ => false,
            };
        same.then(|| kept.plan.clone())
    });
    known.unwrap_or_else(|| compile(format, milliseconds, place))
}

#[cold]
fn compile(
    format: &Obj<'_>,
    milliseconds: Option<&Obj<'_>>,
    place: usize,
) -> Option<Counted<Dated>> {
    // Only objects that cannot change are kept: exact strings, and None for no milliseconds.
    let adds_milliseconds = match milliseconds {
        None => false,
        Some(given) if given.is_none() => false,
        Some(given) => match py_ffi::text_of(given, Most::ANY)?.0 {
            "%s,%03d" => true,
            "" => false,
            _ => return None,
        },
    };
    let (text, _) = py_ffi::text_of(format, Most::ANY)?;
    let plan = DatePlan::compile(text).map(|date| {
        Counted::new(Dated {
            identity: NEXT_IDENTITY.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            date,
            adds_milliseconds,
        })
    });
    let kept = Kept {
        format: Held::new(format.clone())?,
        milliseconds: milliseconds.and_then(|given| Held::new(given.clone())),
        plan: plan.clone(),
    };
    // What was kept is dropped when the table is no longer in use.
    let old = DATES.with(format.py(), |all| all[place].replace(kept));
    drop(old);
    plan
}
