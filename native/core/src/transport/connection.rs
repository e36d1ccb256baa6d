//! A connection to the peer: made within a time, written to within a time.
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::{fd::AsRawFd, unix::net::UnixStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Options, Target, Writer};

/// For as long as this a connection waits for the peer's end of it, where bytes that were not read would cut off what was sent.
const LINGER: Duration = Duration::from_millis(100);

pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Writer(Writer),
}

/// The same call on whatever it is.
macro_rules! socket {
    ($socket:expr, $stream:ident => $call:expr) => {
        match $socket {
            Socket::Tcp($stream) => $call,
            #[cfg(unix)]
            Socket::Unix($stream) => $call,
            Socket::Writer($stream) => $call,
        }
    };
}

impl Socket {
    fn connect(target: &Target, until: Instant) -> io::Result<Self> {
        let (host, port) = match target {
            Target::Tcp(host, port) => (host, *port),
            #[cfg(unix)]
            // Refused, or accepted at once: by the kernel, before the peer does.
            Target::Unix(path) => return Ok(Socket::Unix(UnixStream::connect(path)?)),
            Target::Writer(writer) => {
                writer.begin()?;
                return Ok(Socket::Writer(writer.clone()));
            }
        };
        let mut refused = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in (host.as_str(), port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, left(until)?) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Socket::Tcp(stream));
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Ends the connection, whoever is in the middle of a call on it.
    pub(super) fn shut_down(&self) {
        // It fails only where there is no connection any more.
        let _ = socket!(self, stream => stream.shutdown(Shutdown::Both));
    }

    pub(super) fn descriptor(&self) -> i32 {
        match self {
            #[cfg(unix)]
            Socket::Tcp(stream) => stream.as_raw_fd(),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.as_raw_fd(),
            _ => -1,
        }
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        socket!(self, stream => stream.set_nonblocking(on))
    }

    fn set_timeouts(&self, timeout: Duration) -> io::Result<()> {
        socket!(self, stream => stream.set_read_timeout(Some(timeout)))?;
        socket!(self, stream => stream.set_write_timeout(Some(timeout)))
    }
}

impl Read for &Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        socket!(self, stream => (&*stream).read(into))
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        socket!(self, stream => (&*stream).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is left of the time.
///
/// # Errors
/// Nothing is.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(ErrorKind::TimedOut, "no connection in time"));
    }
    Ok(left)
}

/// A socket, and when what is done with it must be done, if that is told.
pub(super) struct Line {
    socket: Arc<Socket>,
    until: Option<Instant>,
}

impl Line {
    fn set_timeouts(&self) -> io::Result<()> {
        match self.until {
            Some(until) => self.socket.set_timeouts(left(until)?),
            None => Ok(()),
        }
    }
}

impl Read for &Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.set_timeouts()?;
        (&*self.socket).read(into)
    }
}

impl Write for &Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.set_timeouts()?;
        (&*self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct Connection {
    line: Line,
    /// Nothing more may be sent over it.
    finished: bool,
    #[cfg(feature = "tls")]
    channel: Option<super::tls::Channel>,
}

impl Connection {
    /// Connects; `show` is given the socket before anything is sent over it.
    pub(super) fn open(
        options: &Options,
        show: impl FnOnce(Arc<Socket>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let until = Instant::now() + options.connect_timeout;
        let mut line = Line {
            socket: Arc::new(Socket::connect(&options.target, until)?),
            until: Some(until),
        };
        show(Arc::clone(&line.socket))?;
        #[cfg(feature = "tls")]
        let mut channel = None;
        #[cfg(feature = "tls")]
        if let Some(tls) = &options.tls {
            let mut opening = tls.channel(&options.target)?;
            while opening.is_opening() {
                opening.step(&line)?;
            }
            channel = Some(opening);
        }
        line.socket.set_timeouts(options.write_timeout)?;
        line.until = None;
        Ok(Self {
            line,
            finished: false,
            #[cfg(feature = "tls")]
            channel,
        })
    }

    /// From now on everything together may take so long, instead of each time that the socket takes bytes.
    pub(super) fn allow(&mut self, time: Duration) {
        self.line.until = Some(Instant::now() + time);
    }

    /// Nothing more may be sent over it.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// Sends these bytes; so many of them the operating system has taken for certain if it fails.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        #[cfg(feature = "tls")]
        if let Some(channel) = &mut self.channel {
            return channel.send(&self.line, bytes);
        }
        let mut sent = 0;
        while sent < bytes.len() {
            match (&self.line).write(&bytes[sent..]) {
                Ok(0) => return Err((sent, ErrorKind::WriteZero.into())),
                Ok(more) => sent += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err((sent, in_words(error))),
            }
        }
        Ok(())
    }

    /// False if the peer has ended it. A first write would still succeed then, and be lost.
    pub(super) fn is_alive(&mut self) -> bool {
        self.line.until = None;
        !self.finished
            && self.line.socket.set_nonblocking(true).is_ok()
            && self.read_what_is_there()
            && self.line.socket.set_nonblocking(false).is_ok()
    }

    /// Reads once, and appends what there is. Zero: the peer's end.
    fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        #[cfg(feature = "tls")]
        if let Some(channel) = &mut self.channel {
            return channel.read(&self.line, into);
        }
        let mut buffer = [0; 4096];
        let count = (&self.line).read(&mut buffer)?;
        into.extend_from_slice(&buffer[..count]);
        Ok(count)
    }

    /// Waits for more of what the peer sends, and appends it.
    ///
    /// # Errors
    /// There is nothing in time, or nothing more.
    pub(super) fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        let had = into.len();
        while into.len() == had {
            match self.read(into) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                        return Err(io::Error::new(ErrorKind::TimedOut, "no answer in time"));
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    /// Reads what the peer has sent, which means nothing here. False: it ends there.
    fn read_what_is_there(&mut self) -> bool {
        let mut meaningless = Vec::new();
        loop {
            meaningless.clear();
            match self.read(&mut meaningless) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    kind => return kind == ErrorKind::WouldBlock,
                },
            }
        }
    }

    /// Ends it so that everything sent arrives.
    pub(super) fn end(mut self) {
        if !self.is_alive() {
            return;
        }
        #[cfg(feature = "tls")]
        if let Some(channel) = &mut self.channel {
            channel.say_goodbye(&self.line);
        }
        let mut socket = &*self.line.socket;
        let ended = socket!(socket, stream => stream.shutdown(Shutdown::Write));
        if ended.is_ok() && socket.set_timeouts(LINGER).is_ok() {
            let until = Instant::now() + LINGER;
            while left(until).is_ok() && matches!(socket.read(&mut [0; 4096]), Ok(1..)) {}
        }
    }
}

/// A timeout of a socket has the name of something else.
pub(super) fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::new(ErrorKind::TimedOut, "the peer takes nothing")
        }
        _ => error,
    }
}
