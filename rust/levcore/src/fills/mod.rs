//! Positions from fills: average entry, profit realized and unrealized, fees, and the price at which it all comes to nothing.

mod ledger;
mod positions;

pub use positions::{FILL_MEASURES, FilledPosition, Fills, positions_from_fills};
