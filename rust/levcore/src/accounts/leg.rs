//! A position of an account whose parts move together, and its requirement along a ray.

use crate::formulas::ray::{Line, along, on_ray};
use crate::rules::curve::{Curve, InitialCurve};
use crate::rules::policy::Policy;

/// A position of an account after its first pass.
#[derive(Debug, Clone)]
pub(crate) struct Leg<'a> {
    /// Place of its row among those of the account.
    pub known: usize,
    pub is_long: bool,
    pub direction: f64,
    pub size: f64,
    /// Value at the mark.
    pub value: f64,
    pub entry_value: f64,
    /// Unrealized PnL with accrued funding.
    pub profit: f64,
    pub requirement: f64,
    pub initial_margin: f64,
    pub maintenance_margin: f64,
    /// What it gives back to the surplus when it is solved for: the part of the scaled requirement that moves.
    pub released: f64,
    pub curve: Curve<'a>,
    pub initial: InitialCurve<'a>,
    /// Place of the asset that it settles in.
    pub holding: usize,
    /// Value that its requirement is taken on now.
    pub required_on: f64,
    /// Group that it is charged in.
    pub group: usize,
    /// Whether its value in the settlement coin falls as the coin's price rises.
    pub reciprocal: bool,
    /// Whether another leg covers it, or it another, so that its margins are not those that it has alone.
    pub covered: bool,
    /// Share of its size that the requirement is taken on.
    pub charged: f64,
    /// The part of the scaled requirement that does not move.
    pub frozen: f64,
}

/// Scaled requirement of a leg: `(rate * charged + fee) * V - deduction`, and what is frozen of it.
pub(crate) fn leg_line(leg: &Leg<'_>, price: f64, policy: &Policy, beta: f64, place: f64) -> Line {
    let along = along(beta, place);
    let value = if leg.reciprocal { leg.value / along } else { leg.value * along };
    let (mut rate, mut deduction) = (0.0, 0.0);
    if policy.moves_in_cross() {
        (rate, deduction) = leg.curve.touching(if leg.charged == 0.0 { 0.0 } else { leg.charged * value });
    }
    let moving = price * ((rate * leg.charged + policy.cross_fees.price_fee) * policy.trigger * leg.value);
    let still = price * (leg.frozen - deduction * policy.trigger);
    on_ray(if leg.reciprocal { Line::new(moving, still) } else { Line::new(still, moving) }, beta)
}

/// Place of a leg's side: long 0, short 1.
pub(crate) fn side(leg: &Leg<'_>) -> usize {
    usize::from(!leg.is_long)
}
