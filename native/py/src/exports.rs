//! What the extension module offers to Python.
//!
//! Added here and not by `pymodule_export`, which takes three times as long (it looks for `__all__` each time) and makes every class.
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};
use pyo3::{intern, wrap_pyfunction};

use crate::handler::{asynchronous, framed};
use crate::queue::{QueuedRecord, RecordQueue};
use crate::socket::{FrameReader, PeerSender};
use crate::{bind, disabling, logger, metrics, queue, raw, socket, stats};

macro_rules! functions {
    ($($($home:ident)::+ => $name:literal),* $(,)?) => {
        const FUNCTIONS: &[&str] = &[$($name),*];

        fn function<'py>(module: &Bound<'py, PyModule>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
            Ok(Some(match name {
                $($name => wrap_pyfunction!($($home)::+, module)?.into_any(),)*
                _ => return Ok(None),
            }))
        }
    };
}

functions! {
    bind::bind => "bind",
    bind::bind_config => "bind_config",
    bind::bind_handlers => "bind_handlers",
    bind::bound_objects => "bound_objects",
    bind::call_native => "call_native",
    bind::call_reference_by_name => "call_reference",
    bind::is_bound => "is_bound",
    bind::observe => "observe",
    bind::runs => "runs",
    bind::unbind => "unbind",
    disabling::disabled_by => "disabled_by",
    asynchronous::know_asynchronous => "know_asynchronous",
    asynchronous::move_attributes => "move_attributes",
    framed::know_framed => "know_framed",
    logger::makes_records_alone => "makes_records_alone",
    logger::rename_clashing_extra => "rename_clashing_extra",
    logger::renames_clashing_extra => "renames_clashing_extra",
    metrics::metrics_bounds => "metrics_bounds",
    metrics::metrics_count => "metrics_count",
    metrics::metrics_observe => "metrics_observe",
    metrics::metrics_read => "metrics_read",
    queue::bulk => "bulk",
    raw::_raw_probe => "_raw_probe",
    raw::_raw_selftest => "_raw_selftest",
    socket::decode_payload => "decode_payload",
    socket::kind_of_payload => "kind_of_payload",
    stats::reset_stats => "reset_stats",
    stats::stats => "stats",
    raw_layout => "raw_layout",
    raw_refusal => "raw_refusal",
}

/// What else [`__getattr__`] knows, and the version.
const OTHERS: &[&str] = &[
    "__version__",
    "FrameReader",
    "PeerSender",
    "QueuedRecord",
    "RecordQueue",
];

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let names = module.dict();
    names.set_item("__version__", env!("CARGO_PKG_VERSION"))?;
    names.set_item("__getattr__", wrap_pyfunction!(__getattr__, module)?)
}

/// Functions and classes, each made when it is asked for: a program uses few of them, and a function takes 1 µs, a class 10.
#[pyfunction(pass_module)]
fn __getattr__<'py>(
    module: &Bound<'py, PyModule>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    let text = name.to_str().unwrap_or_default();
    let found = match text {
        "FrameReader" => py.get_type::<FrameReader>().into_any(),
        "PeerSender" => py.get_type::<PeerSender>().into_any(),
        "QueuedRecord" => py.get_type::<QueuedRecord>().into_any(),
        "RecordQueue" => py.get_type::<RecordQueue>().into_any(),
        "__all__" => PyList::new(py, [OTHERS, FUNCTIONS].concat())?.into_any(),
        _ => function(module, text)?.ok_or_else(|| {
            PyAttributeError::new_err(format!(
                "module 'femtolog._native' has no attribute {}",
                name.repr().map_or_else(
                    |_| text.to_owned(),
                    |name| name.to_string_lossy().into_owned()
                )
            ))
        })?,
    };
    // Another thread may have made it meanwhile.
    module
        .dict()
        .call_method1(intern!(py, "setdefault"), (name, found))
}

/// How interpreter structures are read: `raw` (verified at load), `parallel` (the same for what may be read without a GIL) or
/// `public` (the C API's own functions).
#[pyfunction]
fn raw_layout() -> &'static str {
    raw::layout_name()
}

/// Why interpreter structures are read by the public API; empty where they are not.
#[pyfunction]
fn raw_refusal() -> &'static str {
    raw::refusal()
}
