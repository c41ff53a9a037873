//! Changes of a live book in place: positions amended, opened and closed, wallets moved.

use crate::error::{Error, Result};
use crate::live::book::{Levels, LiveBook, markets};
use crate::live::crossing::{Crossing, Seen};
use crate::live::event::Event;
use crate::live::resident::ResidentBook;
use crate::live::standings::LiveTotals;
use crate::machine::instruction_set::InstructionSet;

/// Columns of positions by [`ResidentBook`], each as long as the list of rows that it is for; `None`: as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Amendment<'a> {
    /// Signed number of contracts.
    pub quantity: Option<&'a [f64]>,
    /// Average entry price.
    pub entry_price: Option<&'a [f64]>,
    /// Margin of isolated positions.
    pub isolated_margin: Option<&'a [f64]>,
    /// Leverage.
    pub leverage: Option<&'a [f64]>,
    /// Funding accrued.
    pub accrued_funding: Option<&'a [f64]>,
    /// Risk limit.
    pub risk_limit: Option<&'a [f64]>,
}

impl Amendment<'_> {
    pub(super) fn check(&self, expected: usize) -> Result<()> {
        let columns = [
            ("quantity", self.quantity),
            ("entry_price", self.entry_price),
            ("isolated_margin", self.isolated_margin),
            ("leverage", self.leverage),
            ("accrued_funding", self.accrued_funding),
            ("risk_limit", self.risk_limit),
        ];
        for (argument, column) in columns {
            let found = column.map_or(expected, <[f64]>::len);
            if found != expected {
                return Err(Error::Length { argument, expected, found });
            }
        }
        Ok(())
    }

    /// Puts the columns into rows of a book, which has them all.
    pub(super) fn put(&self, book: &mut ResidentBook, rows: &[u32]) {
        let count = book.quantity.len();
        let put = |column: &mut [f64], values: Option<&[f64]>| {
            for (&row, &value) in rows.iter().zip(values.unwrap_or_default()) {
                column[row as usize] = value;
            }
        };
        put(&mut book.quantity, self.quantity);
        put(&mut book.entry_price, self.entry_price);
        // What a column says that is absent: nothing is known, and no funding has accrued.
        let put_new = |column: &mut Option<Vec<f64>>, values: Option<&[f64]>, absent: f64| {
            if values.is_some() {
                put(column.get_or_insert_with(|| vec![absent; count]), values);
            }
        };
        put_new(&mut book.isolated_margin, self.isolated_margin, f64::NAN);
        put_new(&mut book.leverage, self.leverage, f64::NAN);
        put_new(&mut book.accrued_funding, self.accrued_funding, 0.0);
        put_new(&mut book.risk_limit, self.risk_limit, f64::NAN);
    }
}

impl LiveBook {
    /// Amends positions: those whose state it changes are told, as at the instant 0. Of a row that stands twice the last one holds.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for a row that is none, [`Error::Length`] for a column of another length, [`Error::FallingRate`] as of
    /// [`evaluate`](crate::evaluate()); nothing has changed then.
    pub fn amend(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        rows: &[u32],
        amendment: &Amendment<'_>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        if let Some(place) = self.refused_amendment(levels, rows, amendment)? {
            return Err(Error::FallingRate { row: rows[place] as usize });
        }
        amendment.put(&mut self.resident, rows);
        self.renew(levels, set, rows, &[], events)
    }

    /// Sets wallets of accounts, by their codes.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an account that is none, [`Error::Length`] for balances of another length; nothing has changed then.
    pub fn set_wallets(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        accounts: &[u32],
        balances: &[f64],
        events: &mut Vec<Event>,
    ) -> Result<()> {
        check_codes("accounts", accounts, self.resident.wallet_balance.len())?;
        if balances.len() != accounts.len() {
            let (expected, found) = (accounts.len(), balances.len());
            return Err(Error::Length { argument: "wallet_balance", expected, found });
        }
        for (&account, &balance) in accounts.iter().zip(balances) {
            self.resident.wallet_balance[account as usize] = balance;
        }
        let subjects = &self.indexes[0].subjects;
        let places: Vec<u32> = accounts.iter().filter_map(|&account| subjects.place_of(account)).collect();
        self.renew(levels, set, &[], &places, events)
    }

    /// Has other rules hold for an instrument, as `levels` now state them: whoever holds it is looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an instrument that is none, [`Error::Length`] for another number of levels, [`Error::FallingRate`] as of
    /// [`evaluate`](crate::evaluate()); nothing has changed then.
    pub fn replace_rules(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        instrument: u32,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        check_codes("instrument", &[instrument], self.instruments)?;
        if levels.len() != self.indexes.len() {
            let (expected, found) = (self.indexes.len(), levels.len());
            return Err(Error::Length { argument: "levels", expected, found });
        }
        if let Some(row) = self.refused_rules(levels, instrument) {
            return Err(Error::FallingRate { row });
        }
        let rows = self.standings.rows_of(instrument).to_vec();
        self.renew(levels, set, &rows, &[], events)
    }

    /// Evaluates everybody who depends on what has moved since, and nobody else: figures and totals are then those of now.
    ///
    /// # Errors
    ///
    /// As [`Market::new`](crate::live::Market::new).
    pub fn refresh(&mut self, levels: Levels<'_, '_>, set: InstructionSet) -> Result<&LiveTotals> {
        let moved = self.standings.take_moved();
        let (mut rows, mut accounts) = (Vec::new(), Vec::new());
        let Self { resident, layout, indexes, standings, .. } = self;
        let subjects = &indexes[0].subjects;
        accounts.extend(moved.iter().flat_map(|&code| indexes[0].holding(code)));
        for &row in moved.iter().flat_map(|&code| standings.rows_of(code)) {
            if subjects.is_isolated(row) {
                rows.push(row);
            } else {
                accounts.push(subjects.account_of_row[row as usize]);
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        if !rows.is_empty() || !accounts.is_empty() {
            let (book, mut figures) = (resident.book(), Vec::new());
            let mut markets = markets(&levels[..1], layout, set)?;
            indexes[0].figures(&book, &mut markets[0], &rows, &accounts, &mut figures);
            standings.take(&book, (&rows, &accounts), figures.split_at(rows.len()));
        }
        Ok(&self.standings.totals)
    }

    /// Looks anew at the subjects of rows that have changed, and at accounts whose holdings have, by their places.
    pub(super) fn renew(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        rows: &[u32],
        accounts: &[u32],
        events: &mut Vec<Event>,
    ) -> Result<()> {
        let Self { resident, layout, indexes, edges, seen_rows, seen_accounts, watched, standings, .. } = self;
        let book = resident.book();
        let mut markets = markets(levels, layout, set)?;
        let mut crossing = Crossing::default();
        for (index, market) in indexes.iter_mut().zip(&mut markets) {
            accounts.iter().for_each(|&account| index.find_holders(account, &book, market));
            index.reach(accounts);
            index.renew(&book, market, rows, &mut crossing.changes);
            edges.note(index);
        }
        edges.renew(indexes, std::iter::empty());
        crossing.look_again(&indexes[0]);
        let mut seen = Seen { rows: seen_rows, accounts: seen_accounts, watched: *watched };
        crossing.tell((0, true), &book, &indexes[0], &mut markets[0], &mut seen, events);
        standings.count_quantities(rows.iter().copied(), &book);
        standings.take(&book, indexes[0].looked_at(), indexes[0].figures_found());
        Ok(())
    }
}

pub(super) fn check_codes(argument: &'static str, codes: &[u32], limit: usize) -> Result<()> {
    match codes.iter().position(|&code| code as usize >= limit) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(codes[row]), limit }),
        None => Ok(()),
    }
}
