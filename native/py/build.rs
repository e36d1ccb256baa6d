//! Makes `cfg(Py_3_12)` and its like known to this crate; without it they are silently false.
//!
//! `libgcc_s` stays a shared library, although to load it takes 0.17 ms. With an unwinder of our own inside, a thread that `pthread_exit`
//! unwinds (the interpreter does that at its end until 3.13) aborts the process: its frames are those of the shared one.
fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
