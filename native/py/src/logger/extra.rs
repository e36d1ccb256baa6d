//! `femtolog.extra_policy`: what becomes of a key of `extra` that a record has already. Asked only where such a key was found.
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::ffi::{self as py_ffi, Obj, Res};
use crate::record;

static RENAME: AtomicBool = AtomicBool::new(false);

/// Stores keys of `extra` that clash under another name from now on (`on`), or lets them raise `KeyError`, as the standard library
/// does.
#[pyfunction]
pub fn rename_clashing_extra(on: bool) {
    RENAME.store(on, Ordering::Relaxed);
}

/// Are keys of `extra` that clash stored under another name?
#[pyfunction]
pub fn renames_clashing_extra() -> bool {
    RENAME.load(Ordering::Relaxed)
}

/// Can this key, which clashes, be stored under another name? Then it is text, and the policy says so.
#[cold]
pub(super) fn is_renamed(key: &Obj<'_>) -> bool {
    renames_clashing_extra() && py_ffi::is_str_like(key)
}

/// The name a key that clashes is stored under: with as many `extra_` before it as it takes until nobody has the name, neither the
/// record nor another key of `extra`. So it does not depend on the order of the keys, and none is lost.
#[cold]
pub(super) fn free_name<'py>(
    key: &Obj<'py>,
    taken: impl Fn(&Obj<'py>) -> Res<bool>,
) -> Res<Obj<'py>> {
    let py = key.py();
    let prefix = py_ffi::text_from(py, "extra_")?;
    let mut name = key.clone();
    loop {
        let parts = py_ffi::new_list(py)?;
        py_ffi::list_append(&parts, &prefix)?;
        py_ffi::list_append(&parts, &name)?;
        name = py_ffi::join("", &parts)?;
        if !taken(&name)? {
            return Ok(name);
        }
    }
}

/// `extra`, an exact dict with exact `str` keys, with those renamed that every record has.
#[cold]
pub(super) fn renamed<'py>(extra: &Obj<'py>) -> Res<Obj<'py>> {
    let result = py_ffi::new_dict(extra.py())?;
    for (key, value) in py_ffi::dict_items(extra) {
        let key = if record::is_reserved(&key) {
            free_name(&key, |name| {
                Ok(record::is_reserved(name) || py_ffi::dict_get(extra, name)?.is_some())
            })?
        } else {
            key
        };
        py_ffi::dict_set(&result, &key, &value)?;
    }
    Ok(result)
}
