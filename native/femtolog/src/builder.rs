//! What makes handlers.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use femtolog_core::queue::{Limits, Overflow};
use femtolog_core::transport::{Options, Sender};

use crate::handler::{Encode, FemtoHandler};
use crate::{
    ConfigError, FemtoFilter, FemtoFormatter, FemtoHandlerTrait, FemtoLevel, HandlerBuildError,
};

/// Bytes that wait in a queue at most.
const QUEUE_BYTES: usize = 64 << 20;

pub(crate) const POSITIVE: &str = "be greater than zero";

/// What happens to a record for which a queue has no room. Records of level ERROR and above are dropped last.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum OverflowPolicy {
    /// It is dropped.
    #[default]
    Drop,
    /// The oldest one is dropped.
    DropOldest,
    /// The caller waits for room.
    Block,
    /// The caller waits for so long; then it is dropped.
    Timeout(Duration),
}

/// Makes handlers, as often as it is asked to. Nothing is opened, and no setting is checked, before it is.
pub trait HandlerBuilderTrait: Send + Sync {
    /// What it makes.
    type Handler: FemtoHandlerTrait;

    /// The handler itself.
    ///
    /// # Errors
    /// A setting that cannot be, or what cannot be opened.
    fn build_inner(&self) -> Result<Self::Handler, HandlerBuildError>;

    /// The handler, for loggers.
    ///
    /// # Errors
    /// Those of [`build_inner`](Self::build_inner).
    fn build(&self) -> Result<Arc<dyn FemtoHandlerTrait>, HandlerBuildError> {
        Ok(Arc::new(self.build_inner()?))
    }
}

/// Where records go, in which form. No other crate can name it: the three that are here are all.
pub trait Kind: Send + Sync {
    /// Checks and opens it.
    fn open(&self, formatter: Option<Arc<dyn FemtoFormatter>>)
    -> Result<Opened, HandlerBuildError>;
}

pub struct Opened {
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) encode: Encode,
}

/// Makes a [`FemtoHandler`]: [`StreamHandlerBuilder`](crate::StreamHandlerBuilder), [`FileHandlerBuilder`](crate::FileHandlerBuilder) and
/// [`SocketHandlerBuilder`](crate::SocketHandlerBuilder) are builders that differ in where records go.
#[derive(Clone)]
pub struct Builder<K> {
    pub(crate) kind: K,
    capacity: usize,
    policy: OverflowPolicy,
    level: FemtoLevel,
    filters: Vec<Arc<dyn FemtoFilter>>,
    formatter: Option<Arc<dyn FemtoFormatter>>,
}

impl<K> Builder<K> {
    pub(crate) fn of(kind: K) -> Self {
        Self {
            kind,
            capacity: 1024,
            policy: OverflowPolicy::default(),
            level: FemtoLevel::Trace,
            filters: Vec::new(),
            formatter: None,
        }
    }

    /// So many records its queue has room for, up to 64 MiB of them together; 1024 unless told. Those that are being written count.
    #[must_use]
    pub fn with_capacity(mut self, records: usize) -> Self {
        self.capacity = records;
        self
    }

    /// What happens to a record for which there is no room; it is dropped unless told. With a
    /// [replay](crate::SocketHandlerBuilder::with_replay) it goes to disk, whatever the policy.
    #[must_use]
    pub fn with_overflow_policy(mut self, policy: OverflowPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// What is below this level is not handled; nothing is unless told.
    #[must_use]
    pub fn with_level(mut self, level: FemtoLevel) -> Self {
        self.level = level;
        self
    }

    /// A filter, which is asked after those told before.
    #[must_use]
    pub fn with_filter(mut self, filter: impl FemtoFilter + 'static) -> Self {
        self.filters.push(Arc::new(filter));
        self
    }

    /// What makes the text; `name [LEVEL] message` unless told, and for a peer the message alone.
    #[must_use]
    pub fn with_formatter(mut self, formatter: impl FemtoFormatter + 'static) -> Self {
        self.formatter = Some(Arc::new(formatter));
        self
    }
}

impl<K: Kind> HandlerBuilderTrait for Builder<K> {
    type Handler = FemtoHandler;

    fn build_inner(&self) -> Result<FemtoHandler, HandlerBuildError> {
        ConfigError::unless(self.capacity > 0, "capacity", POSITIVE, self.capacity)?;
        let (overflow, patience) = match self.policy {
            OverflowPolicy::Drop => (Overflow::Drop, None),
            OverflowPolicy::DropOldest => (Overflow::DropOldest, None),
            OverflowPolicy::Block => (Overflow::Block, None),
            OverflowPolicy::Timeout(time) => (Overflow::Timeout, Some(time)),
        };
        let time = patience.unwrap_or(Duration::MAX);
        ConfigError::unless(!time.is_zero(), "overflow_policy", POSITIVE, time)?;
        let limits = Limits {
            entries: self.capacity,
            bytes: QUEUE_BYTES,
        };
        let opened = self.kind.open(self.formatter.clone())?;
        let spool = opened.options.spool.clone();
        let sender = Sender::new(opened.options, limits, overflow);
        if let Some(spool) = spool {
            let usable = sender.open_spool();
            usable.map_err(HandlerBuildError::open(&spool.dir))?;
        }
        Ok(FemtoHandler {
            name: opened.name,
            level: self.level,
            filters: self.filters.clone(),
            encode: opened.encode,
            patience,
            sender,
            lost: 0.into(),
            told: Mutex::default(),
        })
    }
}
