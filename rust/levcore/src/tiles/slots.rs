//! Eight rows in arrays, to be looked at one by one: those that are not ordinary, and no others.

use crate::codes::measures::ByMeasure;
use crate::machine::vector::{LANES, Vector};
use crate::tiles::tile::Tile;

/// One number a row.
type Column = [f64; LANES];

/// What is looked at of a tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    pub quantity: Column,
    pub entry_price: Column,
    pub isolated_margin: Column,
    pub leverage: Column,
    pub funding: Column,
    pub risk_limit: Column,
    pub size: Column,
    pub value: Column,
    pub entry_value: Column,
    pub requirement: Column,
    pub needed: Column,
    pub results: ByMeasure<Column>,
    pub state: Column,
    pub status: Column,
}

impl Slots {
    #[inline(always)]
    pub(crate) fn of<V: Vector>(tile: &Tile<V>) -> Self {
        let mut results = ByMeasure::all([0.0; LANES]);
        for (slots, vector) in results.iter_mut().zip(tile.results.iter()) {
            vector.store(slots);
        }
        Self {
            quantity: tile.quantity.array(),
            entry_price: tile.entry_price.array(),
            isolated_margin: tile.isolated_margin.array(),
            leverage: tile.leverage.array(),
            funding: tile.funding.array(),
            risk_limit: tile.risk_limit.array(),
            size: tile.size.array(),
            value: tile.value.array(),
            entry_value: tile.entry_value.array(),
            requirement: tile.requirement.array(),
            needed: tile.needed.array(),
            results,
            state: tile.state.array(),
            status: tile.status.array(),
        }
    }

    /// Gives results and codes back to the tile.
    #[inline(always)]
    pub(crate) fn give_back<V: Vector>(&self, tile: &mut Tile<V>) {
        for (vector, slots) in tile.results.iter_mut().zip(self.results.iter()) {
            *vector = V::load(slots);
        }
        tile.requirement = V::load(&self.requirement);
        (tile.state, tile.status) = (V::load(&self.state), V::load(&self.status));
    }
}
