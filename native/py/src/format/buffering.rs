//! `BufferingFormatter`: the text of several records, between a header and a footer.
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard;
use crate::names::Name;

/// `BufferingFormatter.__init__`: `(self, linefmt=None)`.
pub fn init<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([given]) = call.parse([Name::linefmt], 0) else {
        return call.mismatch();
    };
    let py = call.py();
    let formatter = match given {
        Some(given) if py_ffi::truthy(&given)? => given.to_owned(),
        _ => globals::get(py, Name::_defaultFormatter)?,
    };
    py_ffi::setattr(&call.slf(), Name::linefmt, &formatter)?;
    Ok(py_ffi::none(py))
}

/// `BufferingFormatter.formatHeader` and `formatFooter`: nothing.
pub fn empty<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(_)]) = call.parse([Name::records], 1) else {
        return call.mismatch();
    };
    py_ffi::text_from(call.py(), "")
}

/// `BufferingFormatter.format`
pub fn format<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(records)]) = call.parse([Name::records], 1) else {
        return call.mismatch();
    };
    let py = call.py();
    let formatter = call.slf();
    let mut text = py_ffi::text_from(py, "")?;
    if py_ffi::len(&records)? == 0 {
        return Ok(text);
    }
    let header = py_ffi::method(&formatter, Name::formatHeader, [&records])?;
    text = py_ffi::add(&text, &header)?;
    let each = py_ffi::iter(&records)?;
    while let Some(record) = py_ffi::next(&each)? {
        let line = guard::attr(&formatter, Name::linefmt)?;
        text = py_ffi::add(&text, &py_ffi::method(&line, Name::format, [&record])?)?;
    }
    let footer = py_ffi::method(&formatter, Name::formatFooter, [&records])?;
    py_ffi::add(&text, &footer)
}
