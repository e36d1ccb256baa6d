//! Is everything that a record is made from, outside of its logger, as the interpreter made it?
//!
//! Who called, what the time is, what a level is called, which class a record has: all that goes through globals of `logging`,
//! `time`, `threading`, `os` and `os.path`, which anybody may replace. Asking for each of them at each record costs 40 ns; here
//! the answer is kept for a state of those modules (and of the class `LogRecord`), which one number tells. While the answer is
//! yes a record can be made later, or not at all: nobody can tell.
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::clock;
use crate::context;
use crate::ffi::{self as py_ffi, Res};
use crate::globals::{self, Epoch};
#[cfg(Py_GIL_DISABLED)]
use crate::guard;
use crate::names::Name;
use crate::natives::Target;
use crate::raw;

struct Known {
    /// When the answer was yes: then raw reads are on, there is a clock, and the class has a version.
    yes: Option<State>,
    /// When it was no.
    no: Option<State>,
    #[cfg(Py_GIL_DISABLED)]
    bindings: u64,
}

/// The state of the modules, and the version of the class `LogRecord` (0: it has none).
type State = (Epoch, u32);

static KNOWN: Shared<Known> = Shared::new(Known {
    yes: None,
    no: None,
    #[cfg(Py_GIL_DISABLED)]
    bindings: 0,
});

impl Known {
    fn forget(&mut self) {
        (self.yes, self.no) = (None, None);
    }
}

/// Forgets the answer: what is bound has changed.
pub fn forget(py: Python<'_>) {
    KNOWN.with(py, Known::forget);
}

/// Is it? 2 ns.
#[inline]
pub fn is_ordinary(py: Python<'_>) -> bool {
    is_known(py) || look_closer(py)
}

/// The same by reads alone: "no" also where that is not known yet.
#[inline]
pub fn is_known(py: Python<'_>) -> bool {
    #[cfg(Py_GIL_DISABLED)]
    let bindings = guard::bindings();
    let state = (
        globals::epoch(py),
        globals::original_class_tag_now(py, Name::LogRecord),
    );
    let known = KNOWN.with(py, |known| {
        #[cfg(Py_GIL_DISABLED)]
        if known.bindings != bindings {
            known.bindings = bindings;
            known.forget();
        }
        known.yes == Some(state)
    });
    known && clock::is_untouched(py)
}

/// The answer where it is no, or not known.
#[inline(never)]
fn look_closer(py: Python<'_>) -> bool {
    if !raw::reads_instances() || !clock::is_untouched(py) {
        return false;
    }
    let state = (globals::epoch(py), record_tag(py));
    let known = KNOWN.with(py, |known| {
        let yes = known.yes == Some(state);
        (yes || known.no == Some(state)).then_some(yes)
    });
    known.unwrap_or_else(|| find_out(py, state))
}

fn record_tag(py: Python<'_>) -> u32 {
    globals::original_class_tag(py, Name::LogRecord)
}

#[cold]
fn find_out(py: Python<'_>, (epoch, tag): State) -> bool {
    let answer = look(py).unwrap_or_else(|raised| {
        raised.clear(py);
        false
    });
    // Looking may have given the class a version.
    let tag = if tag == 0 { record_tag(py) } else { tag };
    let answer = answer && tag != 0 && globals::is_epoch_true();
    KNOWN.with(py, |known| {
        let place = if answer {
            &mut known.yes
        } else {
            &mut known.no
        };
        *place = Some((epoch, tag));
    });
    answer
}

fn look(py: Python<'_>) -> Res<bool> {
    let own_functions = [
        (Name::_is_internal_frame, Target::IsInternalFrame),
        (Name::getLevelName, Target::GetLevelName),
    ];
    for (name, target) in own_functions {
        if !globals::is_own(py, name, target)? {
            return Ok(false);
        }
    }
    for name in [Name::_srcfile, Name::currentframe, Name::LogRecord] {
        if !globals::is_original(py, name)? {
            return Ok(false);
        }
    }
    let class = globals::get(py, Name::LogRecord)?;
    let factory = globals::get(py, Name::_logRecordFactory)?;
    let source = globals::from_module(py, Name::time, &globals::TIME, clock::SOURCE)?;
    Ok(globals::truthy(py, Name::_srcfile)?
        && factory.is(&class)
        && py_ffi::is_plain_class(&class)
        && py_ffi::makes_true_instances(&class)
        && py_ffi::class_has(&class, Name::__init__, Target::LogRecordInit)
        && py_ffi::class_has(&class, Name::getMessage, Target::RecordGetMessage)
        && py_ffi::is_dict(&globals::get(py, Name::_levelToName)?)
        && clock::is_builtin(&source)
        && clock::starts_plainly(py)?
        && globals::paths_are_own(py)?
        && context::can_wait(py)?)
}
