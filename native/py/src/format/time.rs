//! `asctime`: the text of a record's time, kept for the second it belongs to.
use femtolog_core::clock::{self as core_clock, DatePlan, SecondCache};
use femtolog_core::plan::{Spec, push_str};
use pyo3::prelude::*;

use super::text::Buffer;
use crate::cell::{Counted, Shared};
use crate::clock::{Number, Stamp};
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard;
use crate::names::Name;
use crate::saved::Saved;

/// A rendered time; ASCII.
pub struct TimeText(smallvec::SmallVec<[u8; 32]>);

impl TimeText {
    /// As text.
    #[inline]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Appends it as `spec` says; false when only the interpreter can.
    #[inline]
    pub fn push_to(&self, buffer: &mut Buffer, spec: &Spec) -> bool {
        let ascii = self.as_str().is_ascii();
        if spec.is_plain() {
            buffer.push(self.as_str(), ascii);
            return true;
        }
        buffer.widen_unless(ascii && spec.is_ascii());
        push_str(buffer.bytes(), self.as_str(), spec)
    }

    /// As a new `str`.
    pub fn object<'py>(&self, py: Python<'py>) -> Res<Obj<'py>> {
        py_ffi::text_from_utf8(py, &self.0, self.as_str().is_ascii())
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
pub fn template_is_own(template: &Obj<'_>) -> bool {
    py_ffi::type_attr(template, Name::substitute).is_some_and(|found| SUBSTITUTE.is(&found))
}

static TEXTS: Shared<Option<SecondCache>> = Shared::new(None);

/// `formatter.formatTime(record, formatter.datefmt)` for a formatter whose `formatTime` is the stdlib's; `None` when the
/// interpreter has to do it.
#[inline]
pub fn text<'py>(formatter: &Obj<'py>, stamp: &Stamp<'py>) -> Res<Option<TimeText>> {
    let py = formatter.py();
    let Number::Float(created) = stamp.created else {
        return Ok(None);
    };
    let Number::Float(msecs) = stamp.msecs else {
        return Ok(None);
    };
    let datefmt = guard::attr(formatter, Name::datefmt)?;
    let converter = guard::attr(formatter, Name::converter)?;
    let local = LOCALTIME.is_untouched(&converter);
    if !local && !GMTIME.is_untouched(&converter) {
        return Ok(None);
    }
    let own = globals::reaches(
        py,
        Name::time,
        &globals::TIME,
        Name::strftime,
        STRFTIME.address(),
    ) && STRFTIME.runs_as_it_did(py);
    if !own {
        let strftime = globals::from_module(py, Name::time, &globals::TIME, Name::strftime)?;
        if !STRFTIME.is_untouched(&strftime) {
            return Ok(None);
        }
    }
    let dated = py_ffi::truthy(&datefmt)?;
    let format = if dated {
        datefmt
    } else {
        guard::attr(formatter, Name::default_time_format)?
    };
    let milliseconds = if dated {
        None
    } else {
        Some(guard::attr(formatter, Name::default_msec_format)?)
    };
    if !py_ffi::is_str(&format) {
        return Ok(None);
    }
    let add_milliseconds = match &milliseconds {
        None => false,
        Some(given) if given.is_none() => false,
        Some(given) if py_ffi::is_str(given) => match py_ffi::utf8(given) {
            Some("%s,%03d") => true,
            Some("") => false,
            _ => return Ok(None),
        },
        Some(_) => return Ok(None),
    };
    let Some(second) = core_clock::floor_second(created) else {
        return Ok(None);
    };
    // Anything that changes the zone from Python (`time.tzset`) changes the `time` module's globals.
    let zone = globals::TIME.generation(py) << 1 | u64::from(local);
    let Some(plan) = plan(&format) else {
        return Ok(None);
    };
    let mut text = smallvec::SmallVec::new();
    let known = TEXTS.with(py, |texts| {
        match texts
            .as_ref()
            .and_then(|texts| texts.get(second, zone, plan.identity))
        {
            Some(known) => {
                text.extend_from_slice(known);
                true
            }
            None => false,
        }
    });
    if !known {
        let Some(civil) = py_ffi::civil_time(second, local) else {
            return Ok(None);
        };
        let mut rendered = Vec::with_capacity(40);
        if !plan.date.render(&mut rendered, &civil) {
            return Ok(None);
        }
        TEXTS.with(py, |texts| {
            texts
                .get_or_insert_default()
                .put(second, zone, plan.identity, &rendered);
        });
        text.extend_from_slice(&rendered);
    }
    if add_milliseconds {
        let mut tail = Vec::with_capacity(4);
        if !core_clock::push_msecs(&mut tail, msecs) {
            return Ok(None);
        }
        text.extend_from_slice(&tail);
    }
    Ok(Some(TimeText(text)))
}

/// A compiled date format.
struct Dated {
    identity: u64,
    date: DatePlan,
}

/// The date formats compiled so far, with the str objects they were compiled from.
struct Kept {
    format: *mut pyo3::ffi::PyObject,
    plan: Option<Counted<Dated>>,
}

const PLANS: usize = 16;
static DATES: Shared<[Kept; PLANS]> = Shared::new(
    [const {
        Kept {
            format: std::ptr::null_mut(),
            plan: None,
        }
    }; PLANS],
);
static NEXT_IDENTITY: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);

#[inline]
fn plan(format: &Obj<'_>) -> Option<Counted<Dated>> {
    let place = (format.as_ptr() as usize >> 4) % PLANS;
    let known = DATES.with(format.py(), |kept| {
        (kept[place].format == format.as_ptr()).then(|| kept[place].plan.clone())
    });
    known.unwrap_or_else(|| compile(format, place))
}

#[cold]
fn compile(format: &Obj<'_>, place: usize) -> Option<Counted<Dated>> {
    let date = DatePlan::compile(py_ffi::utf8(format)?);
    let identity = NEXT_IDENTITY.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let plan = date.map(|date| Counted::new(Dated { identity, date }));
    let kept = Kept {
        format: format.clone().into_ptr(),
        plan: plan.clone(),
    };
    let old = DATES.with(format.py(), |all| std::mem::replace(&mut all[place], kept));
    py_ffi::release_all(format.py(), &[old.format]);
    plan
}
