//! What a handler is, and the one that this crate has: a record becomes bytes in the thread that logs, and a sender of `femtolog-core` has
//! the queue and the thread that they go to.
use std::any::Any;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use femtolog_core::queue::{Ledger, Offer, Reason, Waited};
use femtolog_core::transport::Sender;

use crate::{FemtoFilter, FemtoLevel, FemtoLogRecord, HandlerError};

/// So long closing takes at most.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a cancelled thread needs to see that it is.
const MOMENT: Duration = Duration::from_millis(500);

/// So often standard error is told of losses at most.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Takes records. [`FemtoHandler`] has a thread; one of a program's own does with a record what it likes, in the thread that logs. One that
/// panics does so to whoever logs. As an [`Any`] it is found again behind its trait.
///
/// ```
/// use std::sync::Mutex;
///
/// use femtolog::{FemtoHandlerTrait, FemtoLogRecord, HandlerError, get_logger};
///
/// #[derive(Default)]
/// struct Messages(Mutex<Vec<String>>);
///
/// impl FemtoHandlerTrait for Messages {
///     fn handle(&self, record: &FemtoLogRecord) -> Result<(), HandlerError> {
///         self.0.lock().unwrap().push(record.message.clone());
///         Ok(())
///     }
/// }
///
/// let messages = std::sync::Arc::new(Messages::default());
/// let shop = get_logger("shop")?;
/// shop.add_handler(messages.clone());
/// shop.info("open");
/// assert_eq!(*messages.0.lock().unwrap(), ["open"]);
/// # Ok::<(), femtolog::ConfigError>(())
/// ```
pub trait FemtoHandlerTrait: Any + Send + Sync {
    /// Takes a record, if it is not below its level and its filters let it pass.
    ///
    /// # Errors
    /// It was dropped, or could not be taken. A logger goes on with its next handler and tells nobody: the handler has the account.
    fn handle(&self, record: &FemtoLogRecord) -> Result<(), HandlerError>;

    /// Waits until everything taken before is written. False: it was not in this time, or some of it was lost since the last flush; or the
    /// handler is closed. What had no room was never taken: `handle` said so, and the account does.
    fn flush(&self, _timeout: Duration) -> bool {
        true
    }

    /// Takes nothing from now on, and writes what was taken before, for five seconds at most; what is left then is dropped.
    /// It does nothing more the second time. Dropping the last reference closes as well.
    fn close(&self) {}

    /// What became of the records; nothing but zeros for a handler that keeps no account.
    fn ledger(&self) -> Ledger {
        Ledger::default()
    }
}

/// Makes what is queued for a record; nothing for one that is too large.
pub(crate) type Encode = Box<dyn Fn(&FemtoLogRecord) -> Option<Vec<u8>> + Send + Sync>;

/// Lets a thread of its own write: what a [`Builder`](crate::Builder) makes. The first record starts the thread.
pub struct FemtoHandler {
    pub(crate) name: String,
    pub(crate) level: FemtoLevel,
    pub(crate) filters: Vec<Arc<dyn FemtoFilter>>,
    pub(crate) encode: Encode,
    /// For so long a caller waits for room; nothing: for ever.
    pub(crate) patience: Option<Duration>,
    pub(crate) sender: Sender,
    /// How many were lost when somebody flushed last.
    pub(crate) lost: AtomicU64,
    /// When standard error was told last, and how many had not been written then.
    pub(crate) told: Mutex<Option<(Instant, u64)>>,
}

impl fmt::Debug for FemtoHandler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FemtoHandler({})", self.name)
    }
}

impl FemtoHandler {
    /// Why the last attempt to write failed, or what the peer has refused; empty while all is well.
    #[must_use]
    pub fn last_error(&self) -> String {
        self.sender.status().error
    }

    fn put(&self, item: Vec<u8>, protected: bool) -> Result<(), HandlerError> {
        let (queue, weight) = (self.sender.queue(), item.len());
        let begin = Instant::now();
        let mut offered = self.sender.offer(item, protected).map_err(|error| {
            queue.fail_unqueued();
            HandlerError::Failed(error)
        })?;
        loop {
            let item = match offered {
                Offer::Queued(others) => {
                    if !others.is_empty() {
                        self.tell(false);
                    }
                    return Ok(());
                }
                Offer::Dropped(_, reason) => return Err(HandlerError::Dropped(reason)),
                Offer::Closed(_) => return self.give_up(Reason::Closed),
                Offer::Full(item) => item,
            };
            let spent = begin.elapsed();
            let left = self.patience.map(|time| time.saturating_sub(spent));
            offered = match queue.wait_for_room(weight, left) {
                Waited::TimedOut => queue.offer_at_last(item, weight, protected),
                Waited::Ready | Waited::Closed => queue.offer(item, weight, protected),
            };
        }
    }

    fn give_up(&self, reason: Reason) -> Result<(), HandlerError> {
        self.sender.queue().give_up(reason);
        Err(HandlerError::Dropped(reason))
    }

    /// Says on standard error how many records were lost since the last time.
    fn tell(&self, now: bool) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !now && told.is_some_and(|(last, _)| last.elapsed() < TELL_EVERY) {
            return;
        }
        let account = self.ledger();
        let lost = account.failed + account.dropped.total();
        let before = told.map_or(0, |(_, before)| before);
        if lost == before {
            return;
        }
        *told = Some((Instant::now(), lost));
        drop(told);
        let drops = Reason::ALL.map(|why| (why.name(), account.dropped.of(why)));
        let every = drops.into_iter().chain([("failed", account.failed)]);
        let every = every.filter(|(_, count)| *count > 0);
        let every: Vec<_> = every.map(|(why, count)| format!("{why} {count}")).collect();
        let (more, why, mut error) = (lost - before, every.join(", "), self.last_error());
        if !error.is_empty() {
            error.insert_str(0, "; ");
        }
        // Nobody is left to be told that this fails.
        let _ = writeln!(
            io::stderr(),
            "femtolog: {self:?} has lost {more} more records (in all: {why}){error}"
        );
    }
}

impl FemtoHandlerTrait for FemtoHandler {
    fn handle(&self, record: &FemtoLogRecord) -> Result<(), HandlerError> {
        let passes = |filter: &Arc<dyn FemtoFilter>| filter.should_log(record);
        if record.level < self.level || !self.filters.iter().all(passes) {
            return Ok(());
        }
        let outcome = match (self.encode)(record) {
            Some(item) => self.put(item, record.level >= FemtoLevel::Error),
            None => self.give_up(Reason::Oversize),
        };
        if outcome.is_err() {
            self.tell(false);
        }
        outcome
    }

    fn flush(&self, timeout: Duration) -> bool {
        let queue = self.sender.queue();
        let done = queue.wait_done(queue.hurry(), Some(timeout));
        let lost = queue.ledger().lost();
        let before = self.lost.swap(lost, Ordering::Relaxed);
        self.tell(false);
        done && !queue.is_closed() && lost == before
    }

    fn close(&self) {
        self.sender.close();
        if !self.sender.wait_ended(CLOSE_TIMEOUT) {
            self.sender.cancel();
            let _ = self.sender.wait_ended(MOMENT);
        }
        self.tell(true);
    }

    fn ledger(&self) -> Ledger {
        self.sender.queue().ledger()
    }
}

impl Drop for FemtoHandler {
    fn drop(&mut self) {
        self.close();
    }
}
