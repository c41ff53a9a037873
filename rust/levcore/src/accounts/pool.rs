//! Accounts whose parts move together: hedged legs, and balances in several assets.
//!
//! What they ask for together is summed here; `pool_on_ray` finds where that and the equity are zero as something moves.

use crate::accounts::holding::{Holding, count};
use crate::accounts::leg::{Leg, frozen, side};
use crate::accounts::legs_on_ray::LegsOnRay;
use crate::accounts::verdict::Totals;
use crate::formulas::margin;
use crate::formulas::ray::Line;
use crate::machine::instruction_set::InstructionSet;
use crate::rules::policy::Policy;

/// What a ray moves, each with how far it moves as the place goes from 1 to 2.
#[derive(Debug, Clone, Default)]
pub(crate) struct Move {
    pub legs: Vec<(usize, f64)>,
    pub holdings: Vec<(usize, f64)>,
}

impl Move {
    pub(crate) fn clear(&mut self) {
        self.legs.clear();
        self.holdings.clear();
    }

    /// Lists each holding once, in ascending order, at its own pace where it moves itself.
    pub(crate) fn merge_holdings(&mut self) {
        self.holdings.sort_unstable_by(|left, right| left.0.cmp(&right.0).then(right.1.total_cmp(&left.1)));
        self.holdings.dedup_by_key(|holding| holding.0);
    }
}

/// Amounts of the long and the short side of a group.
pub(super) type Sides = [f64; 2];

/// One account. Holdings of a wallet are just the wallet, at the price 1; legs stand in the order of rows.
#[derive(Debug, Default)]
pub(crate) struct Pool<'a> {
    pub holdings: Vec<Holding<'a>>,
    pub legs: Vec<Leg<'a>>,
    pub(super) by_groups: bool,
    initial_by_groups: bool,
    /// Scaled requirements of each group's sides, in the account's currency.
    pub(super) sides: Vec<Sides>,
    pub(super) smooth: bool,
    /// Memory of the sums and lines: gains by holding, groups that a ray touches.
    pub(super) gains: Vec<f64>,
    pub(super) touched: Vec<Touched>,
    pub(super) place_of_group: Vec<usize>,
    sums: Vec<[Sides; 3]>,
    /// The legs that move, where there are many of a kind, and the instruction set that adds up what they ask for.
    pub(super) on_ray: LegsOnRay,
    pub(super) many: Option<InstructionSet>,
}

/// A group on a ray, with the lines of its sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touched {
    pub group: usize,
    pub sides: [Line; 2],
}

impl<'a> Pool<'a> {
    pub(crate) fn clear(&mut self) {
        self.holdings.clear();
        self.legs.clear();
    }

    /// Sums of the account: holdings in their order, then legs in the order of rows.
    pub(crate) fn total(&mut self, policy: &Policy, groups: usize) -> Totals {
        self.by_groups = policy.rules.hedge_rule.is_by_groups();
        self.initial_by_groups = policy.rules.hedge_rule_initial.is_by_groups();
        self.smooth = self.legs.iter().any(|leg| leg.curve.is_smooth());
        for leg in &self.legs {
            self.holdings[leg.holding].profit += leg.profit;
        }
        let mut totals = self.count_holdings(policy);
        if self.by_groups || self.initial_by_groups {
            self.charge_groups(policy, groups, &mut totals);
        }
        for leg in &self.legs {
            let price = self.holdings[leg.holding].margin_price;
            if !self.by_groups {
                totals.require(price, leg.requirement, leg.maintenance_margin);
            }
            if !self.initial_by_groups {
                totals.open(price, leg.initial_margin);
            }
        }
        totals
    }

    /// Sums of the holdings, to which the profit of the legs was added.
    pub(crate) fn count_holdings(&mut self, policy: &Policy) -> Totals {
        let mut totals = Totals::default();
        for holding in &mut self.holdings {
            count(holding, policy, &mut totals);
        }
        totals
    }

    /// Of each group, the side that asks for more; requirement, initial and maintenance margin each by themselves.
    fn charge_groups(&mut self, policy: &Policy, groups: usize, totals: &mut Totals) {
        self.sums.clear();
        self.sums.resize(groups, Default::default());
        self.sides.clear();
        self.sides.resize(groups, Default::default());
        for leg in &self.legs {
            let (price, side) = (self.holdings[leg.holding].margin_price, side(leg));
            let sums = &mut self.sums[leg.group];
            sums[0][side] += price * leg.requirement;
            sums[1][side] += price * leg.initial_margin;
            sums[2][side] += price * leg.maintenance_margin;
            self.sides[leg.group][side] += price * (leg.requirement * policy.trigger);
        }
        for [requirement, initial, maintenance] in &self.sums {
            if self.by_groups {
                totals.requirement += larger_side(*requirement);
                totals.maintenance_margin += larger_side(*maintenance);
            }
            if self.initial_by_groups {
                totals.initial_margin += larger_side(*initial);
            }
        }
    }

    /// Settles which part of each leg's requirement does not move, and what legs ask for in the price of their holding.
    pub(crate) fn freeze(&mut self, policy: &Policy) {
        for leg in &mut self.legs {
            leg.frozen = frozen(leg.requirement * policy.trigger, leg.released);
            if !leg.reciprocal {
                self.holdings[leg.holding].settle(leg.requirement, policy);
            }
        }
    }

    /// The leg that covers a leg or is covered by it.
    pub(crate) fn partner(&self, number: usize) -> Option<usize> {
        let leg = &self.legs[number];
        self.legs.iter().position(|other| other.covered && other.group == leg.group && other.known != leg.known)
    }

    /// Requirements of the sides of a leg's group: its own without the leg, and the other one; zero where legs are charged one by one.
    pub(crate) fn sides_without(&self, number: usize) -> (f64, f64) {
        if !self.by_groups {
            return (0.0, 0.0);
        }
        let leg = &self.legs[number];
        let mut sides = [0.0, 0.0];
        for (place, other) in self.legs.iter().enumerate() {
            if other.group == leg.group && place != number {
                sides[side(other)] += self.holdings[other.holding].margin_price * other.requirement;
            }
        }
        (sides[side(leg)], sides[1 - side(leg)])
    }
}

/// Margin of the side that asks for more; NaN where that of either is not known.
fn larger_side([long, short]: Sides) -> f64 {
    if long.is_nan() { long } else { margin::larger(long, short) }
}
