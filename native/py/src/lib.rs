//! `femtolog._native`: the Rust implementation of Python's `logging`, bound onto the interpreter's own classes.
//!
//! Unsafe code lives in `bind`, `cell`, `ffi`, `fork`, `guard`, `raw`, `signature`, `stack` and `unwind`; every other module is safe Rust on top of them.
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
mod exports;
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
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod unwind;

#[pymodule(gil_used = false)]
#[pyo3(name = "_native")]
mod native {
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        crate::ffi::init();
        crate::raw::init(py);
        crate::raw::textio::discover(py);
        crate::exports::add(module)?;
        crate::names::intern(py)
            .and_then(|()| crate::clock::init(py))
            .map_err(|raised| PyErr::from_value(raised.take(py)))
    }
}
