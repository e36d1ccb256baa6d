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

/// What [`__getattr__`] knows, and what is no function.
const OTHERS: [&str; 5] = [
    "__version__",
    "FrameReader",
    "PeerSender",
    "QueuedRecord",
    "RecordQueue",
];

pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! functions {
        ($($function:path),* $(,)?) => { [$(wrap_pyfunction!($function, module)?),*] };
    }
    let (py, names) = (module.py(), module.dict());
    let all = PyList::new(py, OTHERS)?;
    for function in functions![
        bind::bind,
        bind::bind_config,
        bind::bind_handlers,
        bind::bound_objects,
        bind::call_native,
        bind::call_reference_by_name,
        bind::is_bound,
        bind::observe,
        bind::runs,
        bind::unbind,
        disabling::disabled_by,
        asynchronous::know_asynchronous,
        asynchronous::move_attributes,
        framed::know_framed,
        logger::makes_records_alone,
        logger::rename_clashing_extra,
        logger::renames_clashing_extra,
        metrics::metrics_bounds,
        metrics::metrics_count,
        metrics::metrics_observe,
        metrics::metrics_read,
        queue::bulk,
        raw::_raw_probe,
        raw::_raw_selftest,
        socket::decode_payload,
        socket::kind_of_payload,
        stats::reset_stats,
        stats::stats,
        raw_layout,
        raw_refusal,
    ] {
        let name = function.getattr(intern!(py, "__name__"))?;
        all.append(&name)?;
        names.set_item(name, function)?;
    }
    names.set_item("__version__", env!("CARGO_PKG_VERSION"))?;
    names.set_item("__getattr__", wrap_pyfunction!(__getattr__, module)?)?;
    names.set_item("__all__", all)
}

/// The classes, each made when it is asked for: few programs do, and it takes 10 µs.
#[pyfunction(pass_module)]
fn __getattr__<'py>(
    module: &Bound<'py, PyModule>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = module.py();
    let class = match name.to_str().unwrap_or_default() {
        "FrameReader" => py.get_type::<FrameReader>(),
        "PeerSender" => py.get_type::<PeerSender>(),
        "QueuedRecord" => py.get_type::<QueuedRecord>(),
        "RecordQueue" => py.get_type::<RecordQueue>(),
        _ => {
            return Err(PyAttributeError::new_err(format!(
                "module 'femtolog._native' has no attribute {}",
                name.repr()?.to_string_lossy()
            )));
        }
    };
    module.dict().set_item(name, &class)?;
    Ok(class.into_any())
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
