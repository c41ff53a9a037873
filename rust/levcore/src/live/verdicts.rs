//! What is found out about positions and accounts, and the memory that it takes.

use std::ops::Range;

use crate::accounts::verdict::{Amounts, Verdict};
use crate::live::bounds::Bounds;
use crate::live::lines::{AccountLine, LegLine};
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

/// What is found out about accounts and, unless verdicts are all that is wanted, how they are to be watched: the bounds of their legs and of
/// the assets that they hold, one after the other, and the lines of both.
#[derive(Debug, Default)]
pub(crate) struct AccountVerdicts {
    /// Whether nobody is to be armed.
    pub only_verdicts: bool,
    pub verdicts: Vec<Verdict>,
    /// Whether no price can give an account a verdict: what is wrong with it has another cause.
    pub hopeless: Vec<bool>,
    pub bounds: Vec<Bounds>,
    pub of_assets: Vec<Bounds>,
    pub lines: Vec<AccountLine>,
    pub lines_of_legs: Vec<LegLine>,
}

impl AccountVerdicts {
    /// For verdicts alone.
    pub(crate) fn only_verdicts() -> Self {
        Self { only_verdicts: true, ..Self::default() }
    }

    pub(crate) fn clear(&mut self) {
        self.verdicts.clear();
        self.hopeless.clear();
        self.bounds.clear();
        self.of_assets.clear();
        self.lines.clear();
        self.lines_of_legs.clear();
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
    /// Rate of the maintenance tier that it is in.
    pub rate: Vec<f64>,
    /// Its part of what is handed out of its account's surplus, and the share that it gets.
    pub weight: Vec<f64>,
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
        let Self { released, value, magnitude, rate, weight, share, .. } = self;
        for column in [released, value, magnitude, rate, weight, share] {
            column.resize(legs, 0.0);
        }
    }

    /// Sum of the amounts that go into the surplus of an account with this wallet.
    pub(crate) fn magnitude_of_account(&self, legs: Range<usize>, wallet: f64) -> f64 {
        self.magnitude[legs].iter().fold(wallet.abs(), |sum, each| sum + each)
    }
}
