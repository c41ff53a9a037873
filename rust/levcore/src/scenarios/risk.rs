//! What a portfolio margin finds besides the measures of accounts: scan risk by group, rows that failed.

use crate::error::Result;
use crate::machine::execution::Execution;
use crate::machine::shared::SharedSlice;
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
    /// Room for so many groups. What is never written takes no memory: the system gives it page by page.
    pub(crate) fn with_room(groups: usize) -> Result<Self> {
        memory::room_for(groups.saturating_mul(4 * size_of::<u32>() + 2 * size_of::<f64>()))?;
        let (codes, risks) = (|| vec![0; groups], || vec![0.0; groups]);
        Ok(Self {
            account: codes(),
            group: codes(),
            scan_risk: risks(),
            worst_scenario: codes(),
            pool_scan_risk: risks(),
            pool_worst_scenario: codes(),
            failures: Vec::new(),
        })
    }

    /// Adds what was found in the next accounts behind the first `count` groups; how many there are then.
    pub(crate) fn add(&mut self, count: usize, blocks: &[BlockRisk], execution: &mut Execution<'_>) -> Result<usize> {
        let mut end = count;
        let mut tasks = Vec::with_capacity(blocks.len());
        for BlockRisk { groups, failures } in blocks {
            tasks.push((end, &groups[..]));
            end += groups.len();
            memory::reserve(&mut self.failures, failures.len())?;
            self.failures.extend_from_slice(failures);
        }
        let columns = GroupColumns {
            account: SharedSlice::new(&mut self.account),
            group: SharedSlice::new(&mut self.group),
            scan_risk: SharedSlice::new(&mut self.scan_risk),
            worst_scenario: SharedSlice::new(&mut self.worst_scenario),
            pool_scan_risk: SharedSlice::new(&mut self.pool_scan_risk),
            pool_worst_scenario: SharedSlice::new(&mut self.pool_worst_scenario),
        };
        execution.run(tasks, blocks.len().max(1), || (), |(), (first, groups)| columns.write(first, groups))?;
        Ok(end)
    }

    fn codes(&mut self) -> [&mut Vec<u32>; 4] {
        [&mut self.account, &mut self.group, &mut self.worst_scenario, &mut self.pool_worst_scenario]
    }

    /// Gives back the room behind the first `count` groups.
    pub(crate) fn end(&mut self, count: usize) {
        for codes in self.codes() {
            codes.truncate(count);
            codes.shrink_to_fit();
        }
        for risks in [&mut self.scan_risk, &mut self.pool_scan_risk] {
            risks.truncate(count);
            risks.shrink_to_fit();
        }
    }
}

/// The columns of groups, written by several threads.
struct GroupColumns<'a> {
    account: SharedSlice<'a, u32>,
    group: SharedSlice<'a, u32>,
    scan_risk: SharedSlice<'a, f64>,
    worst_scenario: SharedSlice<'a, u32>,
    pool_scan_risk: SharedSlice<'a, f64>,
    pool_worst_scenario: SharedSlice<'a, u32>,
}

impl GroupColumns<'_> {
    /// Writes groups from a place on.
    fn write(&self, first: usize, groups: &[GroupRisk]) {
        for (place, found) in (first..).zip(groups) {
            self.account.write_consecutive(place, &[found.account]);
            self.group.write_consecutive(place, &[found.group]);
            self.scan_risk.write_consecutive(place, &[found.scan_risk]);
            self.worst_scenario.write_consecutive(place, &[found.worst_scenario]);
            self.pool_scan_risk.write_consecutive(place, &[found.pool_scan_risk]);
            self.pool_worst_scenario.write_consecutive(place, &[found.pool_worst_scenario]);
        }
    }
}
