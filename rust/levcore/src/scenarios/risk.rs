//! What a portfolio margin finds besides the measures of accounts: scan risk by group, rows that failed.

use crate::error::Result;
use crate::memory;

/// Worst scenario of a group whose account is incomplete.
pub const NO_SCENARIO: u32 = u32::MAX;

/// Scan risk of a group of an account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GroupRisk {
    pub account: u32,
    pub group: u32,
    pub scan_risk: f64,
    pub worst_scenario: u32,
    pub pool_scan_risk: f64,
    pub pool_worst_scenario: u32,
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

/// What is found in consecutive accounts.
pub(crate) struct BlockRisk {
    /// Groups by account; those of an account by pool, then by group.
    pub groups: Vec<GroupRisk>,
    /// Rows that failed, with their codes of [`RowStatus`](crate::scenarios::RowStatus).
    pub failures: Vec<(u32, u8)>,
}

/// What is found in all accounts: one element a group that an account holds in each column of groups, by account; those of an account by
/// pool, then by group.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFindings {
    /// Account code.
    pub account: Vec<u32>,
    /// Group code.
    pub group: Vec<u32>,
    /// Worst loss of the group, 0 if it loses nowhere.
    pub scan_risk: Vec<f64>,
    /// Scenario of it, the first one on a tie; [`NO_SCENARIO`] where the account is incomplete.
    pub worst_scenario: Vec<u32>,
    /// Worst loss of the group's pool.
    pub pool_scan_risk: Vec<f64>,
    /// Scenario of it.
    pub pool_worst_scenario: Vec<u32>,
    /// Rows that failed, with their codes of [`RowStatus`](crate::scenarios::RowStatus).
    pub failures: Vec<(u32, u8)>,
}

impl ScenarioFindings {
    /// Adds what was found in the next accounts.
    pub(crate) fn add(&mut self, block: &BlockRisk) -> Result<()> {
        let more = block.groups.len();
        for codes in [&mut self.account, &mut self.group, &mut self.worst_scenario, &mut self.pool_worst_scenario] {
            memory::reserve(codes, more)?;
        }
        for risks in [&mut self.scan_risk, &mut self.pool_scan_risk] {
            memory::reserve(risks, more)?;
        }
        self.account.extend(block.groups.iter().map(|row| row.account));
        self.group.extend(block.groups.iter().map(|row| row.group));
        self.scan_risk.extend(block.groups.iter().map(|row| row.scan_risk));
        self.worst_scenario.extend(block.groups.iter().map(|row| row.worst_scenario));
        self.pool_scan_risk.extend(block.groups.iter().map(|row| row.pool_scan_risk));
        self.pool_worst_scenario.extend(block.groups.iter().map(|row| row.pool_worst_scenario));
        memory::reserve(&mut self.failures, block.failures.len())?;
        self.failures.extend_from_slice(&block.failures);
        Ok(())
    }
}
