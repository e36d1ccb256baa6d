//! `femtolog._native`: the Rust implementation of Python's `logging`, bound onto the interpreter's own classes.
//!
//! Unsafe code lives in `bind`, `cell`, `ffi`, `fork`, `guard`, `raw`, `signature` and `stack`; every other module is safe Rust on top of them.
#![allow(
    bindings_with_variant_name,
    reason = "`Name` spells its variants as Python does and is never glob-imported"
)]
use pyo3::prelude::*;

mod adapter;
mod basic_config;
#[allow(unsafe_code)]
mod bind;
mod call;
mod caller;
#[allow(unsafe_code)]
mod cell;
mod clock;
mod context;
mod disabling;
#[allow(unsafe_code)]
mod ffi;
mod filter;
#[allow(unsafe_code)]
mod fork;
mod format;
mod functions;
mod globals;
#[allow(unsafe_code)]
mod guard;
mod handler;
mod kept;
mod late;
mod level;
mod lock;
mod logger;
mod manager;
mod metrics;
mod names;
mod natives;
mod ordinary;
mod queue;
#[allow(unsafe_code)]
mod raw;
mod record;
mod saved;
#[cfg(not(Py_3_12))]
#[allow(unsafe_code)]
mod signature;
mod socket;
#[allow(unsafe_code)]
mod stack;
mod stats;
mod trace;

#[pymodule(gil_used = false)]
#[pyo3(name = "_native")]
mod native {
    #[pymodule_export]
    use super::bind::{
        bind, bind_config, bind_handlers, bound_objects, call_native, call_reference_by_name,
        is_bound, observe, runs, unbind,
    };
    #[pymodule_export]
    use super::disabling::disabled_by;
    #[pymodule_export]
    use super::handler::asynchronous::{know_asynchronous, move_attributes};
    #[pymodule_export]
    use super::handler::framed::know_framed;
    #[pymodule_export]
    use super::logger::{makes_records_alone, rename_clashing_extra, renames_clashing_extra};
    #[pymodule_export]
    use super::metrics::{metrics_bounds, metrics_count, metrics_observe, metrics_read};
    #[pymodule_export]
    use super::queue::{QueuedRecord, RecordQueue, bulk};
    #[pymodule_export]
    use super::raw::{_raw_probe, _raw_selftest};
    #[pymodule_export]
    use super::socket::{FrameReader, PeerSender, decode_payload, kind_of_payload};
    #[pymodule_export]
    use super::stats::{reset_stats, stats};
    use pyo3::prelude::*;

    /// How interpreter structures are read: `raw` (verified at load), `parallel` (the same for what may be read without a GIL) or
    /// `public` (the C API's own functions).
    #[pyfunction]
    fn raw_layout() -> &'static str {
        crate::raw::layout_name()
    }

    /// Why interpreter structures are read by the public API; empty where they are not.
    #[pyfunction]
    fn raw_refusal() -> &'static str {
        crate::raw::refusal()
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::ffi::init();
        crate::raw::init(py);
        crate::raw::textio::discover(py);
        crate::names::intern(py)
            .and_then(|()| crate::clock::init(py))
            .map_err(|raised| PyErr::from_value(raised.take(py)))
    }
}
