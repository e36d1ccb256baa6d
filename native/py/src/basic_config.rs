//! `basicConfig`: the root logger's handlers, formatter and level, from keyword arguments.
use std::sync::atomic::AtomicU8;

use pyo3::prelude::*;

use crate::bind;
use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::globals;
use crate::handler::file;
use crate::lock;
use crate::names::Name;
use crate::natives::Target;

/// `logging.basicConfig`
pub fn basic_config<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    if call.len() > 0 {
        return call.mismatch();
    }
    let options = call.keyword_dict()?;
    lock::module(call.py(), || configure(&options))?;
    Ok(py_ffi::none(call.py()))
}

fn configure(options: &Obj<'_>) -> Res<()> {
    let py = options.py();
    let none = py_ffi::none(py);
    let force = pop(options, Name::force)?;
    let encoding = pop(options, Name::encoding)?.unwrap_or_else(|| none.clone());
    let errors = match pop(options, Name::errors)? {
        Some(errors) => errors,
        None => py_ffi::text_from(py, "backslashreplace")?,
    };
    if let Some(force) = force
        && py_ffi::truthy(&force)?
    {
        remove_all(py)?;
    }
    if py_ffi::len(&py_ffi::getattr(&root(py)?, Name::handlers)?)? != 0 {
        return Ok(());
    }
    let handlers =
        if let Some(given) = pop(options, Name::handlers)?.filter(|given| !given.is_none()) {
            if has(options, Name::stream)? || has(options, Name::filename)? {
                return Err(refuse(
                    py,
                    "'stream' or 'filename' should not be specified together with 'handlers'",
                ));
            }
            given
        } else {
            if has(options, Name::stream)? && has(options, Name::filename)? {
                return Err(refuse(
                    py,
                    "'stream' and 'filename' should not be specified together",
                ));
            }
            let list = py_ffi::new_list(py)?;
            py_ffi::list_append(&list, &handler(options, encoding, errors)?)?;
            list
        };
    let formatter = formatter(options)?;
    let each = py_ffi::iter(&handlers)?;
    while let Some(handler) = py_ffi::next(&each)? {
        if py_ffi::getattr(&handler, Name::formatter)?.is_none() {
            py_ffi::method(&handler, Name::setFormatter, [&formatter])?;
        }
        py_ffi::method(&root(py)?, Name::addHandler, [&handler])?;
    }
    if let Some(level) = pop(options, Name::level)?.filter(|level| !level.is_none()) {
        py_ffi::method(&root(py)?, Name::setLevel, [&level])?;
    }
    if py_ffi::dict_len(options) > 0 {
        let names = py_ffi::join(", ", &py_ffi::method(options, Name::keys, [])?)?;
        let text = py_ffi::percent(py, "Unrecognised argument(s): %s", &[&names])?;
        return Err(py_ffi::raise_object(py, Exc::Value, &text));
    }
    Ok(())
}

fn root(py: Python<'_>) -> Res<Obj<'_>> {
    globals::get(py, Name::root)
}

/// Takes an option out of the keyword arguments.
fn pop<'py>(options: &Obj<'py>, name: Name) -> Res<Option<Obj<'py>>> {
    let key = name.object(options.py());
    let found = py_ffi::dict_get(options, &key)?;
    if found.is_some() {
        py_ffi::del_item(options, &key)?;
    }
    Ok(found)
}

fn has(options: &Obj<'_>, name: Name) -> Res<bool> {
    py_ffi::dict_get(options, &name.object(options.py())).map(|found| found.is_some())
}

#[cold]
fn refuse(py: Python<'_>, text: &str) -> Raised {
    py_ffi::raise(py, Exc::Value, text)
}

/// Takes every handler off the root logger and closes it.
fn remove_all(py: Python<'_>) -> Res<()> {
    let handlers = py_ffi::getattr(&root(py)?, Name::handlers)?;
    let each = py_ffi::iter(&py_ffi::slice(&handlers, None, None)?)?;
    while let Some(handler) = py_ffi::next(&each)? {
        py_ffi::method(&root(py)?, Name::removeHandler, [&handler])?;
        py_ffi::method(&handler, Name::close, [])?;
    }
    Ok(())
}

/// The handler for `filename` or `stream`.
fn handler<'py>(options: &Obj<'py>, mut encoding: Obj<'py>, mut errors: Obj<'py>) -> Res<Obj<'py>> {
    let py = options.py();
    let none = py_ffi::none(py);
    let filename = pop(options, Name::filename)?.unwrap_or_else(|| none.clone());
    let mode = match pop(options, Name::filemode)? {
        Some(mode) => mode,
        None => py_ffi::text_from(py, "a")?,
    };
    if !py_ffi::truthy(&filename)? {
        let stream = pop(options, Name::stream)?.unwrap_or(none);
        return py_ffi::call(&globals::get(py, Name::StreamHandler)?, &[&stream]);
    }
    if py_ffi::contains(&mode, &py_ffi::text_from(py, "b")?)? {
        errors = none;
    } else {
        encoding = file::text_encoding(&encoding)?;
    }
    let keywords = py_ffi::new_tuple(py, &[&Name::encoding.object(py), &Name::errors.object(py)])?;
    py_ffi::call_keywords(
        &globals::get(py, Name::FileHandler)?,
        &[&filename, &mode, &encoding, &errors],
        Some(&keywords),
    )
}

/// The formatter given (3.15+), or one of `format`, `datefmt` and `style`.
fn formatter<'py>(options: &Obj<'py>) -> Res<Obj<'py>> {
    static TAKES_FORMATTER: AtomicU8 = AtomicU8::new(0);
    let py = options.py();
    if bind::reference_says(py, &TAKES_FORMATTER, Target::BasicConfig, "formatter")
        && let Some(given) = pop(options, Name::formatter)?.filter(|given| !given.is_none())
    {
        for other in [Name::datefmt, Name::format, Name::style] {
            if has(options, other)? {
                return Err(refuse(
                    py,
                    &format!(
                        "'{}' should not be specified together with 'formatter'",
                        other.text()
                    ),
                ));
            }
        }
        return Ok(given);
    }
    let datefmt = pop(options, Name::datefmt)?.unwrap_or_else(|| py_ffi::none(py));
    let style = match pop(options, Name::style)? {
        Some(style) => style,
        None => py_ffi::text_from(py, "%")?,
    };
    require_style(&style)?;
    let styles = globals::get(py, Name::_STYLES)?;
    let pair = py_ffi::get_item(&styles, &style)?;
    let default = py_ffi::get_item(&pair, &py_ffi::new_int(py, 1)?)?;
    let format = pop(options, Name::format)?.unwrap_or(default);
    py_ffi::call(
        &globals::get(py, Name::Formatter)?,
        &[&format, &datefmt, &style],
    )
}

/// Raises unless `style` is one of the styles.
fn require_style(style: &Obj<'_>) -> Res<()> {
    let py = style.py();
    if py_ffi::contains(&globals::get(py, Name::_STYLES)?, style)? {
        return Ok(());
    }
    let styles = globals::get(py, Name::_STYLES)?;
    let names = py_ffi::join(",", &py_ffi::method(&styles, Name::keys, [])?)?;
    let text = py_ffi::percent(py, "Style must be one of: %s", &[&names])?;
    Err(py_ffi::raise_object(py, Exc::Value, &text))
}
