//! Maintenance tiers: the rates that apply as a position grows.
//!
//! # Formula
//!
//! A *marginal* table obeys `c_k = c_{k-1} + floor_k (r_k - r_{k-1})` with rates that do not fall, so the maintenance margin of a
//! position of value `V` is `max_k (r_k V - c_k)`, and the largest line is that of the tier which holds `V`. A *flat* table, keyed by contracts or by a chosen risk limit,
//! gives one rate for the whole position; keyed by value it would jump, and is refused.
//!
//! A marginal table may start with a *minimum*: a tier whose deduction is negative, so that the requirement is never below that amount.
//!
//! A table *a unit* gives lines for one unit of size, in the value of the unit: the margin of a position of size `S` and value `V` is
//! `r_k V - c_k S` with the line above whose floor `V / S` lies. Rates may fall from line to line: the margin is continuous and does not
//! fall as the value rises, and need not be convex. An amount a share, or a contract, is a line of rate 0.
//!
//! A *growing* table has no tiers: the rate of the whole position is `rate + slope * S`, where `S` is its size in base currency.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};

vocabulary! {
    /// What selects the tier.
    pub enum TierKey: u8 {
        Value = 0, "value", "value of the position in settlement currency: a marginal table";
        Contracts = 1, "contracts", "number of contracts: a flat table";
        RiskLimit = 2, "risk_limit", "risk limit chosen by the trader: a flat table";
        Size = 3, "size", "size in base currency: a growing rate";
        UnitValue = 4, "unit_value", "value of one unit of size, the price of a linear contract: a table a unit";
    }
}

/// A checked table of maintenance tiers.
#[derive(Debug, Clone, PartialEq)]
pub struct TierTable {
    pub(crate) key: TierKey,
    pub(crate) floors: Vec<f64>,
    pub(crate) rates: Vec<f64>,
    pub(crate) deductions: Vec<f64>,
    pub(crate) cap: f64,
    /// Highest leverage of each tier; empty where it is not stated.
    pub(crate) max_leverage: Vec<f64>,
    /// What a unit of size adds to the rate; zero unless the table is keyed by size.
    pub(crate) slope: f64,
}

/// Largest relative jump that is put down to rounding of the published figures.
const CONTINUITY: f64 = 1e-9;

impl TierTable {
    /// A checked table in tiers. `floors`, `rates` and `deductions` are as long as each other; `cap` is the upper bound of the last tier
    /// (infinite if unbounded). Deductions of a flat table are zero; the first one of a marginal table is minus its minimum.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of different length or none, [`Error::Tier`] where floors do not start at zero or do not rise, a rate
    /// is outside of `[0, 1)` or falls, or a deduction does not continue the tier below. A key of [`TierKey::Size`] belongs to [`TierTable::growing`].
    pub fn new(key: TierKey, floors: &[f64], rates: &[f64], deductions: &[f64], cap: f64) -> Result<Self> {
        let tiers = floors.len().max(1);
        for (argument, column) in [("floors", floors), ("rates", rates), ("deductions", deductions)] {
            if column.len() != tiers {
                return Err(Error::Length { argument, expected: tiers, found: column.len() });
            }
        }
        let table = Self {
            key,
            floors: floors.to_vec(),
            rates: rates.to_vec(),
            deductions: deductions.to_vec(),
            cap,
            max_leverage: Vec::new(),
            slope: 0.0,
        };
        for tier in 0..tiers {
            table.check(tier)?;
        }
        let last = floors[tiers - 1];
        if !(cap > last) {
            return Err(Error::Tier {
                tier: tiers - 1,
                rule: "the cap lies above the last floor",
                expected: last,
                found: cap,
            });
        }
        Ok(table)
    }

    /// A table of one rate for positions of any value.
    ///
    /// # Errors
    ///
    /// [`Error::Tier`] if the rate is outside of `[0, 1)`.
    pub fn single_rate(rate: f64) -> Result<Self> {
        Self::new(TierKey::Value, &[0.0], &[rate], &[0.0], f64::INFINITY)
    }

    /// A table whose rate grows with the size of the position in base currency, up to a size of `cap` (infinite if unbounded).
    ///
    /// # Errors
    ///
    /// [`Error::Tier`] if the rate is outside of `[0, 1)`, or slope or cap are not positive.
    pub fn growing(rate: f64, slope: f64, cap: f64) -> Result<Self> {
        let table = Self::new(TierKey::Value, &[0.0], &[rate], &[0.0], cap)?;
        if !(slope > 0.0 && slope < f64::INFINITY) {
            return Err(Error::Tier { tier: 0, rule: "a slope is positive", expected: 0.0, found: slope });
        }
        Ok(Self { key: TierKey::Size, slope, ..table })
    }

    /// The table with the highest leverage that each tier allows.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] unless there is one a tier, [`Error::Tier`] where one is not above zero and finite, or rises.
    pub fn with_max_leverage(mut self, max_leverage: &[f64]) -> Result<Self> {
        let expected = self.rates.len();
        if max_leverage.len() != expected {
            return Err(Error::Length { argument: "max_leverage", expected, found: max_leverage.len() });
        }
        let mut below = f64::MAX;
        for (tier, &found) in max_leverage.iter().enumerate() {
            if !(found > 0.0 && found <= below) {
                return Err(Error::Tier {
                    tier,
                    rule: "a maximum leverage is positive and does not rise",
                    expected: below,
                    found,
                });
            }
            below = found;
        }
        self.max_leverage = max_leverage.to_vec();
        Ok(self)
    }

    fn check(&self, tier: usize) -> Result<()> {
        let (floor, rate, deduction) = (self.floors[tier], self.rates[tier], self.deductions[tier]);
        let by_unit = self.key == TierKey::UnitValue;
        if !((0.0..1.0).contains(&rate) || by_unit && rate == 1.0) {
            return Err(Error::Tier { tier, rule: "a rate lies in [0, 1)", expected: 0.0, found: rate });
        }
        if tier == 0 {
            if floor != 0.0 {
                return Err(Error::Tier { tier, rule: "the first floor is zero", expected: 0.0, found: floor });
            }
            let minimum = (self.key == TierKey::Value || by_unit) && deduction < 0.0 && deduction > f64::NEG_INFINITY;
            if deduction != 0.0 && !minimum {
                let rule = "the first deduction is zero, or minus the minimum of a marginal table or of one a unit";
                return Err(Error::Tier { tier, rule, expected: 0.0, found: deduction });
            }
            return Ok(());
        }
        let (floor_below, rate_below) = (self.floors[tier - 1], self.rates[tier - 1]);
        if !(floor > floor_below) || floor == f64::INFINITY {
            return Err(Error::Tier { tier, rule: "floors rise", expected: floor_below, found: floor });
        }
        if rate < rate_below && !by_unit {
            return Err(Error::Tier { tier, rule: "rates do not fall", expected: rate_below, found: rate });
        }
        let expected = match self.key {
            TierKey::Value | TierKey::UnitValue => self.deductions[tier - 1] + floor * (rate - rate_below),
            TierKey::Contracts | TierKey::RiskLimit => 0.0,
            TierKey::Size => {
                return Err(Error::Tier { tier, rule: "a growing rate has no tiers", expected: 0.0, found: floor });
            }
        };
        if !((deduction - expected).abs() <= CONTINUITY * expected.abs().max(floor * rate)) {
            return Err(Error::Tier { tier, rule: "deductions continue the tier below", expected, found: deduction });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_table_is_accepted_and_a_jump_is_refused() {
        let floors = [0.0, 50_000.0, 250_000.0];
        let rates = [0.004, 0.005, 0.01];
        assert!(TierTable::new(TierKey::Value, &floors, &rates, &[0.0, 50.0, 1300.0], 1e6).is_ok());
        let refused = TierTable::new(TierKey::Value, &floors, &rates, &[0.0, 50.0, 1400.0], 1e6);
        assert!(matches!(refused, Err(Error::Tier { tier: 2, .. })));
    }

    #[test]
    fn a_minimum_is_a_first_tier_with_a_negative_deduction() {
        let (floors, rates) = ([0.0, 2_500.0], [0.0, 0.004]);
        assert!(TierTable::new(TierKey::Value, &floors, &rates, &[-10.0, 0.0], 1e6).is_ok());
        for (key, deductions) in [
            (TierKey::Value, [-9.0, 0.0]),
            (TierKey::Value, [f64::NEG_INFINITY, 0.0]),
            (TierKey::Contracts, [-10.0, 0.0]),
        ] {
            assert!(TierTable::new(key, &floors, &rates, &deductions, 1e6).is_err());
        }
    }

    #[test]
    fn a_maximum_leverage_stands_beside_every_tier_and_does_not_rise() {
        let table = || TierTable::new(TierKey::RiskLimit, &[0.0, 100.0], &[0.01, 0.02], &[0.0, 0.0], 200.0).unwrap();
        assert_eq!(table().with_max_leverage(&[50.0, 25.0]).unwrap().max_leverage, [50.0, 25.0]);
        for wrong in [&[50.0][..], &[25.0, 50.0], &[50.0, 0.0], &[f64::NAN, 1.0], &[f64::INFINITY, 1.0]] {
            assert!(table().with_max_leverage(wrong).is_err());
        }
    }

    #[test]
    fn lines_a_unit_may_fall_and_must_meet() {
        let (floors, rates) = ([0.0, 2.5, 5.0], [0.0, 1.0, 0.0]);
        let table =
            |deductions: [f64; 3]| TierTable::new(TierKey::UnitValue, &floors, &rates, &deductions, f64::INFINITY);
        assert!(table([-2.5, 0.0, -5.0]).is_ok());
        for deductions in [[-2.0, 0.0, -5.0], [-2.5, 0.0, -4.0], [2.5, 5.0, 0.0]] {
            assert!(table(deductions).is_err());
        }
        assert!(TierTable::new(TierKey::Value, &floors, &rates, &[-2.5, 0.0, -5.0], f64::INFINITY).is_err());
    }

    #[test]
    fn a_growing_rate_needs_a_positive_slope() {
        assert!(TierTable::growing(0.01, 5e-6, f64::INFINITY).is_ok());
        for slope in [0.0, -5e-6, f64::NAN, f64::INFINITY] {
            assert!(TierTable::growing(0.01, slope, f64::INFINITY).is_err());
        }
    }

    #[test]
    fn rates_outside_of_the_unit_interval_are_refused() {
        for rate in [-0.1, 1.0, f64::NAN] {
            assert!(TierTable::single_rate(rate).is_err());
        }
    }
}
