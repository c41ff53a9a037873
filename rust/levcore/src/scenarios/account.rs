//! The scenarios of one account: sums over its legs, scan risk by group and pool, charges, and the verdict.

use std::ops::Range;

use crate::codes::measures::ScenarioMeasure;
use crate::error::Result;
use crate::formulas::margin::{larger, margin_ratio};
use crate::machine::instruction_set::Work;
use crate::machine::vector::Vector;
use crate::memory;
use crate::scenarios::inputs::{AddOns, Legs, ScenarioArrays};
use crate::scenarios::risk::{BlockRisk, GroupRisk};
use crate::scenarios::scan::{HeldLeg, Scan, all_finite, scan};
use crate::scenarios::scratch::Scratch;
use crate::scenarios::status::{AccountStatus, RowStatus};

/// What every block of an evaluation shares.
pub(crate) struct AccountScenarios<'a> {
    legs: &'a Legs<'a>,
    arrays: &'a ScenarioArrays<'a>,
    add_ons: &'a AddOns<'a>,
    keep_profits: bool,
    ranges: &'a [Range<usize>],
    /// NaN if there is none. An `Option` would be multiplied before it is looked into, and what lies in an empty one may be a number so
    /// small that it takes the processor a hundred cycles.
    initial_ratio: f64,
    /// By the book's code of the instrument.
    held: Vec<Held>,
}

/// What a leg needs of its instrument, in one look-up.
struct Held {
    /// Place in the arrays.
    place: u32,
    group: u32,
    /// What no quantity can mend.
    failure: Option<RowStatus>,
}

/// Consecutive accounts to evaluate.
pub(crate) struct AccountBlock<'a> {
    pub job: &'a AccountScenarios<'a>,
    pub scratch: &'a mut Scratch,
    pub accounts: Range<usize>,
}

impl Work for AccountBlock<'_> {
    type Output = Result<BlockRisk>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Result<BlockRisk> {
        self.job.evaluate(self.scratch, self.accounts)
    }
}

fn hold(arrays: &ScenarioArrays<'_>, add_ons: &AddOns<'_>, place: Option<usize>) -> Held {
    let Some(place) = place else {
        return Held { place: 0, group: 0, failure: Some(RowStatus::UnknownInstrument) };
    };
    let profits = &arrays.profits[place * arrays.scenarios..][..arrays.scenarios];
    let failure = if !profits.iter().all(|profit| profit.is_finite()) {
        Some(RowStatus::IncompleteArray)
    } else if add_ons.option_value.is_some_and(|values| !values[place].is_finite()) {
        Some(RowStatus::MissingOptionValue)
    } else {
        None
    };
    Held { place: place as u32, group: arrays.group[place], failure }
}

/// Why a leg cannot be added; one without exposure always can.
#[inline(always)]
fn failure(held: &Held, quantity: f64) -> Option<RowStatus> {
    if !quantity.is_finite() {
        Some(RowStatus::InvalidQuantity)
    } else if quantity == 0.0 {
        None
    } else {
        held.failure
    }
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
    ) -> Result<Self> {
        let held = memory::collected(legs.places.len(), legs.places.iter().map(|&place| hold(arrays, add_ons, place)))?;
        let initial_ratio = add_ons.initial_ratio.unwrap_or(f64::NAN);
        Ok(Self { legs, arrays, add_ons, keep_profits, ranges, initial_ratio, held })
    }

    pub(crate) fn scratch(&self) -> Scratch {
        let spread = self.add_ons.spread.map(|(sizes, _)| sizes);
        let amounts = [self.add_ons.minimum, self.add_ons.contingency, spread];
        let sets = amounts.iter().flatten().map(|amounts| amounts.group.len()).max().unwrap_or(0);
        Scratch::new(self.arrays.pool.len(), sets)
    }

    /// Evaluates consecutive accounts.
    #[inline(always)]
    pub(crate) fn evaluate(&self, scratch: &mut Scratch, accounts: Range<usize>) -> Result<BlockRisk> {
        let count = accounts.len();
        let mut risk = BlockRisk {
            accounts: accounts.clone(),
            measures: memory::filled(f64::NAN, ScenarioMeasure::COUNT * count)?,
            status: memory::with_room(count)?,
            groups: memory::with_room(self.most_groups(&accounts))?,
            failures: Vec::new(),
            profits: memory::with_room(if self.keep_profits {
                count.saturating_mul(self.arrays.scenarios)
            } else {
                0
            })?,
        };
        for (place, account) in accounts.enumerate() {
            let complete = self.collect_legs(scratch, account, &mut risk.failures);
            let complete = self.adjust(scratch, account) && complete;
            scratch.add_up(self.arrays.scenarios, self.arrays.profits)?;
            let complete = complete && all_finite(&scratch.profits);
            let measures = self.judge(scratch, account, complete, &mut risk.groups);
            let status = match measures {
                None => AccountStatus::Incomplete,
                Some(measures) => {
                    for (measure, value) in measures.into_iter().enumerate() {
                        risk.measures[measure * count + place] = value;
                    }
                    self.equity_status(account)
                }
            };
            risk.status.push(status as u8);
            if self.keep_profits {
                self.store_profits(scratch, status, &mut risk.profits);
            }
            scratch.clear();
        }
        Ok(risk)
    }

    /// Bound of the groups that these accounts hold.
    fn most_groups(&self, accounts: &Range<usize>) -> usize {
        let legs = self.ranges[accounts.clone()].iter().map(Range::len).sum::<usize>();
        if self.add_ons.adjustments.is_some() { accounts.len() } else { legs }
    }

    /// Collects the legs of an account, and its groups; whether all can be added.
    #[inline(always)]
    fn collect_legs(&self, scratch: &mut Scratch, account: usize, failures: &mut Vec<(u32, u8)>) -> bool {
        let failed_before = failures.len();
        for &row in &self.legs.order[self.ranges[account].clone()] {
            let quantity = self.legs.quantity[row as usize];
            let held = &self.held[self.legs.instrument[row as usize] as usize];
            if let Some(failure) = failure(held, quantity) {
                failures.push((row, failure as u8));
                continue;
            }
            if quantity == 0.0 {
                continue;
            }
            let slot = scratch.slot(held.group);
            scratch.held.push(HeldLeg { slot, place: held.place, quantity });
            if let Some(values) = self.add_ons.option_value {
                scratch.net_option_value += quantity * values[held.place as usize];
            }
        }
        failures.len() == failed_before
    }

    /// Makes sure that every group with an adjustment has a slot; whether all adjustments are numbers.
    #[inline(always)]
    fn adjust(&self, scratch: &mut Scratch, account: usize) -> bool {
        let Some(adjustments) = self.adjustments_of(account) else { return true };
        for (group, &adjustment) in adjustments.iter().enumerate() {
            if adjustment != 0.0 {
                scratch.slot(group as u32);
            }
        }
        adjustments.iter().all(|adjustment| adjustment.is_finite())
    }

    #[inline(always)]
    fn adjustments_of(&self, account: usize) -> Option<&[f64]> {
        let groups = self.arrays.pool.len();
        self.add_ons.adjustments.map(|adjustments| &adjustments[account * groups..][..groups])
    }

    /// Measures of an account, none if it is incomplete, and its groups.
    #[inline(always)]
    fn judge(
        &self,
        scratch: &mut Scratch,
        account: usize,
        complete: bool,
        groups: &mut Vec<GroupRisk>,
    ) -> Option<[f64; ScenarioMeasure::COUNT]> {
        let first = groups.len();
        scratch.order.clone_from(&scratch.groups);
        scratch.order.sort_unstable_by_key(|&group| (self.arrays.pool[group as usize], group));
        let measures = if complete { self.measure(scratch, account, groups) } else { None };
        if measures.is_none() {
            groups.truncate(first);
            groups.extend(scratch.order.iter().map(|&group| GroupRisk::unknown(account, group)));
        }
        measures
    }

    #[inline(always)]
    fn equity_status(&self, account: usize) -> AccountStatus {
        match self.add_ons.equity.map(|equity| equity[account]) {
            Some(equity) if equity.is_nan() => AccountStatus::MissingEquity,
            Some(equity) if equity.is_infinite() => AccountStatus::InvalidEquity,
            _ => AccountStatus::Ok,
        }
    }

    /// Measures of a complete account; none if one of them overflows.
    #[inline(always)]
    fn measure(
        &self,
        scratch: &mut Scratch,
        account: usize,
        groups: &mut Vec<GroupRisk>,
    ) -> Option<[f64; ScenarioMeasure::COUNT]> {
        self.charge(scratch, account);
        let (mut scan_risk, mut charges, mut minimum, mut requirement) = (0.0, 0.0, 0.0, 0.0);
        let mut first = 0;
        while let Some(&group) = scratch.order.get(first) {
            let pool = self.arrays.pool[group as usize];
            let rest = &scratch.order[first..];
            let count = rest.iter().take_while(|&&other| self.arrays.pool[other as usize] == pool).count();
            let members = first..first + count;
            first = members.end;
            let pool = self.scan_pool(scratch, account, members.clone(), groups);
            let (mut pool_charges, mut pool_minimum) = (0.0, 0.0);
            for &group in &scratch.order[members] {
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
        let initial_margin = requirement * self.initial_ratio;
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
    #[inline(always)]
    fn scan_pool(
        &self,
        scratch: &mut Scratch,
        account: usize,
        members: Range<usize>,
        groups: &mut Vec<GroupRisk>,
    ) -> Scan {
        let first = groups.len();
        let mut pool = Scan { risk: 0.0, scenario: 0 };
        for &group in &scratch.order[members.clone()] {
            pool = scan(scratch.profits_of(group, self.arrays.scenarios));
            groups.push(GroupRisk {
                scan_risk: pool.risk,
                worst_scenario: pool.scenario,
                ..GroupRisk::unknown(account, group)
            });
        }
        if members.len() > 1 {
            pool = self.scan_sum(scratch, members);
        }
        for row in &mut groups[first..] {
            (row.pool_scan_risk, row.pool_worst_scenario) = (pool.risk, pool.scenario);
        }
        pool
    }

    /// Scan risk of several groups that offset each other.
    fn scan_sum(&self, scratch: &mut Scratch, members: Range<usize>) -> Scan {
        let mut pooled = std::mem::take(&mut scratch.pooled);
        pooled.clear();
        pooled.resize(self.arrays.scenarios, 0.0);
        for &group in &scratch.order[members] {
            let offset = self.arrays.offset[group as usize];
            let profits = scratch.profits_of(group, self.arrays.scenarios);
            for (sum, &profit) in pooled.iter_mut().zip(profits) {
                *sum += if profit > 0.0 { profit * offset } else { profit };
            }
        }
        let pool = scan(&pooled);
        scratch.pooled = pooled;
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
