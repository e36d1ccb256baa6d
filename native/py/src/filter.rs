//! `Filter` and `Filterer`: who may pass.
//!
//! Up to 3.11 `Filterer.filter` answers yes or no; from 3.12 on it returns the record, or the one a filter put in its place.
use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, Part, View};
use crate::names::Name;
use crate::natives::Target;
use crate::ordinary;
use crate::record::Record;
use crate::trace::{
    At as _, Point, call as calling, call_after, compare, get, item, iter, next, truth,
};

/// What the filters said.
pub enum Verdict<'py> {
    /// The record goes on as it is. `still`: everything was found to be [ordinary], and nothing has run since.
    Pass { still: bool },
    /// It does too; an overridden `filter` answered this, which is no record.
    Answered(Obj<'py>),
    /// It ends here; the false value an overridden `filter` answered, or `False`.
    Drop(Obj<'py>),
    /// Another record goes on in its place (3.12+).
    Replaced(Obj<'py>),
}

/// `filterer.filter(record)`, for a logger or a handler; `within` is its `handle`.
#[inline]
pub fn ask<'py>(
    filterer: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    within: Target,
) -> Res<Verdict<'py>> {
    ask_seen(
        filterer,
        guard::view_of(filterer, Part::Handler),
        record,
        within,
    )
}

/// The same of one that has just been looked at.
#[inline(always)]
#[allow(clippy::inline_always, reason = "its answer stays in registers")]
pub fn ask_seen<'py>(
    filterer: &Obj<'py>,
    view: Option<View<'_, 'py>>,
    record: &mut Record<'_, 'py>,
    within: Target,
) -> Res<Verdict<'py>> {
    let py = filterer.py();
    if guard::target_by(view.as_ref(), filterer, Name::filter) != Target::FiltererFilter {
        return overridden(filterer, record, within);
    }
    let filters = match view.and_then(|view| view.get(Name::filters)) {
        Some(filters) => filters,
        None => guard::attr(filterer, Name::filters)
            .at(py, Target::FiltererFilter, get("filters"))
            .at(py, within, calling("filter"))?,
    };
    let empty = py_ffi::is_list(&filters) && py_ffi::list_len(&filters) == 0;
    if empty && !record.is_seen() && (cfg!(not(Py_3_12)) || ordinary::is_ordinary(py)) {
        return Ok(Verdict::Pass { still: false });
    }
    // From 3.12 on the answer is asked whether it is a `LogRecord`, whatever the module then holds under that name.
    let is_odd = || Ok(cfg!(Py_3_12) && !is_own_class(py)?);
    if empty {
        let odd = is_odd()?;
        if !odd && !record.is_seen() && makes_true_records(py) {
            return Ok(Verdict::Pass { still: false });
        }
        let real = record.real()?;
        let passes = if odd || !is_one_unasked(real) {
            judged(real, within)?.0
        } else {
            // From 3.12 on the answer is the record itself, so one that is false (a factory may make any object) ends here.
            cfg!(not(Py_3_12)) || py_ffi::truthy(real).at(py, within, verdict_test(within))?
        };
        return Ok(if passes {
            Verdict::Pass { still: false }
        } else {
            Verdict::Drop(real.clone())
        });
    }
    let real = record.real()?;
    let (answer, still) = run(filters, real).at(py, within, calling("filter"))?;
    // Filters may have replaced it.
    let ordinary = still || (cfg!(Py_3_12) && ordinary::is_known(py));
    let odd = !ordinary && is_odd()?;
    let Some(last) = answer else {
        let no = py_ffi::boolean(py, false);
        if odd || (cfg!(Py_3_12) && !tells_instances(py)) {
            judged(&no, within)?;
        }
        return Ok(Verdict::Drop(no));
    };
    // What is ordinary has true records.
    let is_true = ordinary && globals::is_original_class_of(&last, Name::LogRecord);
    let (passes, counts) = if odd || !(is_true || is_one_unasked(&last)) {
        judged(&last, within)?
    } else {
        let passes = cfg!(not(Py_3_12))
            || is_true
            || py_ffi::is_true_as_any_object(&last)
            || py_ffi::truthy(&last).at(py, within, verdict_test(within))?;
        (passes, true)
    };
    Ok(match (passes, last.is(real), counts) {
        (false, ..) => Verdict::Drop(last),
        (true, true, _) => Verdict::Pass {
            still: still && is_true,
        },
        (true, false, true) => Verdict::Replaced(last),
        (true, false, false) => Verdict::Answered(last),
    })
}

/// What a `handle` makes of the answer of `filter`, in its order: is it true, and, if that is asked at all, is it a `LogRecord`?
#[cold]
fn judged(answer: &Obj<'_>, within: Target) -> Res<(bool, bool)> {
    let py = answer.py();
    let is_true = || py_ffi::truthy(answer).at(py, within, verdict_test(within));
    let counts = || is_record(answer).at(py, within, calling("isinstance"));
    if cfg!(not(Py_3_12)) {
        return Ok((is_true()?, false));
    }
    if within == Target::HandlerHandle {
        let counts = counts()?;
        return Ok((is_true()?, counts));
    }
    let passes = is_true()?;
    Ok((passes, passes && counts()?))
}

/// Has a logger or handler no filters at all?
#[inline(always)]
#[allow(clippy::inline_always, reason = "18 instructions by a call, 9 without")]
pub fn has_none(filterer: &View<'_, '_>) -> bool {
    filterer.test(Name::filters, |filters| {
        py_ffi::is_list(filters) && py_ffi::list_len(filters) == 0
    })
}

#[cold]
fn overridden<'py>(
    filterer: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    within: Target,
) -> Res<Verdict<'py>> {
    let py = filterer.py();
    let real = record.real()?;
    let answer =
        guard::call_method(filterer, Name::filter, [real]).at(py, within, calling("filter"))?;
    let (passes, counts) = judged(&answer, within)?;
    Ok(if !passes {
        Verdict::Drop(answer)
    } else if answer.is(real) {
        Verdict::Pass { still: false }
    } else if counts {
        Verdict::Replaced(answer)
    } else {
        Verdict::Answered(answer)
    })
}

/// Where a `handle` tests what `filter` answered: from 3.12 on `Handler.handle` asks first whether it is a record.
fn verdict_test(within: Target) -> Point {
    if cfg!(Py_3_12) && within == Target::HandlerHandle {
        truth("filter").then(1)
    } else {
        truth("filter")
    }
}

/// `isinstance(obj, LogRecord)`
fn is_record(obj: &Obj<'_>) -> Res<bool> {
    let py = obj.py();
    // What filters nearly always say is True. The interpreter would ask it for its `__class__`: 250 instructions.
    if py_ffi::is_bool(obj) && is_own_class(py)? && tells_instances(py) {
        return Ok(false);
    }
    py_ffi::isinstance(obj, &globals::get(py, Name::LogRecord)?)
}

/// Is it one of the stdlib's class, and nobody's code asked for that? Up to 3.11 none is.
fn is_one_unasked(obj: &Obj<'_>) -> bool {
    cfg!(not(Py_3_12))
        || globals::is_original_class_of(obj, Name::LogRecord)
        || globals::original(obj.py(), Name::LogRecord)
            .is_some_and(|class| py_ffi::is_made_by_type(&class) && py_ffi::derives(obj, &class))
}

/// Does nobody's code tell what an instance of the stdlib's class is?
#[inline(always)]
#[allow(clippy::inline_always, reason = "two reads")]
fn tells_instances(py: Python<'_>) -> bool {
    globals::original(py, Name::LogRecord).is_some_and(|class| py_ffi::is_made_by_type(&class))
}

/// Is `LogRecord` the stdlib's class?
#[inline]
fn is_own_class(py: Python<'_>) -> Res<bool> {
    // Where everything is ordinary, this is: 8 instructions instead of 50.
    Ok(ordinary::is_known(py) || globals::is_original(py, Name::LogRecord)?)
}

/// Would a record that is still to be made be true, unasked? Up to 3.11 none is asked.
fn makes_true_records(py: Python<'_>) -> bool {
    cfg!(not(Py_3_12))
        || globals::original(py, Name::LogRecord)
            .is_some_and(|class| py_ffi::makes_true_instances(&class))
}

/// Asks one filter after the other; `None` when one refuses, else the record that goes on. True: after that everything was found to be
/// [ordinary], and nothing has run since.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `ask_seen`")]
fn run<'py>(filters: Obj<'py>, record: &Obj<'py>) -> Res<(Option<Obj<'py>>, bool)> {
    let (py, here) = (record.py(), Target::FiltererFilter);
    let mut current = record.clone();
    // As a function's variables in Python: each lives until there is another one, and at the end, if none raises, longer than the list. From
    // 3.14 on the last variable goes first.
    let (mut asked, mut said) = (None, None);
    let mut index = 0;
    let mut still = false;
    let is_list = py_ffi::is_list(&filters);
    let source = if is_list {
        filters
    } else {
        let iterator = py_ffi::iter(&filters).at(py, here, iter("filters"))?;
        drop(filters);
        iterator
    };
    let passes = loop {
        let filter = if is_list {
            py_ffi::list_item(&source, index)
        } else {
            py_ffi::next(&source).at(py, here, next("filters"))?
        };
        let Some(filter) = filter else {
            break true;
        };
        index += 1;
        let filter: &Obj<'py> = asked.insert(filter);
        let answer: &Obj<'py> = said.insert(answer(filter, &current)?);
        if !py_ffi::truthy(answer).at(py, here, truth("filter"))? {
            break false;
        }
        if cfg!(Py_3_12) {
            // It is known to be none, where everything is ordinary.
            still = ordinary::is_known(py) && py_ffi::is_bool(answer) && tells_instances(py);
            if !still && is_record(answer).at(py, here, calling("isinstance"))? {
                current = answer.clone();
            }
        }
    };
    still = still
        && passes
        && is_list
        && !py_ffi::may_end(&source)
        && !asked.as_ref().is_some_and(py_ffi::may_end);
    drop(source);
    let last = if cfg!(Py_3_14) {
        drop((said, asked));
        passes.then_some(current)
    } else {
        let last = passes.then_some(current);
        drop((asked, said));
        last
    };
    Ok((last, still))
}

/// What a filter, which may be any function, says of the record.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of `run`")]
fn answer<'py>(filter: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (record.py(), Target::FiltererFilter);
    if py_ffi::is_bare_function(filter) {
        return py_ffi::call_on(filter, record, []).at(py, here, call_after("filter"));
    }
    let view = guard::view_of(filter, Part::Filter);
    if guard::target_by(view.as_ref(), filter, Name::filter) == Target::FilterFilter {
        return name_matches(filter, record).at(py, here, calling("filter"));
    }
    if let Some(function) = view.and_then(|view| view.function(Name::filter)) {
        // What hasattr() would find is what the call finds: no bound method in between.
        return py_ffi::call_on(&function, filter, [record]).at(py, here, calling("filter"));
    }
    let method = py_ffi::getattr_opt(filter, Name::filter);
    match method.at(py, here, calling("hasattr"))? {
        Some(method) => py_ffi::call(&method, &[record]).at(py, here, calling("filter")),
        None => py_ffi::call(filter, &[record]).at(py, here, call_after("filter")),
    }
}

/// `Filterer.filter`
pub fn filterer_filter<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let filters = guard::attr(&call.slf(), Name::filters).at(
        call.py(),
        Target::FiltererFilter,
        get("filters"),
    )?;
    let (last, _) = run(filters, &record)?;
    Ok(match last {
        None => py_ffi::boolean(call.py(), false),
        Some(last) if cfg!(Py_3_12) => last,
        Some(_) => py_ffi::boolean(call.py(), true),
    })
}

/// `Filterer.addFilter`
pub fn add_filter<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(filter)]) = call.parse([Name::filter], 1) else {
        return call.mismatch();
    };
    let slf = call.slf();
    if !py_ffi::contains(&guard::attr(&slf, Name::filters)?, &filter)? {
        py_ffi::append(&guard::attr(&slf, Name::filters)?, &filter)?;
    }
    Ok(py_ffi::none(call.py()))
}

/// `Filterer.removeFilter`
pub fn remove_filter<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(filter)]) = call.parse([Name::filter], 1) else {
        return call.mismatch();
    };
    let slf = call.slf();
    if py_ffi::contains(&guard::attr(&slf, Name::filters)?, &filter)? {
        py_ffi::method(&guard::attr(&slf, Name::filters)?, Name::remove, [&filter])?;
    }
    Ok(py_ffi::none(call.py()))
}

/// `Filterer.__init__`
pub fn filterer_init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    py_ffi::setattr(&call.slf(), Name::filters, &py_ffi::new_list(call.py())?)?;
    Ok(py_ffi::none(call.py()))
}

/// `Filter.__init__`
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([name]) = call.parse([Name::name], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let name = match name {
        Some(name) => name.to_owned(),
        None => py_ffi::text_from(py, "")?,
    };
    py_ffi::setattr(&call.slf(), Name::name, &name)?;
    let length = py_ffi::new_int(py, py_ffi::len(&name)? as i64)?;
    py_ffi::setattr(&call.slf(), Name::nlen, &length)?;
    Ok(py_ffi::none(py))
}

/// `Filter.filter`
pub fn filter<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    name_matches(&call.slf(), &record)
}

/// Is the record's logger the filter's name or one below it?
fn name_matches<'py>(filter: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (filter.py(), Target::FilterFilter);
    let length = guard::attr(filter, Name::nlen).at(py, here, get("nlen"))?;
    let zero = py_ffi::new_int(py, 0)?;
    if py_ffi::eq_operator(&length, &zero)? {
        return Ok(py_ffi::boolean(py, true));
    }
    let own = guard::attr(filter, Name::name).at(py, here, get("name"))?;
    let logged = guard::attr(record, Name::name).at(py, here, get("name").nth(1))?;
    if py_ffi::eq_operator(&own, &logged).at(py, here, compare("name").nth(1))? {
        return Ok(py_ffi::boolean(py, true));
    }
    let at = py_ffi::method(&logged, Name::find, [&own, &zero, &length]).at(
        py,
        here,
        calling("find"),
    )?;
    if !py_ffi::eq_operator(&at, &zero)? {
        return Ok(py_ffi::boolean(py, false));
    }
    let next = py_ffi::get_item(
        &guard::attr(record, Name::name)?,
        &guard::attr(filter, Name::nlen)?,
    )
    .at(py, here, item("find"))?;
    py_ffi::eq_object(&next, &py_ffi::text_from(py, ".")?)
}
