//! A position of an account whose parts move together, and its requirement along a ray.

use crate::formulas::ray::{Line, along, on_ray};
use crate::machine::number::Number;
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

/// What a leg asks for and gains along a ray is computed from these, of one leg or of several side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LegTerms<N: Number> {
    pub value: N,
    pub charged: N,
    pub frozen: N,
    pub reciprocal: N::Mask,
}

impl<N: Number> LegTerms<N> {
    /// Value that the requirement is taken on at a place.
    #[inline(always)]
    pub(crate) fn charged_value(&self, beta: N, place: N) -> N {
        let (along, zero) = (along(beta, place), N::all(0.0));
        let value = N::choose(self.reciprocal, self.value / along, self.value * along);
        N::choose(self.charged.equals(zero), zero, self.charged * value)
    }

    /// Scaled requirement: `(rate * charged + fee) * V - deduction`, and what is frozen of it.
    #[inline(always)]
    pub(crate) fn line(&self, price: N, policy: &Policy, beta: N, [rate, deduction]: [N; 2]) -> Line<N> {
        let (fee, trigger) = (N::all(policy.cross_fees.price_fee), N::all(policy.trigger));
        let moving = price * ((rate * self.charged + fee) * trigger * self.value);
        let still = price * (self.frozen - deduction * trigger);
        on_ray(Line::choose(self.reciprocal, Line::new(moving, still), Line::new(still, moving)), beta)
    }

    /// Closing fee that the bankruptcy price leaves room for; NaN where no source says.
    #[inline(always)]
    pub(crate) fn fee_line(&self, price: N, policy: &Policy, beta: N) -> Line<N> {
        let moving = price * (N::all(policy.cross_fees.bankruptcy_fee) * self.value);
        let zero = N::all(0.0);
        on_ray(Line::choose(self.reciprocal, Line::new(moving, zero), Line::new(zero, moving)), beta)
    }
}

impl Leg<'_> {
    pub(crate) fn terms(&self) -> LegTerms<f64> {
        let Self { value, charged, frozen, reciprocal, .. } = *self;
        LegTerms { value, charged, frozen, reciprocal }
    }
}

/// Scaled requirement of a leg along a ray.
pub(crate) fn leg_line(leg: &Leg<'_>, price: f64, policy: &Policy, beta: f64, place: f64) -> Line {
    let terms = leg.terms();
    let mut touching = [0.0, 0.0];
    if policy.moves_in_cross() {
        touching = leg.curve.touching(terms.charged_value(beta, place)).into();
    }
    terms.line(price, policy, beta, touching)
}

/// The part of a leg's scaled requirement that does not move.
pub(crate) fn frozen(scaled: f64, released: f64) -> f64 {
    scaled - released
}

/// Place of a leg's side: long 0, short 1.
pub(crate) fn side(leg: &Leg<'_>) -> usize {
    usize::from(!leg.is_long)
}
