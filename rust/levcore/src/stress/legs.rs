//! Legs of cross accounts with everything that does not depend on the scenario, and their amounts in many scenarios side by side.

use crate::formulas::{exposure, margin, mark_to_market};
use crate::machine::baseline::Baseline;
use crate::rules::curve::Curve;

/// Scenarios side by side.
pub(crate) const LANES: usize = 128;
/// A number a scenario.
pub(crate) type Lanes = [f64; LANES];

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

/// Sums over the legs of an account, in their order.
pub(crate) struct LegSums {
    pub profit: Lanes,
    pub requirement: Lanes,
    pub maintenance: Lanes,
    pub value: Lanes,
}

impl LegSums {
    pub(crate) const NOTHING: Self =
        Self { profit: [0.0; LANES], requirement: [0.0; LANES], maintenance: [0.0; LANES], value: [0.0; LANES] };
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
pub(crate) fn add_leg(leg: &Leg<'_>, tiers: &[Tier], coordinates: &Lanes, sums: &mut LegSums) {
    match leg.margin {
        Margin::Tiers(start, 1) => {
            let only = tiers[start as usize];
            if leg.cap == f64::INFINITY {
                for lane in 0..LANES {
                    let value = exposure::value(leg.size, coordinates[lane]);
                    let maintenance = margin::maintenance_line(value, only.rate, only.deduction);
                    add_lane(leg, coordinates[lane], value, maintenance, sums, lane);
                }
                return;
            }
            let mut maintenance = [0.0; LANES];
            for lane in 0..LANES {
                let value = exposure::value(leg.size, coordinates[lane]);
                maintenance[lane] = margin::maintenance_line(value, only.rate, only.deduction);
            }
            add_lanes(leg, coordinates, &maintenance, sums);
        }
        Margin::Tiers(start, count) => {
            let tiers = &tiers[start as usize..(start + count) as usize];
            let (mut rate, mut deduction) = ([tiers[0].rate; LANES], [tiers[0].deduction; LANES]);
            for tier in &tiers[1..] {
                for lane in 0..LANES {
                    let reached = exposure::value(leg.size, coordinates[lane]) > tier.floor;
                    rate[lane] = if reached { tier.rate } else { rate[lane] };
                    deduction[lane] = if reached { tier.deduction } else { deduction[lane] };
                }
            }
            let mut maintenance = [0.0; LANES];
            for lane in 0..LANES {
                let value = exposure::value(leg.size, coordinates[lane]);
                maintenance[lane] = margin::maintenance_line(value, rate[lane], deduction[lane]);
            }
            add_lanes(leg, coordinates, &maintenance, sums);
        }
        Margin::Curve(curve) => {
            let mut maintenance = [0.0; LANES];
            for lane in 0..LANES {
                maintenance[lane] = curve.at(exposure::value(leg.size, coordinates[lane]));
            }
            add_lanes(leg, coordinates, &maintenance, sums);
        }
    }
}

#[inline(always)]
fn add_lanes(leg: &Leg<'_>, coordinates: &Lanes, maintenance: &Lanes, sums: &mut LegSums) {
    for lane in 0..LANES {
        let value = exposure::value(leg.size, coordinates[lane]);
        // NaN says that the leg fails there: it is past its last tier.
        let known = if value > leg.cap { f64::NAN } else { maintenance[lane] };
        add_lane(leg, coordinates[lane], value, known, sums, lane);
    }
}

#[inline(always)]
fn add_lane(leg: &Leg<'_>, coordinate: f64, value: f64, maintenance: f64, sums: &mut LegSums, lane: usize) {
    let profit = mark_to_market::unrealized_pnl(leg.direction, leg.size, coordinate, leg.entry) + leg.funding;
    sums.profit[lane] += profit;
    sums.requirement[lane] += maintenance + (leg.fee_rate * value + leg.fixed_fee);
    sums.maintenance[lane] += maintenance;
    sums.value[lane] += value;
}
