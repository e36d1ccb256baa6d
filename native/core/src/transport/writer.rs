//! A writer in the place of a peer: a file, a stream.
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sink;

/// Takes items that are lines. What it has taken and flushed is written. After an error it is tried again: half a line that is out is
/// ended before its line is written again, and what could not be flushed is written twice rather than lost. Clones are the same writer.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<State>>);

struct State {
    writer: Box<dyn Write + Send>,
    /// Half a line is out.
    torn: bool,
}

impl Writer {
    #[must_use]
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(State {
            writer: Box::new(writer),
            torn: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is to be written to from the beginning of a line.
    pub(super) fn begin(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.torn {
            sink::write_all(&mut state.writer, b"\n").map_err(|torn| torn.error)?;
            state.torn = false;
        }
        Ok(())
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Writer")
    }
}

impl Write for &Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let count = state.writer.write(bytes)?;
        if let Some(last) = bytes[..count].last() {
            state.torn = *last != b'\n';
        }
        loop {
            match state.writer.flush() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                flushed => return flushed.map(|()| count),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for &Writer {
    /// Nothing ever comes back.
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

/// What a socket can do as well, and has no meaning here.
#[allow(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "as sockets have them"
)]
impl Writer {
    pub(super) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn set_nonblocking(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}
