//! `Handler.handleError`: tells about an error while logging, on `sys.stderr`, without disturbing the program.
//!
//! The exception is the one being handled (`sys.exc_info()`). Everything is looked up when it is needed, as the stdlib's body
//! does: `sys.stderr` may be replaced, closed or `None`, `traceback` and `os.path` may be patched.
use std::cell::Cell;

use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::globals;
use crate::guard;
use crate::metrics;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::trace::{At as _, Point, call as calling, get, truth};

const HERE: Target = Target::HandlerHandleError;

thread_local! {
    /// The handler whose own `handleError` runs in this thread: the base's, if that calls it, is not another error.
    static ASKED: Cell<usize> = const { Cell::new(0) };
    /// The frame that called what failed, where [`caller`] has to tell it.
    static CALLER: Cell<Option<Py<PyAny>>> = const { Cell::new(None) };
}

/// `Handler.handleError`
pub fn handle_error<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let outer = if call.slf().as_ptr().addr() == ASKED.get() {
        let kept = CALLER.take();
        let outer = kept.as_ref().map(|frame| frame.bind(py).clone());
        CALLER.set(kept);
        outer
    } else {
        metrics::failed(&call.slf());
        None
    };
    report(&record, outer.or_else(|| caller(py)))?;
    Ok(py_ffi::none(py))
}

/// Ends a failed native `emit`: `RecursionError` and what is no `Exception` go on, everything else goes to `handleError`,
/// which finds it in `sys.exc_info()`. `within` is that `emit`.
#[cold]
pub fn emit_failed<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    raised: Raised,
    within: Target,
) -> Res<()> {
    if is(&raised, handler.py(), Exc::Recursion) {
        return Err(raised);
    }
    caught(handler, record, raised, within)
}

/// `except Exception: self.handleError(record)`: here a `RecursionError` is one like any other.
#[cold]
pub fn caught<'py>(
    handler: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    raised: Raised,
    within: Target,
) -> Res<()> {
    let py = handler.py();
    if !is(&raised, py, Exc::Exception) {
        return Err(raised);
    }
    let exception = raised.take(py);
    let real = record.real()?;
    py_ffi::while_handling(&exception, || {
        ask(handler, real).at(py, within, calling("handleError"))
    })
}

/// `handler.handleError(record)`
pub fn ask<'py>(handler: &Obj<'py>, record: &Obj<'py>) -> Res<()> {
    metrics::failed(handler);
    let py = handler.py();
    if guard::target(handler, Name::handleError) == Target::HandlerHandleError {
        return report(record, caller(py));
    }
    let outer = (
        ASKED.replace(handler.as_ptr().addr()),
        CALLER.replace(caller(py).map(Bound::unbind)),
    );
    let answer = guard::call_method(handler, Name::handleError, [record]);
    ASKED.set(outer.0);
    // Bound, for its reference to be given up now: PyO3 has not been told that the thread is attached.
    drop(CALLER.replace(outer.1).map(|frame| frame.into_bound(py)));
    answer.map(drop)
}

/// The running frame, where it has to be known: without raw writes the frames that stand for native steps have no `f_back`, and behind
/// the last one runs the caller.
fn caller(py: Python<'_>) -> Option<Obj<'_>> {
    if crate::raw::enabled() {
        None
    } else {
        py_ffi::current_frame(py)
    }
}

fn is(raised: &Raised, py: Python<'_>, kind: Exc) -> bool {
    raised.is(py_ffi::exception_class(py, kind))
}

#[cold]
fn report<'py>(record: &Obj<'py>, caller: Option<Obj<'py>>) -> Res<()> {
    let py = record.py();
    if !globals::truthy(py, Name::raiseExceptions).at(py, HERE, truth("raiseExceptions"))?
        || !py_ffi::truthy(&stderr(py)?).at(py, HERE, truth("stderr"))?
    {
        return Ok(());
    }
    let error = Handled::now(py)?;
    match print(&error, record, caller) {
        // Nobody is left to tell that stderr cannot be written (bpo-5971).
        Err(raised) if is(&raised, py, Exc::Os) => {
            raised.clear(py);
            Ok(())
        }
        other => other,
    }
}

/// The exception being handled, as the running version's body holds it: `sys.exc_info()` up to 3.12, `sys.exception()` later.
struct Handled<'py> {
    #[cfg(not(Py_3_13))]
    info: [Obj<'py>; 3],
    #[cfg(Py_3_13)]
    exception: Obj<'py>,
}

impl<'py> Handled<'py> {
    fn now(py: Python<'py>) -> Res<Self> {
        let sys = globals::get(py, Name::sys)?;
        #[cfg(not(Py_3_13))]
        {
            let info = py_ffi::method(&sys, Name::exc_info, [])?;
            py_ffi::unpack(&info).map(|info| Handled { info })
        }
        #[cfg(Py_3_13)]
        {
            let exception = py_ffi::method(&sys, Name::exception, [])?;
            Ok(Handled { exception })
        }
    }

    /// `traceback.print_exception` to stderr.
    fn print(&self, py: Python<'py>) -> Res<()> {
        let print = py_ffi::getattr(&globals::get(py, Name::traceback)?, Name::print_exception)?;
        let none = py_ffi::none(py);
        let stderr = stderr(py)?;
        #[cfg(not(Py_3_13))]
        let printed = {
            let [kind, value, trace] = &self.info;
            py_ffi::call(&print, &[kind, value, trace, &none, &stderr])
        };
        #[cfg(Py_3_13)]
        let printed = {
            let names = py_ffi::new_tuple(py, &[&Name::limit.object(py), &Name::file.object(py)])?;
            let args = [&self.exception, &none, &stderr];
            py_ffi::call_keywords(&print, &args, Some(&names))
        };
        printed.map(drop).at(py, HERE, calling("print_exception"))
    }

    /// The frame its traceback starts with.
    fn frame(&self) -> Res<Obj<'py>> {
        #[cfg(not(Py_3_13))]
        let trace = &self.info[2];
        #[cfg(Py_3_13)]
        let trace = &py_ffi::getattr(&self.exception, Name::__traceback__).at(
            self.exception.py(),
            HERE,
            get("__traceback__"),
        )?;
        py_ffi::getattr(trace, Name::tb_frame).at(trace.py(), HERE, get("tb_frame"))
    }
}

fn print<'py>(error: &Handled<'py>, record: &Obj<'py>, caller: Option<Obj<'py>>) -> Res<()> {
    let py = record.py();
    write(py, "--- Logging error ---\n", 0)?;
    error.print(py)?;
    write(py, "Call stack:\n", 1)?;
    let frame = outside(error.frame()?, caller)?;
    if py_ffi::truthy(&frame)? {
        let print = py_ffi::getattr(&globals::get(py, Name::traceback)?, Name::print_stack)?;
        let names = py_ffi::new_tuple(py, &[&Name::file.object(py)])?;
        py_ffi::call_keywords(&print, &[&frame, &stderr(py)?], Some(&names)).at(
            py,
            HERE,
            calling("print_stack"),
        )?;
    } else {
        let place = [Name::filename, Name::lineno];
        write_filled(
            "Logged from file %s, line %s\n",
            record,
            place,
            py_ffi::str,
            2,
        )?;
    }
    // The message may be what failed, and its repr may fail again.
    let message = [Name::msg, Name::args];
    match write_filled(
        "Message: %s\nArguments: %s\n",
        record,
        message,
        py_ffi::repr,
        3,
    ) {
        Err(raised) if !is(&raised, py, Exc::Recursion) && is(&raised, py, Exc::Exception) => {
            let exception = raised.take(py);
            py_ffi::while_handling(&exception, || {
                write(
                    py,
                    "Unable to print the message and arguments - possible formatting error.\n\
                     Use the traceback above to help find the error.\n",
                    4,
                )
            })
        }
        other => other,
    }
}

/// The first frame, from `frame` up and on with [`caller`], whose code lies outside the directory of `logging`.
fn outside<'py>(mut frame: Obj<'py>, mut caller: Option<Obj<'py>>) -> Res<Obj<'py>> {
    let py = frame.py();
    let step = |name: Name, of: &Obj<'py>| py_ffi::getattr(of, name).at(py, HERE, get(name.text()));
    while py_ffi::truthy(&frame)? {
        let path = step(Name::path, &globals::get(py, Name::os)?)?;
        let dirname = step(Name::dirname, &path)?;
        let file = step(Name::co_filename, &step(Name::f_code, &frame)?)?;
        let folder = py_ffi::call(&dirname, &[&file]).at(py, HERE, calling("os"))?;
        let own = globals::get(py, Name::__path__)?;
        let own = py_ffi::get_item(&own, &py_ffi::new_int(py, 0)?)?;
        if !py_ffi::eq_operator(&folder, &own)? {
            break;
        }
        frame = step(Name::f_back, &frame)?;
        if frame.is_none() {
            frame = caller.take().unwrap_or(frame);
        }
    }
    Ok(frame)
}

/// `sys.stderr`
fn stderr(py: Python<'_>) -> Res<Obj<'_>> {
    py_ffi::getattr(&globals::get(py, Name::sys)?, Name::stderr)
}

/// The `nth` call of `sys.stderr.write` in the body.
const fn writing(nth: u8) -> Point {
    calling("write").nth(nth)
}

/// `sys.stderr.write(text)`, the body's `nth` one.
fn write(py: Python<'_>, text: &str, nth: u8) -> Res<()> {
    let write = py_ffi::getattr(&stderr(py)?, Name::write).at(py, HERE, get("write").nth(nth))?;
    py_ffi::call(&write, &[&py_ffi::text_from(py, text)?])
        .map(drop)
        .at(py, HERE, writing(nth))
}

/// `sys.stderr.write(format % (record.first, record.second))`, the body's `nth` writing.
///
/// `%` of a literal and a tuple is compiled to the parts one by one: `first` is rendered (by `render`) before `second` is read.
fn write_filled<'py>(
    format: &str,
    record: &Obj<'py>,
    names: [Name; 2],
    render: fn(&Obj<'py>) -> Res<Obj<'py>>,
    nth: u8,
) -> Res<()> {
    let py = record.py();
    let write = py_ffi::getattr(&stderr(py)?, Name::write).at(py, HERE, get("write").nth(nth))?;
    let part = |name: Name, render: fn(&Obj<'py>) -> Res<Obj<'py>>| {
        py_ffi::getattr(record, name)
            .and_then(|value| render(&value))
            .at(py, HERE, get(name.text()))
    };
    let first = part(names[0], render)?;
    let second = part(names[1], py_ffi::str)?;
    let values = py_ffi::new_tuple(py, &[&first, &second])?;
    let text = py_ffi::remainder(&py_ffi::text_from(py, format)?, &values)?;
    py_ffi::call(&write, &[&text])
        .map(drop)
        .at(py, HERE, writing(nth))
}
