//! The formulas of one position, each in the file of its name, and the arithmetic that they rest on.

pub mod contract;
pub mod exact_sum;
pub mod exposure;
pub mod fill;
pub mod liquidation;
pub mod margin;
pub mod mark_to_market;
pub mod order_margin;
pub(crate) mod ray;
pub mod state;
