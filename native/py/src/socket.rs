//! Records for a peer, and frames from one, as Python sees them. Which records they are made of, and what becomes of them, `femtolog/femto/socket.py`,
//! `femtolog/femto/http.py` and `femtolog/server.py` say.
//!
//! Everything of a record is read and encoded in the thread that logs; the sender's thread has bytes only. Whatever waits gives the GIL away.
use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use femtolog_core::backoff;
use femtolog_core::queue::{Limits, Offer, Queue, Reason, Waited};
use femtolog_core::spool;
use femtolog_core::transport::{
    Batch, Body, Coding, Http, Identity, Options, Protocol, Sender, Target, Tls,
};
use femtolog_core::wire::{self, Format, Frames, Kind, Number, Oversize, Record};
use pyo3::exceptions::{PyAssertionError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::queue::{CLOSED, DROPPED, QUEUED, account, overflow, seconds};

/// After so long somebody who waits looks whether a signal handler is to run.
const SLICE: Duration = Duration::from_millis(50);

/// Seconds until a greenlet that waits looks again.
const GREEN_TURN: f64 = 0.001;

/// So many payloads are taken for the fallback at once.
const BATCH: usize = 256;

/// Digits that a number may have.
const DIGITS: usize = 20;

/// Bytes before a payload.
const LENGTH: usize = 4;

/// What a cancelled thread needs to see that it is.
const MOMENT: Duration = Duration::from_millis(500);

/// Text as UTF-8; a lone surrogate, which has none, as its escape.
fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, str>> {
    if let Ok(text) = text.to_cow() {
        return Ok(text);
    }
    let escaped = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
    let escaped = escaped.cast::<PyBytes>()?.as_bytes();
    Ok(Cow::Owned(String::from_utf8_lossy(escaped).into_owned()))
}

fn format_of(name: &str) -> PyResult<Format> {
    match name {
        "msgpack" => Ok(Format::MessagePack),
        "cbor" => Ok(Format::Cbor),
        other => Err(PyValueError::new_err(other.to_owned())),
    }
}

/// What waits and lets other greenlets go on; None where threads are the system's, and at the very end, when nothing is imported any more.
fn sleep_of_greenlets(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let green = py.import("femtolog._green").ok()?;
    let sleep = green.call_method0("sleep_of_greenlets").ok()?;
    (!sleep.is_none()).then_some(sleep)
}

/// Runs `wait` in slices, without the GIL, until it says yes, `until` has come or a signal handler raises.
fn patiently(
    py: Python<'_>,
    until: Option<Instant>,
    wait: impl Fn(Duration) -> bool + Sync,
) -> PyResult<bool> {
    let mut sleep = sleep_of_greenlets(py);
    loop {
        let slice = if sleep.is_some() {
            Duration::ZERO
        } else {
            SLICE
        };
        let left = until.map_or(SLICE, |until| {
            until.saturating_duration_since(Instant::now())
        });
        if py.detach(|| wait(left.min(slice))) {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
        match sleep.as_ref().map(|sleep| sleep.call1((GREEN_TURN,))) {
            // The hub itself, which cannot sleep.
            Some(Err(error)) if error.is_instance_of::<PyAssertionError>(py) => sleep = None,
            slept => drop(slept.transpose()?),
        }
        py.check_signals()?;
    }
}

fn after(timeout: f64) -> PyResult<Option<Instant>> {
    Ok(Instant::now().checked_add(seconds(timeout)?))
}

/// Sends records from a thread of its own.
#[pyclass(frozen, module = "femtolog._native")]
pub struct PeerSender {
    sender: Sender,
    encoding: Encoding,
    numbers: Option<Numbers>,
    made: Instant,
    /// When somebody should look again what was dropped, in milliseconds from `made` on.
    look_at: AtomicU64,
}

/// The numbers of what is emitted. Each number is one record of the account, so one that is dropped leaves a gap.
struct Numbers {
    boot_id: String,
    last: Mutex<u64>,
}

impl Numbers {
    fn of(boot_id: String) -> Self {
        Self {
            boot_id,
            last: Mutex::new(0),
        }
    }

    fn last(&self) -> MutexGuard<'_, u64> {
        // Nothing panics while it is locked.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of an item that Python gives.
#[derive(Clone, Copy)]
enum Encoding {
    /// A record's fields become a frame.
    Frame {
        format: Format,
        max_size: usize,
        truncate: bool,
    },
    /// It is bytes, of at most so many; and how these are called on disk.
    Ready { max_size: usize, kind: &'static str },
}

impl Encoding {
    /// How items of it are called on disk.
    fn kind(self) -> &'static str {
        match self {
            Encoding::Frame {
                format: Format::MessagePack,
                ..
            } => "msgpack",
            Encoding::Frame {
                format: Format::Cbor,
                ..
            } => "cbor",
            Encoding::Ready { kind, .. } => kind,
        }
    }

    /// Says the number of an item: of a frame, or the digits that are the last value of a form or of an object.
    fn renumber(self, item: &mut Vec<u8>, seq: u64) {
        let Encoding::Ready { kind, .. } = self else {
            wire::renumber(item, seq);
            return;
        };
        let behind = match kind {
            "form" | "query" => 0,
            "json" => 1,
            _ => 2,
        };
        let behind = item.split_off(item.len().saturating_sub(behind));
        while item.last().is_some_and(u8::is_ascii_digit) {
            item.pop();
        }
        item.extend(itoa::Buffer::new().format(seq).bytes());
        item.extend(behind);
    }

    /// Bytes of an item that stand before its payload.
    fn before(self) -> usize {
        match self {
            Encoding::Frame { .. } => LENGTH,
            Encoding::Ready { .. } => 0,
        }
    }
}

/// How records are sent, as Python says it.
#[derive(FromPyObject)]
enum Sent {
    /// The format, bytes of a payload, and whether messages are cut for them.
    Frames(String, usize, bool),
    /// The URL, how items become bodies, headers, the coding; and of a batch the records, the bytes, and the milliseconds of waiting.
    Requests(
        String,
        String,
        Vec<(String, String)>,
        Option<String>,
        (usize, usize, u64),
    ),
}

/// So long may a URL be.
const URL: usize = 60_000;

impl Sent {
    /// What is made of it, where a request and its answer may take `timeout`.
    fn read(self, timeout: Duration) -> PyResult<(Encoding, Protocol, Batch)> {
        match self {
            Sent::Frames(format, max_size, truncate) => {
                let encoding = Encoding::Frame {
                    format: format_of(&format)?,
                    max_size,
                    truncate,
                };
                Ok((encoding, Protocol::Frames, Batch::default()))
            }
            Sent::Requests(url, body, headers, coding, (entries, bytes, wait)) => {
                let (body, max_size, kind) = match body.as_str() {
                    "query" => (Body::Query, URL.saturating_sub(url.len()), "query"),
                    "form" => (Body::Plain, bytes, "form"),
                    "json" => (Body::Plain, bytes, "json"),
                    "ndjson" => (Body::Plain, bytes, "ndjson"),
                    // A bracket stands before the records.
                    "array" => (Body::Array, bytes.saturating_sub(1), "array"),
                    other => return Err(PyValueError::new_err(other.to_owned())),
                };
                let coding = match coding.as_deref() {
                    None => None,
                    Some("gzip") => Some(Coding::Gzip),
                    Some("zstd") => Some(Coding::Zstd),
                    Some(other) => return Err(PyValueError::new_err(other.to_owned())),
                };
                let http = Http::new(&url, body, &headers, coding, timeout);
                let batch = Batch {
                    limits: Limits {
                        entries,
                        bytes: max_size,
                    },
                    wait: Duration::from_millis(wait),
                };
                let protocol = Protocol::Http(Arc::new(http.map_err(PyValueError::new_err)?));
                Ok((Encoding::Ready { max_size, kind }, protocol, batch))
            }
        }
    }
}

/// TLS as Python says it: the name in the certificate, who is trusted (PEM), this side's certificates and key (PEM), and whether anybody is trusted.
type TlsOptions = (
    Option<String>,
    Option<Vec<u8>>,
    Option<(Vec<u8>, Vec<u8>)>,
    bool,
);

/// A record, in the order of the map that it becomes.
#[derive(FromPyObject)]
struct Fields<'py>(
    Bound<'py, PyString>,
    Bound<'py, PyString>,
    Bound<'py, PyString>,
    u64,
    Bound<'py, PyString>,
    u64,
    Bound<'py, PyString>,
    Bound<'py, PyString>,
    Option<Bound<'py, PyString>>,
    Vec<(Bound<'py, PyString>, Bound<'py, PyString>)>,
);

#[pymethods]
impl PeerSender {
    /// `target` is a host and a port, or a path without one. `milliseconds`: the times for connecting and for writing; base, cap, reset and
    /// deadline of the backoff. `aside`: a directory for what cannot be sent, and the size it may have; and whether somebody
    /// takes what would be dropped at the deadline. With a `boot_id` items are numbered: bytes end with a number then, which is replaced.
    #[new]
    #[pyo3(signature = (target, protocol, *, queue, milliseconds, tls, aside, boot_id=None))]
    fn new(
        target: (String, Option<u16>),
        protocol: Sent,
        queue: (usize, usize, &str),
        milliseconds: [u64; 6],
        tls: Option<TlsOptions>,
        aside: (Option<(PathBuf, u64)>, bool),
        boot_id: Option<String>,
    ) -> PyResult<Self> {
        let target = match target {
            (host, Some(port)) => Target::Tcp(host, port),
            #[cfg(unix)]
            (path, None) => Target::Unix(path.into()),
            #[cfg(not(unix))]
            (path, None) => return Err(PyValueError::new_err(path)),
        };
        let tls = tls.map(|(domain, roots, identity, insecure)| {
            let identity = identity
                .as_ref()
                .map(|(certificates, key)| Identity { certificates, key });
            Tls::new(
                domain.as_deref(),
                roots.as_deref(),
                identity.as_ref(),
                insecure,
            )
        });
        let [connect, write, base, cap, reset_after, deadline] =
            milliseconds.map(Duration::from_millis);
        let (encoding, protocol, batch) = protocol.read(write)?;
        let (spool, has_fallback) = aside;
        let options = Options {
            target,
            connect_timeout: connect,
            write_timeout: write,
            backoff: backoff::Settings {
                base,
                cap,
                reset_after,
                deadline,
            },
            batch,
            protocol,
            spool: spool.map(|(dir, bytes)| spool::Options {
                dir,
                kind: encoding.kind(),
                bytes,
            }),
            has_fallback,
            tls: tls
                .transpose()
                .map_err(|error| PyValueError::new_err(format!("tls cannot be used: {error}")))?,
        };
        let (entries, bytes, policy) = queue;
        Ok(Self {
            sender: Sender::new(options, Limits { entries, bytes }, overflow(policy)?),
            encoding,
            numbers: boot_id.map(Numbers::of),
            made: Instant::now(),
            look_at: AtomicU64::new(0),
        })
    }

    /// Encodes a record, given as a tuple for a frame and else as bytes, and puts it on the queue. Waits for room where the policy says so,
    /// up to `patience` seconds.
    /// Whatever is raised, the record is counted.
    fn send(&self, item: &Bound<'_, PyAny>, protected: bool, patience: f64) -> PyResult<u8> {
        let py = item.py();
        let queue = self.sender.queue();
        let encoded = self.encoded(item).inspect_err(|_| self.unread())?;
        let Ok(encoded) = encoded else {
            self.give_up(Reason::Oversize);
            return Ok(DROPPED);
        };
        let until = Duration::try_from_secs_f64(patience)
            .ok()
            .and_then(|patience| Instant::now().checked_add(patience));
        let offered = self.numbered(encoded, |item| self.sender.offer(item, protected));
        let mut offered = offered.map_err(|error| {
            self.unread();
            PyOSError::new_err(error)
        })?;
        while let Offer::Full(encoded) = offered {
            let weight = encoded.len();
            let waited = patiently(py, until, |left| {
                queue.wait_for_room(weight, Some(left)) != Waited::TimedOut
            });
            offered = match waited {
                Ok(true) => {
                    self.numbered(encoded, |item| Ok(queue.offer(item, weight, protected)))?
                }
                Ok(false) => self.numbered(encoded, |item| {
                    Ok(queue.offer_at_last(item, weight, protected))
                })?,
                Err(raised) => {
                    self.give_up(Reason::Interrupted);
                    return Err(raised);
                }
            };
        }
        Ok(match offered {
            Offer::Dropped(..) => DROPPED,
            Offer::Closed(_) => {
                self.give_up(Reason::Closed);
                CLOSED
            }
            Offer::Queued(_) | Offer::Full(_) => QUEUED,
        })
    }

    /// Has nobody looked for a while? The sender's thread drops without a word.
    fn is_due(&self) -> bool {
        self.made.elapsed().as_millis() as u64 >= self.look_at.load(Ordering::Relaxed)
    }

    /// Somebody looks now, and will not be due again before so many seconds.
    fn look_again_after(&self, timeout: f64) -> PyResult<()> {
        let next = self.made.elapsed() + seconds(timeout)?;
        self.look_at
            .store(next.as_millis() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Opens the spool, whoever has left something there. `OSError` if that cannot be.
    fn open_spool(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.sender.open_spool())?)
    }

    /// Waits for payloads that the fallback is to have. Empty: there will be no more.
    fn take_for_fallback<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let Some(queue) = self.sender.fallback() else {
            return Vec::new();
        };
        // Not in slices: a daemon thread must not ask for the GIL again when the interpreter is gone.
        py.detach(|| queue.wait_filled(None));
        let mut items: Vec<Vec<u8>> = Vec::new();
        queue.take(BATCH, &mut items);
        let before = self.encoding.before();
        let payload = |item: Vec<u8>| PyBytes::new(py, item.get(before..).unwrap_or_default());
        items.into_iter().map(payload).collect()
    }

    /// The fallback has got the oldest payload that was taken for it, or has failed.
    fn fallback_has(&self, written: bool) {
        if let Some(queue) = self.sender.fallback() {
            queue.finish(usize::from(written), usize::from(!written));
        }
    }

    /// Lets nothing more in, and does not wait for the end.
    fn end(&self, py: Python<'_>) {
        py.detach(|| self.sender.close());
    }

    /// Counts a record that could not even be read.
    fn unread(&self) {
        self.sender.queue().fail_unqueued();
        self.skip_number();
    }

    /// Who numbers what is sent, and the last number that was given; None: nobody does.
    fn numbers(&self) -> Option<(&str, u64)> {
        let numbers = self.numbers.as_ref()?;
        Some((&numbers.boot_id, *numbers.last()))
    }

    /// Waits up to so many seconds until what was logged before is sent, with the fallback or dropped.
    fn flush(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let until = after(timeout)?;
        let queue = self.sender.queue();
        let mark = queue.hurry();
        let done = patiently(py, until, |left| queue.wait_done(mark, Some(left)))?;
        let Some(queue) = self.sender.fallback().filter(|_| done) else {
            return Ok(done);
        };
        let mark = queue.mark();
        patiently(py, until, |left| queue.wait_done(mark, Some(left)))
    }

    /// Lets nothing more in; sends what is queued if the peer is there, for up to so many seconds, and drops the rest.
    fn close(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        py.detach(|| self.sender.close());
        let ended = patiently(py, after(timeout)?, |left| self.sender.wait_ended(left));
        if !matches!(ended, Ok(true)) {
            py.detach(|| {
                self.sender.cancel();
                self.sender.wait_ended(MOMENT)
            });
        }
        ended.map(drop)
    }

    /// Is it closed?
    fn is_closed(&self) -> bool {
        self.sender.queue().is_closed()
    }

    /// The account of the queue, and what is known of the connection.
    fn account<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let account = account(py, &self.sender.queue().ledger(), &Reason::ALL)?;
        let fallback = self.sender.fallback().map(Queue::ledger);
        account.set_item("fallback", fallback.map_or(0, |ledger| ledger.written))?;
        let status = self.sender.status();
        account.set_item("connected", status.connected)?;
        account.set_item("connections", status.connections)?;
        account.set_item("error", status.error)?;
        account.set_item("bytes_written", status.bytes)?;
        Ok(account)
    }

    /// How many records got lost that somebody who flushes is told of.
    fn lost(&self) -> u64 {
        self.sender.queue().ledger().lost()
    }

    /// For a forked child: leaves everything to the parent, and gives the descriptors that are to be closed here.
    fn leave_to_parent(&self) -> Vec<i32> {
        self.sender.leave_to_parent();
        self.sender.descriptors()
    }

    /// Another one with the same options, and nothing in it.
    #[pyo3(signature = (boot_id=None))]
    fn renewed(&self, boot_id: Option<String>) -> Self {
        Self {
            sender: self.sender.renewed(),
            encoding: self.encoding,
            numbers: boot_id.map(Numbers::of),
            made: Instant::now(),
            look_at: AtomicU64::new(0),
        }
    }
}

impl PeerSender {
    /// Puts a record on the queue where that takes no waiting, and says whether drops may have to be told of. None: nothing was done.
    pub fn send_at_once(&self, record: &Record<'_>, protected: bool) -> Option<bool> {
        let Encoding::Frame {
            format,
            max_size,
            truncate,
        } = self.encoding
        else {
            return None;
        };
        let Ok(frame) = record.frame(format, max_size, truncate) else {
            self.give_up(Reason::Oversize);
            return Some(true);
        };
        match self.numbered(frame, |frame| self.sender.offer(frame, protected)) {
            Ok(Offer::Queued(_)) => Some(self.is_due()),
            Ok(Offer::Dropped(..)) => Some(true),
            Ok(Offer::Full(_) | Offer::Closed(_)) | Err(_) => None,
        }
    }

    /// The number of a record that is not on the queue yet.
    pub fn number(&self) -> Option<Number<'_>> {
        let numbers = self.numbers.as_ref()?;
        Some(Number::unknown(&numbers.boot_id))
    }

    /// Lets `decide` have the item with the next number, and nobody come between: so numbers are in the order of the queue. An item for which
    /// there is no room yet has no number yet.
    fn numbered(
        &self,
        mut item: Vec<u8>,
        decide: impl FnOnce(Vec<u8>) -> io::Result<Offer<Vec<u8>>>,
    ) -> io::Result<Offer<Vec<u8>>> {
        let Some(numbers) = &self.numbers else {
            return decide(item);
        };
        let mut last = numbers.last();
        self.encoding.renumber(&mut item, *last + 1);
        let offered = decide(item);
        if matches!(offered, Ok(Offer::Queued(_) | Offer::Dropped(..))) {
            *last += 1;
        }
        offered
    }

    /// Counts a record that does not come in.
    fn give_up(&self, reason: Reason) {
        self.sender.queue().give_up(reason);
        self.skip_number();
    }

    fn skip_number(&self) {
        if let Some(numbers) = &self.numbers {
            *numbers.last() += 1;
        }
    }

    fn encoded(&self, item: &Bound<'_, PyAny>) -> PyResult<Result<Vec<u8>, Oversize>> {
        let (format, max_size, truncate) = match self.encoding {
            Encoding::Ready { max_size, .. } => {
                let bytes = item.cast::<PyBytes>()?.as_bytes();
                let longer = if self.numbers.is_some() {
                    DIGITS - 1
                } else {
                    0
                };
                return Ok(if bytes.len() + longer <= max_size {
                    Ok(bytes.to_vec())
                } else {
                    Err(Oversize(bytes.len()))
                });
            }
            Encoding::Frame {
                format,
                max_size,
                truncate,
            } => (format, max_size, truncate),
        };
        let Fields(
            logger,
            level,
            message,
            timestamp_ns,
            filename,
            line_number,
            module_path,
            thread_id,
            thread_name,
            key_values,
        ) = item.extract()?;
        let pairs = key_values
            .iter()
            .map(|(key, value)| PyResult::Ok((utf8(key)?, utf8(value)?)));
        let record = Record {
            logger: utf8(&logger)?,
            level: utf8(&level)?,
            message: utf8(&message)?,
            timestamp_ns,
            filename: utf8(&filename)?,
            line_number,
            module_path: utf8(&module_path)?,
            thread_id: utf8(&thread_id)?,
            thread_name: thread_name.as_ref().map(utf8).transpose()?,
            key_values: pairs.collect::<PyResult<_>>()?,
            number: self.number(),
        };
        Ok(record.frame(format, max_size, truncate))
    }
}

/// Cuts what arrives on one connection into payloads of at most so many bytes.
#[pyclass(module = "femtolog._native")]
pub struct FrameReader {
    frames: Frames,
}

#[pymethods]
impl FrameReader {
    #[new]
    fn new(max_frame_size: usize) -> Self {
        Self {
            frames: Frames::new(max_frame_size),
        }
    }

    /// The payloads that are whole now, and the length of one that is too long: nothing can be read after it.
    fn feed<'py>(
        &mut self,
        py: Python<'py>,
        data: &[u8],
    ) -> (Vec<Bound<'py, PyBytes>>, Option<usize>) {
        self.frames.push(data);
        let mut payloads = Vec::new();
        loop {
            match self.frames.next_payload() {
                Ok(Some(payload)) => payloads.push(PyBytes::new(py, payload)),
                Ok(None) => return (payloads, None),
                Err(too_long) => return (payloads, Some(too_long.0)),
            }
        }
    }

    /// How many bytes wait for the rest of their frame.
    fn pending(&self) -> usize {
        self.frames.pending()
    }
}

/// `pickle`, `msgpack` or `cbor`, by the first byte; None for anything else.
#[pyfunction]
pub fn kind_of_payload(payload: &[u8]) -> Option<&'static str> {
    Some(match Kind::of(payload)? {
        Kind::Pickle => "pickle",
        Kind::Map(Format::MessagePack) => "msgpack",
        Kind::Map(Format::Cbor) => "cbor",
    })
}

/// The map in a payload. `ValueError` says why there is none.
#[pyfunction]
pub fn decode_payload<'py>(
    py: Python<'py>,
    payload: &[u8],
    format: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let record = Record::decode(payload, format_of(format)?)
        .map_err(|malformed| PyValueError::new_err(malformed.0))?;
    let map = PyDict::new(py);
    map.set_item("logger", record.logger)?;
    map.set_item("level", record.level)?;
    map.set_item("message", record.message)?;
    map.set_item("timestamp_ns", record.timestamp_ns)?;
    map.set_item("filename", record.filename)?;
    map.set_item("line_number", record.line_number)?;
    map.set_item("module_path", record.module_path)?;
    map.set_item("thread_id", record.thread_id)?;
    map.set_item("thread_name", record.thread_name)?;
    let key_values = PyDict::new(py);
    for (key, value) in record.key_values {
        key_values.set_item(key, value)?;
    }
    map.set_item("key_values", key_values)?;
    if let Some(number) = record.number {
        map.set_item("boot_id", number.boot_id)?;
        map.set_item("seq", number.seq)?;
    }
    Ok(map)
}
