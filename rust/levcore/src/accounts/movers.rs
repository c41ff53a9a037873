//! Movers of an account side by side: where eight of them bring it to liquidation, and where to nothing.
//!
//! Each is one leg or two that settle in one holding, whose price stands still. The formulas are those of any account; only the lines of
//! the tables are looked up one after the other.

use crate::accounts::holding::{Holding, still_line};
use crate::accounts::leg::{Leg, LegTerms};
use crate::formulas::ray::{Form, Line, OnRay, Zeros, zeros_of};
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector};
use crate::rules::curve::touching_lines;
use crate::rules::policy::Policy;

/// Most legs of a mover.
const LEGS: usize = 2;

/// Columns of the first legs of movers, or of their second ones.
#[derive(Debug, Default)]
struct LegColumns {
    value: [f64; LANES],
    charged: [f64; LANES],
    frozen: [f64; LANES],
    /// 1 where there is one.
    held: [f64; LANES],
    place: [u32; LANES],
}

/// Movers by their columns; those that are not there hold nothing.
#[derive(Debug, Default)]
pub(crate) struct MoverTile {
    pub count: usize,
    /// Numbers of the movers in the account.
    pub movers: [usize; LANES],
    gain: [f64; LANES],
    legs: [LegColumns; LEGS],
    /// Most legs of a mover here.
    most_legs: usize,
}

/// Where movers bring their account to liquidation, and where to nothing, by lane.
pub(crate) struct TileZeros {
    pub surplus: Zeros<[f64; LANES]>,
    pub equity: Zeros<[f64; LANES]>,
}

impl MoverTile {
    /// Adds a mover with its legs, in the order of rows.
    pub(crate) fn push<'l>(&mut self, mover: usize, legs: impl Iterator<Item = &'l Leg<'l>>) {
        let lane = self.count;
        self.movers[lane] = mover;
        self.count += 1;
        for (number, (columns, leg)) in self.legs.iter_mut().zip(legs).enumerate() {
            self.most_legs = self.most_legs.max(number + 1);
            let LegTerms { value, charged, frozen, .. } = leg.terms();
            self.gain[lane] += leg.direction * value;
            (columns.value[lane], columns.charged[lane], columns.frozen[lane]) = (value, charged, frozen);
            columns.held[lane] = 1.0;
            columns.place[lane] = leg.curve.place_of_lines().unwrap_or(0) as u32;
        }
    }
}

/// Finds the zeros of the movers of a tile.
pub(crate) struct SolveMovers<'a> {
    pub tile: &'a MoverTile,
    pub holding: &'a Holding<'a>,
    pub policy: &'a Policy,
    pub surplus: f64,
    pub equity: f64,
}

impl Work for SolveMovers<'_> {
    type Output = TileZeros;

    #[inline(always)]
    fn run<V: Vector>(self) -> TileZeros {
        let Self { tile, holding, policy, surplus, equity } = self;
        let mut parts = MovingParts::<V>::of(tile, holding, policy);
        let surplus = zeros_of(&mut parts, V::all(surplus), Line::zero(), f64::INFINITY, Form::Lines);
        parts.required = false;
        let form = if holding.asset.counts_all_alike() { Form::Straight } else { Form::Lines };
        let fees = parts.fees;
        let equity = zeros_of(&mut parts, V::all(equity), fees, f64::INFINITY, form);
        TileZeros { surplus: arrays(surplus), equity: arrays(equity) }
    }
}

#[inline(always)]
fn arrays<V: Vector>(zeros: Zeros<V>) -> Zeros<[f64; LANES]> {
    Zeros { lower: zeros.lower.array(), upper: zeros.upper.array() }
}

/// What the movers of a tile give to their account along their rays.
struct MovingParts<'a, V: Vector> {
    holding: &'a Holding<'a>,
    policy: &'a Policy,
    gain: V,
    legs: [LegTerms<V>; LEGS],
    held: [V::Mask; LEGS],
    places: [&'a [u32; LANES]; LEGS],
    most_legs: usize,
    fees: Line<V>,
    /// Whether the requirement is taken off, or the closing fees.
    required: bool,
}

impl<'a, V: Vector> MovingParts<'a, V> {
    #[inline(always)]
    fn of(tile: &'a MoverTile, holding: &'a Holding<'a>, policy: &'a Policy) -> Self {
        let [first, second] = &tile.legs;
        let legs = [terms(first), terms(second)];
        let held = [is_held::<V>(first), is_held::<V>(second)];
        let mut fees = Line::zero();
        for leg in 0..LEGS {
            let own = legs[leg].fee_line(V::all(holding.price), policy, V::all(1.0));
            fees.add(Line::choose(held[leg], own, Line::zero()));
        }
        let gain = V::load(&tile.gain);
        let (places, most_legs) = ([&first.place, &second.place], tile.most_legs);
        Self { holding, policy, gain, legs, held, places, most_legs, fees, required: true }
    }

    /// Scaled requirement of the legs.
    #[inline(always)]
    fn requirement_line(&self, place: V) -> Line<V> {
        let (price, beta) = (V::all(self.holding.margin_price), V::all(1.0));
        let mut line = Line::zero();
        for leg in 0..self.most_legs {
            let terms = &self.legs[leg];
            let mut touching = [V::all(0.0); 2];
            if self.policy.moves_in_cross() {
                touching = touching_lines(&self.policy.tables, self.places[leg], terms.charged_value(beta, place));
            }
            let own = terms.line(price, self.policy, beta, touching);
            line.add(Line::choose(self.held[leg], own, Line::zero()));
        }
        line
    }
}

impl<V: Vector> OnRay<V> for MovingParts<'_, V> {
    #[inline(always)]
    fn line_at(&mut self, place: V) -> Line<V> {
        let mut line = Line::zero();
        line.add(still_line(self.holding, V::all(self.holding.equity), self.policy, self.gain, self.required, place));
        line.less(if self.required { self.requirement_line(place) } else { self.fees })
    }
}

#[inline(always)]
fn terms<V: Vector>(legs: &LegColumns) -> LegTerms<V> {
    LegTerms {
        value: V::load(&legs.value),
        charged: V::load(&legs.charged),
        frozen: V::load(&legs.frozen),
        reciprocal: V::none(),
    }
}

#[inline(always)]
fn is_held<V: Vector>(legs: &LegColumns) -> V::Mask {
    V::load(&legs.held).is_above(V::all(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::leg::leg_line;
    use crate::accounts::legs_on_ray::{LegsOnRay, SumRequirements};
    use crate::accounts::pool::{Move, Pool};
    use crate::formulas::contract::{Contract, Payoff};
    use crate::machine::baseline::Baseline;
    use crate::machine::instruction_set::InstructionSet;
    use crate::rules::collateral::Asset;
    use crate::rules::curve::{Curve, InitialCurve};
    use crate::rules::parameters::Rules;
    use crate::rules::policy::Terms;
    use crate::rules::table::Lookup;
    use crate::rules::tiers::{TierKey, TierTable};

    const QUANTITIES: [f64; 11] = [2.0, -1.0, -3.0, 0.5, 4.0, -4.0, 1.0, -0.25, 6.0, -7.0, 0.125];
    /// Numbers of the legs of each mover.
    const MOVERS: [&[usize]; LANES] = [&[0, 1], &[2], &[3], &[4, 5], &[6, 7], &[8, 9], &[10], &[2, 0]];

    /// A policy of one table, in whose tiers the legs lie.
    fn policy() -> Policy {
        let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let (rates, deductions) = ([1.0 / 64.0, 1.0 / 32.0, 1.0 / 8.0], [0.0, 1.5625, 39.0625]);
        let table = TierTable::new(TierKey::Value, &[0.0, 100.0, 400.0], &rates, &deductions, 1e9).unwrap();
        Policy::new(Rules { covered_share: 0.5, ..Rules::plain() }, &[Terms::new(contract, table)]).unwrap()
    }

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

    /// An account with this wallet of an asset that counts in tiers, or as it is.
    fn pool<'a>(policy: &'a Policy, asset: &'a Asset, wallet: f64) -> Pool<'a> {
        let mut pool = Pool::default();
        pool.holdings.push(Holding::new(asset, 1.0, policy, wallet, 0.0));
        pool.legs = QUANTITIES.iter().enumerate().map(|(known, &quantity)| leg(policy, known, quantity)).collect();
        pool
    }

    #[test]
    fn movers_side_by_side_are_what_each_is_alone() {
        let policy = policy();
        let tiered = Asset::new(&[0.0, 90.0], &[1.0, 0.75], false, 1.5, None, None).unwrap();
        let mut found = 0;
        for (asset, wallet) in [(&Asset::wallet(), 300.0), (&tiered, 400.0), (&tiered, -5.0), (&tiered, 100.0)] {
            let mut pool = pool(&policy, asset, wallet);
            let totals = pool.total(&policy, 1);
            pool.freeze(&policy);
            let (surplus, equity) = (totals.counted - totals.requirement, totals.counted);
            let mut tile = MoverTile::default();
            for (mover, legs) in MOVERS.iter().enumerate() {
                tile.push(mover, legs.iter().map(|&number| &pool.legs[number]));
            }
            let work = SolveMovers { tile: &tile, holding: &pool.holdings[0], policy: &policy, surplus, equity };
            let together = work.run::<Baseline>();
            for (mover, legs) in MOVERS.iter().enumerate() {
                let legs = legs.iter().map(|&number| (number, 1.0)).collect();
                let moved = Move { legs, holdings: vec![(0, 0.0)] };
                assert_eq!(pool.simple_holding(&moved), Some(0));
                let set = InstructionSet::Baseline;
                let alone = pool.zeros_of_surplus(&policy, set, surplus, &moved, f64::INFINITY);
                let bits = |lower: f64, upper: f64| [lower.to_bits(), upper.to_bits()];
                let at = |zeros: &Zeros<[f64; LANES]>| bits(zeros.lower[mover], zeros.upper[mover]);
                assert_eq!(at(&together.surplus), bits(alone.lower, alone.upper), "{mover} {wallet}");
                found += usize::from(alone.lower > 0.0) + usize::from(alone.upper > 0.0);
                let alone = pool.zeros_of_equity(&policy, equity, &moved);
                assert_eq!(at(&together.equity), bits(alone.lower, alone.upper), "{mover} {wallet}");
            }
        }
        assert!(found > 20, "{found} zeros");
    }

    #[test]
    fn many_legs_ask_for_the_sum_of_what_each_asks_for() {
        let policy = policy();
        let wallet = Asset::wallet();
        let mut pool = pool(&policy, &wallet, 300.0);
        pool.total(&policy, 1);
        pool.freeze(&policy);
        let beta_of = |number: usize| 0.25 * number as f64 - 1.1;
        let mut legs = LegsOnRay::default();
        for round in 0..2 {
            legs.clear();
            pool.legs.iter().enumerate().for_each(|(number, leg)| assert!(legs.push(leg, 1.5, beta_of(number))));
            for place in [0.0, 0.5, 1.0, 3.0, f64::INFINITY] {
                let mut sum = Line::default();
                for (number, leg) in pool.legs.iter().enumerate() {
                    sum.add(leg_line(leg, 1.5, &policy, beta_of(number), place));
                }
                let together = SumRequirements { legs: &legs, policy: &policy, place }.run::<Baseline>();
                let bits = |line: Line| (line.start.to_bits(), line.slope.to_bits());
                assert_eq!(bits(together), bits(sum), "{place} {round}");
            }
        }
    }
}
