//! The rules of a margin policy as resolved numbers: no names, no files, no venue.

use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::state::{Levels, effective_level};
use crate::tiers::{TierKey, TierTable};

/// Value of the position at which a requirement is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Basis {
    /// At the price in question: the requirement moves along the price path.
    Price = 0,
    /// At the entry price: frozen when the position was opened.
    Entry = 1,
    /// At the current mark: frozen until the next mark.
    Mark = 2,
}

/// Value on which the fee for closing the position is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FeeBasis {
    /// The requirement holds no closing fee.
    None = 0,
    /// The value at the price in question.
    Price = 1,
    /// The entry value.
    Entry = 2,
    /// The value at the bankruptcy price.
    Bankruptcy = 3,
}

/// A threshold on the margin ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The ratio; `None` if no source gives one.
    pub level: Option<f64>,
    /// Whether the threshold itself already counts.
    pub inclusive: bool,
}

/// Rules that hold for every instrument of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Basis of the requirement of isolated positions.
    pub requirement_isolated: Basis,
    /// Basis of the requirement of cross positions.
    pub requirement_cross: Basis,
    /// Whether the initial margin of isolated positions is taken at the entry value (else at the mark).
    pub initial_at_entry_isolated: bool,
    /// The same of cross positions.
    pub initial_at_entry_cross: bool,
    /// What the closing fee is charged on.
    pub fee_basis: FeeBasis,
    /// Closing fee as a fraction of that value.
    pub fee_rate: f64,
    /// Whether the reported initial margin holds the closing fee.
    pub fee_in_initial: bool,
    /// Whether the reported maintenance margin holds the closing fee (the requirement always does).
    pub fee_in_maintenance: bool,
    /// Whether the bankruptcy price leaves room for the closing fee; `None`: unknown, there is then no bankruptcy price.
    pub fee_in_bankruptcy: Option<bool>,
    /// Warning level.
    pub warning: Threshold,
    /// Margin-call level.
    pub margin_call: Threshold,
    /// Liquidation level; usually 1.
    pub liquidation_level: f64,
    /// Whether the liquidation level itself liquidates.
    pub liquidation_inclusive: bool,
}

/// Lines that a vector takes at once where rows of several instruments meet.
pub(crate) const LANES: usize = 8;

/// Lines of a marginal table, column by column, with everything that does not depend on the position.
///
/// The last line is repeated up to a multiple of [`LANES`]; a repeated line changes no maximum.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    pub rate: Vec<f64>,
    pub deduction: Vec<f64>,
    /// Deduction of the line that triggers liquidation: scaled by the liquidation level.
    pub trigger_deduction: Vec<f64>,
    pub gaining_factor: Vec<f64>,
    pub losing_factor: Vec<f64>,
    /// Lines to look at two by two: their number, made even.
    pub even: usize,
}

/// One tier of a flat table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlatTier {
    pub floor: f64,
    pub rate: f64,
    pub gaining_factor: f64,
    pub losing_factor: f64,
}

/// The requirement of an instrument, ready for the kernel.
#[derive(Debug, Clone)]
pub(crate) enum Requirement {
    /// Lines of a marginal table.
    Marginal(Lines),
    /// Tiers keyed by contracts or by risk limit.
    Flat(TierKey, Vec<FlatTier>),
}

/// An instrument compiled under the rules of a policy.
#[derive(Debug, Clone)]
pub struct Instrument {
    pub(crate) contract: Contract,
    pub(crate) requirement: Requirement,
    pub(crate) cap: f64,
}

/// A policy compiled for a list of instruments: immutable, shared by threads.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) rules: Rules,
    pub(crate) levels: Levels,
    /// Reciprocal of the liquidation level.
    pub(crate) trigger: f64,
    /// Level that ends a margin call.
    pub(crate) call_level: f64,
    /// Factors of a position whose requirement is frozen.
    pub(crate) frozen: Factors,
    /// Factors of the bankruptcy value.
    pub(crate) bankruptcy: Factors,
    pub(crate) instruments: Vec<Instrument>,
}

/// `1 / (1 - d r)` for both directions `d`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors {
    pub gaining: f64,
    pub losing: f64,
}

impl Factors {
    fn of(rate: f64) -> Self {
        Self { gaining: 1.0 / (1.0 - rate), losing: 1.0 / (1.0 + rate) }
    }

    #[inline(always)]
    pub(crate) fn along(&self, direction: f64) -> f64 {
        if direction > 0.0 { self.gaining } else { self.losing }
    }
}

impl Policy {
    /// Compiles rules and instruments.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for a fee outside of `[0, 1)`, a level that is not positive, or rates that, with the fee and scaled by the
    /// liquidation level, reach 1: no price could then restore the position.
    pub fn new(rules: Rules, instruments: &[(Contract, TierTable)]) -> Result<Self> {
        check_rules(&rules)?;
        let trigger = 1.0 / rules.liquidation_level;
        let price_fee = if rules.fee_basis == FeeBasis::Price { rules.fee_rate } else { 0.0 };
        let compiled = instruments
            .iter()
            .map(|(contract, table)| {
                Ok(Instrument {
                    contract: *contract,
                    requirement: compile_requirement(table, price_fee, trigger)?,
                    cap: table.cap,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            rules,
            levels: Levels {
                warning: effective_level(rules.warning.level, rules.warning.inclusive),
                margin_call: effective_level(rules.margin_call.level, rules.margin_call.inclusive),
                liquidation: effective_level(Some(rules.liquidation_level), rules.liquidation_inclusive),
            },
            trigger,
            call_level: rules.margin_call.level.unwrap_or(rules.liquidation_level),
            frozen: Factors::of(price_fee * trigger),
            bankruptcy: Factors::of(match rules.fee_in_bankruptcy {
                Some(true) => rules.fee_rate,
                Some(false) => 0.0,
                None => f64::NAN,
            }),
            instruments: compiled,
        })
    }

    /// Number of instruments.
    #[must_use]
    pub fn instrument_count(&self) -> usize {
        self.instruments.len()
    }

    /// Whether the closing fee is an amount fixed in advance.
    pub(crate) fn has_fixed_fee(&self) -> bool {
        matches!(self.rules.fee_basis, FeeBasis::Entry | FeeBasis::Bankruptcy)
    }
}

fn check_rules(rules: &Rules) -> Result<()> {
    if !(0.0..1.0).contains(&rules.fee_rate) {
        return Err(Error::Domain {
            argument: "closing_fee_rate",
            expected: "a fraction in [0, 1)",
            found: rules.fee_rate,
        });
    }
    let levels = [
        ("warning_level", rules.warning.level),
        ("margin_call_level", rules.margin_call.level),
        ("liquidation_level", Some(rules.liquidation_level)),
    ];
    for (argument, level) in levels {
        if let Some(found) = level
            && !(found > 0.0 && found < f64::INFINITY)
        {
            return Err(Error::Domain { argument, expected: "a positive number", found });
        }
    }
    Ok(())
}

fn compile_requirement(table: &TierTable, price_fee: f64, trigger: f64) -> Result<Requirement> {
    let factors = |rate: f64| {
        let scaled = (rate + price_fee) * trigger;
        if scaled < 1.0 {
            Ok(Factors::of(scaled))
        } else {
            Err(Error::Domain {
                argument: "rate",
                expected: "rate plus closing fee below the liquidation level",
                found: rate,
            })
        }
    };
    if table.key != TierKey::Value {
        let tiers = table.floors.iter().zip(&table.rates).map(|(&floor, &rate)| {
            let Factors { gaining, losing } = factors(rate)?;
            Ok(FlatTier { floor, rate, gaining_factor: gaining, losing_factor: losing })
        });
        return Ok(Requirement::Flat(table.key, tiers.collect::<Result<_>>()?));
    }
    let mut lines = Lines { even: table.rates.len().next_multiple_of(2), ..Lines::default() };
    let last = table.rates.len() - 1;
    for tier in 0..table.rates.len().next_multiple_of(LANES) {
        let (rate, deduction) = (table.rates[tier.min(last)], table.deductions[tier.min(last)]);
        let Factors { gaining, losing } = factors(rate)?;
        lines.rate.push(rate);
        lines.deduction.push(deduction);
        lines.trigger_deduction.push(deduction * trigger);
        lines.gaining_factor.push(gaining);
        lines.losing_factor.push(losing);
    }
    Ok(Requirement::Marginal(lines))
}
