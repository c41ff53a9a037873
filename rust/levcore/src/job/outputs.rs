//! Columns that an evaluation writes: of positions, of accounts, of balances.

use crate::codes::measures::{AccountMeasure, BalanceMeasure, ByMeasure, Measure};
use crate::error::{Error, Result};
use crate::machine::shared::{SharedColumns, SharedSlice};

/// Bytes of output from which on writing past the cache is faster.
const LARGE_OUTPUT: usize = 8 << 20;

/// Whether so many numbers are faster written past the cache than through it.
pub(crate) fn are_large(numbers: usize) -> bool {
    numbers * size_of::<f64>() >= LARGE_OUTPUT
}

/// Columns that an evaluation writes, each as long as the book. Measures without a column are not stored.
#[derive(Debug)]
pub struct Outputs<'a> {
    pub(crate) columns: SharedColumns<'a, { Measure::COUNT }>,
    pub(crate) state: SharedSlice<'a, u8>,
    pub(crate) status: SharedSlice<'a, u8>,
    pub(crate) accounts: AccountOutputs<'a>,
    pub(crate) balances: BalanceOutputs<'a>,
}

/// Columns of the balances, in the order of their rows.
#[derive(Debug)]
pub struct BalanceOutputs<'a> {
    columns: [SharedSlice<'a, f64>; BalanceMeasure::COUNT],
    status: SharedSlice<'a, u8>,
}

impl<'a> BalanceOutputs<'a> {
    /// Columns of a book without balances.
    #[must_use]
    pub fn none() -> Self {
        Self::new(std::array::from_fn(|_| <&mut [f64]>::default()), &mut [])
    }

    /// Borrows one column a measure of [`BalanceMeasure`], and the codes of status.
    pub fn new(columns: [&'a mut [f64]; BalanceMeasure::COUNT], status: &'a mut [u8]) -> Self {
        Self { columns: columns.map(SharedSlice::new), status: SharedSlice::new(status) }
    }

    /// Stores the results of a balance.
    pub(crate) fn store(&self, row: usize, results: [f64; BalanceMeasure::COUNT], status: u8) {
        for (column, result) in self.columns.iter().zip(results) {
            column.write_consecutive(row, &[result]);
        }
        self.status.write_consecutive(row, &[status]);
    }
}

/// Columns of the accounts, by account code.
#[derive(Debug)]
pub struct AccountOutputs<'a> {
    columns: [SharedSlice<'a, f64>; AccountMeasure::COUNT],
    state: SharedSlice<'a, u8>,
    status: SharedSlice<'a, u8>,
}

impl<'a> AccountOutputs<'a> {
    /// Columns of a book without accounts.
    #[must_use]
    pub fn none() -> Self {
        Self::new(std::array::from_fn(|_| <&mut [f64]>::default()), &mut [], &mut [])
    }

    /// Borrows one column a measure of [`AccountMeasure`], and the codes of state and status.
    pub fn new(columns: [&'a mut [f64]; AccountMeasure::COUNT], state: &'a mut [u8], status: &'a mut [u8]) -> Self {
        Self {
            columns: columns.map(SharedSlice::new),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
        }
    }
}

impl AccountOutputs<'_> {
    /// Refuses columns of another length.
    pub(crate) fn check(&self, expected: usize) -> Result<()> {
        let columns = self.columns.iter().map(SharedSlice::len);
        match columns.chain([self.state.len(), self.status.len()]).find(|&len| len != expected) {
            Some(found) => Err(Error::Length { argument: "out.accounts", expected, found }),
            None => Ok(()),
        }
    }

    /// Stores the measures of the account with this code, and the codes of its state and status.
    pub(crate) fn store(&self, code: usize, measures: [f64; AccountMeasure::COUNT], state: u8, status: u8) {
        for (column, measure) in self.columns.iter().zip(measures) {
            column.write_consecutive(code, &[measure]);
        }
        self.state.write_consecutive(code, &[state]);
        self.status.write_consecutive(code, &[status]);
    }
}

impl<'a> Outputs<'a> {
    /// Borrows the columns of the measures wanted, and the codes of state and status.
    pub fn new(
        columns: ByMeasure<Option<&'a mut [f64]>>,
        state: &'a mut [u8],
        status: &'a mut [u8],
        accounts: AccountOutputs<'a>,
        balances: BalanceOutputs<'a>,
    ) -> Self {
        Self {
            columns: SharedColumns::new(columns.map(|column| column.map(SharedSlice::new)).into_array()),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
            accounts,
            balances,
        }
    }

    /// Columns of what is only asked about, and not stored.
    pub(crate) fn none() -> Self {
        Self::new(ByMeasure::none(), &mut [], &mut [], AccountOutputs::none(), BalanceOutputs::none())
    }

    /// Whether writing past the cache is faster than through it, and possible.
    pub(crate) fn pass_the_cache(&self, rows: usize) -> bool {
        are_large(self.columns.iter().count() * rows) && self.columns.start_on_lines()
    }

    /// Refuses columns that do not fit the book.
    pub(crate) fn check(&self, rows: usize, accounts: usize, balances: usize) -> Result<()> {
        let columns = self.balances.columns.iter().map(SharedSlice::len);
        if let Some(found) = columns.chain([self.balances.status.len()]).find(|&len| len != balances) {
            return Err(Error::Length { argument: "out.balances", expected: balances, found });
        }
        let columns = self.columns.iter().map(SharedSlice::len);
        let of_rows = columns.chain([self.state.len(), self.status.len()]).find(|&len| len != rows);
        if let Some(found) = of_rows {
            return Err(Error::Length { argument: "out", expected: rows, found });
        }
        self.accounts.check(accounts)
    }
}
