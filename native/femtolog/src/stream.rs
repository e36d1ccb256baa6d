//! Lines to standard output, standard error, a file, or any writer.
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use femtolog_core::transport::{Options, Protocol, Target, Writer};

use crate::builder::{Builder, Kind, Opened};
use crate::{DefaultFormatter, FemtoFormatter, FemtoLogRecord, HandlerBuildError};

/// Makes a handler of lines; for standard error unless told otherwise. Whatever waited is one `write`, and then a `flush`, by the handler's
/// thread. Standard output and standard error that a process was started without take everything: the standard library of Rust says so.
///
/// ```
/// use femtolog::{FemtoLogger, HandlerBuilderTrait, StreamHandlerBuilder};
///
/// let logger = FemtoLogger::new("app")?;
/// logger.add_handler(StreamHandlerBuilder::stdout().build()?);
/// logger.info("ready");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type StreamHandlerBuilder = Builder<Stream>;

#[derive(Clone)]
pub struct Stream {
    name: &'static str,
    writer: Writer,
}

impl Default for StreamHandlerBuilder {
    fn default() -> Self {
        Self::stderr()
    }
}

impl StreamHandlerBuilder {
    /// For standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::named("stderr", io::stderr())
    }

    /// For standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::named("stdout", io::stdout())
    }

    /// For a writer, which the handlers that are built share, one at a time. After an error it is tried again, so what could not be flushed may
    /// be there twice. One that panics closes its handler; one that never returns keeps its thread, and what the thread has in hand stays in
    /// flight. What it logs itself never waits for room.
    #[must_use]
    pub fn with_writer(writer: impl Write + Send + 'static) -> Self {
        Self::named("writer", writer)
    }

    fn named(name: &'static str, writer: impl Write + Send + 'static) -> Self {
        let writer = Writer::new(writer);
        Self::of(Stream { name, writer })
    }
}

impl Kind for Stream {
    fn open(&self, text: Option<Arc<dyn FemtoFormatter>>) -> Result<Opened, HandlerBuildError> {
        Ok(lines(self.name.to_owned(), self.writer.clone(), text))
    }
}

/// Makes a handler that appends lines to a file; whatever waited is one `write`. With the operating system they are written: nothing is
/// synchronized with the disk. The file stays open: where something renames it, the lines go on into the renamed one.
///
/// ```
/// use femtolog::{FileHandlerBuilder, HandlerBuilderTrait};
///
/// let refused = FileHandlerBuilder::new("/no/such/folder/app.log").build_inner();
/// assert!(refused.unwrap_err().to_string().contains("/no/such/folder/app.log cannot be opened"));
/// ```
pub type FileHandlerBuilder = Builder<InFile>;

#[derive(Clone)]
pub struct InFile(PathBuf);

impl FileHandlerBuilder {
    /// For that file, which is made if it is not there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(InFile(path.into()))
    }
}

impl Kind for InFile {
    fn open(&self, text: Option<Arc<dyn FemtoFormatter>>) -> Result<Opened, HandlerBuildError> {
        let file = File::options().create(true).append(true).open(&self.0);
        let writer = Writer::new(file.map_err(HandlerBuildError::open(&self.0))?);
        Ok(lines(self.0.display().to_string(), writer, text))
    }
}

fn lines(name: String, writer: Writer, formatter: Option<Arc<dyn FemtoFormatter>>) -> Opened {
    let formatter = formatter.unwrap_or_else(|| Arc::new(DefaultFormatter));
    let line = move |record: &FemtoLogRecord| Some((formatter.format(record) + "\n").into_bytes());
    Opened {
        name,
        options: Options::new(Target::Writer(writer), Protocol::Frames),
        encode: Box::new(line),
    }
}
