//! The questions that may be asked of a book at marks, and the tasks that answer them.

pub(crate) mod passes;
pub(crate) mod questions;
mod tasks;

pub use questions::{evaluate, leave_one_out, measure_distances, measure_distances_without, quantities_to_close};
