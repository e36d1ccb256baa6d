//! What stands in a class or module on 3.11, where a function's vectorcall entry cannot be changed: a method descriptor (or a
//! built-in function) that carries the original's name, signature text and docstring.
use std::ffi::{CString, c_int};
use std::sync::Mutex;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::bind::RawEntry;
use crate::natives::{Entry, Home, TABLE, Target};

/// The method definitions given to `CPython`, which keeps pointers to them for ever, and what they stand for.
static DEFINITIONS: Mutex<Vec<(usize, Target)>> = Mutex::new(Vec::new());

const FLAGS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;

/// Makes the stand-in for `function`.
pub fn stand_in<'py>(
    py: Python<'py>,
    entry: &Entry,
    holder: &Bound<'py, PyAny>,
    function: &Bound<'py, PyAny>,
    run: RawEntry,
) -> PyResult<Bound<'py, PyAny>> {
    let name = CString::new(entry.name)?;
    let doc = CString::new(documentation(entry, function)?)?;
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.into_raw(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: run.fastcall,
        },
        ml_flags: FLAGS,
        ml_doc: doc.into_raw(),
    }));
    if let Ok(mut definitions) = DEFINITIONS.lock() {
        definitions.push((std::ptr::from_mut(definition) as usize, entry.target));
    }
    // SAFETY: the definition is leaked on purpose, so it outlives the object; `holder` is a class or a module; the descriptor
    // was made here and nobody else has seen it.
    unsafe {
        match entry.home {
            Home::Class(_) | Home::HandlersClass(_) => {
                let descriptor = Bound::from_owned_ptr_or_err(
                    py,
                    ffi::PyDescr_NewMethod(holder.as_ptr().cast(), definition),
                )?;
                // Its own entry insists on an instance of the class as `self`; a function takes any object, and calls
                // without one are the interpreter's to complain about.
                (*descriptor.as_ptr().cast::<ffi::PyMethodDescrObject>()).vectorcall =
                    Some(run.vectorcall);
                Ok(descriptor)
            }
            Home::Logging | Home::Handlers | Home::Config => {
                let module = holder.getattr("__name__")?;
                Bound::from_owned_ptr_or_err(
                    py,
                    ffi::PyCFunction_NewEx(definition, std::ptr::null_mut(), module.as_ptr()),
                )
            }
        }
    }
}

/// "name(signature)\n--\n\ndocstring", which `CPython` splits into `__text_signature__` and `__doc__`.
fn documentation(entry: &Entry, function: &Bound<'_, PyAny>) -> PyResult<String> {
    let code = function.getattr("__code__")?;
    let names: Vec<String> = code.getattr("co_varnames")?.extract()?;
    let positional: usize = code.getattr("co_argcount")?.extract()?;
    let keyword_only: usize = code.getattr("co_kwonlyargcount")?.extract()?;
    let flags: u32 = code.getattr("co_flags")?.extract()?;
    let defaults: Vec<Bound<'_, PyAny>> = match function.getattr("__defaults__")? {
        none if none.is_none() => Vec::new(),
        tuple => tuple.extract()?,
    };
    let keyword_defaults = function.getattr("__kwdefaults__")?;
    let mut parts = Vec::new();
    for (index, name) in names[..positional].iter().enumerate() {
        let prefix = if index == 0 && entry.home.is_class() {
            "$"
        } else {
            ""
        };
        let default = (index + defaults.len())
            .checked_sub(positional)
            .and_then(|at| defaults.get(at));
        parts.push(match default {
            Some(value) => format!("{prefix}{name}={}", value.repr()?),
            None => format!("{prefix}{name}"),
        });
    }
    let mut next = positional + keyword_only;
    if flags & 0x04 != 0 {
        parts.push(format!("*{}", names[next]));
        next += 1;
    } else if keyword_only > 0 {
        parts.push("*".to_owned());
    }
    for name in &names[positional..positional + keyword_only] {
        let default = if keyword_defaults.is_none() {
            None
        } else {
            keyword_defaults.get_item(name).ok()
        };
        parts.push(match default {
            Some(value) => format!("{name}={}", value.repr()?),
            None => name.clone(),
        });
    }
    if flags & 0x08 != 0 {
        parts.push(format!("**{}", names[next]));
    }
    let doc = function.getattr("__doc__")?;
    let doc: String = if doc.is_none() {
        String::new()
    } else {
        doc.extract()?
    };
    Ok(format!("{}({})\n--\n\n{doc}", entry.name, parts.join(", ")))
}

/// Which native implementation a C method definition belongs to.
pub fn target_of_method(definition: *const ffi::PyMethodDef) -> Target {
    let Ok(definitions) = DEFINITIONS.lock() else {
        return Target::Foreign;
    };
    definitions
        .iter()
        .find(|(address, _)| *address == definition as usize)
        .map_or(Target::Foreign, |(_, target)| *target)
}

/// The class or module `entry` lives in, as it is in `sys.modules` now.
pub fn holder<'py>(py: Python<'py>, entry: &Entry) -> Option<Bound<'py, PyAny>> {
    let module = py
        .import("sys")
        .ok()?
        .getattr("modules")
        .ok()?
        .get_item(entry.home.module().name())
        .ok()?;
    match entry.home {
        Home::Class(class) | Home::HandlersClass(class) => module.getattr(class).ok(),
        Home::Logging | Home::Handlers | Home::Config => Some(module),
    }
}

const _: () = assert!(!TABLE.is_empty());
