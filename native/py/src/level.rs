//! Levels and their names: `getLevelName`, `_checkLevel`, `addLevelName` and the mapping, from the module's own tables.
use pyo3::prelude::*;
#[cfg(Py_3_12)]
use pyo3::types::PyDict;

use crate::call::Call;
#[cfg(Py_3_12)]
use crate::cell::Shared;
use crate::ffi::Ref;
#[cfg(Py_3_12)]
use crate::ffi::Remembered;
use crate::ffi::{self as py_ffi, Exc, Obj, Res};
use crate::globals;
#[cfg(Py_GIL_DISABLED)]
use crate::guard;
use crate::late::Late;
use crate::names::Name;
use crate::natives::Target;
use crate::raw;
use crate::trace::{At as _, call as calling, compare, operator, raise};

/// `getLevelName(level)`: by number, else by name, else "Level %s".
pub fn name_of<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Obj<'py>> {
    let here = Target::GetLevelName;
    for (nth, name) in TABLES.into_iter().enumerate() {
        let (own, kept) = (Late::new(), kept(py, name));
        let table: &Obj<'py> = match &kept {
            Some(kept) => kept,
            None => own.get_or(|| globals::get(py, name))?,
        };
        if let Some(name) = at_hand(table, level) {
            return Ok(name);
        }
        let found = if py_ffi::is_dict(table) {
            py_ffi::dict_get(table, level).map(|found| found.unwrap_or_else(|| py_ffi::none(py)))
        } else {
            py_ffi::method(table, Name::get, [level])
        }
        .at(py, here, calling("get").nth(nth as u8))?;
        if !found.is_none() {
            return Ok(found);
        }
    }
    if let Some(number) = raw::small_int(level) {
        return py_ffi::text_from(py, &format!("Level {number}"));
    }
    // "%" takes a tuple apart, exactly as the reference body does.
    py_ffi::remainder(&py_ffi::text_from(py, "Level %s")?, level).at(
        py,
        here,
        operator("get").nth(1),
    )
}

/// The same where it runs no Python code; `None` where it might: keys of somebody's class compare by their code.
pub fn name_unasked<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<Option<Obj<'py>>> {
    let plain = |key: &Obj<'_>| py_ffi::is_int(key) || py_ffi::is_str(key);
    if !py_ffi::is_int(level) {
        return Ok(None);
    }
    for name in TABLES {
        let table = globals::get(py, name)?;
        if at_hand(&table, level).is_some() {
            break;
        }
        if !py_ffi::is_dict(&table) || !py_ffi::all_keys(&table, plain) {
            return Ok(None);
        }
    }
    name_of(py, level).map(Some)
}

/// Where a name is looked for, one after the other.
const TABLES: [Name; 2] = [Name::_levelToName, Name::_nameToLevel];

/// What a table has for a level, where no key is compared to find it.
fn at_hand<'py>(table: &Obj<'py>, level: &Obj<'py>) -> Option<Obj<'py>> {
    let number = raw::small_int(level).filter(|_| py_ffi::is_dict(table))?;
    py_ffi::dict_get_number(table, level, number).filter(|name| !name.is_none())
}

/// The table without a reference to it, which all threads would count, where it is the one that is kept.
#[cfg(Py_GIL_DISABLED)]
fn kept(py: Python<'_>, name: Name) -> Option<Ref<'static, '_>> {
    globals::kept(py, &globals::LOGGING, name)
}

/// With a GIL references cost nothing more.
#[cfg(not(Py_GIL_DISABLED))]
fn kept(_: Python<'_>, _: Name) -> Option<Ref<'static, '_>> {
    None
}

/// Names of levels up to the highest of the standard ones, read while `getLevelName` was the stdlib's and its table a dict; borrowed from that dict, which has
/// not changed as long as the epoch is the same. A lookup takes 150 instructions, this 40.
#[cfg(Py_3_12)]
struct Known {
    epoch: globals::Epoch,
    #[cfg(Py_GIL_DISABLED)]
    bindings: u64,
    names: [Remembered; LEVELS],
}

/// The levels from `NOTSET` to `CRITICAL`.
#[cfg(Py_3_12)]
const LEVELS: usize = 51;

#[cfg(Py_3_12)]
static KNOWN: Shared<Known> = Shared::new(Known {
    epoch: 0,
    #[cfg(Py_GIL_DISABLED)]
    bindings: 0,
    names: [Remembered::NOTHING; LEVELS],
});

/// The place of a level in [`Known::names`].
#[cfg(Py_3_12)]
#[inline]
fn place(level: &Obj<'_>) -> Option<usize> {
    raw::level_number(level).filter(|number| *number < LEVELS)
}

/// [`known_name`], good until Python code runs.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `Facts::lent_level_name`")]
pub fn lent_name<'a, 'py>(py: Python<'py>, level: &Obj<'py>) -> Option<Ref<'a, 'py>> {
    #[cfg(Py_3_12)]
    {
        let place = place(level)?;
        let epoch = globals::epoch(py);
        KNOWN.with(py, |known| {
            let name = known.names.get(place)?.address();
            (known.epoch == epoch && !name.is_null()).then(|| py_ffi::lent(py, name))
        })
    }
    #[cfg(not(Py_3_12))]
    {
        let _ = (py, level);
        None
    }
}

/// `getLevelName(level)` of such a level, as long as nothing it depends on has changed since [`remember`].
#[cfg(Py_3_12)]
#[inline]
pub fn known_name<'py>(py: Python<'py>, level: &Obj<'py>) -> Option<Obj<'py>> {
    let place = place(level)?;
    let epoch = globals::epoch(py);
    KNOWN.with(py, |known| {
        #[cfg(Py_GIL_DISABLED)]
        if known.bindings != guard::bindings() {
            return None;
        }
        (known.epoch == epoch)
            .then(|| known.names[place].object(py))
            .flatten()
    })
}

/// Keeps the name of such a level for [`known_name`], where changes of all that it depends on will be noticed.
#[cfg(Py_3_12)]
#[cold]
pub fn remember<'py>(py: Python<'py>, level: &Obj<'py>) -> Res<()> {
    static TABLE: Shared<Option<raw::Watch>> = Shared::new(None);
    let Some(place) = place(level) else {
        return Ok(());
    };
    let table = globals::get(py, Name::_levelToName)?;
    let Ok(table) = table.cast_exact::<PyDict>() else {
        return Ok(());
    };
    if !raw::Watch::is_on(&TABLE, table) || !globals::is_epoch_true() {
        return Ok(());
    }
    #[cfg(not(Py_GIL_DISABLED))]
    let (epoch, name) = (
        globals::epoch(py),
        py_ffi::dict_get_number(table, level, raw::small_int(level).unwrap_or_default()),
    );
    #[cfg(Py_GIL_DISABLED)]
    let bindings = guard::bindings();
    // From the notice of a change to the change itself another thread holds the table's lock.
    #[cfg(Py_GIL_DISABLED)]
    let (epoch, name) = py_ffi::undisturbed(table, || {
        let epoch = globals::epoch(py);
        let name = py_ffi::or_nothing(py, py_ffi::dict_get(table, level));
        (epoch, name.flatten())
    });
    let own = globals::is_own(py, Name::getLevelName, Target::GetLevelName)?
        && globals::get(py, Name::_levelToName)?.is(table);
    if let Some(name) = name.filter(|name| own && !name.is_none())
        && globals::epoch(py) == epoch
    {
        KNOWN.with(py, |known| {
            #[cfg(Py_GIL_DISABLED)]
            if known.bindings != bindings {
                known.names = [Remembered::NOTHING; LEVELS];
                known.bindings = bindings;
            }
            if known.epoch != epoch {
                known.names = [Remembered::NOTHING; LEVELS];
                known.epoch = epoch;
            }
            known.names[place] = Remembered::new(&name);
        });
    }
    Ok(())
}

/// Forgets all names: what is bound has changed.
#[cfg(Py_3_12)]
pub fn forget(py: Python<'_>) {
    KNOWN.with(py, |known| known.names = [Remembered::NOTHING; LEVELS]);
}

/// Nothing is kept: 3.11 has no epoch that a dict besides the modules' could be part of.
#[cfg(not(Py_3_12))]
pub fn known_name<'py>(_: Python<'py>, _: &Obj<'py>) -> Option<Obj<'py>> {
    None
}

/// As above.
#[cfg(not(Py_3_12))]
pub fn forget(_: Python<'_>) {}

/// As above.
#[cfg(not(Py_3_12))]
#[allow(clippy::unnecessary_wraps, reason = "same shape as on newer versions")]
pub fn remember(_: Python<'_>, _: &Obj<'_>) -> Res<()> {
    Ok(())
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
