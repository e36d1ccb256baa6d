//! Logging for Rust programs by the machinery of femtolog, which is Python's `logging` in Rust. There is no Python in this crate.
//!
//! A [`FemtoLogger`] asks its level and its filters, and hands a record to its handlers and to those of its parents. What a handler
//! writes is made in the thread that logs and put on a bounded queue; a thread of the handler's own takes it from there. The queue keeps
//! an account: [`emitted = written + failed + dropped + in_flight`](Ledger), at every moment.
//!
//! ```
//! use std::time::Duration;
//!
//! use femtolog::{FemtoLevel, FileHandlerBuilder, HandlerBuilderTrait, OverflowPolicy, get_logger};
//!
//! # let path = std::env::temp_dir().join(format!("femtolog-doc-{}.log", std::process::id()));
//! let file = FileHandlerBuilder::new(&path)
//!     .with_overflow_policy(OverflowPolicy::Block)
//!     .build()?;
//! let shop = get_logger("shop")?;
//! shop.add_handler(file.clone());
//! shop.set_level(FemtoLevel::Debug);
//! shop.info("open");
//! get_logger("shop.shelves")?.warn("two are empty");
//! assert!(file.flush(Duration::from_secs(5)));
//! assert_eq!(file.ledger().written, 2);
//! assert_eq!(
//!     std::fs::read_to_string(&path)?,
//!     "shop [INFO] open\nshop.shelves [WARN] two are empty\n"
//! );
//! femtolog::shutdown(); // at the end of `main`: loggers of `get_logger` are never dropped
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Anything with [`FemtoHandlerTrait`] is a handler, anything with [`Write`](std::io::Write) can be [written to](StreamHandlerBuilder::with_writer),
//! and a function is a [filter](FemtoFilter) or a [formatter](FemtoFormatter).
//!
//! A forked child has no thread of a handler that was used before: what that handler takes there is never written, `Block` waits for ever, and closing
//! takes its five seconds. Handlers that are first used in the child work; so does everything after `exec`.
//!
//! The feature `tls`, which is off, encrypts connections.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod error;
mod filter;
mod formatter;
mod handler;
mod level;
mod logger;
mod record;
mod socket;
mod stream;

#[doc(inline)]
pub use femtolog_core::backoff::Settings as BackoffConfig;
#[doc(inline)]
pub use femtolog_core::queue::{Drops, Ledger, Reason};
#[cfg(feature = "tls")]
#[doc(inline)]
pub use femtolog_core::transport::{Identity, Tls};
#[doc(inline)]
pub use femtolog_core::wire::Format;

pub use builder::{Builder, HandlerBuilderTrait, OverflowPolicy};
pub use error::{ConfigError, HandlerBuildError, HandlerError};
pub use filter::FemtoFilter;
pub use formatter::{DefaultFormatter, FemtoFormatter};
pub use handler::{FemtoHandler, FemtoHandlerTrait};
pub use level::FemtoLevel;
pub use logger::{FemtoLogger, get_logger, shutdown};
pub use record::{FemtoLogRecord, RecordMetadata};
pub use socket::SocketHandlerBuilder;
pub use stream::{FileHandlerBuilder, StreamHandlerBuilder};

/// What threads share: this does not compile where one of them cannot be.
const _: () = {
    const fn shared<T: ?Sized + Send + Sync>() {}
    shared::<FemtoLogger>();
    shared::<FemtoLogRecord>();
    shared::<RecordMetadata>();
    shared::<FemtoLevel>();
    shared::<FemtoHandler>();
    shared::<dyn FemtoHandlerTrait>();
    shared::<dyn FemtoFilter>();
    shared::<dyn FemtoFormatter>();
    shared::<StreamHandlerBuilder>();
    shared::<FileHandlerBuilder>();
    shared::<SocketHandlerBuilder>();
    shared::<dyn HandlerBuilderTrait<Handler = FemtoHandler>>();
    shared::<ConfigError>();
    shared::<HandlerBuildError>();
    shared::<HandlerError>();
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../../docs/reference/rust.md")]
struct Pages;
