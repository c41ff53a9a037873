//! The formulas over tiles of rows: vectors of whatever width the processor has.

pub(crate) mod classify;
pub(crate) mod found;
pub(crate) mod kernel;
pub(crate) mod marked;
pub(crate) mod pass;
pub(crate) mod prices;
pub(crate) mod requirement;
pub(crate) mod selection;
pub(crate) mod shape;
pub(crate) mod slots;
pub(crate) mod tile;
