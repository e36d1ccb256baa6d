//! `PercentStyle`, `StrFormatStyle`, `StringTemplateStyle`: the three ways to write a format.
use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Exc, Obj, Raised, Res};
use crate::globals;
use crate::guard;
use crate::names::Name;
use crate::natives::Target;
use crate::trace::{At as _, call as calling, get, operator, raise, truth};

/// `style.usesTime()`
pub fn asks_uses_time<'py>(style: &Obj<'py>) -> Res<Obj<'py>> {
    match guard::target(style, Name::usesTime) {
        Target::PercentUsesTime => percent_mentions_time(style),
        Target::TemplateUsesTime => template_mentions_time(style),
        _ => guard::call_method(style, Name::usesTime, []),
    }
}

/// `style.format(record)`
pub fn asks_format<'py>(style: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    match guard::target(style, Name::format) {
        Target::StyleFormat => render(style, record),
        _ => guard::call_method(style, Name::format, [record]),
    }
}

/// `PercentStyle.usesTime` (also for '{').
pub fn percent_uses_time<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    percent_mentions_time(&call.slf())
}

fn percent_mentions_time<'py>(style: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::PercentUsesTime);
    let format = guard::attr(style, Name::_fmt).at(py, here, get("_fmt"))?;
    let wanted = guard::attr(style, Name::asctime_search).at(py, here, get("asctime_search"))?;
    found(&format, &wanted).at(py, here, calling("find"))
}

/// `StringTemplateStyle.usesTime`
pub fn template_uses_time<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    template_mentions_time(&call.slf())
}

fn template_mentions_time<'py>(style: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::TemplateUsesTime);
    let format = guard::attr(style, Name::_fmt).at(py, here, get("_fmt"))?;
    let plain =
        found(&format, &py_ffi::text_from(py, "$asctime")?).at(py, here, calling("find"))?;
    if py_ffi::truthy(&plain)? {
        return Ok(plain);
    }
    let wanted = guard::attr(style, Name::asctime_search).at(py, here, get("asctime_search"))?;
    found(&format, &wanted).at(py, here, calling("find").nth(1))
}

/// `format.find(wanted) >= 0`
fn found<'py>(format: &Obj<'py>, wanted: &Obj<'py>) -> Res<Obj<'py>> {
    let py = format.py();
    if py_ffi::is_str(format)
        && py_ffi::is_str(wanted)
        && let (Some(format), Some(wanted)) = (py_ffi::utf8(format), py_ffi::utf8(wanted))
    {
        return Ok(py_ffi::boolean(py, format.contains(wanted)));
    }
    py_ffi::ge_object(
        &py_ffi::method(format, Name::find, [wanted])?,
        &py_ffi::new_int(py, 0)?,
    )
}

/// `PercentStyle.format`
pub fn format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    render(&call.slf(), &record)
}

/// `_format`, with its `KeyError` turned into the `ValueError` that names the field.
fn render<'py>(style: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::StyleFormat);
    let rendered = match guard::target(style, Name::_format) {
        Target::PercentFormat => percent(style, record),
        Target::BraceFormat => brace(style, record),
        Target::TemplateFormat => template(style, record),
        _ => guard::call_method(style, Name::_format, [record]),
    };
    let raised = match rendered.at(py, here, calling("_format")) {
        Ok(text) => return Ok(text),
        Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Key)) => raised,
        Err(raised) => return Err(raised),
    };
    let missing = raised.take(py);
    let text = py_ffi::text_from(py, "Formatting field not found in record: %s")
        .and_then(|format| py_ffi::remainder(&format, &missing))?;
    let later = py_ffi::raise_object(py, Exc::Value, &text);
    Err(py_ffi::chain(py, later, missing)).at(py, here, raise("ValueError"))
}

/// `PercentStyle._format`
pub fn percent_format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    percent(&call.slf(), &record)
}

fn percent<'py>(style: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::PercentFormat);
    let values = values(style, record, here)?;
    let format = guard::attr(style, Name::_fmt).at(py, here, get("_fmt"))?;
    py_ffi::remainder(&format, &values).at(py, here, operator("_fmt"))
}

/// `StrFormatStyle._format`
pub fn brace_format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    brace(&call.slf(), &record)
}

fn brace<'py>(style: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::BraceFormat);
    let values = values(style, record, here)?;
    let format = guard::attr(style, Name::_fmt).at(py, here, get("_fmt"))?;
    let format = py_ffi::getattr(&format, Name::format).at(py, here, get("format"))?;
    py_ffi::call_mapping(&format, &values).at(py, here, calling("format"))
}

/// `StringTemplateStyle._format`
pub fn template_format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    template(&call.slf(), &record)
}

fn template<'py>(style: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (style.py(), Target::TemplateFormat);
    let values = values(style, record, here)?;
    let template = guard::attr(style, Name::_tpl).at(py, here, get("_tpl"))?;
    let substitute =
        py_ffi::getattr(&template, Name::substitute).at(py, here, get("substitute"))?;
    py_ffi::call_mapping(&substitute, &values).at(py, here, calling("substitute"))
}

/// `defaults | record.__dict__`, or the record's own dict when there are no defaults.
fn values<'py>(style: &Obj<'py>, record: &Obj<'py>, here: Target) -> Res<Obj<'py>> {
    let py = style.py();
    let defaults = guard::attr(style, Name::_defaults).at(py, here, get("_defaults"))?;
    let given = py_ffi::truthy(&defaults).at(py, here, truth("_defaults"))?;
    let reading = get("__dict__").nth(u8::from(!given));
    let own = py_ffi::getattr(record, Name::__dict__).at(py, here, reading)?;
    if given {
        py_ffi::or(&defaults, &own).at(py, here, operator("__dict__"))
    } else {
        Ok(own)
    }
}

// ---- making and checking a style

/// `PercentStyle.__init__`: `(self, fmt, *, defaults=None)`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let parsed = call.parse_keyword_only([Name::fmt, Name::defaults], 1, 1);
    let Some([Some(format), defaults]) = parsed else {
        return call.mismatch();
    };
    let py = call.py();
    let style = call.slf();
    let none = py_ffi::none(py);
    if py_ffi::truthy(&format)? {
        py_ffi::setattr(&style, Name::_fmt, &format)?;
    } else {
        let default = guard::attr(&style, Name::default_format)?;
        py_ffi::setattr(&style, Name::_fmt, &default)?;
    }
    let defaults = defaults.as_deref().unwrap_or(&none);
    py_ffi::setattr(&style, Name::_defaults, defaults)?;
    Ok(none)
}

/// `PercentStyle.validate`
pub fn percent_validate<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let style = call.slf();
    let pattern = guard::attr(&style, Name::validation_pattern)?;
    let format = guard::attr(&style, Name::_fmt)?;
    if py_ffi::truthy(&py_ffi::method(&pattern, Name::search, [&format])?)? {
        return Ok(py_ffi::none(py));
    }
    let format = guard::attr(&style, Name::_fmt)?;
    let default = guard::attr(&style, Name::default_format)?;
    let first = py_ffi::get_item(&default, &py_ffi::new_int(py, 0)?)?;
    let text = py_ffi::percent(py, "Invalid format '%s' for '%s' style", &[&format, &first])?;
    Err(py_ffi::raise_object(py, Exc::Value, &text))
}

/// `StrFormatStyle.validate`
pub fn brace_validate<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let any = match check_fields(&call.slf()) {
        Ok(any) => any,
        Err(raised) if raised.is(py_ffi::exception_class(py, Exc::Value)) => {
            let wrong = raised.take(py);
            return Err(py_ffi::while_handling(&wrong, || {
                match py_ffi::percent(py, "invalid format: %s", &[&wrong]) {
                    Ok(text) => py_ffi::raise_object(py, Exc::Value, &text),
                    Err(raised) => raised,
                }
            }));
        }
        Err(raised) => return Err(raised),
    };
    if any {
        return Ok(py_ffi::none(py));
    }
    Err(no_fields(py))
}

fn no_fields(py: Python<'_>) -> Raised {
    py_ffi::raise(py, Exc::Value, "invalid format: no fields")
}

/// Checks every replacement field of a '{' format; false when there is none with a name.
fn check_fields<'py>(style: &Obj<'py>) -> Res<bool> {
    let py = style.py();
    let parser = globals::get(py, Name::_str_formatter)?;
    let format = guard::attr(style, Name::_fmt)?;
    let parts = py_ffi::iter(&py_ffi::method(&parser, Name::parse, [&format])?)?;
    let refuse = |text: &str, part: &Obj<'py>| {
        let text = py_ffi::text_from(py, text)?;
        let text = py_ffi::remainder(&text, part)?;
        Err(py_ffi::raise_object(py, Exc::Value, &text))
    };
    let mut any = false;
    while let Some(part) = py_ffi::next(&parts)? {
        let [_, name, spec, conversion] = py_ffi::unpack(&part)?;
        if py_ffi::truthy(&name)? {
            let pattern = guard::attr(style, Name::field_spec)?;
            if !py_ffi::truthy(&py_ffi::method(&pattern, Name::match_, [&name])?)? {
                return refuse("invalid field name/expression: %r", &name);
            }
            any = true;
        }
        if py_ffi::truthy(&conversion)?
            && !py_ffi::contains(&py_ffi::text_from(py, "rsa")?, &conversion)?
        {
            return refuse("invalid conversion: %r", &conversion);
        }
        if py_ffi::truthy(&spec)? {
            let pattern = guard::attr(style, Name::fmt_spec)?;
            if !py_ffi::truthy(&py_ffi::method(&pattern, Name::match_, [&spec])?)? {
                return refuse("bad specifier: %r", &spec);
            }
        }
    }
    Ok(any)
}

/// `StringTemplateStyle.validate`
pub fn template_validate<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let pattern = py_ffi::getattr(&globals::get(py, Name::Template)?, Name::pattern)?;
    let format = guard::attr(&call.slf(), Name::_fmt)?;
    let matches = py_ffi::iter(&py_ffi::method(&pattern, Name::finditer, [&format])?)?;
    let (named, braced) = (
        py_ffi::text_from(py, "named")?,
        py_ffi::text_from(py, "braced")?,
    );
    let mut any = false;
    while let Some(found) = py_ffi::next(&matches)? {
        let groups = py_ffi::method(&found, Name::groupdict, [])?;
        if py_ffi::truthy(&py_ffi::get_item(&groups, &named)?)?
            || py_ffi::truthy(&py_ffi::get_item(&groups, &braced)?)?
        {
            any = true;
            continue;
        }
        let whole = py_ffi::method(&found, Name::group, [&py_ffi::new_int(py, 0)?])?;
        if py_ffi::eq_operator(&whole, &py_ffi::text_from(py, "$")?)? {
            return Err(py_ffi::raise(
                py,
                Exc::Value,
                "invalid format: bare '$' not allowed",
            ));
        }
    }
    if any {
        return Ok(py_ffi::none(py));
    }
    Err(no_fields(py))
}
