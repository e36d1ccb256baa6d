//! Makes `cfg(Py_3_12)` and its like known to this crate; without it they are silently false.
fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
