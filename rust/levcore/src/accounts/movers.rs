//! Movers side by side, of one account or of many: where eight of them bring their accounts to liquidation, and where to nothing.
//!
//! Each is one leg or two that settle in one holding, whose price stands still, and one holding that moves itself, or either. The formulas are
//! those of any account; only the lines of the tables are looked up one after the other.

use crate::accounts::holding::{Holding, HoldingTerms, PricedAsset, moving_line, still_line};
use crate::accounts::leg::LegTerms;
use crate::formulas::ray::{Form, Line, OnRay, zeros_of};
use crate::machine::instruction_set::{InstructionSet, Work};
use crate::machine::vector::{HalfLine, LANES, Vector};
use crate::rules::curve::touching_lines;
use crate::rules::policy::Policy;

/// Most legs of a mover.
pub(crate) const LEGS: usize = 2;

/// Where a mover brings its account to liquidation, the lower place first, and where to nothing; NaN: nowhere.
pub(crate) type MoverZeros = HalfLine;

/// A leg as a mover takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MovingLeg {
    /// What it gains as the place goes from 1 to 2.
    pub gain: f64,
    pub terms: LegTerms<f64>,
    /// Place of its lines in the tables.
    pub place: usize,
}

impl MovingLeg {
    /// One that moves nothing.
    pub(crate) const NONE: Self =
        Self { gain: 0.0, terms: LegTerms { value: 0.0, charged: 0.0, frozen: 0.0, reciprocal: false }, place: 0 };
}

/// What all movers of an account have in common: its surplus and equity, and the holding that its legs settle in, if there are any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MovedAccount<'p, 'a> {
    pub surplus: f64,
    pub equity: f64,
    pub settlement: Option<&'p Holding<'a>>,
}

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

/// Columns of holdings of one asset.
#[derive(Debug, Default)]
struct HoldingColumns {
    equity: [f64; LANES],
    owed: [f64; LANES],
    settled: [f64; LANES],
}

/// Movers by their columns. Those that are not there hold what others left: whatever they come to, nobody asks.
#[derive(Debug, Default)]
pub(crate) struct MoverTile<'a> {
    pub count: usize,
    /// Numbers of the movers.
    pub numbers: [usize; LANES],
    surplus: [f64; LANES],
    equity: [f64; LANES],
    gain: [f64; LANES],
    legs: [LegColumns; LEGS],
    /// Most legs of a mover here.
    most_legs: usize,
    settlement: HoldingColumns,
    moved: HoldingColumns,
    /// The one asset that the legs settle in.
    settled_in: Option<PricedAsset<'a>>,
    /// The one asset of the holdings that move themselves; if any mover has one, all have.
    moved_asset: Option<PricedAsset<'a>>,
}

impl<'a> MoverTile<'a> {
    /// Whether the movers of an account can stand beside those that are here.
    pub(crate) fn takes(&self, account: &MovedAccount<'_, 'a>) -> bool {
        match (&self.settled_in, account.settlement) {
            (Some(here), Some(own)) => std::ptr::eq(here.asset, own.asset),
            _ => true,
        }
    }

    /// Adds a mover: its legs in the order of rows, and the holding that moves itself. There is room for it, and it [fits](Self::takes).
    pub(crate) fn push(
        &mut self,
        number: usize,
        account: &MovedAccount<'_, 'a>,
        legs: &[MovingLeg],
        moved: Option<&Holding<'a>>,
    ) {
        let lane = self.count;
        self.count += 1;
        self.numbers[lane] = number;
        (self.surplus[lane], self.equity[lane], self.gain[lane]) = (account.surplus, account.equity, 0.0);
        for (number, columns) in self.legs.iter_mut().enumerate() {
            let Some(leg) = legs.get(number) else {
                columns.held[lane] = 0.0;
                continue;
            };
            self.most_legs = self.most_legs.max(number + 1);
            self.gain[lane] += leg.gain;
            let LegTerms { value, charged, frozen, .. } = leg.terms;
            (columns.value[lane], columns.charged[lane], columns.frozen[lane]) = (value, charged, frozen);
            (columns.held[lane], columns.place[lane]) = (1.0, leg.place as u32);
        }
        if let Some(holding) = account.settlement {
            self.settlement.put(lane, holding);
            self.settled_in = Some(holding.priced());
        }
        if let Some(holding) = moved {
            self.moved.put(lane, holding);
            self.moved_asset = Some(holding.priced());
        }
    }

    /// Finds the zeros of its movers, tells them by their numbers, and empties it.
    pub(crate) fn solve(&mut self, policy: &Policy, set: InstructionSet, zeros: &mut [MoverZeros]) {
        if self.count > 0 {
            let found = set.run(SolveMovers { tile: self, policy });
            for (&number, found) in self.numbers[..self.count].iter().zip(found) {
                zeros[number] = HalfLine(found);
            }
        }
        (self.count, self.most_legs, self.settled_in, self.moved_asset) = (0, 0, None, None);
    }
}

impl HoldingColumns {
    fn put(&mut self, lane: usize, holding: &Holding<'_>) {
        (self.equity[lane], self.owed[lane], self.settled[lane]) = (holding.equity, holding.owed, holding.settled);
    }

    #[inline(always)]
    fn terms<'a, V: Vector>(&self, priced: PricedAsset<'a>) -> HoldingTerms<'a, V> {
        HoldingTerms { priced, equity: V::load(&self.equity), owed: V::load(&self.owed) }
    }
}

/// Finds the zeros of the movers of a tile, lane by lane as [`MoverZeros`].
struct SolveMovers<'t, 'a> {
    tile: &'t MoverTile<'a>,
    policy: &'t Policy,
}

impl Work for SolveMovers<'_, '_> {
    type Output = [[f64; 4]; LANES];

    #[inline(always)]
    fn run<V: Vector>(self) -> [[f64; 4]; LANES] {
        let Self { tile, policy } = self;
        let mut parts = MovingParts::<V>::of(tile, policy);
        let surplus = zeros_of(&mut parts, V::load(&tile.surplus), Line::zero(), f64::INFINITY, Form::Lines);
        parts.required = false;
        let straight = match (tile.settled_in, tile.moved_asset) {
            (Some(one), Some(other)) => one.asset.counts_all_alike() && other.asset.counts_all_alike(),
            (Some(only), None) | (None, Some(only)) => only.asset.counts_all_alike(),
            (None, None) => true,
        };
        let form = if straight { Form::Straight } else { Form::Lines };
        let fees = parts.fees;
        let equity = zeros_of(&mut parts, V::load(&tile.equity), fees, f64::INFINITY, form);
        V::rows_of_fours([surplus.lower, surplus.upper, equity.lower, equity.upper])
    }
}

/// What the movers of a tile give to their accounts along their rays.
struct MovingParts<'a, V: Vector> {
    policy: &'a Policy,
    settlement: Option<HoldingTerms<'a, V>>,
    moved: Option<HoldingTerms<'a, V>>,
    /// Scaled requirement of the legs that settle in the holding that moves itself.
    settled: V,
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
    fn of(tile: &'a MoverTile<'_>, policy: &'a Policy) -> Self {
        let [first, second] = &tile.legs;
        let legs = [terms(first), terms(second)];
        let held = [is_held::<V>(first), is_held::<V>(second)];
        let mut fees = Line::zero();
        let (mut settlement, mut moved) = (None, None);
        if let Some(priced) = tile.settled_in {
            settlement = Some(tile.settlement.terms(priced));
            for leg in 0..tile.most_legs {
                let own = legs[leg].fee_line(V::all(priced.price), policy, V::all(1.0));
                fees.add(Line::choose(held[leg], own, Line::zero()));
            }
        }
        if let Some(priced) = tile.moved_asset {
            moved = Some(tile.moved.terms(priced));
        }
        let settled = V::load(&tile.moved.settled);
        let gain = V::load(&tile.gain);
        let (places, most_legs) = ([&first.place, &second.place], tile.most_legs);
        Self { policy, settlement, moved, settled, gain, legs, held, places, most_legs, fees, required: true }
    }

    /// Scaled requirement of the legs.
    #[inline(always)]
    fn requirement_line(&self, price: V, place: V) -> Line<V> {
        let beta = V::all(1.0);
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
        let (mut line, required, one) = (Line::zero(), self.required, V::all(1.0));
        if let Some(moved) = &self.moved {
            line.add(moving_line(moved, self.policy, V::all(0.0), one, required, place));
            if required {
                line.slope = line.slope - self.settled;
            }
        }
        let mut taken = self.fees;
        if let Some(settlement) = &self.settlement {
            let own = still_line(settlement, self.policy, self.gain, required, place);
            line.add(Line::choose(self.held[0], own, Line::zero()));
            if required {
                taken = self.requirement_line(V::all(settlement.priced.margin_price), place);
            }
        } else if required {
            taken = Line::zero();
        }
        line.less(taken)
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
    use crate::accounts::examples::{policy_of, pool_of};
    use crate::accounts::leg::{Leg, leg_line};
    use crate::accounts::legs_on_ray::{LegsOnRay, SumRequirements};
    use crate::accounts::pool::Move;
    use crate::machine::baseline::Baseline;
    use crate::rules::collateral::Asset;
    use crate::rules::parameters::Rules;
    use crate::rules::tiers::{TierKey, TierTable};

    const QUANTITIES: [f64; 11] = [2.0, -1.0, -3.0, 0.5, 4.0, -4.0, 1.0, -0.25, 6.0, -7.0, 0.125];
    /// Numbers of the legs of each mover.
    const MOVERS: [&[usize]; LANES] = [&[0, 1], &[2], &[3], &[4, 5], &[6, 7], &[8, 9], &[10], &[2, 0]];

    /// A policy of one table, in whose tiers the legs lie.
    fn policy() -> Policy {
        let (rates, deductions) = ([1.0 / 64.0, 1.0 / 32.0, 1.0 / 8.0], [0.0, 1.5625, 39.0625]);
        let table = TierTable::new(TierKey::Value, &[0.0, 100.0, 400.0], &rates, &deductions, 1e9).unwrap();
        policy_of(Rules::plain().hedge_rule, table)
    }

    fn moving(leg: &Leg<'_>) -> MovingLeg {
        MovingLeg { gain: leg.direction * leg.value, terms: leg.terms(), place: leg.curve.place_of_lines().unwrap() }
    }

    #[test]
    fn movers_side_by_side_are_what_each_is_alone() {
        let policy = policy();
        let tiered = Asset::new(&[0.0, 90.0], &[1.0, 0.75], false, 1.5, None, None).unwrap();
        let mut found = 0;
        for (asset, wallet) in [(&Asset::wallet(), 300.0), (&tiered, 400.0), (&tiered, -5.0), (&tiered, 100.0)] {
            let mut pool = pool_of(&policy, asset, wallet, &QUANTITIES);
            let totals = pool.total(&policy, 1);
            pool.freeze(&policy);
            let (surplus, equity) = (totals.counted - totals.requirement, totals.counted);
            let account = MovedAccount { surplus, equity, settlement: Some(&pool.holdings[0]) };
            let (mut tile, mut together) = (MoverTile::default(), [MoverZeros::default(); LANES]);
            for (mover, legs) in MOVERS.iter().enumerate() {
                let legs: Vec<MovingLeg> = legs.iter().map(|&number| moving(&pool.legs[number])).collect();
                tile.push(mover, &account, &legs, None);
            }
            tile.solve(&policy, InstructionSet::Baseline, &mut together);
            for (mover, legs) in MOVERS.iter().enumerate() {
                let legs = legs.iter().map(|&number| (number, 1.0)).collect();
                let moved = Move { legs, holdings: vec![(0, 0.0)] };
                assert_eq!(pool.simple_holding(&moved), Some(0));
                let set = InstructionSet::Baseline;
                let alone = pool.zeros_of_surplus(&policy, set, surplus, &moved, f64::INFINITY);
                let bits = |lower: f64, upper: f64| [lower.to_bits(), upper.to_bits()];
                let HalfLine([lower, upper, low, high]) = together[mover];
                assert_eq!(bits(lower, upper), bits(alone.lower, alone.upper), "{mover} {wallet}");
                found += usize::from(alone.lower > 0.0) + usize::from(alone.upper > 0.0);
                let alone = pool.zeros_of_equity(&policy, equity, &moved);
                assert_eq!(bits(low, high), bits(alone.lower, alone.upper), "{mover} {wallet}");
            }
        }
        assert!(found > 20, "{found} zeros");
    }

    #[test]
    fn many_legs_ask_for_the_sum_of_what_each_asks_for() {
        let policy = policy();
        let wallet = Asset::wallet();
        let mut pool = pool_of(&policy, &wallet, 300.0, &QUANTITIES);
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
