//! Collateral assets: the value counted of an equity, a minimum of lines, and the margin that liabilities ask for.
//!
//! # Formula
//!
//! The part of a positive equity above `floor_k` counts at `weight_k` up to the next floor, so the value counted is
//! `min_k (weight_k * value + b_k)` with `b_k = b_{k-1} + floor_k (weight_{k-1} - weight_k)`; a negative equity counts at the liability
//! weight, which no weight exceeds. Weights do not rise, so it is concave.

use crate::error::{Error, Result};
use crate::machine::number::Number;
use crate::rules::tiers::{TierKey, TierTable};

/// Rules of an asset of multi-asset accounts.
#[derive(Debug, Clone)]
pub struct Asset {
    floors: Vec<f64>,
    weights: Vec<f64>,
    offsets: Vec<f64>,
    by_amount: bool,
    pub(crate) liability_weight: f64,
    pub(crate) maintenance: Option<TierTable>,
    pub(crate) initial: Option<TierTable>,
}

impl Asset {
    /// A checked asset. Floors are values in the account's currency, or amounts; liability tables are keyed by value.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of different length or none, [`Error::Domain`] where floors do not rise from zero, a weight lies
    /// outside of `[0, 1]` or rises, the liability weight is below 1, or a liability table is not keyed by value.
    pub fn new(
        floors: &[f64],
        weights: &[f64],
        by_amount: bool,
        liability_weight: f64,
        maintenance: Option<TierTable>,
        initial: Option<TierTable>,
    ) -> Result<Self> {
        if weights.is_empty() || floors.len() != weights.len() {
            return Err(Error::Length { argument: "weights", expected: floors.len().max(1), found: weights.len() });
        }
        check_columns(floors, weights)?;
        if !(1.0..f64::INFINITY).contains(&liability_weight) {
            return Err(Error::Domain {
                argument: "liability_weight",
                expected: "a number not below 1",
                found: liability_weight,
            });
        }
        for table in [&maintenance, &initial].into_iter().flatten() {
            if table.key != TierKey::Value {
                return Err(Error::Domain {
                    argument: "liability_tiers",
                    expected: "a table keyed by value",
                    found: f64::NAN,
                });
            }
        }
        let mut offsets = vec![0.0];
        for tier in 1..weights.len() {
            let step = floors[tier] * (weights[tier - 1] - weights[tier]);
            offsets.push(offsets[tier - 1] + step);
        }
        let (floors, weights) = (floors.to_vec(), weights.to_vec());
        Ok(Self { floors, weights, offsets, by_amount, liability_weight, maintenance, initial })
    }

    /// The currency of a wallet: every unit counts as one.
    pub(crate) fn wallet() -> Self {
        Self {
            floors: vec![0.0],
            weights: vec![1.0],
            offsets: vec![0.0],
            by_amount: false,
            liability_weight: 1.0,
            maintenance: None,
            initial: None,
        }
    }

    /// Whether one line counts every equity, whatever its size and sign.
    pub(crate) fn counts_all_alike(&self) -> bool {
        self.weights.len() == 1 && self.weights[0] == self.liability_weight
    }

    /// Line that counts an equity of this amount and market value; a negative one counts in full and more.
    #[inline(always)]
    pub(crate) fn counted_line<N: Number>(&self, amount: N, value: N) -> Counted<N> {
        let zero = N::all(0.0);
        let [weight, offset] =
            last_above(&self.floors, [&self.weights, &self.offsets], if self.by_amount { amount } else { value });
        let positive = amount.is_above(zero);
        let weight = N::choose(positive, weight, N::all(self.liability_weight));
        let offset = N::choose(positive, offset, zero);
        let (offset_value, offset_amount) = if self.by_amount { (zero, offset) } else { (offset, zero) };
        Counted { weight, offset_value, offset_amount }
    }
}

fn check_columns(floors: &[f64], weights: &[f64]) -> Result<()> {
    if floors[0] != 0.0 {
        return Err(Error::Domain { argument: "floors", expected: "zero first", found: floors[0] });
    }
    if let Some(pair) = floors.windows(2).find(|pair| !(pair[1] > pair[0] && pair[1] < f64::INFINITY)) {
        return Err(Error::Domain { argument: "floors", expected: "rising numbers", found: pair[1] });
    }
    if let Some(&found) = weights.iter().find(|weight| !(0.0..=1.0).contains(*weight)) {
        return Err(Error::Domain { argument: "weights", expected: "shares in [0, 1]", found });
    }
    match weights.windows(2).find(|pair| pair[1] > pair[0]) {
        Some(pair) => Err(Error::Domain { argument: "weights", expected: "shares that do not rise", found: pair[1] }),
        None => Ok(()),
    }
}

/// The line that counts an equity: `weight` on its market value, an offset in value and one in amount.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted<N = f64> {
    pub weight: N,
    pub offset_value: N,
    pub offset_amount: N,
}

/// Rate and deduction that apply to a liability of this value.
#[inline(always)]
pub(crate) fn liability_line<N: Number>(table: &TierTable, value: N) -> [N; 2] {
    last_above(&table.floors, [&table.rates, &table.deductions], value)
}

/// Numbers of the last tier whose floor lies below the key, of the first one for every other key; floors rise.
#[inline(always)]
fn last_above<N: Number>(floors: &[f64], columns: [&[f64]; 2], key: N) -> [N; 2] {
    let (mut first, mut second) = (N::all(columns[0][0]), N::all(columns[1][0]));
    for tier in 1..floors.len() {
        let applies = key.is_above(N::all(floors[tier]));
        first = N::choose(applies, N::all(columns[0][tier]), first);
        second = N::choose(applies, N::all(columns[1][tier]), second);
    }
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discount_tiers_are_marginal() {
        // 11 M of a stable coin of which 10 M count in full, the rest at 30 %.
        let asset = Asset::new(&[0.0, 1e7], &[1.0, 0.3], false, 1.0, None, None).unwrap();
        let line = asset.counted_line(1.1e7, 1.1e7);
        assert_eq!(line.weight * 1.1e7 + line.offset_value, 1.03e7);
    }

    #[test]
    fn a_negative_equity_counts_at_the_liability_weight() {
        let asset = Asset::new(&[0.0], &[0.9], false, 1.005, None, None).unwrap();
        assert_eq!(asset.counted_line(-1.0, -50.0).weight, 1.005);
    }

    #[test]
    fn weights_that_rise_are_refused() {
        assert!(Asset::new(&[0.0, 1.0], &[0.5, 0.6], false, 1.0, None, None).is_err());
        assert!(Asset::new(&[0.0], &[0.9], false, 0.9, None, None).is_err());
    }
}
