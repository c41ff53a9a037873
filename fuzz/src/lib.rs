//! What the fuzzers do with bytes: build arguments that no caller should pass, call the core, and look at what came back.
//!
//! A call may refuse with an [`Error`](levcore::Error) or mark a row; it may not panic, overflow, or give an answer that depends on
//! the instruction set or the number of threads. `rust/levcore/tests/fuzz.rs` runs the same functions on random bytes and the seeds.

mod book;
mod bytes;
mod smaller;

pub use book::evaluate;
pub use smaller::{fills, labels, sums};
