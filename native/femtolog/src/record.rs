//! What is logged.
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::thread::{self, Thread};
use std::time::SystemTime;

use crate::FemtoLevel;

/// A record: who says what, and how urgent it is.
///
/// ```
/// use femtolog::{FemtoLevel, FemtoLogRecord, RecordMetadata};
///
/// let metadata = RecordMetadata::here().with("shelf", 4);
/// let record = FemtoLogRecord::new("shop", FemtoLevel::Warn, "low").with_metadata(metadata);
/// assert_eq!(record.metadata.key_values["shelf"], "4");
/// assert!(record.metadata.line_number > 0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FemtoLogRecord {
    /// The name of its logger.
    pub logger: Arc<str>,
    /// Its level.
    pub level: FemtoLevel,
    /// The message, ready.
    pub message: String,
    /// Where and when, and what else is known.
    pub metadata: RecordMetadata,
}

impl FemtoLogRecord {
    /// One of the caller's place, and of now.
    #[track_caller]
    pub fn new(logger: impl Into<Arc<str>>, level: FemtoLevel, message: impl Into<String>) -> Self {
        Self {
            logger: logger.into(),
            level,
            message: message.into(),
            metadata: RecordMetadata::here(),
        }
    }

    /// The same with other metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: RecordMetadata) -> Self {
        Self { metadata, ..self }
    }
}

/// Where and when a record was made, and what else is known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordMetadata {
    /// The module, as `module_path!()` tells it; empty where it is not told.
    pub module_path: Cow<'static, str>,
    /// The source file, as the compiler was told of it.
    pub filename: Cow<'static, str>,
    /// The line in it.
    pub line_number: u32,
    /// When it was made, by the clock of the system.
    pub timestamp: SystemTime,
    /// The thread that made it.
    pub thread: Thread,
    /// Whatever else belongs to the record, by name.
    pub key_values: BTreeMap<Cow<'static, str>, String>,
}

impl RecordMetadata {
    /// The caller's file and line, this thread, and now.
    #[must_use]
    #[track_caller]
    pub fn here() -> Self {
        let place = Location::caller();
        Self {
            module_path: Cow::Borrowed(""),
            filename: Cow::Borrowed(place.file()),
            line_number: place.line(),
            timestamp: SystemTime::now(),
            thread: thread::current(),
            key_values: BTreeMap::new(),
        }
    }

    /// The same with one thing more that is known.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "it may be a literal")]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.key_values.insert(key.into(), value.to_string());
        self
    }

    /// The same with the name of a module: `module_path!()`.
    #[must_use]
    pub fn in_module(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.module_path = path.into();
        self
    }

    /// The thread's number in this process.
    pub(crate) fn thread_id(&self) -> String {
        // The number itself has no stable name yet.
        let shown = format!("{:?}", self.thread.id());
        shown.chars().filter(char::is_ascii_digit).collect()
    }

    /// Since 1970; zero for a time before.
    pub(crate) fn nanoseconds(&self) -> u64 {
        let since = self.timestamp.duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        })
    }
}
