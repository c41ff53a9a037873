//! Results of portfolio margin: accounts by block, scan risk by group, rows that failed.

use std::ops::Range;

use crate::codes::measures::ScenarioMeasure;

/// Worst scenario of a group whose account is incomplete.
pub const NO_SCENARIO: u32 = u32::MAX;

/// Scan risk of a group of an account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRisk {
    /// Account code.
    pub account: u32,
    /// Group code.
    pub group: u32,
    /// Worst loss of the group, 0 if it loses nowhere.
    pub scan_risk: f64,
    /// Scenario of it, the first one on a tie; [`NO_SCENARIO`] where the account is incomplete.
    pub worst_scenario: u32,
    /// Worst loss of the group's pool.
    pub pool_scan_risk: f64,
    /// Scenario of it.
    pub pool_worst_scenario: u32,
}

/// Results of consecutive accounts.
#[derive(Debug, Clone)]
pub struct BlockRisk {
    /// Accounts by code.
    pub accounts: Range<usize>,
    /// By measure in the order of [`ScenarioMeasure`] and account; NaN where not computed.
    pub measures: Vec<f64>,
    /// Codes of [`AccountStatus`](crate::scenarios::AccountStatus).
    pub status: Vec<u8>,
    /// Groups by account; those of an account by pool, then by group.
    pub groups: Vec<GroupRisk>,
    /// Rows that failed, with their codes of [`RowStatus`](crate::scenarios::RowStatus).
    pub failures: Vec<(u32, u8)>,
    /// Profit by account and scenario over all groups without offsets, if asked for.
    pub profits: Vec<f64>,
}

impl BlockRisk {
    /// One measure of the accounts here.
    #[must_use]
    pub fn measure(&self, measure: ScenarioMeasure) -> &[f64] {
        &self.measures[measure as usize * self.accounts.len()..][..self.accounts.len()]
    }
}

impl GroupRisk {
    /// A group that has not been judged.
    pub(crate) fn unknown(account: usize, group: u32) -> Self {
        let (none, nowhere) = (f64::NAN, NO_SCENARIO);
        let account = account as u32;
        Self {
            account,
            group,
            scan_risk: none,
            worst_scenario: nowhere,
            pool_scan_risk: none,
            pool_worst_scenario: nowhere,
        }
    }
}
