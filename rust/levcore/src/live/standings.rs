//! Where every subject of a live book stands, and the totals, brought up to date by what has moved since.

use crate::book::columns::Book;
use crate::codes::state::State;
use crate::error::Result;
use crate::formulas::exact_sum::ExactSum;
use crate::live::event::Figures;
use crate::live::sides::Sides;
use crate::memory::filled;

/// Totals over isolated positions and accounts with positions. Sums are exact until they are rounded once, so that neither the order of
/// changes nor their number moves a bit of them.
#[derive(Debug, Clone, Default)]
pub struct LiveTotals {
    equity: ExactSum,
    maintenance_margin: ExactSum,
    /// Isolated positions, and accounts, by state.
    pub counts: [[u64; State::COUNT]; 2],
}

impl LiveTotals {
    /// Sum of the equities of those that are known.
    #[must_use]
    pub fn equity(&self) -> f64 {
        self.equity.value()
    }

    /// Sum of the maintenance margins of those that are known.
    #[must_use]
    pub fn maintenance_margin(&self) -> f64 {
        self.maintenance_margin.value()
    }

    /// Adds the totals of another book, as exactly.
    pub fn merge(&mut self, other: &Self) {
        self.equity.merge(&other.equity);
        self.maintenance_margin.merge(&other.maintenance_margin);
        for (count, other) in self.counts.as_flattened_mut().iter_mut().zip(other.counts.as_flattened()) {
            *count += other;
        }
    }

    fn add(&mut self, kind: usize, figures: &Figures) {
        self.counts[kind][figures.state as usize] += 1;
        if figures.state != State::Incomplete as u8 {
            self.equity.add(figures.equity);
            self.maintenance_margin.add(figures.maintenance_margin);
        }
    }

    fn remove(&mut self, kind: usize, figures: &Figures) {
        self.counts[kind][figures.state as usize] -= 1;
        if figures.state != State::Incomplete as u8 {
            self.equity.add(-figures.equity);
            self.maintenance_margin.add(-figures.maintenance_margin);
        }
    }
}

/// Figures of all subjects as they were last evaluated, and which instruments and assets have moved since.
#[derive(Debug, Default)]
pub(super) struct Standings {
    /// By row; unknown for legs of accounts.
    pub rows: Vec<Figures>,
    /// By place of the account.
    pub accounts: Vec<Figures>,
    pub totals: LiveTotals,
    pub sides: Sides,
    moved: Vec<bool>,
    /// Rows of each instrument.
    of_instrument: Vec<Vec<u32>>,
}

/// Isolated rows, and places of accounts.
type Places<'a> = (&'a [u32], &'a [u32]);
/// Figures of either.
type Found<'a> = (&'a [Figures], &'a [Figures]);

impl Standings {
    /// Of these isolated rows and then of all accounts; so many codes of instruments, and of those and of assets, have prices.
    pub(super) fn of(
        isolated: &[u32],
        book: &Book<'_>,
        figures: &[Figures],
        instruments: usize,
        codes: usize,
    ) -> Result<Self> {
        let instrument = book.instrument;
        let mut standings = Self {
            rows: filled(Figures::UNKNOWN, instrument.len())?,
            accounts: figures[isolated.len()..].to_vec(),
            totals: LiveTotals::default(),
            sides: Sides::new(instrument.len(), instruments)?,
            moved: filled(false, codes)?,
            of_instrument: vec![Vec::new(); instruments],
        };
        for (row, &code) in (0..).zip(instrument) {
            standings.of_instrument[code as usize].push(row);
        }
        for (&row, figures) in isolated.iter().zip(figures) {
            standings.rows[row as usize] = *figures;
            standings.totals.add(0, figures);
        }
        standings.accounts.iter().for_each(|figures| standings.totals.add(1, figures));
        standings.count_quantities(0..instrument.len() as u32, book);
        Ok(standings)
    }

    /// Says that the price of an instrument or an asset is another one.
    #[inline(always)]
    pub(super) fn has_moved(&mut self, code: u32) {
        self.moved[code as usize] = true;
    }

    /// Instruments and assets that have moved since this was last asked.
    pub(super) fn take_moved(&mut self) -> Vec<u32> {
        let moved = (0..self.moved.len() as u32).filter(|&code| self.moved[code as usize]).collect();
        self.moved.fill(false);
        moved
    }

    /// Rows of an instrument; none of an asset.
    pub(super) fn rows_of(&self, code: u32) -> &[u32] {
        self.of_instrument.get(code as usize).map_or(&[], Vec::as_slice)
    }

    /// Counts rows with the quantities that they have now.
    pub(super) fn count_quantities(&mut self, rows: impl Iterator<Item = u32>, book: &Book<'_>) {
        for row in rows {
            let place = row as usize;
            self.sides.count_quantity(row, book.instrument[place], book.quantity[place], &self.rows[place]);
        }
    }

    /// Takes figures of these isolated rows, then of the accounts at these places.
    pub(super) fn take(&mut self, book: &Book<'_>, (rows, accounts): Places<'_>, (of_rows, of_accounts): Found<'_>) {
        for (&row, figures) in rows.iter().zip(of_rows) {
            let before = std::mem::replace(&mut self.rows[row as usize], *figures);
            self.totals.remove(0, &before);
            self.totals.add(0, figures);
            self.sides.count_figures(row, book.instrument[row as usize], &before, figures);
        }
        for (&account, figures) in accounts.iter().zip(of_accounts) {
            let before = std::mem::replace(&mut self.accounts[account as usize], *figures);
            self.totals.remove(1, &before);
            self.totals.add(1, figures);
        }
    }

    /// Makes room for a subject that has just come, as one that is not known.
    pub(super) fn add_row(&mut self, instrument: u32, isolated: bool) {
        self.of_instrument[instrument as usize].push(self.rows.len() as u32);
        self.rows.push(Figures::UNKNOWN);
        self.sides.grow();
        if isolated {
            self.totals.add(0, &Figures::UNKNOWN);
        }
    }

    /// The same for an account.
    pub(super) fn add_account(&mut self) {
        self.accounts.push(Figures::UNKNOWN);
        self.totals.add(1, &Figures::UNKNOWN);
    }
}
