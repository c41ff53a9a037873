//! Rows that the kernel has gone over, as columns: what following them along scenarios begins with.

use crate::accounts::cross::{ValuePass, ValuedLegs};
use crate::job::isolated::IsolatedRows;
use crate::machine::vector::Vector;
use crate::tiles::found::{Asked, Found};
use crate::tiles::marked::Terms;
use crate::tiles::pass::Pass;
use crate::tiles::shape::Shape;
use crate::tiles::tile::{Tile, TileRows};

/// One value a row.
#[derive(Default)]
pub(crate) struct Evaluated {
    pub instrument: Vec<u32>,
    pub quantity: Vec<f64>,
    pub entry_price: Vec<f64>,
    pub risk_limit: Vec<f64>,
    pub size: Vec<f64>,
    pub direction: Vec<f64>,
    pub entry_value: Vec<f64>,
    pub cash: Vec<f64>,
    pub funding: Vec<f64>,
    pub fixed_fee: Vec<f64>,
    pub maintenance: Vec<f64>,
    pub status: Vec<u8>,
}

impl Evaluated {
    #[inline(always)]
    fn take<V: Vector>(&mut self, rows: &TileRows<'_>, tile: &Tile<V>) {
        let count = rows.place.len();
        self.instrument.extend_from_slice(&rows.instrument[..count]);
        self.quantity.extend_from_slice(&tile.quantity.array()[..count]);
        self.entry_price.extend_from_slice(&tile.entry_price.array()[..count]);
        self.risk_limit.extend_from_slice(&tile.risk_limit.array()[..count]);
        self.size.extend_from_slice(&tile.size.array()[..count]);
        self.direction.extend_from_slice(&tile.direction.array()[..count]);
        self.entry_value.extend_from_slice(&tile.entry_value.array()[..count]);
        self.cash.extend_from_slice(&tile.cash.array()[..count]);
        self.funding.extend_from_slice(&tile.funding.array()[..count]);
        self.fixed_fee.extend_from_slice(&tile.fixed_fee.array()[..count]);
        self.maintenance.extend_from_slice(&tile.maintenance.array()[..count]);
        self.status.extend_from_slice(&tile.status.codes()[..count]);
    }
}

/// Evaluates isolated rows.
pub(crate) struct IsolatedPass<'a> {
    pub rows: IsolatedRows<'a>,
    pub found: &'a mut Evaluated,
}

impl Pass for IsolatedPass<'_> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        self.rows.asked()
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        self.rows.begin(rows, terms)
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        let tile = self.rows.judge(rows, terms, tile, found);
        self.found.take(rows, &tile);
    }
}

/// Values legs of cross accounts.
pub(crate) struct LegPass<'a, 'l> {
    pub legs: ValuePass<'a, ValuedLegs<'l>>,
    pub found: &'a mut Evaluated,
}

impl Pass for LegPass<'_, '_> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        self.legs.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        self.legs.asked()
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        self.legs.begin(rows, terms)
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        let tile = self.legs.value(rows, terms, tile, found);
        self.found.take(rows, &tile);
    }
}
