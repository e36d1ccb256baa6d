//! `QueueHandler` and `QueueListener`: records leave for a queue on one side and reach handlers on the other.
//!
//! The queue is whatever Python object was given. The listener's thread and its loop stay the interpreter's.

use super::{Place, copying, memory};
use crate::call::Call;
use crate::ffi::{self as py_ffi, Obj, Res};
use crate::globals;
use crate::guard;
use crate::names::Name;
use crate::natives::Target;
use crate::record::Record;
use crate::stats;
use crate::trace::{At as _, call as calling, compare, get, iter, next};

/// `QueueHandler.emit`
pub fn emit<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    emit_record(&call.slf(), &mut Record::of(real.to_owned()))?;
    Ok(py_ffi::none(call.py()))
}

/// Puts the prepared record on the queue. Every `Exception` on the way goes to `handleError`, also a `RecursionError`.
pub fn emit_record<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<()> {
    stats::native_emit();
    match prepare_and_put(handler, record) {
        Ok(()) => Ok(()),
        Err(raised) => super::error::caught(handler, record, raised, Target::QueueEmit),
    }
}

fn prepare_and_put<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<()> {
    let (py, here) = (handler.py(), Target::QueueEmit);
    // The stdlib looks `self.enqueue` up before it prepares the record.
    let enqueue = match guard::target(handler, Name::enqueue) {
        Target::QueueEnqueue => None,
        _ => Some(guard::method_of(handler, Name::enqueue).at(py, here, get("enqueue"))?),
    };
    let prepared = match guard::target(handler, Name::prepare) {
        Target::QueuePrepare => prepared(handler, record),
        _ => guard::call_method(handler, Name::prepare, [record.real()?]),
    }
    .at(py, here, calling("prepare"))?;
    match enqueue {
        None => put(handler, &prepared, Target::QueueEnqueue),
        Some(enqueue) => enqueue.call([&prepared]).map(drop),
    }
    .at(py, here, calling("enqueue"))
}

/// `self.queue.put_nowait(item)`, of a handler or a listener.
fn put<'py>(owner: &Obj<'py>, item: &Obj<'py>, here: Target) -> Res<()> {
    let py = owner.py();
    let queue = guard::attr(owner, Name::queue).at(py, here, get("queue"))?;
    guard::call_method(&queue, Name::put_nowait, [item])
        .map(drop)
        .at(py, here, calling("put_nowait"))
}

/// `QueueHandler.prepare`
pub fn prepare<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(real)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    prepared(&call.slf(), &mut Record::of(real.to_owned()))
}

/// A copy of the record that can be pickled: its text in the place of message and arguments, nothing of exceptions and stacks.
fn prepared<'py>(handler: &Obj<'py>, record: &mut Record<'_, 'py>) -> Res<Obj<'py>> {
    let py = handler.py();
    // Formatting leaves `message`, `asctime` and `exc_text` on the record, where the copy finds them.
    let here = Target::QueuePrepare;
    let text = super::text(handler, record, &Place::unknown()).at(py, here, calling("format"))?;
    if let Some(unseen) = record.unseen() {
        let class = globals::get(py, Name::LogRecord)?;
        if copying::is_plain(&class)? && !copying::says_how(unseen.facts.event.extra.as_ref())? {
            return record.prepared(&text.object(py)?);
        }
    }
    let text = text.object(py)?;
    let copy = copying::copy(record.real()?).at(py, here, calling("copy"))?;
    let none = py_ffi::none(py);
    guard::set(&copy, Name::message, text.clone())?;
    guard::set(&copy, Name::msg, text)?;
    for name in [Name::args, Name::exc_info, Name::exc_text, Name::stack_info] {
        guard::set(&copy, name, none.clone())?;
    }
    Ok(copy)
}

// ---- QueueListener

/// `QueueListener.prepare`
pub fn listener_prepare<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    Ok(record.to_owned())
}

/// `QueueListener.handle`
pub fn listener_handle<'py>(call: &Call<'_, 'py>) -> Res<Obj<'py>> {
    let Some([Some(record)]) = call.parse([Name::record], 1) else {
        return call.mismatch();
    };
    let (py, listener, here) = (call.py(), call.slf(), Target::ListenerHandle);
    let record = match guard::target(&listener, Name::prepare) {
        Target::ListenerPrepare => record.to_owned(),
        _ => guard::call_method(&listener, Name::prepare, [&record]).at(
            py,
            here,
            calling("prepare"),
        )?,
    };
    let handlers = guard::attr(&listener, Name::handlers).at(py, here, get("handlers"))?;
    let handlers = py_ffi::iter(&handlers).at(py, here, iter("handlers"))?;
    while let Some(handler) = py_ffi::next(&handlers).at(py, here, next("handlers"))? {
        let wanted = !py_ffi::truthy(&guard::attr(&listener, Name::respect_handler_level)?)? || {
            let own = guard::attr(&record, Name::levelno).at(py, here, get("levelno"))?;
            let limit = guard::attr(&handler, Name::level).at(py, here, get("level"))?;
            py_ffi::ge(&own, &limit).at(py, here, compare("level"))?
        };
        if wanted {
            memory::give(&handler, record.clone(), here)?;
        }
    }
    Ok(py_ffi::none(call.py()))
}
