//! What a portfolio margin finds besides the measures of accounts: scan risk by group, rows that failed.

use crate::error::Result;
use crate::machine::execution::Execution;
use crate::memory;
use crate::scenarios::scan::Scan;

/// Worst scenario of a group whose account is incomplete.
pub const NO_SCENARIO: u32 = u32::MAX;

/// Scan risk of a group of an account, and of its pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GroupRisk {
    pub account: u32,
    pub group: u32,
    pub own: Scan,
    pub pool: Scan,
}

impl GroupRisk {
    /// A group that has not been judged.
    pub(crate) fn unknown(account: usize, group: u32) -> Self {
        let unknown = Scan { risk: f64::NAN, scenario: NO_SCENARIO };
        Self { account: account as u32, group, own: unknown, pool: unknown }
    }
}

/// Groups of consecutive accounts, a column a number; those of pools are empty where every group is a pool of its own.
#[derive(Debug, Default)]
pub(crate) struct BlockGroups {
    account: Vec<u32>,
    group: Vec<u32>,
    scan_risk: Vec<f64>,
    worst_scenario: Vec<u32>,
    pool_scan_risk: Vec<f64>,
    pool_worst_scenario: Vec<u32>,
    has_pools: bool,
}

impl BlockGroups {
    /// Room for so many groups, and for their pools where any has several.
    pub(crate) fn with_room(groups: usize, has_pools: bool) -> Result<Self> {
        let of_pools = if has_pools { groups } else { 0 };
        Ok(Self {
            account: memory::with_room(groups)?,
            group: memory::with_room(groups)?,
            scan_risk: memory::with_room(groups)?,
            worst_scenario: memory::with_room(groups)?,
            pool_scan_risk: memory::with_room(of_pools)?,
            pool_worst_scenario: memory::with_room(of_pools)?,
            has_pools,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.account.len()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, found: &GroupRisk) {
        self.account.push(found.account);
        self.group.push(found.group);
        self.scan_risk.push(found.own.risk);
        self.worst_scenario.push(found.own.scenario);
        if self.has_pools {
            self.pool_scan_risk.push(found.pool.risk);
            self.pool_worst_scenario.push(found.pool.scenario);
        }
    }

    /// Says of the groups from a place on what their pool came to.
    pub(crate) fn pool_from(&mut self, first: usize, pool: &Scan) {
        self.pool_scan_risk[first..].fill(pool.risk);
        self.pool_worst_scenario[first..].fill(pool.scenario);
    }

    fn pool_scan_risk(&self) -> &[f64] {
        if self.has_pools { &self.pool_scan_risk } else { &self.scan_risk }
    }

    fn pool_worst_scenario(&self) -> &[u32] {
        if self.has_pools { &self.pool_worst_scenario } else { &self.worst_scenario }
    }

    /// Leaves out the groups from a place on.
    pub(crate) fn truncate(&mut self, first: usize) {
        for codes in [&mut self.account, &mut self.group, &mut self.worst_scenario, &mut self.pool_worst_scenario] {
            codes.truncate(first);
        }
        for risks in [&mut self.scan_risk, &mut self.pool_scan_risk] {
            risks.truncate(first);
        }
    }
}

/// What is found in consecutive accounts.
pub(crate) struct BlockRisk {
    /// Groups by account; those of an account by pool, then by group.
    pub groups: BlockGroups,
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
        Ok(Self {
            account: memory::with_room(groups)?,
            group: memory::with_room(groups)?,
            scan_risk: memory::with_room(groups)?,
            worst_scenario: memory::with_room(groups)?,
            pool_scan_risk: memory::with_room(groups)?,
            pool_worst_scenario: memory::with_room(groups)?,
            failures: Vec::new(),
        })
    }

    /// Adds what was found in the next accounts, a column a task: there is room, so that each is written once and never cleared before.
    pub(crate) fn add(&mut self, blocks: &[BlockRisk], execution: &mut Execution<'_>) -> Result<()> {
        for BlockRisk { failures, .. } in blocks {
            memory::reserve(&mut self.failures, failures.len())?;
            self.failures.extend_from_slice(failures);
        }
        let Self { account, group, scan_risk, worst_scenario, pool_scan_risk, pool_worst_scenario, .. } = self;
        let tasks: Vec<Box<dyn FnOnce() + Send + '_>> = vec![
            Box::new(|| extend(account, blocks, |groups| &groups.account)),
            Box::new(|| extend(group, blocks, |groups| &groups.group)),
            Box::new(|| extend(scan_risk, blocks, |groups| &groups.scan_risk)),
            Box::new(|| extend(worst_scenario, blocks, |groups| &groups.worst_scenario)),
            Box::new(|| extend(pool_worst_scenario, blocks, BlockGroups::pool_worst_scenario)),
            Box::new(|| extend(pool_scan_risk, blocks, BlockGroups::pool_scan_risk)),
        ];
        let count = tasks.len();
        execution.run(tasks, count, || (), |(), task| task())?;
        Ok(())
    }

    /// Gives back the room that is left.
    pub(crate) fn end(&mut self) {
        for codes in [&mut self.account, &mut self.group, &mut self.worst_scenario, &mut self.pool_worst_scenario] {
            codes.shrink_to_fit();
        }
        for risks in [&mut self.scan_risk, &mut self.pool_scan_risk] {
            risks.shrink_to_fit();
        }
    }
}

/// Adds a column of blocks behind what there is.
fn extend<T: Copy>(column: &mut Vec<T>, blocks: &[BlockRisk], part: impl Fn(&BlockGroups) -> &[T]) {
    for block in blocks {
        column.extend_from_slice(part(&block.groups));
    }
}
