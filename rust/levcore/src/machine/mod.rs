//! What a call runs on: instruction sets, threads, memory that threads share. All `unsafe` code is here.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod baseline;
mod crew;
pub(crate) mod environment;
pub(crate) mod execution;
pub(crate) mod instruction_set;
pub(crate) mod number;
mod parts;
mod several;
pub(crate) mod shared;
#[cfg(target_arch = "x86_64")]
mod sse2;
pub(crate) mod threads;
pub(crate) mod vector;

pub use execution::Execution;
pub use instruction_set::InstructionSet;
pub use number::Number;
pub use parts::fill_in_parts;
pub use threads::{MAX_THREADS, default_threads};
