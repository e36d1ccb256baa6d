//! The part of femtolog that knows no Python: format plans, clock and date rendering, sinks, rotation arithmetic,
//! the queue of asynchronous handlers, what waits on disk, what goes over a network.
//! Nothing here depends on an interpreter, so every module is tested by `cargo test` alone.
#![deny(unsafe_code)]

pub mod backoff;
pub mod clock;
pub mod path;
pub mod plan;
pub mod queue;
pub mod rotate;
pub mod sink;
pub mod spool;
pub mod transport;
pub mod validate;
pub mod wire;
