//! The scenarios of one account: sums over its legs, scan risk by group and pool, charges, and the verdict.

use std::ops::Range;

use crate::margin::{larger, margin_ratio};
use crate::scenario_status::{AccountStatus, RowStatus};
use crate::scenarios::{AddOns, GroupRisk, Legs, MEASURES, NetAmounts, ScenarioArrays, ScenarioRisk};

/// Slot of groups that the account does not hold.
const NOWHERE: u32 = u32::MAX;

/// What every block of an evaluation shares.
pub(crate) struct AccountScenarios<'a> {
    legs: &'a Legs<'a>,
    arrays: &'a ScenarioArrays<'a>,
    add_ons: &'a AddOns<'a>,
    keep_profits: bool,
    ranges: &'a [Range<usize>],
    /// Failure of each instrument that no quantity can mend.
    failure: Vec<Option<RowStatus>>,
}

/// Memory of one thread; empty between accounts.
pub(crate) struct Scratch {
    slot_of_group: Vec<u32>,
    /// Groups of the account by slot, in the order of their first leg.
    groups: Vec<u32>,
    /// Profit by slot and scenario.
    profits: Vec<f64>,
    /// Place of the instrument and quantity of each leg with an exposure.
    held: Vec<(u32, f64)>,
    net_option_value: f64,
    /// Net position by set; `None`: no leg.
    net: Vec<Option<f64>>,
    /// Sets with a leg, in the order of their first one.
    sets: Vec<u32>,
    charges: Vec<f64>,
    minimum: Vec<f64>,
    /// Amounts of long and of short net positions by slot.
    sides: [Vec<f64>; 2],
    /// Profit by scenario of a pool.
    pooled: Vec<f64>,
}

/// Largest loss over scenarios.
#[derive(Clone, Copy)]
struct Scan {
    risk: f64,
    scenario: u32,
}

/// Worst loss of profits by scenario, 0 if there is none, and the first scenario with the lowest profit.
fn scan(profits: &[f64]) -> Scan {
    let (mut lowest, mut scenario) = (profits[0], 0);
    for (place, &profit) in profits.iter().enumerate() {
        if profit < lowest {
            (lowest, scenario) = (profit, place as u32);
        }
    }
    Scan { risk: if lowest < 0.0 { -lowest } else { 0.0 }, scenario }
}

/// Requirement of a pool: the larger of its scan risk with its charges and its minimum.
fn pool_requirement(scan_risk: f64, charges: f64, minimum: f64) -> f64 {
    larger(scan_risk + charges, minimum)
}

impl<'a> AccountScenarios<'a> {
    pub(crate) fn new(
        legs: &'a Legs<'a>,
        arrays: &'a ScenarioArrays<'a>,
        add_ons: &'a AddOns<'a>,
        keep_profits: bool,
        ranges: &'a [Range<usize>],
    ) -> Self {
        let failure = arrays.profits.chunks_exact(arrays.scenarios).enumerate().map(|(place, profits)| {
            if !profits.iter().all(|profit| profit.is_finite()) {
                Some(RowStatus::IncompleteArray)
            } else if add_ons.option_value.is_some_and(|values| !values[place].is_finite()) {
                Some(RowStatus::MissingOptionValue)
            } else {
                None
            }
        });
        Self { legs, arrays, add_ons, keep_profits, ranges, failure: failure.collect() }
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let spread = self.add_ons.spread.map(|(sizes, _)| sizes);
        let amounts = [self.add_ons.minimum, self.add_ons.contingency, spread];
        let sets = amounts.iter().flatten().map(|amounts| amounts.group.len()).max().unwrap_or(0);
        Scratch {
            slot_of_group: vec![NOWHERE; self.arrays.pool.len()],
            groups: Vec::new(),
            profits: Vec::new(),
            held: Vec::new(),
            net_option_value: 0.0,
            net: vec![None; sets],
            sets: Vec::new(),
            charges: Vec::new(),
            minimum: Vec::new(),
            sides: [Vec::new(), Vec::new()],
            pooled: vec![0.0; self.arrays.scenarios],
        }
    }

    /// Evaluates consecutive accounts.
    pub(crate) fn evaluate(&self, scratch: &mut Scratch, accounts: Range<usize>) -> ScenarioRisk {
        let mut risk = ScenarioRisk::default();
        risk.accounts.reserve(accounts.len());
        risk.status.reserve(accounts.len());
        for account in accounts {
            let complete = self.sum_legs(scratch, account, &mut risk.failures);
            let complete = self.adjust(scratch, account) && complete;
            let complete = complete && scratch.profits.iter().all(|profit| profit.is_finite());
            let (measures, status) = self.judge(scratch, account, complete, &mut risk.groups);
            risk.accounts.push(measures);
            risk.status.push(status as u8);
            if self.keep_profits {
                self.store_profits(scratch, status, &mut risk.profits);
            }
            scratch.clear();
        }
        risk
    }

    /// Adds up the legs of an account by group; whether all could be added.
    fn sum_legs(&self, scratch: &mut Scratch, account: usize, failures: &mut Vec<(u32, u8)>) -> bool {
        let width = self.arrays.scenarios;
        let failed_before = failures.len();
        for &row in &self.legs.order[self.ranges[account].clone()] {
            let quantity = self.legs.quantity[row as usize];
            let place = match self.held_instrument(row as usize, quantity) {
                Ok(Some(place)) => place,
                Ok(None) => continue,
                Err(failure) => {
                    failures.push((row, failure as u8));
                    continue;
                }
            };
            let slot = scratch.slot(self.arrays.group[place], width);
            let sums = &mut scratch.profits[slot * width..][..width];
            let profits = &self.arrays.profits[place * width..][..width];
            for (sum, profit) in sums.iter_mut().zip(profits) {
                *sum += quantity * profit;
            }
            if let Some(values) = self.add_ons.option_value {
                scratch.net_option_value += quantity * values[place];
            }
            scratch.held.push((place as u32, quantity));
        }
        failures.len() == failed_before
    }

    /// Place of a row's instrument; none for a row without exposure.
    fn held_instrument(&self, row: usize, quantity: f64) -> Result<Option<usize>, RowStatus> {
        if !quantity.is_finite() {
            return Err(RowStatus::InvalidQuantity);
        }
        if quantity == 0.0 {
            return Ok(None);
        }
        let place = self.legs.places[self.legs.instrument[row] as usize].ok_or(RowStatus::UnknownInstrument)?;
        self.failure[place].map_or(Ok(Some(place)), Err)
    }

    /// Makes sure that every group with an adjustment has a slot; whether all adjustments are numbers.
    fn adjust(&self, scratch: &mut Scratch, account: usize) -> bool {
        let Some(adjustments) = self.adjustments_of(account) else { return true };
        for (group, &adjustment) in adjustments.iter().enumerate() {
            if adjustment != 0.0 {
                scratch.slot(group as u32, self.arrays.scenarios);
            }
        }
        adjustments.iter().all(|adjustment| adjustment.is_finite())
    }

    fn adjustments_of(&self, account: usize) -> Option<&[f64]> {
        let groups = self.arrays.pool.len();
        self.add_ons.adjustments.map(|adjustments| &adjustments[account * groups..][..groups])
    }

    /// Verdict on an account, and its groups.
    fn judge(
        &self,
        scratch: &mut Scratch,
        account: usize,
        complete: bool,
        groups: &mut Vec<GroupRisk>,
    ) -> ([f64; MEASURES.len()], AccountStatus) {
        let mut order = scratch.groups.clone();
        order.sort_unstable_by_key(|&group| (self.arrays.pool[group as usize], group));
        let first = groups.len();
        let measures = if complete { self.measure(scratch, account, &order, groups) } else { None };
        if let Some(measures) = measures {
            return (measures, self.equity_status(account));
        }
        groups.truncate(first);
        groups.extend(order.into_iter().map(|group| GroupRisk::unknown(account, group)));
        ([f64::NAN; MEASURES.len()], AccountStatus::Incomplete)
    }

    fn equity_status(&self, account: usize) -> AccountStatus {
        match self.add_ons.equity.map(|equity| equity[account]) {
            Some(equity) if equity.is_nan() => AccountStatus::MissingEquity,
            Some(equity) if equity.is_infinite() => AccountStatus::InvalidEquity,
            _ => AccountStatus::Ok,
        }
    }

    /// Measures of a complete account; none if one of them overflows.
    fn measure(
        &self,
        scratch: &mut Scratch,
        account: usize,
        order: &[u32],
        groups: &mut Vec<GroupRisk>,
    ) -> Option<[f64; MEASURES.len()]> {
        self.charge(scratch, account);
        let (mut scan_risk, mut charges, mut minimum, mut requirement) = (0.0, 0.0, 0.0, 0.0);
        for members in
            order.chunk_by(|left, right| self.arrays.pool[*left as usize] == self.arrays.pool[*right as usize])
        {
            let pool = self.scan_pool(scratch, account, members, groups);
            let (mut pool_charges, mut pool_minimum) = (0.0, 0.0);
            for &group in members {
                let slot = scratch.slot_of_group[group as usize] as usize;
                pool_charges += scratch.charges[slot];
                pool_minimum += scratch.minimum[slot];
            }
            scan_risk += pool.risk;
            charges += pool_charges;
            minimum += pool_minimum;
            requirement += pool_requirement(pool.risk, pool_charges, pool_minimum);
        }
        let net_option_value = scratch.net_option_value;
        let initial_margin = self.add_ons.initial_ratio.map_or(f64::NAN, |ratio| requirement * ratio);
        let finite = [scan_risk, charges, minimum, requirement, net_option_value].iter().all(|sum| sum.is_finite());
        if !finite || initial_margin.is_infinite() {
            return None;
        }
        let option_value = self.add_ons.option_value.map_or(f64::NAN, |_| net_option_value);
        let given = self.add_ons.equity.map_or(f64::NAN, |equity| equity[account]);
        let equity = if given.is_finite() { given + net_option_value } else { f64::NAN };
        let ratio = if equity.is_nan() { f64::NAN } else { margin_ratio(requirement, equity) };
        let surplus = equity - requirement;
        Some([scan_risk, charges, minimum, requirement, initial_margin, option_value, equity, surplus, ratio])
    }

    /// Scan risk of the groups of a pool, and of the pool: losses in full, gains by their fractions.
    fn scan_pool(&self, scratch: &mut Scratch, account: usize, members: &[u32], groups: &mut Vec<GroupRisk>) -> Scan {
        let width = self.arrays.scenarios;
        let first = groups.len();
        scratch.pooled.fill(0.0);
        for &group in members {
            let slot = scratch.slot_of_group[group as usize] as usize;
            let profits = &scratch.profits[slot * width..][..width];
            let own = scan(profits);
            let offset = self.arrays.offset[group as usize];
            for (sum, &profit) in scratch.pooled.iter_mut().zip(profits) {
                *sum += if profit > 0.0 { profit * offset } else { profit };
            }
            groups.push(GroupRisk {
                scan_risk: own.risk,
                worst_scenario: own.scenario,
                ..GroupRisk::unknown(account, group)
            });
        }
        let pool = scan(&scratch.pooled);
        for row in &mut groups[first..] {
            (row.pool_scan_risk, row.pool_worst_scenario) = (pool.risk, pool.scenario);
        }
        pool
    }

    /// Charges and minimum of each slot.
    fn charge(&self, scratch: &mut Scratch, account: usize) {
        let slots = scratch.groups.len();
        scratch.charges.resize(slots, 0.0);
        scratch.minimum.resize(slots, 0.0);
        if let Some(amounts) = &self.add_ons.minimum {
            scratch.sum_sides(amounts);
            for slot in 0..slots {
                scratch.minimum[slot] = scratch.sides[0][slot] + scratch.sides[1][slot];
            }
        }
        if let Some(amounts) = &self.add_ons.contingency {
            scratch.sum_sides(amounts);
            for slot in 0..slots {
                scratch.charges[slot] += scratch.sides[0][slot] + scratch.sides[1][slot];
            }
        }
        if let Some((sizes, charge)) = &self.add_ons.spread {
            scratch.sum_sides(sizes);
            for slot in 0..slots {
                let [long, short] = [scratch.sides[0][slot], scratch.sides[1][slot]];
                let spreads = if long < short { long } else { short };
                scratch.charges[slot] += charge[scratch.groups[slot] as usize] * spreads;
            }
        }
        if let Some(adjustments) = self.adjustments_of(account) {
            for slot in 0..slots {
                scratch.charges[slot] += adjustments[scratch.groups[slot] as usize];
            }
        }
    }

    /// Profit of an account over all its groups, in the order of their first legs.
    fn store_profits(&self, scratch: &Scratch, status: AccountStatus, table: &mut Vec<f64>) {
        let width = self.arrays.scenarios;
        let first = table.len();
        if status == AccountStatus::Incomplete {
            table.resize(first + width, f64::NAN);
            return;
        }
        table.resize(first + width, 0.0);
        for profits in scratch.profits.chunks_exact(width) {
            for (sum, profit) in table[first..].iter_mut().zip(profits) {
                *sum += profit;
            }
        }
    }
}

impl Scratch {
    /// Slot of a group, a new one if it has none yet.
    fn slot(&mut self, group: u32, width: usize) -> usize {
        let slot = &mut self.slot_of_group[group as usize];
        if *slot == NOWHERE {
            *slot = self.groups.len() as u32;
            self.groups.push(group);
            self.profits.resize(self.groups.len() * width, 0.0);
        }
        *slot as usize
    }

    /// Amounts of the long and of the short net positions of each slot.
    fn sum_sides(&mut self, amounts: &NetAmounts<'_>) {
        for side in &mut self.sides {
            side.clear();
            side.resize(self.groups.len(), 0.0);
        }
        for &(place, quantity) in &self.held {
            let set = amounts.set[place as usize];
            let net = &mut self.net[set as usize];
            if net.is_none() {
                self.sets.push(set);
            }
            *net = Some(net.unwrap_or(0.0) + quantity * amounts.size[place as usize]);
        }
        for set in self.sets.drain(..) {
            let net = self.net[set as usize].take().unwrap_or(0.0);
            let slot = self.slot_of_group[amounts.group[set as usize] as usize] as usize;
            if net > 0.0 {
                self.sides[0][slot] += net * amounts.long[set as usize];
            } else {
                self.sides[1][slot] += -net * amounts.short[set as usize];
            }
        }
    }

    fn clear(&mut self) {
        for group in self.groups.drain(..) {
            self.slot_of_group[group as usize] = NOWHERE;
        }
        self.profits.clear();
        self.held.clear();
        self.net_option_value = 0.0;
        self.charges.clear();
        self.minimum.clear();
    }
}
