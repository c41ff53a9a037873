//! The measures of an account: scan risk by group and pool, charges, and the verdict.

use std::ops::Range;

use crate::codes::measures::ScenarioMeasure;
use crate::formulas::margin::{larger, margin_ratio};
use crate::machine::vector::Vector;
use crate::scenarios::account::AccountScenarios;
use crate::scenarios::held_legs::HeldLeg;
use crate::scenarios::risk::{BlockGroups, GroupRisk};
use crate::scenarios::scan::{Chunk, Scan, add_group, all_finite, scan, scan_risk};
use crate::scenarios::scratch::Scratch;

/// Requirement of a pool: the larger of its scan risk with its charges and its minimum.
fn pool_requirement(scan_risk: f64, charges: f64, minimum: f64) -> f64 {
    larger(scan_risk + charges, minimum)
}

impl AccountScenarios<'_> {
    /// Measures of a complete account; none if a sum overflows.
    #[inline(always)]
    pub(crate) fn measure<V: Vector>(
        &self,
        scratch: &mut Scratch,
        groups: &mut BlockGroups,
        legs: &[HeldLeg],
        account: usize,
    ) -> Option<[f64; ScenarioMeasure::COUNT]> {
        if self.charges {
            self.charge(scratch, legs, account);
        }
        let (mut scan_risk, mut charges, mut minimum, mut requirement) = (0.0, 0.0, 0.0, 0.0);
        let mut first = 0;
        while first < scratch.count() {
            let members = first..if self.has_pools { self.end_of_pool(scratch, first) } else { first + 1 };
            first = members.end;
            let pool = self.scan_pool::<V>(scratch, groups, account, members.clone())?;
            scan_risk += pool.risk;
            if !self.charges {
                requirement += pool_requirement(pool.risk, 0.0, 0.0);
                continue;
            }
            let (mut pool_charges, mut pool_minimum) = (0.0, 0.0);
            for place in members {
                pool_charges += scratch.charges[scratch.slot_at(place)];
                pool_minimum += scratch.minimum[scratch.slot_at(place)];
            }
            charges += pool_charges;
            minimum += pool_minimum;
            requirement += pool_requirement(pool.risk, pool_charges, pool_minimum);
        }
        let net_option_value = self.net_option_value(legs);
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

    /// Value of the options held; 0 where they have none.
    #[inline(always)]
    fn net_option_value(&self, legs: &[HeldLeg]) -> f64 {
        let mut value = 0.0;
        if let Some(values) = self.add_ons.option_value {
            for leg in legs {
                value += leg.quantity * values[leg.place as usize];
            }
        }
        value
    }

    /// Group of a slot.
    #[inline(always)]
    fn group_of(&self, scratch: &Scratch, slot: usize) -> usize {
        self.group_of_rank[scratch.rank(slot)] as usize
    }

    /// Where the groups of the pool end that starts at this place of the order.
    #[inline(always)]
    fn end_of_pool(&self, scratch: &Scratch, first: usize) -> usize {
        let pool_of = |place: usize| self.arrays.pool[self.group_of(scratch, scratch.slot_at(place))];
        let mut end = first + 1;
        while end < scratch.count() && pool_of(end) == pool_of(first) {
            end += 1;
        }
        end
    }

    /// Scan risk of the groups of a pool, and of the pool: losses in full, gains by their fractions.
    #[inline(always)]
    fn scan_pool<V: Vector>(
        &self,
        scratch: &mut Scratch,
        groups: &mut BlockGroups,
        account: usize,
        members: Range<usize>,
    ) -> Option<Scan> {
        let first = groups.len();
        let mut pool = Scan { risk: 0.0, scenario: 0 };
        for place in members.clone() {
            let slot = scratch.slot_at(place);
            let profits = scratch.profits(slot);
            if !all_finite::<V>(profits) {
                return None;
            }
            if self.outputs.keeps_groups() {
                pool = scan::<V>(profits);
                let group = self.group_of_rank[scratch.rank(slot)];
                groups.push(&GroupRisk { account: account as u32, group, own: pool, pool });
            } else {
                pool.risk = scan_risk::<V>(profits);
            }
        }
        if members.len() > 1 {
            pool = self.scan_sum::<V>(scratch, members);
            if self.outputs.keeps_groups() {
                groups.pool_from(first, &pool);
            }
        }
        Some(pool)
    }

    /// Scan risk of several groups that offset each other.
    #[inline(always)]
    fn scan_sum<V: Vector>(&self, scratch: &mut Scratch, members: Range<usize>) -> Scan {
        let mut pooled = std::mem::take(&mut scratch.pooled);
        pooled.clear();
        pooled.resize(self.width, Chunk::ZERO);
        for place in members {
            let slot = scratch.slot_at(place);
            add_group::<V>(&mut pooled, scratch.profits(slot), self.arrays.offset[self.group_of(scratch, slot)]);
        }
        let pool = scan::<V>(&pooled);
        scratch.pooled = pooled;
        pool
    }

    /// Charges and minimum of each slot.
    fn charge(&self, scratch: &mut Scratch, legs: &[HeldLeg], account: usize) {
        let slots = scratch.count();
        for amounts in [&mut scratch.charges, &mut scratch.minimum] {
            amounts.clear();
            amounts.resize(slots, 0.0);
        }
        if let Some(amounts) = &self.add_ons.minimum {
            scratch.sum_sides(legs, amounts, &self.rank_of_group);
            for slot in 0..slots {
                scratch.minimum[slot] = scratch.sides[0][slot] + scratch.sides[1][slot];
            }
        }
        if let Some(amounts) = &self.add_ons.contingency {
            scratch.sum_sides(legs, amounts, &self.rank_of_group);
            for slot in 0..slots {
                scratch.charges[slot] += scratch.sides[0][slot] + scratch.sides[1][slot];
            }
        }
        if let Some((sizes, charge)) = &self.add_ons.spread {
            scratch.sum_sides(legs, sizes, &self.rank_of_group);
            for slot in 0..slots {
                let [long, short] = [scratch.sides[0][slot], scratch.sides[1][slot]];
                let spreads = if long < short { long } else { short };
                scratch.charges[slot] += charge[self.group_of(scratch, slot)] * spreads;
            }
        }
        if let Some(adjustments) = self.adjustments_of(account) {
            for slot in 0..slots {
                scratch.charges[slot] += adjustments[self.group_of(scratch, slot)];
            }
        }
    }
}
