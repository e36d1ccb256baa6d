//! Log records on a stream: frames, and the map in each.
//!
//! A frame is a length, four bytes with the highest first, and as many bytes of payload: one map with ten text keys, in a fixed order, as
//! `MessagePack` or as CBOR; with twelve where records are numbered. The standard library's `SocketHandler` has the same length in front of a pickle; the first byte of a payload
//! tells the three apart ([`Kind::of`]). What is read here comes from strangers: nothing is allocated on the word of a length,
//! nesting is bounded, and whatever is wrong is a [`Malformed`].
mod framing;
mod serial;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use framing::{Frames, TooLong};

/// How a map is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The specification of msgpack.org.
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
    /// Two more keys, for senders that number what they send.
    pub number: Option<Number<'a>>,
}

/// Which record of which sender it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Number<'a> {
    /// The sender, as long as its process lives.
    pub boot_id: Cow<'a, str>,
    pub seq: u64,
}

impl<'a> Number<'a> {
    /// For a frame whose number [`renumber`] is to say.
    #[must_use]
    pub fn unknown(boot_id: &'a str) -> Self {
        Number {
            boot_id: boot_id.into(),
            seq: u64::MAX,
        }
    }
}

/// Says the number of a frame that was made with an [unknown](Number::unknown) one, or the number it has instead. Its length stays: in both
/// formats the number is the last of it, eight bytes with the highest first.
pub fn renumber(frame: &mut [u8], seq: u64) {
    if let Some(last) = frame.last_chunk_mut() {
        *last = seq.to_be_bytes();
    }
}

/// The key that tells of a message that was cut.
const TRUNCATED: &str = "truncated";

/// The payload would be longer than it may be; so long it would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Oversize(pub usize);

/// What is wrong with a payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed(pub String);

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
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
        let mut out = Vec::with_capacity(256 + self.message.len());
        out.extend([0; framing::PREFIX]);
        match format {
            Format::MessagePack => rmp_serde::encode::write(&mut out, self).expect(TO_MEMORY),
            Format::Cbor => {
                let mut serializer = minicbor_serde::Serializer::new(&mut out);
                self.serialize(&mut serializer).expect(TO_MEMORY);
            }
        }
        let length = (out.len() - framing::PREFIX) as u32;
        out[..framing::PREFIX].copy_from_slice(&length.to_be_bytes());
        out
    }
}

const TO_MEMORY: &str = "texts and integers go into memory";

/// How deep a value that is passed over may be nested in `MessagePack`; CBOR's are passed over without recursion.
const DEPTH: usize = 32;

impl<'a> Record<'a> {
    /// Reads a payload. `logger`, `level` and `message` must be there; other keys may be missing, in any order, and unknown ones are passed over.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(payload: &'a [u8], format: Format) -> Result<Self, Malformed> {
        match format {
            Format::MessagePack => {
                let mut reader = rmp_serde::Deserializer::from_read_ref(payload);
                reader.set_max_depth(DEPTH);
                Record::deserialize(&mut reader).map_err(|error| Malformed(error.to_string()))
            }
            Format::Cbor => {
                minicbor_serde::from_slice(payload).map_err(|error| Malformed(error.to_string()))
            }
        }
    }
}
