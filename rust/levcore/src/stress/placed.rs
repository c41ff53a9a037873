//! One isolated position put into the sums of its instrument: where its lines begin and end, to the last bit of the coordinate.

use crate::formulas::exposure;
use crate::stress::bins::{Amount, Line};
use crate::stress::ladder::{Draft, turn};
use crate::stress::position::{Maintenance, Position};

/// Shares of the zero's coordinate at which to leave the neighbourhood where rounding may decide, the first that does.
const WIDTHS: [f64; 6] = [1e-8, 1e-7, 1e-6, 1e-4, 1e-2, 0.5];
/// Share of the amounts of a position within which its surplus may be of either sign: four times what lines of a tier table may miss each
/// other by. Every position that is so near in a scenario is evaluated there, so that a wide guard costs time.
const GUARD: f64 = 4e-9;

/// Coordinates at which rounding may have decided whether a row is liquidated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone {
    /// The first coordinate behind; infinite where there is none.
    pub end: f64,
    pub row: u32,
    /// What the sums count it as.
    pub counted: bool,
}

/// Lowest and highest coordinate of an index.
pub(crate) type Ends = (f64, f64);

/// Adds a position to the sums of its instrument; where its zone begins, and this, where it has one.
pub(crate) fn place(
    position: &Position<'_>,
    (lowest, highest): Ends,
    row: u32,
    draft: &mut Draft,
) -> Option<(f64, Zone)> {
    let nothing = Line { slope: 0.0, at_zero: [0.0; 2] };
    let judged = |coordinate| exposure::value(position.size, coordinate) <= position.cap;
    let end = turn(position.cap / position.size, lowest, highest, judged);
    if end == Some(lowest) {
        draft.hold(Amount::Equity, None, None, &nothing, 1);
        return None;
    }
    if end.is_some() {
        draft.hold(Amount::Equity, end, None, &nothing, 1);
    }
    let last = end.map_or(highest, f64::next_down);
    earn(position, (lowest, last), end, draft);
    require(position, (lowest, last), end, draft);
    liquidate(position, (lowest, last), end, row, draft)
}

/// Equity, and what is missing where it is below zero.
fn earn(position: &Position<'_>, (lowest, last): Ends, end: Option<f64>, draft: &mut Draft) {
    let slope = position.direction * position.size;
    let earned = Line { slope, at_zero: [position.cash, -(slope * position.entry)] };
    let owed = Line { slope: -slope, at_zero: earned.at_zero.map(|part| -part) };
    draft.hold(Amount::Equity, None, end, &earned, 0);
    // Every operation of the equity rounds in order, so it is monotone in float64 too.
    let zero = position.entry - position.direction * position.cash / position.size;
    let short = |coordinate: f64| position.equity(coordinate) < 0.0;
    if position.direction > 0.0 {
        match turn(zero, lowest, last, short) {
            Some(turn) if turn == lowest => {}
            turn => draft.hold(Amount::Shortfall, None, turn.or(end), &owed, 1),
        }
    } else if let Some(turn) = turn(zero, lowest, last, |coordinate| !short(coordinate)) {
        let from = if turn == lowest { None } else { Some(turn) };
        draft.hold(Amount::Shortfall, from, end, &owed, 1);
    }
}

/// The maintenance margin, tier by tier.
fn require(position: &Position<'_>, (lowest, last): Ends, end: Option<f64>, draft: &mut Draft) {
    let told = position.policy.rules.fee_in_maintenance;
    let (rate_of_fee, fee) = if told { (position.fee_rate, position.fixed_fee) } else { (0.0, 0.0) };
    let highest = position.tier(last);
    let (mut from, mut begin) = (None, lowest);
    loop {
        let tier = position.tier(begin);
        // Neighbouring tiers meet at the floor of the upper one.
        let meeting = (highest.1 - tier.1) / (highest.0 - tier.0) / position.size;
        let next = turn(meeting, begin, last, |coordinate| position.tier(coordinate) == tier);
        let line = Line { slope: (tier.0 + rate_of_fee) * position.size, at_zero: [-tier.1, fee] };
        draft.hold(Amount::MaintenanceMargin, from, next.or(end), &line, 0);
        let Some(next) = next else {
            return;
        };
        (from, begin) = (Some(next), next);
    }
}

/// The value of the position where it is liquidated.
fn liquidate(
    position: &Position<'_>,
    (lowest, last): Ends,
    end: Option<f64>,
    row: u32,
    draft: &mut Draft,
) -> Option<(f64, Zone)> {
    let value = Line { slope: position.size, at_zero: [0.0; 2] };
    let (first, final_) = (position.standing(lowest, GUARD), position.standing(last, GUARD));
    if !first.close && !final_.close && first.liquidated == final_.liquidated {
        if first.liquidated {
            draft.hold(Amount::LiquidatedNotional, None, end, &value, 1);
        }
        return None;
    }
    let zero = zero_of(position, lowest, last);
    let before = first.liquidated;
    let begin = if first.close { lowest } else { left_of(position, zero, lowest, before) };
    let behind = if final_.close { None } else { right_of(position, zero, last, final_.liquidated) };
    let after = behind.is_some() && final_.liquidated;
    if before {
        draft.hold(Amount::LiquidatedNotional, None, behind.or(end), &value, 1);
    }
    if after {
        draft.hold(Amount::LiquidatedNotional, behind, end, &value, 1);
    }
    Some((begin, Zone { end: behind.or(end).unwrap_or(f64::INFINITY), row, counted: before }))
}

/// A coordinate below the zero, from which on rounding may decide; its verdict is the one before.
fn left_of(position: &Position<'_>, zero: f64, lowest: f64, before: bool) -> f64 {
    let places = WIDTHS.map(|width| zero * (1.0 - width));
    let away = |&place: &f64| {
        let standing = position.standing(place, GUARD);
        !standing.close && standing.liquidated == before
    };
    places.into_iter().take_while(|&place| place > lowest).find(away).unwrap_or(lowest)
}

/// A coordinate above the zero, before which rounding may decide; its verdict is the one after.
fn right_of(position: &Position<'_>, zero: f64, last: f64, after: bool) -> Option<f64> {
    let places = WIDTHS.map(|width| zero * (1.0 + width));
    let away = |&place: &f64| {
        let standing = position.standing(place, GUARD);
        !standing.close && standing.liquidated == after
    };
    let found = places.into_iter().take_while(|&place| place < last).find(away);
    found.or(Some(last))
}

/// Where the surplus is zero, nearly: line by line, each from the tier where the last one ended.
fn zero_of(position: &Position<'_>, lowest: f64, last: f64) -> f64 {
    let trigger = position.policy.trigger;
    let fixed = match position.maintenance {
        Maintenance::Moving(_) | Maintenance::Frozen(_) => position.fixed_fee,
    };
    let inside = |coordinate: f64| {
        if coordinate < lowest {
            lowest
        } else if coordinate > last {
            last
        } else {
            coordinate
        }
    };
    let mut zero = if position.direction > 0.0 { last } else { lowest };
    for _ in 0..16 {
        let (rate, deduction) = position.tier(inside(zero));
        let slope = position.size * (position.direction - trigger * (rate + position.fee_rate));
        let at_zero =
            position.cash - position.direction * position.size * position.entry - trigger * (fixed - deduction);
        let next = inside(-at_zero / slope);
        if next == zero {
            break;
        }
        zero = next;
    }
    zero
}
