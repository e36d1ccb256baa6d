//! `copy.copy` of a record, done directly where it means "a new instance with the same attributes" and nothing else.
use pyo3::prelude::*;

use crate::cell::Shared;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals::{self, Module};
use crate::names::Name;
use crate::saved::Saved;

static COPY: Module = Module::new();
static FUNCTION: Saved = Saved::new();

/// What a class or an instance may define to be copied its own way.
const HOOKS: [Name; 7] = [
    Name::__copy__,
    Name::__reduce_ex__,
    Name::__reduce__,
    Name::__getstate__,
    Name::__setstate__,
    Name::__getnewargs__,
    Name::__getnewargs_ex__,
];

/// Saves what is the interpreter's own at this moment. Called when binding `logging.handlers`.
pub fn init(py: Python<'_>) -> PyResult<()> {
    let module = py.import("copy")?;
    let function = module.getattr("copy")?;
    if py_ffi::is_function_of(&function, &module) {
        FUNCTION.set(function);
    }
    COPY.attach(&module);
    Ok(())
}

/// `copy.copy(record)` through the global of `logging.handlers`.
pub fn copy<'py>(record: &Obj<'py>) -> Res<Obj<'py>> {
    let py = record.py();
    let class = record.get_type().into_any();
    if is_plain(&class)? {
        let attributes = py_ffi::getattr(record, Name::__dict__)?;
        if py_ffi::is_dict(&attributes) && !says_how(Some(&attributes))? {
            let copy = py_ffi::new_instance(&class)?;
            let own = py_ffi::getattr(&copy, Name::__dict__)?;
            py_ffi::dict_update(&own, &attributes)?;
            return Ok(copy);
        }
    }
    let copy = py_ffi::getattr(&globals::of_handlers(py, Name::copy)?, Name::copy)?;
    py_ffi::call(&copy, &[record])
}

/// Is an instance of `class` copied by making a new one and giving it the same attributes? True only of the stdlib's
/// `LogRecord` while nothing was added to it, and while `copy.copy` and its tables are as they were.
pub fn is_plain(class: &Obj<'_>) -> Res<bool> {
    let py = class.py();
    if !class.is(&globals::get(py, Name::LogRecord)?)
        || !globals::is_original(py, Name::LogRecord)?
        || !py_ffi::is_plain_class(class)
    {
        return Ok(false);
    }
    let module = globals::of_handlers(py, Name::copy)?;
    if !COPY.is(&module)
        || !COPY
            .get_opt(py, Name::copy)?
            .is_some_and(|function| FUNCTION.is(&function))
    {
        return Ok(false);
    }
    for table in [Name::_copy_dispatch, Name::dispatch_table] {
        // From 3.15 on there is no `_copy_dispatch`: built-in types are looked for in sets.
        if let Some(table) = COPY.get_opt(py, table)?
            && (!py_ffi::is_dict(&table) || py_ffi::dict_get(&table, class)?.is_some())
        {
            return Ok(false);
        }
    }
    Ok(has_no_hooks(class))
}

/// Does the class find nothing of its own under any of [`HOOKS`]?
fn has_no_hooks(class: &Obj<'_>) -> bool {
    /// For a version of the class: asking costs 800 instructions.
    static KNOWN: Shared<(u32, bool)> = Shared::new((0, false));
    let (py, tag) = (class.py(), py_ffi::class_tag(class));
    let known = KNOWN.with(py, |(version, answer)| {
        (*version == tag && tag != 0).then_some(*answer)
    });
    known.unwrap_or_else(|| {
        let answer = HOOKS
            .into_iter()
            .all(|hook| py_ffi::class_inherits_from_object(class, hook));
        KNOWN.with(py, |known| *known = (tag, answer));
        answer
    })
}

/// Does an instance with these attributes say itself how it is copied?
pub fn says_how(attributes: Option<&Obj<'_>>) -> Res<bool> {
    let Some(attributes) = attributes else {
        return Ok(false);
    };
    for hook in HOOKS {
        if py_ffi::dict_get(attributes, &hook.object(attributes.py()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
