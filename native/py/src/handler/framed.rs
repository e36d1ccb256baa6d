//! The caller's side of `FemtoSocketHandler` (`femtolog/femto/peer.py` and `socket.py`) where it needs no Python code: the frame is made here, of what
//! a `LogRecord` would have been made of. Everything else is for the handler's own `handle`.
use std::borrow::Cow;

use femtolog_core::wire;
use pyo3::prelude::*;

use crate::ffi::Obj;
use crate::saved::Saved;
use crate::{
    clock::Number,
    ffi::{self as py_ffi, Most, Res},
    filter,
    format::{Buffer, message, unseen},
    guard::{self, View},
    handler::Place,
    names::Name,
    natives::Target,
    ordinary, raw,
    record::{Record, Unseen},
    socket::PeerSender,
    stats,
};

static HANDLE: Saved = Saved::new();
static EMIT: Saved = Saved::new();
static ITEMS: Saved = Saved::new();

/// From this level on records are dropped last: `logging.ERROR`.
const PROTECTED: i64 = 40;

/// Longer texts are read by Python code.
const LARGE: Most = Most {
    ascii: 1 << 20,
    wide: 1 << 20,
};

/// Tells what these methods are in `FemtoSocketHandler`.
#[pyfunction]
pub fn know_framed(handle: Obj<'_>, emit: Obj<'_>, items: Obj<'_>) {
    HANDLE.set(handle);
    EMIT.set(emit);
    ITEMS.set(items);
}

/// Does what `handle` would do, for a record that no Python code has seen and none needs to see. False, with nothing done but settling the
/// record: for `handle` itself.
pub fn sent<'py>(
    seen: &View<'_, 'py>,
    record: &mut Record<'_, 'py>,
    place: &Place<'_, 'py>,
) -> Res<bool> {
    if record.is_seen() || !seen.shows(Name::handle, &HANDLE) {
        return Ok(false);
    }
    let handler = seen.object();
    let py = handler.py();
    // May run Python code, so the handler is looked at after it.
    record.settle()?;
    let Some((sender, formatter)) = guard::view(handler).and_then(|view| parts(&view)) else {
        return Ok(false);
    };
    let Some(level) = raw::small_int(&record.level()?) else {
        return Ok(false);
    };
    let mut text = Buffer::new(py);
    if formatter.is_none() {
        let Some(event) = record.unseen().map(|unseen| &unseen.facts.event) else {
            return Ok(false);
        };
        if !message::is_plain_message(&event.msg, event.args)
            || !message::push_plain(&mut text, &event.msg, event.args)?
        {
            return Ok(false);
        }
    } else if unseen::push_aside(&mut text, &formatter, record, place).is_none() {
        return Ok(false);
    }
    let Some(unseen) = record.unseen() else {
        return Ok(false);
    };
    let sender = sender.get();
    let number = sender.number();
    let Some(text) = text.utf8() else {
        return Ok(false);
    };
    let Some(is_to_be_told) = with_fields(&unseen, text, number.as_ref(), |fields| {
        sender.send_at_once(fields, level >= PROTECTED)
    })?
    else {
        return Ok(false);
    };
    stats::native_emit();
    if is_to_be_told {
        let told = py_ffi::getattr(handler, Name::_told)?;
        py_ffi::method(&told, Name::tell, [handler])?;
    }
    Ok(true)
}

/// The sender and the formatter of a `FemtoSocketHandler` without filters whose methods are its own.
fn parts<'py>(handler: &View<'_, 'py>) -> Option<(Bound<'py, PeerSender>, Obj<'py>)> {
    if !ordinary::is_ordinary(handler.object().py())
        || !handler.shows(Name::handle, &HANDLE)
        || !handler.shows(Name::emit, &EMIT)
        || !handler.shows(Name::_items, &ITEMS)
        || handler.method(Name::format) != Target::HandlerFormat
        || handler.method(Name::filter) != Target::FiltererFilter
        || !filter::has_none(handler)
    {
        return None;
    }
    let sender = handler.get(Name::_sender)?;
    let formatter = handler.get(Name::formatter)?;
    if !formatter.is_none() && !py_ffi::is_true_as_any_object(&formatter) {
        return None;
    }
    Some((sender.cast_into_exact().ok()?, formatter))
}

/// Reads the record as `FemtoSocketHandler._items` does, and hands it to `send`. None: it is not read without Python code, or `send` says so.
fn with_fields<R>(
    unseen: &Unseen<'_, '_, '_>,
    text: &[u8],
    number: Option<&wire::Number<'_>>,
    send: impl FnOnce(&wire::Record<'_>) -> Option<R>,
) -> Res<Option<R>> {
    let facts = unseen.facts;
    let py = facts.event.msg.py();
    let mut pairs = match &facts.event.extra {
        Some(extra) => py_ffi::dict_items(extra),
        None => Vec::new(),
    };
    for (_, value) in &mut pairs {
        if !message::is_plain(value) {
            return Ok(None);
        }
        *value = py_ffi::str(value)?;
    }
    let (name, level_name) = (facts.name()?, facts.level_name()?);
    let (site, stamp) = (facts.named()?, facts.stamp()?);
    let (_, module) = site.names()?;
    let (thread, thread_name) = facts.context().thread(py)?;
    let fields = || {
        let Number::Float(created) = stamp.created else {
            return None;
        };
        let level = text_of(level_name)?;
        let pairs = pairs.iter();
        Some(wire::Record {
            logger: text_of(name)?,
            // As femto_name() of femtolog/femto/levels.py.
            level: if level == "WARNING" {
                "WARN".into()
            } else {
                level
            },
            message: std::str::from_utf8(text).ok()?.into(),
            timestamp_ns: (created * 1e9).round_ties_even().max(0.0) as u64,
            filename: text_of(&site.pathname)?,
            line_number: u64::try_from(py_ffi::int_value(&site.line)?).ok()?,
            module_path: text_of(module)?,
            thread_id: match py_ffi::int_value(thread) {
                Some(id) => itoa::Buffer::new().format(id).to_owned().into(),
                None => thread.is_none().then_some("None")?.into(),
            },
            thread_name: match thread_name {
                none if none.is_none() => None,
                name => Some(text_of(name)?),
            },
            key_values: pairs
                .map(|(key, value)| Some((text_of(key)?, text_of(value)?)))
                .collect::<Option<_>>()?,
            number: number.cloned(),
        })
    };
    Ok(fields().and_then(|fields| send(&fields)))
}

fn text_of<'a>(text: &'a Obj<'_>) -> Option<Cow<'a, str>> {
    py_ffi::text_of(text, LARGE).map(|(text, _)| text.into())
}
