//! What is found out about positions and accounts, and the memory that it takes.

use crate::accounts::verdict::{Amounts, Verdict};
use crate::live::bounds::Bounds;
use crate::live::pooled_reach::Reach;

/// What is found out about an isolated position.
#[derive(Debug, Clone, Copy)]
pub struct RowVerdict {
    /// Code of its state.
    pub state: u8,
    /// Code of its status.
    pub status: u8,
    /// Its liquidation price.
    pub liquidation_price: f64,
    /// Its equity.
    pub equity: f64,
    /// Its maintenance margin.
    pub maintenance_margin: f64,
    /// Requirement over equity, a fraction.
    pub margin_ratio: f64,
    pub(crate) bounds: Bounds,
}

/// What is found out about accounts, and the bounds of their legs and of the assets that they hold, one after the other.
#[derive(Debug, Default)]
pub(crate) struct AccountVerdicts {
    pub verdicts: Vec<Verdict>,
    /// Whether no price can give an account a verdict: what is wrong with it has another cause.
    pub hopeless: Vec<bool>,
    pub bounds: Vec<Bounds>,
    pub of_assets: Vec<Bounds>,
}

impl AccountVerdicts {
    pub(super) fn clear(&mut self) {
        self.verdicts.clear();
        self.hopeless.clear();
        self.bounds.clear();
        self.of_assets.clear();
    }
}

/// What is kept of legs between the passes; a value a leg.
#[derive(Debug, Default)]
pub(crate) struct LegMemory {
    pub rows: Vec<u32>,
    pub amounts: Vec<Amounts>,
    pub released: Vec<f64>,
    pub status: Vec<u8>,
    /// Value at the mark.
    pub value: Vec<f64>,
    /// Magnitude of the amounts that went into the surplus.
    pub magnitude: Vec<f64>,
    /// Part of its account's surplus.
    pub share: Vec<f64>,
    /// How far it may move, of an account that is settled as one whole.
    pub reach: Vec<Reach>,
}

impl LegMemory {
    pub(crate) fn resize(&mut self, rows: &[u32]) {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        let legs = rows.len();
        self.amounts.resize(legs, Amounts::default());
        self.status.resize(legs, 0);
        self.reach.resize(legs, Reach::default());
        for column in [&mut self.released, &mut self.value, &mut self.magnitude, &mut self.share] {
            column.resize(legs, 0.0);
        }
    }
}
