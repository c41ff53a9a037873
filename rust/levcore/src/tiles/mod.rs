//! The formulas over tiles of rows: vectors of whatever width the processor has.

pub(crate) mod classify;
pub(crate) mod kernel;
pub(crate) mod marked;
pub(crate) mod prices;
pub(crate) mod requirement;
pub(crate) mod tile;
