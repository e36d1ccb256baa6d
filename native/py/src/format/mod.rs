//! `Formatter`: a record's text.
use pyo3::prelude::*;

use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard::{self, Part};
use crate::handler::{Place, call_with_record};
use crate::names::Name;
use crate::natives::Target;
use crate::record::{self, Record};
use crate::trace::{At as _, call as calling, get, item, operator, store, truth};

pub mod buffering;
pub mod message;
pub mod seen;
pub mod style;
pub mod text;
pub mod time;
pub mod traceback;
pub mod unseen;
pub use text::{Buffer, Text};

/// `formatter.format(record)`
pub fn text<'py>(
    formatter: &Obj<'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<Text<'py>> {
    let view = guard::view_of(formatter, Part::Formatter);
    if guard::target_by(view.as_ref(), formatter, Name::format) != Target::FormatterFormat {
        let text = call_with_record(formatter, view.as_ref(), Name::format, record);
        return text.map(Text::Object);
    }
    if let Some(text) = unseen::text(formatter, record, place)? {
        return Ok(text);
    }
    if !record.is_settled() {
        record.settle()?;
        if let Some(text) = unseen::text(formatter, record, place)? {
            return Ok(text);
        }
    }
    let real = record.real()?;
    match seen::text(formatter, real)? {
        Some(text) => Ok(text),
        None => step_by_step(formatter, real).map(Text::Object),
    }
}

/// `Formatter.format`
pub fn format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    match seen::text(&call.slf(), &record)? {
        Some(text) => text.object(call.py()),
        None => step_by_step(&call.slf(), &record),
    }
}

/// The general way, on a real record: each step is dispatched on formatter, style and record as they are now.
fn step_by_step<'py>(formatter: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (formatter.py(), Target::FormatterFormat);
    let message = match guard::target(record, Name::getMessage) {
        Target::RecordGetMessage => record::message_of(record),
        _ => guard::call_method(record, Name::getMessage, []),
    }
    .at(py, here, calling("getMessage"))?;
    guard::set(record, Name::message, message).at(py, here, store("message"))?;
    after_message(formatter, record)
}

/// The rest of `Formatter.format`, once `record.message` is set.
fn after_message<'py>(formatter: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (formatter.py(), Target::FormatterFormat);
    let timed = match guard::target(formatter, Name::usesTime) {
        Target::FormatterUsesTime => style_uses_time(formatter),
        _ => guard::call_method(formatter, Name::usesTime, []),
    }
    .at(py, here, calling("usesTime"))?;
    if py_ffi::truthy(&timed).at(py, here, truth("usesTime"))? {
        let datefmt = guard::attr(formatter, Name::datefmt).at(py, here, get("datefmt"))?;
        let time = match guard::target(formatter, Name::formatTime) {
            Target::FormatterFormatTime => time_text(formatter, record, &datefmt),
            _ => guard::call_method(formatter, Name::formatTime, [record, &datefmt]),
        }
        .at(py, here, calling("formatTime"))?;
        guard::set(record, Name::asctime, time).at(py, here, store("asctime"))?;
    }
    let mut text = match guard::target(formatter, Name::formatMessage) {
        Target::FormatterFormatMessage => style_text(formatter, record),
        _ => guard::call_method(formatter, Name::formatMessage, [record]),
    }
    .at(py, here, calling("formatMessage"))?;
    let own =
        |name: Name, nth: u8| guard::attr(record, name).at(py, here, get(name.text()).nth(nth));
    let is_set = |name: Name, nth: u8| {
        py_ffi::truthy(&own(name, nth)?).at(py, here, truth(name.text()).nth(nth))
    };
    if is_set(Name::exc_info, 0)? && !is_set(Name::exc_text, 0)? {
        let info = own(Name::exc_info, 1)?;
        let rendered = match guard::target(formatter, Name::formatException) {
            Target::FormatterFormatException => exception_text(py, &info),
            _ => guard::call_method(formatter, Name::formatException, [&info]),
        }
        .at(py, here, calling("formatException"))?;
        guard::set(record, Name::exc_text, rendered).at(py, here, store("exc_text"))?;
    }
    if is_set(Name::exc_text, 1)? {
        text = on_new_line(&text, "exc_text", 1)?;
        let after = operator("exc_text").nth(2);
        text = py_ffi::add(&text, &own(Name::exc_text, 2)?).at(py, here, after)?;
    }
    if is_set(Name::stack_info, 0)? {
        text = on_new_line(&text, "stack_info", 0)?;
        let stack = own(Name::stack_info, 1)?;
        let stack = match guard::target(formatter, Name::formatStack) {
            Target::FormatterFormatStack => stack,
            _ => guard::call_method(formatter, Name::formatStack, [&stack]).at(
                py,
                here,
                calling("formatStack"),
            )?,
        };
        text = py_ffi::add(&text, &stack).at(py, here, operator("formatStack"))?;
    }
    Ok(text)
}

/// `text` with a newline at its end, if it has none; `Formatter.format` does so after reading `name` for the `nth` time.
fn on_new_line<'py>(text: &Obj<'py>, name: &'static str, nth: u8) -> Res<Obj<'py>> {
    let (py, here) = (text.py(), Target::FormatterFormat);
    let newline = py_ffi::text_from(py, "\n")?;
    let ends = if let Some(text) = py_ffi::is_str(text).then(|| py_ffi::utf8(text)).flatten() {
        text.ends_with('\n')
    } else {
        let last = py_ffi::last_slice(text).at(py, here, item(name).nth(nth))?;
        py_ffi::eq_operator(&last, &newline)?
    };
    if ends {
        Ok(text.clone())
    } else {
        py_ffi::add(text, &newline).at(py, here, operator(name).nth(nth))
    }
}

/// `Formatter.usesTime`
pub fn uses_time<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([]) = call.parse([], 0) else {
        return call.mismatch();
    };
    style_uses_time(&call.slf())
}

fn style_uses_time<'py>(formatter: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (formatter.py(), Target::FormatterUsesTime);
    let style = guard::attr(formatter, Name::_style).at(py, here, get("_style"))?;
    style::asks_uses_time(&style).at(py, here, calling("usesTime"))
}

/// `Formatter.formatMessage`
pub fn format_message<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    style_text(&call.slf(), &record)
}

fn style_text<'py>(formatter: &Obj<'py>, record: &Obj<'py>) -> Res<Obj<'py>> {
    let (py, here) = (formatter.py(), Target::FormatterFormatMessage);
    let style = guard::attr(formatter, Name::_style).at(py, here, get("_style"))?;
    style::asks_format(&style, record).at(py, here, calling("format"))
}

/// `Formatter.formatTime`: `(self, record, datefmt=None)`.
pub fn format_time<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record), datefmt]) = call.parse([Name::record, Name::datefmt], 1) else {
        return call.mismatch();
    };
    let none = py_ffi::none(call.py());
    time_text(&call.slf(), &record, datefmt.as_deref().unwrap_or(&none))
}

fn time_text<'py>(formatter: &Obj<'py>, record: &Obj<'py>, datefmt: &Obj<'py>) -> Res<Obj<'py>> {
    if let Some(text) = seen::time_text(formatter, record, datefmt)? {
        return Ok(text);
    }
    let (py, here) = (formatter.py(), Target::FormatterFormatTime);
    let converter = py_ffi::getattr(formatter, Name::converter).at(py, here, get("converter"))?;
    let created = guard::attr(record, Name::created).at(py, here, get("created"))?;
    let parts = py_ffi::call(&converter, &[&created]).at(py, here, calling("converter"))?;
    let strftime = |format: &Obj<'py>, nth: u8| {
        let strftime = py_ffi::getattr(&globals::get(py, Name::time)?, Name::strftime)?;
        py_ffi::call(&strftime, &[format, &parts]).at(py, here, calling("strftime").nth(nth))
    };
    if py_ffi::truthy(datefmt)? {
        return strftime(datefmt, 0);
    }
    let own = |name: Name| guard::attr(formatter, name).at(py, here, get(name.text()));
    let text = strftime(&own(Name::default_time_format)?, 1)?;
    let milliseconds = own(Name::default_msec_format)?;
    if !py_ffi::truthy(&milliseconds).at(py, here, truth("default_msec_format"))? {
        return Ok(text);
    }
    let milliseconds = guard::attr(formatter, Name::default_msec_format)?;
    let msecs = guard::attr(record, Name::msecs).at(py, here, get("msecs"))?;
    py_ffi::remainder(&milliseconds, &py_ffi::new_tuple(py, &[&text, &msecs])?).at(
        py,
        here,
        operator("msecs"),
    )
}

/// `Formatter.formatException`
pub fn format_exception<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(info)]) = call.parse([Name::ei], 1) else {
        return call.mismatch();
    };
    exception_text(call.py(), &info)
}

/// The traceback's text without its final newline.
fn exception_text<'py>(py: Python<'py>, info: &Obj<'py>) -> Res<Obj<'py>> {
    traceback::exception(info, |info| printed_exception(py, info))
}

/// The same, rendered by the interpreter's `traceback`.
fn printed_exception<'py>(py: Python<'py>, info: &Obj<'py>) -> Res<Obj<'py>> {
    let here = Target::FormatterFormatException;
    let sink = py_ffi::call(
        &py_ffi::getattr(&globals::get(py, Name::io)?, Name::StringIO)?,
        &[],
    )?;
    let part = |index: i64, point| {
        py_ffi::get_item(info, &py_ffi::new_int(py, index)?).at(py, here, point)
    };
    let trace = part(2, item("StringIO"))?;
    let print = py_ffi::getattr(&globals::get(py, Name::traceback)?, Name::print_exception)?;
    let none = py_ffi::none(py);
    let kind = part(0, item("print_exception"))?;
    let exception = part(1, item("print_exception").then(1))?;
    if cfg!(Py_3_13) {
        let keywords = py_ffi::new_tuple(py, &[&Name::limit.object(py), &Name::file.object(py)])?;
        let args = [&kind, &exception, &trace, &none, &sink];
        py_ffi::call_keywords(&print, &args, Some(&keywords))
    } else {
        py_ffi::call(&print, &[&kind, &exception, &trace, &none, &sink])
    }
    .at(py, here, calling("print_exception"))?;
    let text = py_ffi::method(&sink, Name::getvalue, [])?;
    py_ffi::method(&sink, Name::close, [])?;
    py_ffi::without_final_newline(&text)
}

/// `Formatter.formatStack`: the text as it is.
pub fn format_stack<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(text)]) = call.parse([Name::stack_info], 1) else {
        return call.mismatch();
    };
    Ok(text.to_owned())
}
