//! Accounts for the tests of this room.

use crate::accounts::holding::Holding;
use crate::accounts::leg::Leg;
use crate::accounts::pool::Pool;
use crate::formulas::contract::{Contract, Payoff};
use crate::rules::collateral::Asset;
use crate::rules::curve::{Curve, InitialCurve};
use crate::rules::parameters::{HedgeRule, Rules};
use crate::rules::policy::{Policy, Terms};
use crate::rules::table::Lookup;
use crate::rules::tiers::TierTable;

/// A policy with this rule for hedged legs, half of the covered quantity charged, and this table.
pub(crate) fn policy_of(hedge_rule: HedgeRule, table: TierTable) -> Policy {
    let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
    let rules = Rules { hedge_rule, hedge_rule_initial: hedge_rule, covered_share: 0.5, ..Rules::plain() };
    Policy::new(rules, &[Terms::new(contract, table)]).unwrap()
}

/// The same with a rate of 1/64.
pub(crate) fn rule_for_hedges(hedge_rule: HedgeRule) -> Policy {
    policy_of(hedge_rule, TierTable::single_rate(1.0 / 64.0).unwrap())
}

/// A leg opened at the mark 128, at a leverage of 8.
fn leg(policy: &Policy, known: usize, quantity: f64) -> Leg<'_> {
    let (size, value) = (quantity.abs(), 128.0 * quantity.abs());
    let lookup = Lookup { quantity, risk_limit: f64::NAN, size };
    let curve = Curve::new(policy.instruments[0].table(quantity), &policy.tables, &lookup);
    Leg {
        known,
        is_long: quantity > 0.0,
        direction: quantity.signum(),
        size,
        value,
        entry_value: value,
        required_on: value,
        profit: 0.0,
        requirement: curve.at(value),
        initial_margin: value / 8.0,
        maintenance_margin: curve.at(value),
        released: curve.at(value),
        curve,
        initial: InitialCurve::Leverage(8.0),
        holding: 0,
        group: 0,
        reciprocal: false,
        covered: false,
        charged: 1.0,
        frozen: f64::NAN,
    }
}

/// An account with so much of an asset, and legs of these quantities.
pub(crate) fn pool_of<'a>(policy: &'a Policy, asset: &'a Asset, held: f64, quantities: &[f64]) -> Pool<'a> {
    let mut pool = Pool::default();
    pool.holdings.push(Holding::new(asset, 1.0, policy, held, 0.0));
    pool.legs = quantities.iter().enumerate().map(|(known, &quantity)| leg(policy, known, quantity)).collect();
    pool
}
