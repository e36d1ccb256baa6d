//! Levels and their names: `getLevelName`, `_checkLevel`, `addLevelName` and the mapping, from the module's own tables.
use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
use crate::names::Name;
use crate::natives::Target;
use crate::raw;
use crate::trace::{At as _, call as calling, compare, operator, raise};

/// `getLevelName(level)`: by number, else by name, else "Level %s".
pub fn name_of<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let here = Target::GetLevelName;
    for (nth, table) in [Name::_levelToName, Name::_nameToLevel]
        .into_iter()
        .enumerate()
    {
        let table = globals::get(py, table)?;
        if let Some(name) = raw::small_int(level)
            .filter(|_| py_ffi::is_dict(&table))
            .and_then(|number| py_ffi::dict_get_number(&table, level, number))
            .filter(|name| !name.is_none())
        {
            return Ok(name);
        }
        let found = if py_ffi::is_dict(&table) {
            py_ffi::dict_get(&table, level).map(|found| found.unwrap_or_else(|| py_ffi::none(py)))
        } else {
            py_ffi::method(&table, Name::get, [level])
        }
        .at(py, here, calling("get").nth(nth as u8))?;
        if !found.is_none() {
            return Ok(found);
        }
    }
    // "%" takes a tuple apart, exactly as the reference body does.
    py_ffi::remainder(&py_ffi::text_from(py, "Level %s")?, level).at(
        py,
        here,
        operator("get").nth(1),
    )
}

/// `logging.getLevelName`
pub fn get_level_name<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    name_of(call.py(), &level)
}

/// `_checkLevel(level)` through whatever the module holds under that name.
pub fn checked<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    if globals::is_own(py, Name::_checkLevel, Target::CheckLevel)? {
        return check(py, level);
    }
    py_ffi::call(&globals::get(py, Name::_checkLevel)?, &[level])
}

fn check<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    if py_ffi::is_int_like(level) {
        return Ok(level.clone());
    }
    let here = Target::CheckLevel;
    let text = py_ffi::str(level).at(py, here, calling("str"))?;
    if py_ffi::eq_operator(&text, level).at(py, here, compare("str"))? {
        let table = globals::get(py, Name::_nameToLevel)?;
        if !py_ffi::contains(&table, level)? {
            let text = py_ffi::remainder(&py_ffi::text_from(py, "Unknown level: %r")?, level)?;
            let raised = py_ffi::raise_object(py, Exc::Value, &text);
            return Err(raised).at(py, here, raise("ValueError"));
        }
        return py_ffi::get_item(&table, level);
    }
    let format = py_ffi::text_from(py, "Level not an integer or a valid string: %r")?;
    let text = py_ffi::remainder(&format, &py_ffi::new_tuple(py, &[level])?)?;
    Err(py_ffi::raise_object(py, Exc::Type, &text)).at(py, here, raise("TypeError"))
}

/// `logging._checkLevel`
pub fn check_level<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(level)]) = call.parse([Name::level], 1) else {
        return call.mismatch();
    };
    check(call.py(), &level)
}
