//! Columns that a portfolio margin writes, by account code.

use crate::codes::measures::ScenarioMeasure;
use crate::error::{Error, Result};
use crate::machine::shared::SharedSlice;
use crate::scenarios::status::AccountStatus;

/// Columns of accounts. Measures without a column are not stored.
#[derive(Debug)]
pub struct ScenarioOutputs<'a> {
    columns: [Option<SharedSlice<'a, f64>>; ScenarioMeasure::COUNT],
    status: SharedSlice<'a, u8>,
    profits: Option<SharedSlice<'a, f64>>,
}

impl<'a> ScenarioOutputs<'a> {
    /// Borrows one column a measure of [`ScenarioMeasure`], the codes of [`AccountStatus`], and where they are wanted the profits by account
    /// and scenario over all groups, without offsets.
    pub fn new(
        columns: [Option<&'a mut [f64]>; ScenarioMeasure::COUNT],
        status: &'a mut [u8],
        profits: Option<&'a mut [f64]>,
    ) -> Self {
        Self {
            columns: columns.map(|column| column.map(SharedSlice::new)),
            status: SharedSlice::new(status),
            profits: profits.map(SharedSlice::new),
        }
    }

    /// Refuses columns that do not fit the accounts.
    pub(crate) fn check(&self, accounts: usize, scenarios: usize) -> Result<()> {
        let columns = self.columns.iter().flatten().map(|column| (column.len(), accounts));
        let profits = self.profits.iter().map(|profits| (profits.len(), accounts.saturating_mul(scenarios)));
        let misfit = columns.chain([(self.status.len(), accounts)]).chain(profits).find(|(found, len)| found != len);
        match misfit {
            Some((found, expected)) => Err(Error::Length { argument: "out", expected, found }),
            None => Ok(()),
        }
    }

    /// Stores the measures of an account, NaN where there are none, and its status.
    #[inline(always)]
    pub(crate) fn store(&self, account: usize, measures: Option<[f64; ScenarioMeasure::COUNT]>, status: AccountStatus) {
        let measures = measures.unwrap_or([f64::NAN; ScenarioMeasure::COUNT]);
        for (column, measure) in self.columns.iter().zip(measures) {
            if let Some(column) = column {
                column.write_consecutive(account, &[measure]);
            }
        }
        self.status.write_consecutive(account, &[status as u8]);
    }

    /// Whether profits by account and scenario are wanted.
    pub(crate) fn keeps_profits(&self) -> bool {
        self.profits.is_some()
    }

    /// Stores the profits of an account, whose first one stands at this place.
    pub(crate) fn store_profits(&self, first: usize, profits: &[f64]) {
        if let Some(column) = &self.profits {
            column.write_consecutive(first, profits);
        }
    }
}
