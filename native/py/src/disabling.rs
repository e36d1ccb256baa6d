//! Which call of `dictConfig()` or `fileConfig()` disabled a logger: noted when it does, for `femtolog.explain()`.
//!
//! The interpreter's own body does the work. What is looked at afterwards is its arguments and who called, and no code of the
//! program's runs.
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};

/// Of the loggers that are disabled now: {name: (function of `logging.config`, file, line, function in it, seconds since 1970)}.
static NOTES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// `logging.config._handle_existing_loggers`: called once by each configuration that is not incremental.
pub fn handle_existing_loggers<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let result = call.interpreters_own()?;
    if let (Some(existing), Some(children), Some(disable)) = (call.arg(0), call.arg(1), call.arg(2))
    {
        // What cannot be noted is not told, and the program has its configuration all the same.
        let _ = note(&existing, &children, &disable);
    }
    Ok(result)
}

/// `existing` are the loggers that the configuration does not name: those of them that are not `children` of named ones have been
/// given `disable`, the children are as they were, and all others have been enabled.
fn note(existing: &Obj<'_>, children: &Obj<'_>, disable: &Obj<'_>) -> PyResult<()> {
    let py = existing.py();
    let (existing, children) = (
        existing.cast_exact::<PyList>()?,
        children.cast_exact::<PyList>()?,
    );
    let notes = NOTES.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    let before = notes.copy()?;
    notes.clear();
    let place = if disable
        .cast_exact::<pyo3::types::PyBool>()
        .is_ok_and(|disable| !disable.is_true())
    {
        None
    } else {
        place(py)?
    };
    for name in existing {
        let Ok(name) = name.cast_exact::<PyString>() else {
            continue;
        };
        if children.contains(name)? {
            if let Some(note) = before.get_item(name)? {
                notes.set_item(name, note)?;
            }
        } else if let Some(place) = &place {
            notes.set_item(name, place)?;
        }
    }
    Ok(())
}

/// The first caller that is neither `logging.config` nor femtolog, and the outermost function of these, which it called.
fn place(py: Python<'_>) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let mut called = py.None().into_bound(py);
    let mut frame = py_ffi::current_frame(py);
    while let Some(running) = frame {
        let code = py_ffi::frame_code(&running);
        let function = code.getattr(intern!(py, "co_qualname"))?;
        let globals = running.getattr(intern!(py, "f_globals"))?;
        let module = globals
            .cast_exact::<PyDict>()?
            .get_item(intern!(py, "__name__"))?;
        if !module.is_some_and(|name| is_inner(&name)) {
            let file = code.getattr(intern!(py, "co_filename"))?;
            let line = running.getattr(intern!(py, "f_lineno"))?;
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            return (called, file, line, function, now.as_secs_f64())
                .into_pyobject(py)
                .map(Some);
        }
        called = function;
        frame = py_ffi::frame_back(&running);
    }
    Ok(None)
}

fn is_inner(module: &Obj<'_>) -> bool {
    module.cast_exact::<PyString>().is_ok_and(|name| {
        name.to_str().is_ok_and(|name| {
            matches!(name, "logging.config" | "femtolog") || name.starts_with("femtolog.")
        })
    })
}

/// Forgets all notes: from now on configurations go unseen.
pub fn forget(py: Python<'_>) {
    if let Some(notes) = NOTES.get(py) {
        notes.bind(py).clear();
    }
}

/// What disabled the logger called `name`, if it is known: function of `logging.config`, file, line, function in it, and when, in
/// seconds since 1970.
#[pyfunction]
#[pyo3(signature = (name, /))]
pub fn disabled_by<'py>(name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = name.py();
    NOTES
        .get(py)
        .map_or(Ok(None), |notes| notes.bind(py).get_item(name))
}
