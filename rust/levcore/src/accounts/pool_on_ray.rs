//! Where the surplus and the equity of a pool are zero, as something that it holds moves.
//!
//! Everything that one underlying moves, legs and balances, is a *mover*. Along the price of a mover the surplus of the account is what it
//! is now, less what the mover's parts give to it now, plus what they give there; every part is a line, or the smaller of a few. The place
//! on the ray is the price over the mark, or the coordinate over its own where the account is kept in the coin of inverse contracts.

use crate::accounts::holding::holding_line;
use crate::accounts::leg::{leg_line, side};
use crate::accounts::legs_on_ray::SumRequirements;
use crate::accounts::pool::{Move, Pool, Touched};
use crate::formulas::ray::{self, Form, Line, Zeros, on_ray};
use crate::machine::instruction_set::InstructionSet;
use crate::rules::policy::Policy;

/// Legs that are sooner added up side by side than one by one.
const MANY: usize = 4;

/// Place of a group that the ray has not touched.
const UNTOUCHED: usize = usize::MAX;

impl Pool<'_> {
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
            line.add(holding_line(&self.holdings[number].terms(), policy, self.gains[number], beta, required, place));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::examples::{pool_of, rule_for_hedges};
    use crate::accounts::hedge;
    use crate::accounts::verdict::Totals;
    use crate::rules::collateral::Asset;
    use crate::rules::parameters::HedgeRule;

    /// A wallet of 50 with 2 long and 1 short: totals, and where surplus and equity are zero as the price moves.
    fn hedged(hedge_rule: HedgeRule) -> (Totals, Zeros, Zeros) {
        let (policy, wallet) = (rule_for_hedges(hedge_rule), Asset::wallet());
        let mut pool = pool_of(&policy, &wallet, 50.0, &[2.0, -1.0]);
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
        let policy = rule_for_hedges(HedgeRule::Sum);
        let wallet = Asset::wallet();
        let mut pool = pool_of(&policy, &wallet, 50.0, &[2.0, -2.0]);
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
