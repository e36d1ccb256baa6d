//! `TimedRotatingFileHandler`: a file that gives way to a new one when its time has come.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use super::paths;
use crate::bind;
use crate::call::Call;
use crate::clock;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, View};
use crate::names::Name;
use crate::natives::Target;
use crate::stats::Reason;
use crate::trace::{At as _, call as calling, compare, get};

/// The bodies `TimedRotatingFileHandler.shouldRollover` has had; the running one tells itself by the names it uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Early 3.11: a file that is not regular is never due.
    FileFirst,
    /// A file that is not regular gets its next time and is asked about only then.
    FileLast,
}

impl Body {
    const ALL: [Body; 2] = [Body::FileFirst, Body::FileLast];

    /// The names each uses, in the same order.
    const NAMES: [&'static [&'static str]; 2] = [
        &[
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
            "int",
            "time",
            "rolloverAt",
        ],
        &[
            "int",
            "time",
            "rolloverAt",
            "os",
            "path",
            "exists",
            "baseFilename",
            "isfile",
            "computeRollover",
        ],
    ];

    /// The running one; `None`: unknown, to be left to the interpreter.
    pub fn running(py: Python<'_>) -> Option<Body> {
        static SEEN: AtomicU8 = AtomicU8::new(0);
        let seen = bind::recognise(py, &SEEN, Target::TimedShouldRollover, &Self::NAMES)?;
        Some(Self::ALL[seen])
    }
}

/// `TimedRotatingFileHandler.shouldRollover`
pub fn should_rollover<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(_)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let Some(body) = Body::running(call.py()) else {
        return call.reference(Reason::ColdBody);
    };
    Ok(py_ffi::boolean(call.py(), is_due(&call.slf(), body)?))
}

/// Is it certain, by reads alone, that it has not? See [`is_due`]: a file that is not regular makes no difference before its time.
pub fn is_early(handler: &View<'_, '_>, body: Body) -> bool {
    let py = handler.object().py();
    if body == Body::FileFirst && !paths::are_own(py) {
        return false;
    }
    let next = handler
        .get(Name::rolloverAt)
        .and_then(|next| py_ffi::int_value(&next));
    let now = py_ffi::or_nothing(py, globals::of_handlers(py, Name::time))
        .and_then(|time| clock::plain_seconds(&time));
    matches!((now, next), (Some(now), Some(next)) if now < next)
}

/// Has the time of the next rollover come? One reading of the clock.
pub fn is_due(handler: &Obj<'_>, body: Body) -> Res<bool> {
    let py = handler.py();
    if body == Body::FileFirst && paths::is_special(handler, &mut true)? {
        return Ok(false);
    }
    let here = Target::TimedShouldRollover;
    let now = clock::whole_seconds(&globals::of_handlers(py, Name::time)?).at(
        py,
        here,
        calling("time"),
    )?;
    let next = guard::attr(handler, Name::rolloverAt).at(py, here, get("rolloverAt"))?;
    if !py_ffi::ge(&now, &next).at(py, here, compare("rolloverAt"))? {
        return Ok(false);
    }
    if body == Body::FileLast && paths::is_special(handler, &mut true)? {
        // Not to be asked again before its next time.
        let next = py_ffi::method(handler, Name::computeRollover, [&now]).at(
            py,
            here,
            calling("computeRollover"),
        )?;
        py_ffi::setattr(handler, Name::rolloverAt, &next)?;
        return Ok(false);
    }
    Ok(true)
}
