//! From a record to its text, in the thread that logs.
use crate::FemtoLogRecord;

/// Makes the text of a record. A function of a record is one.
///
/// ```
/// use femtolog::{FemtoFormatter, FemtoLevel, FemtoLogRecord};
///
/// let brief = |record: &FemtoLogRecord| format!("{:<8}{}", record.level, record.message);
/// let record = FemtoLogRecord::new("shop", FemtoLevel::Info, "open");
/// assert_eq!(brief.format(&record), "INFO    open");
/// ```
pub trait FemtoFormatter: Send + Sync {
    /// The text, without a newline at its end.
    fn format(&self, record: &FemtoLogRecord) -> String;
}

impl<F: Fn(&FemtoLogRecord) -> String + Send + Sync> FemtoFormatter for F {
    fn format(&self, record: &FemtoLogRecord) -> String {
        self(record)
    }
}

/// `name [LEVEL] message`.
#[derive(Clone, Copy, Default, Debug)]
pub struct DefaultFormatter;

impl FemtoFormatter for DefaultFormatter {
    fn format(&self, record: &FemtoLogRecord) -> String {
        format!("{} [{}] {}", record.logger, record.level, record.message)
    }
}
