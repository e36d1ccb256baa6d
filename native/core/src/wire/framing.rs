//! Cutting a stream of bytes into payloads.

/// Bytes of a length.
pub(super) const PREFIX: usize = 4;

/// A length that is more than a payload may have; nothing that follows on this stream can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong(pub usize);

/// What has arrived of a stream and was not taken yet: less than a frame, once all whole ones are taken.
pub struct Frames {
    limit: usize,
    bytes: Vec<u8>,
    /// So many of them were taken.
    start: usize,
}

impl Frames {
    /// For payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: Vec::new(),
            start: 0,
        }
    }

    /// Adds what has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.start));
        self.bytes.extend(bytes);
    }

    /// The next payload, if it has arrived whole.
    ///
    /// # Errors
    /// [`TooLong`], from then on.
    pub fn next_payload(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let Some((prefix, rest)) = self.bytes[self.start..].split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > self.limit {
            return Err(TooLong(length));
        }
        if rest.len() < length {
            return Ok(None);
        }
        let begin = self.start + PREFIX;
        self.start = begin + length;
        Ok(Some(&self.bytes[begin..self.start]))
    }

    /// How many bytes wait for more to come.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.bytes.len() - self.start
    }
}
