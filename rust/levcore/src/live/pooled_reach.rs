//! How far prices may move until the verdict on an account that is settled as one whole could change.
//!
//! # Proof
//!
//! The surplus of an account is what its assets count, less what is asked for. Let `p` be the price of an asset, `e` the equity in it,
//! `V` the values of the legs that settle in it, `x` the share by which the mark of a leg has moved its value (`1/mark` of an inverse
//! one), `w` that by which `p` has moved, and `e' = e + sum(d V x)` with the directions `d`.
//!
//! - An equity `e` counts `f(p e)`, or `p g(e)` where tiers are amounts. Either rises by at most the liability weight `l >= 1` for a unit,
//!   never falls, and has the sign of `e`. With `p' e' - p e = p' (e' - e) + (p' - p) e` it loses at most
//!   `l p' sum(max(0, -d V x)) + l p max(0, -w e)`: each price has a term of its own.
//! - A liability is `m p` with `m = max(owed, -e)`. Its table rises by at most its last rate `r`, so that it asks for at most
//!   `r p' sum(max(0, -d V x)) + r p max(0, w) m` more.
//! - What is owed as a requirement asks for `l p max(0, w) owed` more.
//! - A leg asks for the margin price times a margin that does not fall as its value rises, and rises by at most a slope `s` up to the
//!   value `(1 + FAR) V`: `s p' V max(0, x)` more for its value, `p max(0, w)` times its margin for the price. The larger of two sides, or
//!   of two legs, rises by at most what each of them does.
//!
//! With `p' <= (1 + FAR) p` the loss is below `sum(a |x|) + sum(b |w|)`, whose factors are those of now. Each price is given a part of the
//! surplus and waits where its own term has used it up, or at `FAR`: as long as no price is there, the surplus has its sign. What the
//! surplus may gain, where it is negative, is bounded by the same terms with the signs of `x` and `w` turned. Rounding, and lines of
//! tables that miss each other, are below [`GUARD`] of the amounts, which is taken off before.

use crate::accounts::leg::Leg;
use crate::accounts::numbering::Numbering;
use crate::accounts::reader::{AccountReader, LegRow};
use crate::accounts::verdict::Verdict;
use crate::live::bounds::{Bounds, GUARD, Judgement, is_ordinary};
use crate::rules::curve::Curve;
use crate::rules::policy::Policy;

/// The largest move that is waited for: slopes of margins, and prices of assets, hold up to there.
const FAR: f64 = 0.25;

/// How far a price may fall and rise, as a share of the value that it moves.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Reach {
    pub down: f64,
    pub up: f64,
}

impl Reach {
    /// It does not matter.
    const ANY: Self = Self { down: f64::INFINITY, up: f64::INFINITY };

    /// As bounds around a price; of an inverse contract the value falls as the price rises.
    pub(crate) fn around(self, price: f64, inverse: bool) -> Bounds {
        if self == Self::ANY {
            return Bounds::NONE;
        }
        let (lower, upper) = if inverse {
            (price / (1.0 + self.up), price / (1.0 - self.down))
        } else {
            (price * (1.0 - self.down), price * (1.0 + self.up))
        };
        if lower < price && price < upper { Bounds { lower, upper } } else { Bounds::at(price) }
    }
}

/// What a price can take from a surplus, for a unit of its relative move either way; or give to one that is missing.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Profit for a rise by one, signed, and how much of it may count.
    gain: f64,
    counts: f64,
    /// What is asked for on a rise by one.
    asked: f64,
    /// Whether legs rely on it not to go beyond [`FAR`].
    relied_on: bool,
}

impl Part {
    /// Loss on a fall and on a rise; with the sign -1 what is gained.
    fn factors(&self, sign: f64) -> [f64; 2] {
        let signed = sign * self.gain * self.counts;
        let [loss_down, loss_up] = [larger(signed, 0.0), larger(-signed, 0.0)];
        if sign > 0.0 { [loss_down, loss_up + self.asked] } else { [loss_down + self.asked, loss_up] }
    }

    /// How far it may move for a part of what may be used up.
    fn reach(&self, part: f64, sign: f64) -> Reach {
        let [down, up] = self.factors(sign);
        if down == 0.0 && up == 0.0 && !self.relied_on {
            return Reach::ANY;
        }
        // Nothing to use up is no number, and none moves.
        let within = |factor: f64| if part > 0.0 { smaller(part / factor, FAR) } else { 0.0 };
        Reach { down: within(down), up: within(up) }
    }

    fn weight(&self, sign: f64) -> f64 {
        let [down, up] = self.factors(sign);
        let factor = larger(down, up);
        factor.sqrt() * factor.sqrt().sqrt()
    }
}

/// Finds the reaches of one account after the other; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    /// Of the instruments in the order of their first leg, then of the holdings.
    parts: Vec<Part>,
    found: Vec<Reach>,
    instruments: Numbering,
    is_known: bool,
}

impl Reaches {
    /// Finds those of the account that was just judged.
    pub(crate) fn find(&mut self, reader: &AccountReader<'_>, policy: &Policy, verdict: &Verdict) {
        let (sign, pool) = (Judgement::of(verdict.state).sign(), &reader.pool);
        self.parts.clear();
        self.found.clear();
        self.instruments.clear();
        let of_asset = if reader.has_balances { 1.0 + FAR } else { 1.0 };
        let mut magnitude = 0.0;
        for leg in &pool.legs {
            let (known, holding) = (&reader.legs[leg.known], &pool.holdings[leg.holding]);
            magnitude += holding.price * (leg.value + leg.entry_value + leg.profit.abs());
            magnitude += holding.margin_price * leg.requirement * larger(policy.trigger, 1.0);
            if known.moves {
                let number = self.instruments.number(known.instrument);
                if number == self.parts.len() {
                    self.parts.push(Part { relied_on: true, ..Part::default() });
                }
                let part = &mut self.parts[number];
                part.counts = of_asset * (holding.asset.liability_weight + liability_rate(policy, leg.holding, reader));
                part.gain += holding.price * leg.direction * leg.value;
                part.asked += of_asset * holding.margin_price * leg.value * slope(leg, policy);
            }
        }
        let first = self.parts.len();
        for (number, holding) in pool.holdings.iter().enumerate() {
            let (weight, price) = (holding.asset.liability_weight, holding.price);
            let rate = liability_rate(policy, number, reader);
            let liability = price * larger(holding.owed, -holding.equity);
            let debt = if policy.rules.liabilities_as_requirement { weight * price * holding.owed } else { 0.0 };
            let asked = rate * liability + policy.trigger * debt;
            magnitude += weight * price * (holding.held.abs() + holding.owed) + asked;
            let part = Part { gain: price * holding.equity, counts: weight, asked, relied_on: false };
            // A wallet has no price that moves.
            self.parts.push(if reader.has_balances { part } else { Part::default() });
        }
        for leg in pool.legs.iter().filter(|_| reader.has_balances) {
            let part = &mut self.parts[first + leg.holding];
            part.asked += pool.holdings[leg.holding].margin_price * leg.requirement * policy.trigger;
            part.relied_on = true;
        }
        self.is_known = Judgement::of(verdict.state) != Judgement::Unknown && is_ordinary(magnitude);
        let weights: f64 = self.parts.iter().fold(0.0, |sum, part| sum + part.weight(sign));
        let to_use_up = verdict.surplus * sign - GUARD * magnitude;
        let share = |part: &Part| part.reach(to_use_up * (part.weight(sign) / weights), sign);
        self.found.extend(self.parts.iter().map(share));
    }

    /// That of a leg, by what is known of it.
    pub(crate) fn of_leg(&self, leg: &LegRow) -> Reach {
        if leg.moves && self.is_known { self.found[self.instruments.known(leg.instrument)] } else { Reach::default() }
    }

    /// That of the asset at a place of the policy, in which the account holds something.
    pub(crate) fn of_asset(&self, asset: usize, reader: &AccountReader<'_>) -> Reach {
        match reader.holding_of(asset) {
            Some(holding) if self.is_known => self.found[self.instruments.len() + holding],
            _ => Reach::default(),
        }
    }
}

/// The most that the margin of a liability in a holding rises by for a unit of its value, scaled as the requirement is.
fn liability_rate(policy: &Policy, holding: usize, reader: &AccountReader<'_>) -> f64 {
    let table = reader.pool.holdings[holding].asset.maintenance.as_ref();
    policy.trigger * table.and_then(|table| table.rates.last()).copied().unwrap_or(0.0)
}

/// The most that the scaled requirement of a leg rises by for a unit of value, up to the farthest one that is waited for.
fn slope(leg: &Leg<'_>, policy: &Policy) -> f64 {
    let rate = match leg.curve {
        // Its rates may fall, and none is above 1.
        Curve::Unit(..) => 1.0,
        curve => curve.touching(leg.charged * (leg.value * (1.0 + FAR))).0,
    };
    (rate * leg.charged + policy.cross_fees.rate) * policy.trigger
}

fn larger(left: f64, right: f64) -> f64 {
    if left > right { left } else { right }
}

fn smaller(left: f64, right: f64) -> f64 {
    if left < right { left } else { right }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A long leg of 1,000 whose profit counts at 1.1, and which asks for 50 more a unit.
    const LONG: Part = Part { gain: 1_000.0, counts: 1.1, asked: 50.0, relied_on: true };

    #[test]
    fn a_price_takes_the_part_of_a_surplus_that_it_was_given() {
        // Safe: it loses 1,100 a unit on a fall, and 50 on a rise.
        let Reach { down, up } = LONG.reach(11.0, 1.0);
        assert_eq!((down, up), (11.0 / (1_000.0 * 1.1), 11.0 / 50.0));
        // Liquidatable: a rise gives 1,100, a fall 50.
        let Reach { down, up } = LONG.reach(11.0, -1.0);
        assert_eq!((down, up), (11.0 / 50.0, 11.0 / (1_000.0 * 1.1)));
        assert_eq!(LONG.reach(1e6, 1.0), Reach { down: FAR, up: FAR });
    }

    #[test]
    fn nothing_to_use_up_is_looked_at_from_the_price_on() {
        for part in [0.0, -1.0, f64::NAN] {
            let reach = LONG.reach(part, 1.0);
            assert_eq!(reach, Reach::default());
            assert_eq!(reach.around(100.0, false), Bounds::at(100.0));
        }
    }

    #[test]
    fn what_moves_nothing_waits_for_nothing_unless_others_rely_on_it() {
        assert_eq!(Part::default().reach(1.0, 1.0).around(100.0, false), Bounds::NONE);
        let relied_on = Part { relied_on: true, ..Part::default() };
        assert_eq!(relied_on.reach(1.0, 1.0).around(100.0, false), Bounds { lower: 75.0, upper: 125.0 });
        // The value of an inverse contract falls as its price rises.
        assert_eq!(relied_on.reach(1.0, 1.0).around(100.0, true), Bounds { lower: 80.0, upper: 100.0 / 0.75 });
    }
}
