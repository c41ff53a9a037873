//! Columns that a what-if writes, one value a change.

use crate::codes::measures::{AccountMeasure, ByMeasure};
use crate::error::{Error, Result};
use crate::machine::shared::SharedSlice;

/// Columns about the position changed and its account, at one time.
#[derive(Debug)]
pub struct Side<'a> {
    pub(crate) rows: ByMeasure<Option<SharedSlice<'a, f64>>>,
    row_codes: [SharedSlice<'a, u8>; 2],
    pub(crate) accounts: [SharedSlice<'a, f64>; AccountMeasure::COUNT],
    account_codes: [SharedSlice<'a, u8>; 2],
}

/// What a change did, column by column: of the position the codes of instrument and policy, whether it is a cross one (1) or not (0),
/// quantity, entry price, isolated margin and leverage; the wallet of its account; realized profit, fee and cash flow.
pub type Effect<'a> = [&'a mut [f64]; EFFECTS];

/// Columns of [`Effect`].
pub const EFFECTS: usize = 11;

/// Columns of a what-if.
#[derive(Debug)]
pub struct ChangeOutputs<'a> {
    pub(crate) status: SharedSlice<'a, u8>,
    pub(crate) effect: [SharedSlice<'a, f64>; EFFECTS],
    pub(crate) after: Side<'a>,
    /// Before the change, if wanted.
    pub(crate) before: Option<Side<'a>>,
    /// The account that a transfer leaves, after it, if wanted.
    pub(crate) source: Option<Side<'a>>,
    /// Margin and loss of the open orders of its account, if there are any.
    pub(crate) orders: Option<[SharedSlice<'a, f64>; 2]>,
}

impl<'a> Side<'a> {
    /// Borrows the columns of the measures wanted, and codes of state and status, of positions and of accounts.
    pub fn new(
        rows: ByMeasure<Option<&'a mut [f64]>>,
        row_codes: [&'a mut [u8]; 2],
        accounts: [&'a mut [f64]; AccountMeasure::COUNT],
        account_codes: [&'a mut [u8]; 2],
    ) -> Self {
        Self {
            rows: rows.map(|column| column.map(SharedSlice::new)),
            row_codes: row_codes.map(SharedSlice::new),
            accounts: accounts.map(SharedSlice::new),
            account_codes: account_codes.map(SharedSlice::new),
        }
    }

    /// Stores codes of a position.
    pub(crate) fn store_row_codes(&self, change: usize, state: u8, status: u8) {
        self.row_codes[0].write_consecutive(change, &[state]);
        self.row_codes[1].write_consecutive(change, &[status]);
    }

    /// Stores codes of an account.
    pub(crate) fn store_account_codes(&self, change: usize, state: u8, status: u8) {
        self.account_codes[0].write_consecutive(change, &[state]);
        self.account_codes[1].write_consecutive(change, &[status]);
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        let rows = self.rows.iter().flatten().map(SharedSlice::len);
        let accounts = self.accounts.iter().map(SharedSlice::len);
        let codes = self.row_codes.iter().chain(&self.account_codes).map(SharedSlice::len);
        rows.chain(accounts).chain(codes)
    }
}

impl<'a> ChangeOutputs<'a> {
    /// Borrows all columns.
    pub fn new(
        status: &'a mut [u8],
        effect: Effect<'a>,
        after: Side<'a>,
        before: Option<Side<'a>>,
        source: Option<Side<'a>>,
        orders: Option<[&'a mut [f64]; 2]>,
    ) -> Self {
        let (status, effect) = (SharedSlice::new(status), effect.map(SharedSlice::new));
        Self { status, effect, after, before, source, orders: orders.map(|sums| sums.map(SharedSlice::new)) }
    }

    /// Refuses columns that are not as long as the changes are many.
    pub(crate) fn check(&self, expected: usize) -> Result<()> {
        let sides = [Some(&self.after), self.before.as_ref(), self.source.as_ref()];
        let own = self.effect.iter().map(SharedSlice::len).chain([self.status.len()]);
        let own = own.chain(self.orders.iter().flatten().map(SharedSlice::len));
        match own.chain(sides.into_iter().flatten().flat_map(Side::lengths)).find(|&len| len != expected) {
            Some(found) => Err(Error::Length { argument: "out", expected, found }),
            None => Ok(()),
        }
    }
}
