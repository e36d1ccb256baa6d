//! Log records on a stream: frames, and the map in each.
//!
//! A frame is a length, four bytes with the highest first, and as many bytes of payload: one map with ten text keys, in a fixed order, as
//! `MessagePack` or as CBOR. The standard library's `SocketHandler` has the same length in front of a pickle; the first byte of a payload
//! tells the three apart ([`Kind::of`]). What is read here comes from strangers: nothing is allocated on the word of a length,
//! nesting is bounded, and whatever is wrong is a [`Malformed`].
mod cbor;
mod framing;
mod messagepack;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use framing::{Frames, TooLong};

/// How a map is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    MessagePack,
    /// RFC 8949.
    Cbor,
}

/// What a payload is, by its first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A dict pickled by protocol 1, as by `SocketHandler`, or anything by a later one.
    Pickle,
    Map(Format),
}

impl Kind {
    /// None: none of them.
    #[must_use]
    pub fn of(payload: &[u8]) -> Option<Kind> {
        match payload.first()? {
            // 0x80 is also MessagePack's empty map, which is no record.
            b'}' | 0x80 => Some(Kind::Pickle),
            0x81..=0x8f | 0xde | 0xdf => Some(Kind::Map(Format::MessagePack)),
            0xa0..=0xbb => Some(Kind::Map(Format::Cbor)),
            _ => None,
        }
    }
}

/// A log record as it is sent.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub logger: Cow<'a, str>,
    /// The level's name.
    pub level: Cow<'a, str>,
    pub message: Cow<'a, str>,
    /// Nanoseconds since 1970.
    pub timestamp_ns: u64,
    pub filename: Cow<'a, str>,
    pub line_number: u64,
    pub module_path: Cow<'a, str>,
    pub thread_id: Cow<'a, str>,
    pub thread_name: Option<Cow<'a, str>>,
    pub key_values: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The key that tells of a message that was cut.
const TRUNCATED: &str = "truncated";

/// The payload would be longer than it may be; so long it would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oversize(pub usize);

/// What is wrong with a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }
}

/// The values that both formats have, as bytes.
trait Encode {
    fn map(out: &mut Vec<u8>, entries: usize);
    fn text(out: &mut Vec<u8>, text: &str);
    fn uint(out: &mut Vec<u8>, number: u64);
    fn nil(out: &mut Vec<u8>);
}

/// What stands in front of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    Nil,
    Uint(u64),
    /// So many bytes of UTF-8 follow.
    Text(usize),
    /// So many keys with their values follow.
    Map(usize),
    /// So many values follow.
    Array(usize),
    /// So many bytes follow that no field of a record is made of.
    Other(usize),
}

impl Record<'_> {
    /// A whole frame. Its payload has at most `limit` bytes: a message that does not fit is cut between two characters, and
    /// `key_values` says so, if `truncate`; otherwise, and where even no message would fit, it is [`Oversize`].
    ///
    /// # Errors
    /// [`Oversize`].
    pub fn frame(&self, format: Format, limit: usize, truncate: bool) -> Result<Vec<u8>, Oversize> {
        let limit = limit.min(u32::MAX as usize);
        let frame = self.unbounded(format);
        let length = frame.len() - framing::PREFIX;
        if length <= limit {
            return Ok(frame);
        }
        if !truncate {
            return Err(Oversize(length));
        }
        let mut cut = self.clone();
        cut.key_values.retain(|(key, _)| key != TRUNCATED);
        cut.key_values.push((TRUNCATED.into(), "true".into()));
        cut.message = "".into();
        // In front of a longer text stand up to four bytes more than in front of an empty one.
        let room = limit.checked_sub(cut.unbounded(format).len() - framing::PREFIX + 4);
        let room = room.ok_or(Oversize(length))?;
        let message = &*self.message;
        let end = (0..=room.min(message.len()))
            .rev()
            .find(|&end| message.is_char_boundary(end));
        cut.message = message[..end.unwrap_or(0)].into();
        Ok(cut.unbounded(format))
    }

    fn unbounded(&self, format: Format) -> Vec<u8> {
        match format {
            Format::MessagePack => self.encoded::<messagepack::MessagePack>(),
            Format::Cbor => self.encoded::<cbor::Cbor>(),
        }
    }

    fn encoded<E: Encode>(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.message.len());
        out.extend([0; framing::PREFIX]);
        let text = |out: &mut Vec<u8>, key: &str, value: &str| {
            E::text(out, key);
            E::text(out, value);
        };
        E::map(&mut out, 10);
        text(&mut out, "logger", &self.logger);
        text(&mut out, "level", &self.level);
        text(&mut out, "message", &self.message);
        E::text(&mut out, "timestamp_ns");
        E::uint(&mut out, self.timestamp_ns);
        text(&mut out, "filename", &self.filename);
        E::text(&mut out, "line_number");
        E::uint(&mut out, self.line_number);
        text(&mut out, "module_path", &self.module_path);
        text(&mut out, "thread_id", &self.thread_id);
        E::text(&mut out, "thread_name");
        match &self.thread_name {
            Some(name) => E::text(&mut out, name),
            None => E::nil(&mut out),
        }
        E::text(&mut out, "key_values");
        E::map(&mut out, self.key_values.len());
        for (key, value) in &self.key_values {
            text(&mut out, key, value);
        }
        let length = (out.len() - framing::PREFIX) as u32;
        out[..framing::PREFIX].copy_from_slice(&length.to_be_bytes());
        out
    }
}

impl<'a> Record<'a> {
    /// Reads a payload. `logger`, `level` and `message` must be there; other keys may be missing, in any order, and unknown ones are passed over.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(payload: &'a [u8], format: Format) -> Result<Self, Malformed> {
        let head: ReadHead = match format {
            Format::MessagePack => messagepack::head,
            Format::Cbor => cbor::head,
        };
        let mut reader = Reader {
            rest: payload,
            head,
        };
        let mut record = Record::default();
        let mut seen = [false; 3];
        for _ in 0..reader.map()? {
            match reader.text()? {
                "logger" => {
                    record.logger = reader.text()?.into();
                    seen[0] = true;
                }
                "level" => {
                    record.level = reader.text()?.into();
                    seen[1] = true;
                }
                "message" => {
                    record.message = reader.text()?.into();
                    seen[2] = true;
                }
                "timestamp_ns" => record.timestamp_ns = reader.uint()?,
                "filename" => record.filename = reader.text()?.into(),
                "line_number" => record.line_number = reader.uint()?,
                "module_path" => record.module_path = reader.text()?.into(),
                "thread_id" => record.thread_id = reader.text()?.into(),
                "thread_name" => record.thread_name = reader.optional_text()?.map(Cow::Borrowed),
                "key_values" => {
                    for _ in 0..reader.map()? {
                        let key = reader.text()?.into();
                        record.key_values.push((key, reader.text()?.into()));
                    }
                }
                _ => reader.skip(0)?,
            }
        }
        if seen.contains(&false) {
            return Err(Malformed("no logger, level or message"));
        }
        if !reader.rest.is_empty() {
            return Err(Malformed("bytes behind the map"));
        }
        Ok(record)
    }
}

/// How deep a value that is passed over may be nested.
const DEPTH: usize = 32;

type ReadHead = fn(&mut &[u8]) -> Result<Head, Malformed>;

struct Reader<'a> {
    rest: &'a [u8],
    head: ReadHead,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Head, Malformed> {
        (self.head)(&mut self.rest)
    }

    fn map(&mut self) -> Result<usize, Malformed> {
        match self.next()? {
            Head::Map(entries) => Ok(entries),
            _ => Err(Malformed("no map where one must be")),
        }
    }

    fn uint(&mut self) -> Result<u64, Malformed> {
        match self.next()? {
            Head::Uint(number) => Ok(number),
            _ => Err(Malformed("no unsigned integer where one must be")),
        }
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        self.optional_text()?
            .ok_or(Malformed("nil where text must be"))
    }

    fn optional_text(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.next()? {
            Head::Text(length) => {
                let bytes = take(&mut self.rest, length)?;
                let text = std::str::from_utf8(bytes);
                Ok(Some(text.map_err(|_| Malformed("text that is no UTF-8"))?))
            }
            Head::Nil => Ok(None),
            _ => Err(Malformed("no text where one must be")),
        }
    }

    fn skip(&mut self, depth: usize) -> Result<(), Malformed> {
        let values = match self.next()? {
            Head::Nil | Head::Uint(_) => return Ok(()),
            Head::Text(length) | Head::Other(length) => {
                return take(&mut self.rest, length).map(|_| ());
            }
            Head::Array(values) => values,
            Head::Map(entries) => entries.saturating_mul(2),
        };
        if depth == DEPTH {
            return Err(Malformed("values nested too deep"));
        }
        // Each takes a byte or more, so a length that is a lie ends here.
        (0..values).try_for_each(|_| self.skip(depth + 1))
    }
}

/// The next bytes of what is left.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Malformed> {
    let (bytes, after) = rest
        .split_at_checked(length)
        .ok_or(Malformed("it ends in the middle"))?;
    *rest = after;
    Ok(bytes)
}

/// A number of so many bytes, the highest first.
fn number(rest: &mut &[u8], length: usize) -> Result<u64, Malformed> {
    let bytes = take(rest, length)?;
    Ok(bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A length.
fn length(rest: &mut &[u8], width: usize) -> Result<usize, Malformed> {
    number(rest, width)?
        .try_into()
        .map_err(|_| Malformed("it ends in the middle"))
}
