//! The questions that may be asked of a book at marks, and the tasks that answer them.

pub(crate) mod questions;
mod tasks;

pub use questions::{evaluate, measure_distances, quantities_to_close};
