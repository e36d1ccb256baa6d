//! The part of femtolog that knows no Python: format plans, clock and date rendering, sinks, rotation arithmetic,
//! the queue of asynchronous handlers.
//! Nothing here depends on an interpreter, so every module is tested by `cargo test` alone.
#![deny(unsafe_code)]

pub mod clock;
pub mod path;
pub mod plan;
pub mod queue;
pub mod rotate;
pub mod sink;
pub mod validate;
