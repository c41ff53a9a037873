//! Positions that are opened: rows at the end of a live book.
//!
//! A leg of an instrument that its account does not hold, and an isolated position, are put beside the others. An account that is settled
//! as one whole stands in the layout with its legs: a leg of such a one, or that makes one, has the book laid out and armed anew.

use crate::codes::state::State;
use crate::error::{Error, Result};
use crate::live::book::{Levels, LiveBook, LiveKeys};
use crate::live::change::{Amendment, check_codes};
use crate::live::event::Event;
use crate::live::index::TriggerIndex;
use crate::live::subjects::{Account, ISOLATED, Subjects};
use crate::machine::instruction_set::InstructionSet;

/// Positions to open, a value a row.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// Instrument.
    pub instrument: &'a [u32],
    /// Whether it is a leg of a cross account.
    pub cross: &'a [bool],
    /// Account; without meaning for isolated ones.
    pub account: &'a [u32],
    /// Its numbers; quantity and entry price are given.
    pub numbers: Amendment<'a>,
    /// Wallets of accounts that come with them, whose codes follow those that there are.
    pub new_wallets: &'a [f64],
}

/// Entries of the legs that no account holds any more, for each that one does, before they are put together anew.
const STALE_SHARE: usize = 1;
const SMALL: usize = 1_024;

impl Subjects {
    /// Adds a row at the end: isolated, or a leg of the account with this code.
    fn grow(&mut self, account: Option<u32>) {
        let row = self.account_of_row.len() as u32;
        let Some(code) = account else {
            self.account_of_row.push(ISOLATED);
            return;
        };
        self.account_of_row.push(ISOLATED);
        let Some(place) = self.place_of(code) else {
            self.push(code, &[row], None);
            return;
        };
        self.account_of_row[row as usize] = place;
        let held = self.accounts[place as usize].legs.clone();
        if held.end != self.legs.len() {
            let first = self.legs.len();
            self.legs.extend_from_within(held.clone());
            self.accounts[place as usize].legs = first..first + held.len();
        }
        self.legs.push(row);
        self.accounts[place as usize].legs.end += 1;
        let live = self.account_of_row.len();
        if self.legs.len() > SMALL + (1 + STALE_SHARE) * live {
            self.put_together();
        }
    }

    fn put_together(&mut self) {
        let mut legs = Vec::with_capacity(self.account_of_row.len());
        for Account { legs: held, .. } in &mut self.accounts {
            let first = legs.len();
            legs.extend_from_slice(&self.legs[held.clone()]);
            *held = first..legs.len();
        }
        self.legs = legs;
    }
}

impl TriggerIndex {
    /// Makes room for a row at the end, which is not armed yet.
    fn grow(&mut self, account: Option<u32>) {
        self.subjects.grow(account);
        self.armed.grow();
        self.state_of_row.push(State::Incomplete as u8);
        self.state_of_account.resize(self.subjects.accounts.len(), State::Incomplete as u8);
        self.lines.grow(self.state_of_row.len(), self.state_of_account.len());
    }
}

impl LiveBook {
    /// Opens positions: who comes in another state than healthy is told, as is whose state they change. Returns the first new row.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an instrument or account that is none, [`Error::Length`] for columns of different lengths,
    /// [`Error::TooManyRows`]; nothing has changed then.
    pub fn open(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        opened: &Opened<'_>,
        events: &mut Vec<Event>,
    ) -> Result<usize> {
        self.check_opened(opened)?;
        let first = self.layout.rows;
        let anew = self.must_lay_out(opened);
        self.append(opened);
        let rows: Vec<u32> = (first as u32..self.resident.quantity.len() as u32).collect();
        if anew {
            self.lay_out(levels, set, events)?;
            return Ok(first);
        }
        self.layout.rows = self.resident.quantity.len();
        for row in rows.iter().map(|&row| row as usize) {
            let account = self.keys.cross[row].then(|| self.keys.account[row]);
            let instrument = self.resident.instrument[row];
            self.indexes.iter_mut().for_each(|index| index.grow(account));
            self.standings.add_row(instrument, account.is_none());
            self.seen_rows.push(State::Healthy as u8);
        }
        for _ in self.seen_accounts.len()..self.indexes[0].subjects.accounts.len() {
            self.standings.add_account();
            self.seen_accounts.push(State::Healthy as u8);
        }
        self.renew(levels, set, &rows, events)?;
        Ok(first)
    }

    fn check_opened(&self, opened: &Opened<'_>) -> Result<()> {
        let expected = opened.instrument.len();
        opened.numbers.check(expected)?;
        let given = |column: Option<&[f64]>| column.map_or(0, <[f64]>::len);
        for (argument, found) in [
            ("cross", opened.cross.len()),
            ("account", opened.account.len()),
            ("quantity", given(opened.numbers.quantity)),
            ("entry_price", given(opened.numbers.entry_price)),
        ] {
            if found != expected {
                return Err(Error::Length { argument, expected, found });
            }
        }
        check_codes("instrument", opened.instrument, self.keys.instruments)?;
        let accounts = self.resident.wallet_balance.len() + opened.new_wallets.len();
        let bad = (0..expected).find(|&row| opened.cross[row] && opened.account[row] as usize >= accounts);
        if let Some(row) = bad {
            let found = i64::from(opened.account[row]);
            return Err(Error::Code { argument: "account", row, found, limit: accounts });
        }
        let rows = self.layout.rows + expected;
        if rows >= ISOLATED as usize { Err(Error::TooManyRows { found: rows }) } else { Ok(()) }
    }

    /// Whether any of them is a leg of an account that is, or becomes, settled as one whole.
    fn must_lay_out(&self, opened: &Opened<'_>) -> bool {
        let mut seen = std::collections::HashSet::new();
        (0..opened.instrument.len()).filter(|&row| opened.cross[row]).any(|row| {
            let (account, instrument) = (opened.account[row], opened.instrument[row]);
            let subjects = &self.indexes[0].subjects;
            let held = subjects.place_of(account).map(|place| {
                let legs = subjects.legs_of(place).iter();
                subjects.accounts[place as usize].pooled.is_some()
                    || legs.into_iter().any(|&leg| self.resident.instrument[leg as usize] == instrument)
            });
            self.keys.pool_all || held == Some(true) || !seen.insert((account, instrument))
        })
    }

    fn append(&mut self, opened: &Opened<'_>) {
        let Self { resident, keys, .. } = self;
        let first = resident.quantity.len();
        resident.instrument.extend_from_slice(opened.instrument);
        let rows = resident.instrument.len();
        resident.quantity.resize(rows, f64::NAN);
        resident.entry_price.resize(rows, f64::NAN);
        for column in [&mut resident.isolated_margin, &mut resident.leverage, &mut resident.risk_limit] {
            column.iter_mut().for_each(|column| column.resize(rows, f64::NAN));
        }
        resident.accrued_funding.iter_mut().for_each(|column| column.resize(rows, 0.0));
        let places: Vec<u32> = (first as u32..rows as u32).collect();
        opened.numbers.put(resident, &places);
        resident.wallet_balance.extend_from_slice(opened.new_wallets);
        let LiveKeys { cross, account, .. } = keys;
        cross.extend_from_slice(opened.cross);
        account.extend_from_slice(opened.account);
    }

    /// Lays out and arms the book anew, and tells who is in another state than before.
    fn lay_out(&mut self, levels: Levels<'_, '_>, set: InstructionSet, events: &mut Vec<Event>) -> Result<()> {
        let before = std::mem::take(&mut self.seen_rows);
        let accounts: Vec<(u32, u8)> =
            self.indexes[0].subjects.accounts.iter().map(|each| each.code).zip(self.seen_accounts.drain(..)).collect();
        self.layout = self.keys.layout(&self.resident)?;
        self.arm_everybody(levels, set)?;
        self.tell_differences(&before, &accounts, events);
        Ok(())
    }
}
