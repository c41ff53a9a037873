//! Positions that are opened: rows at the end of a live book.
//!
//! Each is put beside the others, and looked at with its account. A second leg of an instrument has the account settled as one whole.

use crate::book::columns::Book;
use crate::book::grouped::{append, put_together};
use crate::codes::state::State;
use crate::error::{Error, Result};
use crate::live::balances::BalancesOf;
use crate::live::book::{Levels, LiveBook};
use crate::live::change::{Amendment, check_codes};
use crate::live::event::Event;
use crate::live::index::TriggerIndex;
use crate::live::market::Market;
use crate::live::subjects::{ISOLATED, Subjects};
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
    /// Balances of accounts that come with them, or that there are.
    pub balances: BalancesOf<'a>,
}

impl Subjects {
    /// Adds a row at the end: isolated, or a leg of the account with this code.
    fn grow(&mut self, account: Option<u32>) {
        let row = self.account_of_row.len() as u32;
        self.account_of_row.push(ISOLATED);
        let Some(code) = account else { return };
        let Some(place) = self.place_of(code) else {
            self.push(code, &[row], None);
            return;
        };
        self.account_of_row[row as usize] = place;
        append(&mut self.legs, &mut self.accounts[place as usize].legs, row);
        let held = self.accounts.iter_mut().map(|account| &mut account.legs);
        put_together(&mut self.legs, self.account_of_row.len(), held);
    }
}

impl TriggerIndex {
    /// Makes room for a row at the end, which is not armed yet.
    fn grow(&mut self, account: Option<u32>) {
        self.subjects.grow(account);
        self.armed.grow();
        self.state_of_row.push(State::Incomplete as u8);
        self.grow_accounts();
    }

    fn grow_accounts(&mut self) {
        self.state_of_account.resize(self.subjects.accounts.len(), State::Incomplete as u8);
        self.lines.grow(self.state_of_row.len(), self.state_of_account.len());
    }

    /// Finds the assets that an account holds by now.
    pub(super) fn find_holders(&mut self, account: u32, book: &Book<'_>, market: &Market<'_>) {
        self.holders.find(account, book, &self.subjects, market.layout(), market.part());
        self.armed_holders.grow_to(self.holders.len());
    }
}

impl LiveBook {
    /// Opens positions: who comes in another state than healthy is told, as is whose state they change. Returns the first new row.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an instrument or account that is none, [`Error::Length`] for columns of different lengths,
    /// [`Error::TooManyRows`], [`Error::FallingRate`] as of [`evaluate`](crate::evaluate()), with the place among those
    /// opened; nothing has changed then.
    pub fn open(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        opened: &Opened<'_>,
        events: &mut Vec<Event>,
    ) -> Result<usize> {
        if let Some(place) = self.refused_opening(levels, opened)? {
            return Err(Error::FallingRate { row: place });
        }
        self.refuse_whole(levels, &opened.balances)?;
        let first = self.layout.rows;
        self.append(opened);
        self.layout.rows = self.resident.quantity.len();
        let rows: Vec<u32> = (first as u32..self.layout.rows as u32).collect();
        let mut accounts = Vec::new();
        for (number, &row) in rows.iter().enumerate() {
            let account = opened.cross[number].then_some(opened.account[number]);
            self.indexes.iter_mut().for_each(|index| index.grow(account));
            self.standings.add_row(opened.instrument[number], account.is_none());
            self.seen_rows.push(State::Healthy as u8);
            accounts.extend(account.map(|code| self.settle_leg(code, row)));
        }
        accounts.extend(self.put_balances(&opened.balances));
        self.add_accounts();
        self.renew(levels, set, &rows, &accounts, events)?;
        Ok(first)
    }

    /// Has the last leg of an account, which was just added, settled with it as one whole, if the account is, or becomes so by it. Returns
    /// the place of the account.
    fn settle_leg(&mut self, code: u32, row: u32) -> u32 {
        let place = self.place_for(code);
        let subjects = &self.indexes[0].subjects;
        let instrument = |leg: u32| self.resident.instrument[leg as usize];
        let mut others = subjects.legs_of(place).iter().filter(|&&leg| leg != row);
        match subjects.accounts[place as usize].pooled {
            Some(pooled) => self.layout.pooled.add_leg(pooled, row),
            None if self.pool_all || others.any(|&leg| instrument(leg) == instrument(row)) => {
                self.pooled(place);
            }
            None => {}
        }
        place
    }

    /// Place of the account with a code; of one that holds nothing yet a new one.
    pub(super) fn place_for(&mut self, code: u32) -> u32 {
        if let Some(place) = self.indexes[0].subjects.place_of(code) {
            return place;
        }
        for index in &mut self.indexes {
            index.subjects.push(code, &[], None);
            index.grow_accounts();
        }
        self.indexes[0].subjects.accounts.len() as u32 - 1
    }

    /// Place of an account among those that are settled as one whole, which it is from now on.
    pub(super) fn pooled(&mut self, place: u32) -> usize {
        let subjects = &self.indexes[0].subjects;
        let account = &subjects.accounts[place as usize];
        if let Some(pooled) = account.pooled {
            return pooled;
        }
        let pooled = self.layout.pooled.add(account.code as usize);
        subjects.legs_of(place).iter().for_each(|&leg| self.layout.pooled.add_leg(pooled, leg));
        self.indexes.iter_mut().for_each(|index| index.subjects.accounts[place as usize].pooled = Some(pooled));
        pooled
    }

    /// Counts accounts that have come, as ones that were healthy and are not known.
    pub(super) fn add_accounts(&mut self) {
        for _ in self.seen_accounts.len()..self.indexes[0].subjects.accounts.len() {
            self.standings.add_account();
            self.seen_accounts.push(State::Healthy as u8);
        }
    }

    pub(super) fn check_opened(&self, opened: &Opened<'_>) -> Result<()> {
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
        check_codes("instrument", opened.instrument, self.instruments)?;
        let accounts = self.resident.wallet_balance.len() + opened.new_wallets.len();
        let bad = (0..expected).find(|&row| opened.cross[row] && opened.account[row] as usize >= accounts);
        if let Some(row) = bad {
            let found = i64::from(opened.account[row]);
            return Err(Error::Code { argument: "account", row, found, limit: accounts });
        }
        self.check_balances(&opened.balances, accounts)?;
        let rows = self.layout.rows + expected;
        if rows >= ISOLATED as usize { Err(Error::TooManyRows { found: rows }) } else { Ok(()) }
    }

    fn append(&mut self, opened: &Opened<'_>) {
        let resident = &mut self.resident;
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
    }
}
