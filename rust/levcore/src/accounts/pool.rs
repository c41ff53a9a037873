//! Accounts whose parts move together: hedged legs, and balances in several assets.
//!
//! Everything that one underlying moves, legs and balances, is a *mover*. Along the price of a mover the surplus of the account is what it
//! is now, less what the mover's parts give to it now, plus what they give there; every part is a line, or the smaller of a few. The place
//! on the ray is the price over the mark, or the coordinate over its own where the account is kept in the coin of inverse contracts.

use crate::accounts::holding::{Holding, count, holding_line};
use crate::accounts::leg::{Leg, frozen, leg_line, side};
use crate::accounts::legs_on_ray::{LegsOnRay, SumRequirements};
use crate::accounts::verdict::Totals;
use crate::formulas::margin;
use crate::formulas::ray::{self, Form, Line, Zeros, on_ray};
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
type Sides = [f64; 2];

/// One account. Holdings of a wallet are just the wallet, at the price 1; legs stand in the order of rows.
#[derive(Debug, Default)]
pub(crate) struct Pool<'a> {
    pub holdings: Vec<Holding<'a>>,
    pub legs: Vec<Leg<'a>>,
    by_groups: bool,
    initial_by_groups: bool,
    /// Scaled requirements of each group's sides, in the account's currency.
    sides: Vec<Sides>,
    smooth: bool,
    /// Memory of the sums and lines: gains by holding, groups that a ray touches.
    gains: Vec<f64>,
    touched: Vec<Touched>,
    place_of_group: Vec<usize>,
    sums: Vec<[Sides; 3]>,
    /// The legs that move, where there are many of a kind, and the instruction set that adds up what they ask for.
    on_ray: LegsOnRay,
    many: Option<InstructionSet>,
}

/// Legs that are sooner added up side by side than one by one.
const MANY: usize = 4;

/// Place of a group that the ray has not touched.
const UNTOUCHED: usize = usize::MAX;

/// A group on a ray, with the lines of its sides.
#[derive(Debug, Clone, Copy)]
struct Touched {
    group: usize,
    sides: [Line; 2],
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
        let mut totals = Totals::default();
        for leg in &self.legs {
            self.holdings[leg.holding].profit += leg.profit;
        }
        for holding in &mut self.holdings {
            count(holding, policy, &mut totals);
        }
        if self.by_groups || self.initial_by_groups {
            self.charge_groups(policy, groups, &mut totals);
        }
        for leg in &self.legs {
            let price = self.holdings[leg.holding].margin_price;
            if !self.by_groups {
                totals.requirement += price * leg.requirement;
                totals.maintenance_margin += price * leg.maintenance_margin;
            }
            if !self.initial_by_groups {
                totals.initial_margin += price * leg.initial_margin;
            }
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
            let scaled = leg.requirement * policy.trigger;
            leg.frozen = frozen(scaled, leg.released);
            if !leg.reciprocal {
                let holding = &mut self.holdings[leg.holding];
                holding.settled += holding.margin_price * scaled;
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

    /// Places where the surplus is zero as `moved` moves, below the place `highest`.
    pub(crate) fn zeros_of_surplus(
        &mut self,
        policy: &Policy,
        set: InstructionSet,
        surplus: f64,
        moved: &Move,
        highest: f64,
    ) -> Zeros {
        self.sum_gains(moved);
        self.line_up(moved, set);
        let form = if self.smooth { Form::Smooth } else { Form::Lines };
        ray::zeros_of(&mut |place| self.line(policy, moved, true, place), surplus, Line::zero(), highest, form)
    }

    /// Puts many legs that are charged one by one next to each other.
    fn line_up(&mut self, moved: &Move, set: InstructionSet) {
        self.many = None;
        if self.by_groups || moved.legs.len() < MANY {
            return;
        }
        self.on_ray.clear();
        let (legs, holdings, on_ray) = (&self.legs, &self.holdings, &mut self.on_ray);
        let all = moved.legs.iter().all(|&(number, beta)| {
            let leg = &legs[number];
            on_ray.push(leg, holdings[leg.holding].margin_price, beta)
        });
        self.many = all.then_some(set);
    }

    /// Places where the equity is zero, after the closing fees of what moves where the policy takes them off.
    pub(crate) fn zeros_of_equity(&mut self, policy: &Policy, equity: f64, moved: &Move) -> Zeros {
        self.sum_gains(moved);
        // The equity does not hold the fees that the line has taken off.
        let fees = self.fee_line(policy, moved);
        let straight = moved.holdings.iter().all(|&(number, _)| self.holdings[number].asset.counts_all_alike());
        let form = if straight { Form::Straight } else { Form::Lines };
        ray::zeros_of(&mut |place| self.line(policy, moved, false, place), equity, fees, f64::INFINITY, form)
    }

    /// The one holding that a mover bears upon, where it is one of those that are solved side by side: one leg or two, charged one by one by
    /// the lines of tables, that settle in a holding whose price stands still.
    pub(crate) fn simple_holding(&self, moved: &Move) -> Option<usize> {
        let &[(holding, beta)] = &moved.holdings[..] else { return None };
        let simple = |&(number, _): &(usize, f64)| {
            let leg = &self.legs[number];
            !leg.reciprocal && leg.curve.place_of_lines().is_some()
        };
        let few = matches!(moved.legs.len(), 1 | 2);
        (few && beta == 0.0 && !self.by_groups && !self.smooth && moved.legs.iter().all(simple)).then_some(holding)
    }

    /// What the moving legs gain in each holding as the place goes from 1 to 2.
    fn sum_gains(&mut self, moved: &Move) {
        self.gains.clear();
        self.gains.resize(self.holdings.len(), 0.0);
        for &(number, beta) in &moved.legs {
            let leg = &self.legs[number];
            let signed = leg.direction * leg.value;
            self.gains[leg.holding] += if leg.reciprocal { signed } else { signed * beta };
        }
    }

    /// Line that touches at `place` what the moving parts give: counted equity, less the scaled requirement.
    fn line(&mut self, policy: &Policy, moved: &Move, required: bool, place: f64) -> Line {
        let mut line = Line::default();
        for &(number, beta) in &moved.holdings {
            line.add(holding_line(&self.holdings[number], policy, self.gains[number], beta, required, place));
            if required && beta != 0.0 && !self.by_groups {
                let settled = on_ray(Line::new(0.0, self.holdings[number].settled), beta);
                line.start -= settled.start;
                line.slope -= settled.slope;
            }
        }
        let taken = if required { self.requirement_line(policy, moved, place) } else { self.fee_line(policy, moved) };
        line.less(taken)
    }

    /// Scaled requirement of the moving legs; of a group, that of its larger side there.
    fn requirement_line(&mut self, policy: &Policy, moved: &Move, place: f64) -> Line {
        if let Some(set) = self.many {
            return set.run(SumRequirements { legs: &self.on_ray, policy, place });
        }
        let mut line = Line::default();
        if !self.by_groups {
            for &(number, beta) in &moved.legs {
                let leg = &self.legs[number];
                line.add(leg_line(leg, self.holdings[leg.holding].margin_price, policy, beta, place));
            }
            return line;
        }
        self.touched.clear();
        self.place_of_group.resize(self.sides.len(), UNTOUCHED);
        for &(number, beta) in &moved.legs {
            let leg = &self.legs[number];
            let price = self.holdings[leg.holding].margin_price;
            let own = leg_line(leg, price, policy, beta, place);
            self.replace(number, price * (leg.requirement * policy.trigger), own);
        }
        for &(holding, beta) in moved.holdings.iter().filter(|(_, beta)| *beta != 0.0) {
            for number in 0..self.legs.len() {
                let leg = &self.legs[number];
                if leg.holding == holding && !leg.reciprocal {
                    let now = self.holdings[holding].margin_price * (leg.requirement * policy.trigger);
                    self.replace(number, now, on_ray(Line::new(0.0, now), beta));
                }
            }
        }
        for &Touched { group, sides: [long, short] } in &self.touched {
            self.place_of_group[group] = UNTOUCHED;
            line.add(if long.at_any(place) > short.at_any(place) { long } else { short });
        }
        line
    }

    /// Puts a leg's line on its side of its group in place of its scaled requirement `now`.
    fn replace(&mut self, number: usize, now: f64, own: Line) {
        let leg = &self.legs[number];
        if self.place_of_group[leg.group] == UNTOUCHED {
            self.place_of_group[leg.group] = self.touched.len();
            let sides = self.sides[leg.group].map(|side| Line::new(side, 0.0));
            self.touched.push(Touched { group: leg.group, sides });
        }
        let line = &mut self.touched[self.place_of_group[leg.group]].sides[side(leg)];
        line.start -= now;
        line.add(own);
    }

    /// Closing fees of the moving legs that the bankruptcy price leaves room for; NaN where no source says.
    fn fee_line(&self, policy: &Policy, moved: &Move) -> Line {
        let mut line = Line::default();
        for &(number, beta) in &moved.legs {
            let leg = &self.legs[number];
            line.add(leg.terms().fee_line(self.holdings[leg.holding].price, policy, beta));
        }
        line
    }
}

/// Margin of the side that asks for more; NaN where that of either is not known.
fn larger_side([long, short]: Sides) -> f64 {
    if long.is_nan() { long } else { margin::larger(long, short) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::hedge;
    use crate::formulas::contract::{Contract, Payoff};
    use crate::rules::collateral::Asset;
    use crate::rules::curve::{Curve, InitialCurve};
    use crate::rules::parameters::{HedgeRule, Rules};
    use crate::rules::policy::Terms;
    use crate::rules::table::Lookup;
    use crate::rules::tiers::TierTable;

    /// A policy with this rule for hedged legs, half of the covered quantity charged, and a rate of 1/64.
    fn policy(hedge_rule: HedgeRule) -> Policy {
        let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let terms = Terms::new(contract, TierTable::single_rate(1.0 / 64.0).unwrap());
        Policy::new(
            Rules { hedge_rule, hedge_rule_initial: hedge_rule, covered_share: 0.5, ..Rules::plain() },
            &[terms],
        )
        .unwrap()
    }

    /// A leg opened at the mark 128, at a leverage of 8.
    fn leg(policy: &Policy, known: usize, quantity: f64) -> Leg<'_> {
        let (size, value) = (quantity.abs(), 128.0 * quantity.abs());
        let lookup = Lookup { quantity, risk_limit: f64::NAN, size };
        Leg {
            known,
            is_long: quantity > 0.0,
            direction: quantity.signum(),
            size,
            value,
            entry_value: value,
            required_on: value,
            profit: 0.0,
            requirement: value / 64.0,
            initial_margin: value / 8.0,
            maintenance_margin: value / 64.0,
            released: value / 64.0,
            curve: Curve::new(policy.instruments[0].table(quantity), &policy.tables, &lookup),
            initial: InitialCurve::Leverage(8.0),
            holding: 0,
            group: 0,
            reciprocal: false,
            covered: false,
            charged: 1.0,
            frozen: f64::NAN,
        }
    }

    /// A wallet of 50 with 2 long and 1 short: totals, and where surplus and equity are zero as the price moves.
    fn hedged(hedge_rule: HedgeRule) -> (Totals, Zeros, Zeros) {
        let (policy, wallet) = (policy(hedge_rule), Asset::wallet());
        let mut pool = Pool::default();
        pool.holdings.push(Holding::new(&wallet, 1.0, &policy, 50.0, 0.0));
        pool.legs = vec![leg(&policy, 0, 2.0), leg(&policy, 1, -1.0)];
        hedge::cover(&mut pool.legs, &policy, 1);
        let totals = pool.total(&policy, 1);
        pool.freeze(&policy);
        let moved = Move { legs: vec![(0, 1.0), (1, 1.0)], holdings: vec![(0, 0.0)] };
        let surplus = totals.counted - totals.requirement;
        let zeros = pool.zeros_of_surplus(&policy, InstructionSet::Baseline, surplus, &moved, f64::INFINITY);
        (totals, zeros, pool.zeros_of_equity(&policy, totals.counted, &moved))
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-14 * expected, "{found}, by hand {expected}");
    }

    #[test]
    fn a_hedge_by_hand_under_each_rule() {
        // At the price 128 s the legs gain (256 - 128) (s - 1) and ask for 4 s and 2 s, the initial margins are 32 and 16.
        for (rule, asked, initial) in [
            (HedgeRule::Sum, 6.0, 48.0),
            (HedgeRule::LargerLeg, 4.0, 32.0),
            (HedgeRule::LargerSide, 4.0, 32.0),
            // The long leg on (2 - 1) + 0.5 * 1 = 1.5 contracts, the short one on nothing.
            (HedgeRule::Covered, 3.0, 24.0),
        ] {
            let (totals, surplus, equity) = hedged(rule);
            assert_eq!(
                (totals.counted, totals.requirement, totals.maintenance_margin),
                (50.0, asked, asked),
                "{rule:?}"
            );
            assert_eq!(totals.initial_margin, initial, "{rule:?}");
            // 50 + 128 (s - 1) = asked s; and without the requirement 50 + 128 (s - 1) = 0.
            assert_close(surplus.lower, 78.0 / (128.0 - asked));
            assert_close(equity.lower, 78.0 / 128.0);
            assert!(surplus.upper.is_nan() && equity.upper.is_nan(), "{rule:?}");
        }
    }

    #[test]
    fn a_perfect_hedge_is_liquidated_where_its_requirement_eats_the_wallet() {
        let policy = policy(HedgeRule::Sum);
        let wallet = Asset::wallet();
        let mut pool = Pool::default();
        pool.holdings.push(Holding::new(&wallet, 1.0, &policy, 50.0, 0.0));
        pool.legs = vec![leg(&policy, 0, 2.0), leg(&policy, 1, -2.0)];
        let totals = pool.total(&policy, 1);
        pool.freeze(&policy);
        let moved = Move { legs: vec![(0, 1.0), (1, 1.0)], holdings: vec![(0, 0.0)] };
        let surplus = totals.counted - totals.requirement;
        // Nothing is gained or lost, and 4 s + 4 s = 50 at s = 6.25, above the mark.
        let zeros = pool.zeros_of_surplus(&policy, InstructionSet::Baseline, surplus, &moved, f64::INFINITY);
        assert_close(zeros.upper, 6.25);
        assert!(zeros.lower.is_nan());
    }
}
