//! What says which records pass. It runs in the thread that logs.
use crate::FemtoLogRecord;

/// Says which records pass. A function of a record is one.
///
/// ```
/// use std::sync::Arc;
/// use femtolog::{FemtoLogRecord, FemtoLogger};
///
/// let logger = FemtoLogger::new("app")?;
/// logger.add_filter(Arc::new(|record: &FemtoLogRecord| record.message.len() < 10));
/// assert!(logger.info("short"));
/// assert!(!logger.info("longer than that"));
/// # Ok::<(), femtolog::ConfigError>(())
/// ```
pub trait FemtoFilter: Send + Sync {
    /// Does it pass?
    fn should_log(&self, record: &FemtoLogRecord) -> bool;
}

impl<F: Fn(&FemtoLogRecord) -> bool + Send + Sync> FemtoFilter for F {
    fn should_log(&self, record: &FemtoLogRecord) -> bool {
        self(record)
    }
}
