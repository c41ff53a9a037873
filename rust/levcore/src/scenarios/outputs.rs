//! Columns that a portfolio margin writes, by account code.

use crate::codes::measures::ScenarioMeasure;
use crate::error::{Error, Result};
use crate::machine::shared::SharedSlice;
use crate::scenarios::status::AccountStatus;

/// Columns of accounts. Measures without a column are not stored.
#[derive(Debug)]
pub struct ScenarioOutputs<'a> {
    /// Those that are wanted, with their places among the measures.
    columns: Vec<(usize, SharedSlice<'a, f64>)>,
    status: SharedSlice<'a, u8>,
    profits: Option<SharedSlice<'a, f64>>,
    keeps_groups: bool,
}

impl<'a> ScenarioOutputs<'a> {
    /// Borrows one column a measure of [`ScenarioMeasure`], the codes of [`AccountStatus`], and where they are wanted the profits by account
    /// and scenario over all groups, without offsets.
    pub fn new(
        columns: [Option<&'a mut [f64]>; ScenarioMeasure::COUNT],
        status: &'a mut [u8],
        profits: Option<&'a mut [f64]>,
    ) -> Self {
        let wanted = columns.into_iter().enumerate().filter_map(|(place, column)| Some((place, column?)));
        Self {
            columns: wanted.map(|(place, column)| (place, SharedSlice::new(column))).collect(),
            status: SharedSlice::new(status),
            profits: profits.map(SharedSlice::new),
            keeps_groups: true,
        }
    }

    /// Without the groups of the accounts, which [`ScenarioFindings`](crate::scenarios::ScenarioFindings) then has none of.
    #[must_use]
    pub fn without_groups(self) -> Self {
        Self { keeps_groups: false, ..self }
    }

    /// Refuses columns that do not fit the accounts.
    pub(crate) fn check(&self, accounts: usize, scenarios: usize) -> Result<()> {
        let columns = self.columns.iter().map(|(_, column)| (column.len(), accounts));
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
        for &(place, column) in &self.columns {
            column.write_consecutive(account, &[measures[place]]);
        }
        self.status.write_consecutive(account, &[status as u8]);
    }

    /// Whether groups are wanted.
    pub(crate) fn keeps_groups(&self) -> bool {
        self.keeps_groups
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
