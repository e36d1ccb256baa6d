//! Loggers, and the tree of those that have a name in this process.
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::{
    ConfigError, FemtoFilter, FemtoHandlerTrait, FemtoLevel, FemtoLogRecord, RecordMetadata,
};

/// A list that is replaced when it changes: whoever goes through it holds no lock.
struct Listed<T: ?Sized>(RwLock<Arc<Vec<Arc<T>>>>);

impl<T: ?Sized> Default for Listed<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: ?Sized> Listed<T> {
    fn get(&self) -> Arc<Vec<Arc<T>>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<T>>)) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::clone(&list);
        change(&mut changed);
        let before = std::mem::replace(&mut *list, Arc::new(changed));
        drop(list);
        // The last reference to a handler may be in it, and closes that.
        drop(before);
    }

    fn add(&self, one: Arc<T>) {
        self.change(|list| {
            if !list.iter().any(|there| Arc::ptr_eq(there, &one)) {
                list.push(one);
            }
        });
    }

    fn remove(&self, one: &Arc<T>) {
        self.change(|list| list.retain(|there| !Arc::ptr_eq(there, one)));
    }

    fn clear(&self) {
        self.change(Vec::clear);
    }
}

/// A logger: takes a message, which is not made where nothing is logged, and says whether its level and its filters let it pass.
///
/// [`get_logger`] gives those of the tree; one made by its name stands alone. A new one has level INFO. What finds no handler, here or
/// further up, is written to standard error from WARN on, as Python's `logging` does, and nowhere below.
///
/// Any thread may use and change a logger at any time. Filters, formatters and handlers run without a lock of it, in the thread that logs,
/// and what they panic with is its caller's.
///
/// ```
/// use femtolog::{FemtoLevel, FemtoLogger};
///
/// let logger = FemtoLogger::new("alone")?;
/// assert!(logger.info(format_args!("{} are ready", 3)));
/// assert!(!logger.debug("below the level"));
/// assert_eq!(
///     FemtoLogger::new("a..b").unwrap_err().to_string(),
///     "name must have no empty part between its dots, got \"a..b\""
/// );
/// # Ok::<(), femtolog::ConfigError>(())
/// ```
pub struct FemtoLogger {
    name: Arc<str>,
    level: AtomicU8,
    propagate: AtomicBool,
    parent: Option<Arc<FemtoLogger>>,
    handlers: Listed<dyn FemtoHandlerTrait>,
    filters: Listed<dyn FemtoFilter>,
}

impl fmt::Debug for FemtoLogger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FemtoLogger({} {})", self.name, self.level())
    }
}

/// A method that logs at one level.
macro_rules! at_level {
    ($method:ident, $level:ident) => {
        #[doc = concat!("[`log`](Self::log) at [`", stringify!($level), "`](FemtoLevel::", stringify!($level), ").")]
        #[track_caller]
        pub fn $method(&self, message: impl fmt::Display) -> bool {
            self.log(FemtoLevel::$level, message)
        }
    };
}

impl FemtoLogger {
    /// One that stands alone.
    ///
    /// # Errors
    /// An empty name, one that begins or ends with a dot, and one with two dots in a row.
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        checked(name)?;
        Ok(Self::named(name, None))
    }

    fn named(name: &str, parent: Option<Arc<Self>>) -> Self {
        Self {
            name: name.into(),
            level: AtomicU8::new(FemtoLevel::Info.number()),
            propagate: AtomicBool::new(true),
            parent,
            handlers: Listed::default(),
            filters: Listed::default(),
        }
    }

    /// Logs a message, with the caller's file and line. False: the level or a filter refuses it.
    #[track_caller]
    pub fn log(&self, level: FemtoLevel, message: impl fmt::Display) -> bool {
        self.is_enabled_for(level) && self.log_with(level, message, RecordMetadata::here())
    }

    /// The same with what else is known.
    pub fn log_with(
        &self,
        level: FemtoLevel,
        message: impl fmt::Display,
        metadata: RecordMetadata,
    ) -> bool {
        self.is_enabled_for(level)
            && self.emit(&FemtoLogRecord {
                logger: Arc::clone(&self.name),
                level,
                message: message.to_string(),
                metadata,
            })
    }

    fn emit(&self, record: &FemtoLogRecord) -> bool {
        if !self.filters.get().iter().all(|one| one.should_log(record)) {
            return false;
        }
        let (mut logger, mut handled) = (self, false);
        loop {
            for handler in logger.handlers.get().iter() {
                // It is in the handler's account, and the caller has nothing to do with it.
                let _ = handler.handle(record);
                handled = true;
            }
            match &logger.parent {
                Some(parent) if logger.propagate() => logger = parent,
                _ => break,
            }
        }
        if !handled && record.level >= FemtoLevel::Warn {
            // `logging.lastResort`. Nobody is left to be told that this fails.
            let _ = writeln!(io::stderr(), "{}", record.message);
        }
        true
    }

    at_level!(trace, Trace);
    at_level!(debug, Debug);
    at_level!(info, Info);
    at_level!(warn, Warn);
    at_level!(error, Error);
    at_level!(critical, Critical);

    /// Would a record of this level be logged, as far as levels say?
    #[must_use]
    pub fn is_enabled_for(&self, level: FemtoLevel) -> bool {
        level.number() >= self.level.load(Ordering::Relaxed)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The logger above it; none for the root logger, and for one that stands alone.
    #[must_use]
    pub fn parent(&self) -> Option<&Arc<FemtoLogger>> {
        self.parent.as_ref()
    }

    /// Its level.
    #[must_use]
    pub fn level(&self) -> FemtoLevel {
        let number = self.level.load(Ordering::Relaxed);
        let found = FemtoLevel::ALL
            .into_iter()
            .find(|level| level.number() == number);
        found.unwrap_or(FemtoLevel::Info) // it is found: only levels are stored
    }

    /// What is below this level is not logged, from the next call of any thread on.
    pub fn set_level(&self, level: FemtoLevel) {
        self.level.store(level.number(), Ordering::Relaxed);
    }

    /// Do its records go to the handlers of its parents?
    #[must_use]
    pub fn propagate(&self) -> bool {
        self.propagate.load(Ordering::Relaxed)
    }

    /// Whether records go to the handlers of the parents, too.
    pub fn set_propagate(&self, propagate: bool) {
        self.propagate.store(propagate, Ordering::Relaxed);
    }

    /// Adds a handler, unless it is there.
    pub fn add_handler(&self, handler: Arc<dyn FemtoHandlerTrait>) {
        self.handlers.add(handler);
    }

    /// Removes a handler, if it is there; what was logged before is still written.
    pub fn remove_handler(&self, handler: &Arc<dyn FemtoHandlerTrait>) {
        self.handlers.remove(handler);
    }

    /// Removes all handlers.
    pub fn clear_handlers(&self) {
        self.handlers.clear();
    }

    /// Adds a filter, unless it is there. It is asked for records of this logger, and not for those of loggers below.
    pub fn add_filter(&self, filter: Arc<dyn FemtoFilter>) {
        self.filters.add(filter);
    }

    /// Removes a filter, if it is there.
    pub fn remove_filter(&self, filter: &Arc<dyn FemtoFilter>) {
        self.filters.remove(filter);
    }

    /// Removes all filters.
    pub fn clear_filters(&self) {
        self.filters.clear();
    }

    /// Flushes all handlers of this logger, not those of its parents, in this time together. Is everything written?
    pub fn flush_handlers(&self, timeout: Duration) -> bool {
        let (begin, mut done) = (Instant::now(), true);
        for handler in self.handlers.get().iter() {
            done &= handler.flush(timeout.saturating_sub(begin.elapsed()));
        }
        done
    }
}

static KNOWN: LazyLock<Mutex<HashMap<String, Arc<FemtoLogger>>>> = LazyLock::new(Mutex::default);

fn known() -> MutexGuard<'static, HashMap<String, Arc<FemtoLogger>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The one logger of this name; `root` is the root logger. Its parent is the logger of what stands before the last dot.
///
/// # Errors
/// Those of [`FemtoLogger::new`].
pub fn get_logger(name: &str) -> Result<Arc<FemtoLogger>, ConfigError> {
    checked(name)?;
    let mut known = known();
    let root = || Arc::new(FemtoLogger::named("root", None));
    let mut logger = Arc::clone(known.entry("root".to_owned()).or_insert_with(root));
    let above = name.match_indices('.').map(|(dot, _)| &name[..dot]);
    for part in above.chain([name]).filter(|part| *part != "root") {
        let under = || Arc::new(FemtoLogger::named(part, Some(Arc::clone(&logger))));
        let next = known.entry(part.to_owned()).or_insert_with(under);
        logger = Arc::clone(next);
    }
    Ok(logger)
}

fn checked(name: &str) -> Result<(), ConfigError> {
    let constraint = "have no empty part between its dots";
    let is_name = !name.split('.').any(str::is_empty);
    ConfigError::unless(is_name, "name", constraint, name)
}

/// Closes all handlers of the loggers that [`get_logger`] has given, one after the other: at the end of `main`, so that everything is written.
/// Each takes five seconds at most, and half a second more where it hangs.
pub fn shutdown() {
    let loggers: Vec<_> = known().values().cloned().collect();
    for logger in loggers {
        for handler in logger.handlers.get().iter() {
            handler.close();
        }
    }
}
