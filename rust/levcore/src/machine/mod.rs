//! What a call runs on: instruction sets, threads, memory that threads share. All `unsafe` code is here.

pub(crate) mod compare;
pub(crate) mod execution;
pub(crate) mod instruction_set;
mod parts;
pub(crate) mod shared;
pub(crate) mod threads;

pub use execution::Execution;
pub use instruction_set::InstructionSet;
pub use parts::fill_in_parts;
pub use threads::{MAX_THREADS, default_threads};
