//! Records to a peer, as frames of `MessagePack` or CBOR.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use femtolog_core::spool;
use femtolog_core::transport::{Options, Protocol, Target};
use femtolog_core::wire::{Format, Record};

use crate::builder::{Builder, Kind, Opened, POSITIVE};
use crate::{BackoffConfig, ConfigError, FemtoFormatter, FemtoLogRecord, HandlerBuildError};

/// No time is longer: a clock has to reach the end of it.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes a handler that sends frames: four bytes of length, the highest first, and a map. `python -m femtolog serve` takes them.
///
/// *Written* is what the operating system has taken: no answer of the peer is waited for. Nothing is connected before the first record. For
/// TCP to localhost:9020, with frames of `MessagePack` and at most a mebibyte, unless told otherwise.
///
/// ```
/// use femtolog::{Format, HandlerBuilderTrait, SocketHandlerBuilder};
///
/// let builder = SocketHandlerBuilder::new().with_format(Format::Cbor);
/// let handler = builder.clone().with_tcp("log.example.org", 9021).build_inner()?;
/// assert_eq!(format!("{handler:?}"), "FemtoHandler(log.example.org:9021)");
/// let refused = builder.with_tcp("log.example.org", 0).build_inner();
/// assert_eq!(refused.unwrap_err().to_string(), "port must be greater than zero, got 0");
/// # Ok::<(), femtolog::HandlerBuildError>(())
/// ```
pub type SocketHandlerBuilder = Builder<Peer>;

#[derive(Clone)]
pub struct Peer {
    options: Options,
    max_frame_size: usize,
    format: Format,
}

impl Default for SocketHandlerBuilder {
    fn default() -> Self {
        let target = Target::Tcp("localhost".to_owned(), 9020);
        let mut options = Options::new(target, Protocol::Frames);
        options.write_timeout = Duration::from_secs(1);
        Self::of(Peer {
            options,
            max_frame_size: 1 << 20,
            format: Format::MessagePack,
        })
    }
}

impl SocketHandlerBuilder {
    /// One that was told nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The peer's address. The name is looked up for each connection.
    #[must_use]
    pub fn with_tcp(mut self, host: impl Into<String>, port: u16) -> Self {
        self.kind.options.target = Target::Tcp(host.into(), port);
        self
    }

    /// The peer's socket in the file system.
    #[cfg(unix)]
    #[must_use]
    pub fn with_unix_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.kind.options.target = Target::Unix(path.into());
        self
    }

    /// Bytes that a payload has at most; records that need more are dropped.
    #[must_use]
    pub fn with_max_frame_size(mut self, bytes: usize) -> Self {
        self.kind.max_frame_size = bytes;
        self
    }

    /// How a record is encoded.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        self.kind.format = format;
        self
    }

    /// What has no room, or waits while the peer is away for too long, goes to files in that directory, of so many bytes together at most, and
    /// is sent in order when the peer is back, by the next process if need be. What has no room there either is dropped.
    #[must_use]
    pub fn with_replay(mut self, spool_dir: impl Into<PathBuf>, spool_max: u64) -> Self {
        self.kind.options.spool = Some(spool::Options {
            dir: spool_dir.into(),
            kind: "", // the format's, when it is known
            bytes: spool_max,
        });
        self
    }

    /// What an attempt to connect may take, and for how long the peer may take nothing; five seconds and one unless told.
    #[must_use]
    pub fn with_timeouts(mut self, connect: Duration, write: Duration) -> Self {
        self.kind.options.connect_timeout = connect;
        self.kind.options.write_timeout = write;
        self
    }

    /// How long to wait between attempts, and when to drop what waits, or to leave it to a replay.
    #[must_use]
    pub fn with_backoff(mut self, backoff: BackoffConfig) -> Self {
        self.kind.options.backoff = backoff;
        self
    }

    /// Encrypts. Over a socket in the file system it needs the name that the peer's certificate has.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: crate::Tls) -> Self {
        self.kind.options.tls = Some(tls);
        self
    }
}

impl Kind for Peer {
    fn open(&self, text: Option<Arc<dyn FemtoFormatter>>) -> Result<Opened, HandlerBuildError> {
        let (format, most) = (self.format, self.max_frame_size);
        let mut options = self.options.clone();
        let name = match &options.target {
            Target::Tcp(host, port) => {
                ConfigError::unless(!host.is_empty(), "host", "not be empty", host)?;
                ConfigError::unless(*port > 0, "port", POSITIVE, port)?;
                format!("{host}:{port}")
            }
            #[cfg(unix)]
            Target::Unix(path) => {
                #[cfg(feature = "tls")]
                if let Some(tls) = &options.tls {
                    let constraint = "have a domain over a socket in the file system";
                    ConfigError::unless(tls.has_domain(), "tls", constraint, path)?;
                }
                path.display().to_string()
            }
            Target::Writer(_) => unreachable!("no method sets it"),
        };
        ConfigError::unless(most > 0, "max_frame_size", POSITIVE, most)?;
        let backoff = &options.backoff;
        for (field, time) in [
            ("connect_timeout", options.connect_timeout),
            ("write_timeout", options.write_timeout),
            ("backoff.base", backoff.base),
            ("backoff.cap", backoff.cap),
            ("backoff.reset_after", backoff.reset_after),
            ("backoff.deadline", backoff.deadline),
        ] {
            let constraint = "be greater than zero and at most 365 days";
            ConfigError::unless(!time.is_zero() && time <= YEAR, field, constraint, time)?;
        }
        let (base, cap) = (backoff.base, backoff.cap);
        ConfigError::unless(base <= cap, "backoff.base", "not be above the cap", base)?;
        if let Some(spool) = &mut options.spool {
            ConfigError::unless(spool.bytes > 0, "spool_max", POSITIVE, spool.bytes)?;
            spool.kind = match format {
                Format::MessagePack => "msgpack",
                Format::Cbor => "cbor",
            };
        }
        Ok(Opened {
            name,
            options,
            encode: Box::new(move |record| frame(record, text.as_deref(), format, most)),
        })
    }
}

/// Nothing for a record that is too large.
fn frame(
    record: &FemtoLogRecord,
    formatter: Option<&dyn FemtoFormatter>,
    format: Format,
    most: usize,
) -> Option<Vec<u8>> {
    let about = &record.metadata;
    let pairs = about.key_values.iter();
    let message = formatter.map(|formatter| formatter.format(record).into());
    let on_the_wire = Record {
        logger: (&*record.logger).into(),
        level: record.level.name().into(),
        message: message.unwrap_or_else(|| (&*record.message).into()),
        timestamp_ns: about.nanoseconds(),
        filename: (&*about.filename).into(),
        line_number: about.line_number.into(),
        module_path: (&*about.module_path).into(),
        thread_id: about.thread_id().into(),
        thread_name: about.thread.name().map(Into::into),
        key_values: pairs
            .map(|(key, value)| ((&**key).into(), value.into()))
            .collect(),
        number: None,
    };
    on_the_wire.frame(format, most, false).ok()
}
