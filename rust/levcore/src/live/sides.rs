//! Totals of an instrument by side, exact after any number of changes.

use crate::codes::state::State;
use crate::error::Result;
use crate::formulas::exact_sum::ExactSum;
use crate::live::event::Figures;
use crate::memory::filled;

/// Totals of the long, or of the short, positions of an instrument.
#[derive(Debug, Clone, Default)]
pub struct SideTotals {
    /// Isolated positions and legs of accounts; flat ones, and those whose quantity is not finite, are on neither side.
    pub positions: u64,
    quantity: ExactSum,
    equity: ExactSum,
    maintenance_margin: ExactSum,
}

impl SideTotals {
    /// Number of contracts, without sign.
    #[must_use]
    pub fn quantity(&self) -> f64 {
        self.quantity.value()
    }

    /// Sum of the equities of the isolated positions that are known.
    #[must_use]
    pub fn equity(&self) -> f64 {
        self.equity.value()
    }

    /// Sum of their maintenance margins.
    #[must_use]
    pub fn maintenance_margin(&self) -> f64 {
        self.maintenance_margin.value()
    }

    /// Adds those of another book, as exactly.
    pub fn merge(&mut self, other: &Self) {
        self.positions += other.positions;
        self.quantity.merge(&other.quantity);
        self.equity.merge(&other.equity);
        self.maintenance_margin.merge(&other.maintenance_margin);
    }

    fn count(&mut self, figures: &Figures, sign: f64) {
        if figures.state != State::Incomplete as u8 {
            self.equity.add(sign * figures.equity);
            self.maintenance_margin.add(sign * figures.maintenance_margin);
        }
    }
}

/// Totals by instrument and side, and the quantities that went into them.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// Long, short.
    pub of: Vec<[SideTotals; 2]>,
    /// Of each row, as it was last counted.
    counted: Vec<f64>,
}

/// Side of a quantity, if it has one.
fn side(quantity: f64) -> Option<usize> {
    let has_one = quantity.is_finite() && quantity != 0.0;
    has_one.then(|| usize::from(quantity < 0.0))
}

impl Sides {
    /// Of so many rows of so many instruments, none of which is counted yet.
    pub(super) fn new(rows: usize, instruments: usize) -> Result<Self> {
        Ok(Self { of: vec![<[SideTotals; 2]>::default(); instruments], counted: filled(0.0, rows)? })
    }

    /// Makes room for a row at the end.
    pub(super) fn grow(&mut self) {
        self.counted.push(0.0);
    }

    /// Counts a row with another quantity; `figures` are those that it has been counted with.
    pub(super) fn count_quantity(&mut self, row: u32, instrument: u32, quantity: f64, figures: &Figures) {
        let before = std::mem::replace(&mut self.counted[row as usize], quantity);
        let of = &mut self.of[instrument as usize];
        if let Some(side) = side(before) {
            of[side].positions -= 1;
            of[side].quantity.add(-before.abs());
            of[side].count(figures, -1.0);
        }
        if let Some(side) = side(quantity) {
            of[side].positions += 1;
            of[side].quantity.add(quantity.abs());
            of[side].count(figures, 1.0);
        }
    }

    /// Counts an isolated row with other figures.
    pub(super) fn count_figures(&mut self, row: u32, instrument: u32, before: &Figures, now: &Figures) {
        if let Some(side) = side(self.counted[row as usize]) {
            let of = &mut self.of[instrument as usize][side];
            of.count(before, -1.0);
            of.count(now, 1.0);
        }
    }
}
