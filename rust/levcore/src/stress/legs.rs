//! Legs of cross accounts with everything that does not depend on the scenario, and their amounts in many scenarios side by side.

use crate::formulas::{exposure, margin, mark_to_market};
use crate::machine::baseline::Baseline;
use crate::machine::vector::{self, Vector};
use crate::rules::curve::Curve;

/// Scenarios of a group.
pub(crate) const LANES: usize = 128;
/// Vectors of scenarios in which an account is summed at a time: as many sums as stay in registers.
const STRIP: usize = 4;
/// Strips of a group.
pub(crate) const STRIPS: usize = LANES / SCENARIOS_OF_A_STRIP;
/// Scenarios of a strip.
pub(crate) const SCENARIOS_OF_A_STRIP: usize = STRIP * vector::LANES;

/// A number in each scenario of a strip.
pub(crate) type Strip = [[f64; vector::LANES]; STRIP];

/// A number a scenario of a group, from a cache line on.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Lanes(pub [Strip; STRIPS]);

impl Lanes {
    pub(crate) fn all(number: f64) -> Self {
        Self([[[number; vector::LANES]; STRIP]; STRIPS])
    }

    /// By scenario.
    pub(crate) fn numbers(&self) -> &[f64] {
        self.0.as_flattened().as_flattened()
    }

    /// The same, to be written.
    pub(crate) fn numbers_mut(&mut self) -> &mut [f64] {
        self.0.as_flattened_mut().as_flattened_mut()
    }
}

/// A line of a tier table, and the value above which it takes over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tier {
    floor: f64,
    rate: f64,
    deduction: f64,
}

/// How the maintenance margin of a leg follows its value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Margin<'a> {
    /// The line of its tier: all that it may be in, from this place of the tiers on, so many.
    Tiers(u32, u32),
    /// By what is no line alone.
    Curve(Curve<'a>),
}

/// A leg of a cross account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg<'a> {
    /// Place of its instrument's coordinates.
    pub coordinates: u32,
    pub size: f64,
    pub direction: f64,
    /// Coordinate of the entry price.
    pub entry: f64,
    pub funding: f64,
    /// Closing fee as a fraction of the value, and as an amount; one of them is zero.
    pub fee_rate: f64,
    pub fixed_fee: f64,
    pub margin: Margin<'a>,
    /// Largest value that its tables reach; infinite where no scenario comes near.
    pub cap: f64,
}

/// Sums over the legs of an account, in their order, in the scenarios of a strip.
pub(crate) struct LegSums<V> {
    pub profit: [V; STRIP],
    pub requirement: [V; STRIP],
    pub maintenance: [V; STRIP],
    pub value: [V; STRIP],
}

impl<V: Vector> LegSums<V> {
    #[inline(always)]
    pub(crate) fn nothing() -> Self {
        let zeros = [V::all(0.0); STRIP];
        Self { profit: zeros, requirement: zeros, maintenance: zeros, value: zeros }
    }
}

/// Tiers of a marginal table that values from `lowest` to `highest` may be in, the first without a floor.
pub(crate) fn margin_between<'a>(curve: Curve<'a>, lowest: f64, highest: f64, tiers: &mut Vec<Tier>) -> Margin<'a> {
    let start = tiers.len();
    match curve {
        Curve::Rate(rate) => tiers.push(Tier { floor: f64::NEG_INFINITY, rate, deduction: 0.0 }),
        Curve::Lines(tables, place) => {
            let [first, last] = [lowest, highest].map(|value| tables.find::<Baseline>(place, value));
            let zeroth = tables.find::<Baseline>(place, f64::NEG_INFINITY);
            for found in first..=last {
                let line = tables.found(found);
                let threshold = |below: usize| tables.floors(place).nth(below).unwrap_or(f64::INFINITY);
                let floor = if found == first { f64::NEG_INFINITY } else { threshold(found - zeroth - 1) };
                tiers.push(Tier { floor, rate: line.rate(), deduction: line.deduction() });
            }
        }
        Curve::Growing(..) | Curve::Unit(..) => return Margin::Curve(curve),
    }
    Margin::Tiers(start as u32, (tiers.len() - start) as u32)
}

/// A margin that is the same at every value.
pub(crate) fn frozen_margin<'a>(amount: f64, tiers: &mut Vec<Tier>) -> Margin<'a> {
    tiers.push(Tier { floor: f64::NEG_INFINITY, rate: 0.0, deduction: -amount });
    Margin::Tiers(tiers.len() as u32 - 1, 1)
}

/// Adds a leg to the sums of its account.
#[inline(always)]
pub(crate) fn add_leg<V: Vector>(leg: &Leg<'_>, tiers: &[Tier], coordinates: &Strip, sums: &mut LegSums<V>) {
    let (size, mut values) = (V::all(leg.size), [V::all(0.0); STRIP]);
    for part in 0..STRIP {
        values[part] = exposure::value(size, V::load(&coordinates[part]));
    }
    let mut margins = margins_at(leg, tiers, &values);
    if leg.cap != f64::INFINITY {
        // NaN says that the leg fails there: it is past its last tier.
        for part in 0..STRIP {
            margins[part] = V::choose(values[part].is_above(V::all(leg.cap)), V::nan(), margins[part]);
        }
    }
    let (direction, entry, funding) = (V::all(leg.direction), V::all(leg.entry), V::all(leg.funding));
    let (fee_rate, fixed_fee) = (V::all(leg.fee_rate), V::all(leg.fixed_fee));
    for part in 0..STRIP {
        let (value, maintenance) = (values[part], margins[part]);
        let mark = V::load(&coordinates[part]);
        let profit = mark_to_market::unrealized_pnl(direction, size, mark, entry) + funding;
        sums.profit[part] = sums.profit[part] + profit;
        sums.requirement[part] = sums.requirement[part] + (maintenance + (fee_rate * value + fixed_fee));
        sums.maintenance[part] = sums.maintenance[part] + maintenance;
        sums.value[part] = sums.value[part] + value;
    }
}

/// Maintenance margin of a leg at its values. One that stays in a tier has nothing to look up.
#[inline(always)]
fn margins_at<V: Vector>(leg: &Leg<'_>, tiers: &[Tier], values: &[V; STRIP]) -> [V; STRIP] {
    let mut margins = [V::all(0.0); STRIP];
    match leg.margin {
        Margin::Tiers(start, count) => {
            let (lowest, others) = (tiers[start as usize], &tiers[start as usize + 1..(start + count) as usize]);
            let (mut rate, mut deduction) = ([V::all(lowest.rate); STRIP], [V::all(lowest.deduction); STRIP]);
            for tier in others {
                for part in 0..STRIP {
                    let reached = values[part].is_above(V::all(tier.floor));
                    rate[part] = V::choose(reached, V::all(tier.rate), rate[part]);
                    deduction[part] = V::choose(reached, V::all(tier.deduction), deduction[part]);
                }
            }
            for part in 0..STRIP {
                margins[part] = margin::maintenance_line(values[part], rate[part], deduction[part]);
            }
        }
        Margin::Curve(curve) => {
            for part in 0..STRIP {
                let mut numbers = values[part].array();
                for number in &mut numbers {
                    *number = curve.at(*number);
                }
                margins[part] = V::load(&numbers);
            }
        }
    }
    margins
}
