//! The rules of a margin policy as resolved numbers: no names, no files, no venue.

use std::hint::select_unpredictable;

use crate::contract::Contract;
use crate::error::{Error, Result};
use crate::state::{Levels, effective_level};
use crate::tiers::{TierKey, TierTable};
use crate::vector::{Compare, LANES};

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

/// One line of a marginal table with everything that does not depend on the position; it fills a cache line and shares it with none.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line {
    pub rate: f64,
    pub deduction: f64,
    /// Deduction of the line that triggers liquidation: scaled by the liquidation level.
    pub trigger_deduction: f64,
    pub factors: Factors,
}

/// The marginal tables of all instruments side by side: their lines, and where each line takes over from the one below.
///
/// Lines cross where one takes over from the other, so the largest line is that of the tier which holds the value. Every table has the
/// same `width`, whole vectors: the last line is repeated, thresholds are padded with infinity.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    width: usize,
    lines: Vec<Line>,
    thresholds: Vec<Thresholds>,
    /// Lines of each table: its own number, made odd, so that those above the first come in pairs.
    lengths: Vec<usize>,
}

/// Thresholds that are compared at once: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Thresholds([f64; LANES]);

/// What a threshold is compared with.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub(crate) enum Key {
    /// The value of the position.
    Value = 0,
    /// What a gaining position needs: its thresholds are `floor (1 - r) + c`.
    Gaining = 1,
    /// What a losing position needs, with the sign turned: `floor (1 + r) - c`.
    Losing = 2,
}

const KEYS: usize = 3;

impl Tables {
    fn new(tables: &[&TierTable], price_fee: f64, trigger: f64) -> Result<Self> {
        let longest = tables.iter().map(|table| table.rates.len()).max().unwrap_or(1);
        // At least one more than the lines, so that a number made odd still fits.
        let width = (longest + 1).next_multiple_of(LANES);
        let mut all = Self { width, lines: Vec::new(), thresholds: Vec::new(), lengths: Vec::new() };
        for table in tables {
            all.push(table, price_fee, trigger)?;
        }
        // One more for rows whose instrument is not known: any numbers do, since their results are taken back.
        let nothing = Line { rate: 0.0, deduction: 0.0, trigger_deduction: 0.0, factors: Factors::of(0.0) };
        all.lines.resize(all.lines.len() + width, nothing);
        all.lengths.push(1);
        all.thresholds.resize(all.thresholds.len() + KEYS * width / LANES, Thresholds([f64::INFINITY; LANES]));
        Ok(all)
    }

    fn push(&mut self, table: &TierTable, price_fee: f64, trigger: f64) -> Result<()> {
        let mut keys = [const { Vec::new() }; KEYS];
        let first = self.lines.len();
        for (tier, (&rate, &deduction)) in table.rates.iter().zip(&table.deductions).enumerate() {
            let (floor, trigger_deduction) = (table.floors[tier], deduction * trigger);
            let scaled = scaled_rate(rate, price_fee, trigger)?;
            self.lines.push(Line { rate, deduction, trigger_deduction, factors: Factors::of(scaled) });
            if tier > 0 {
                keys[Key::Value as usize].push(floor);
                keys[Key::Gaining as usize].push(floor * (1.0 - scaled) + trigger_deduction);
                keys[Key::Losing as usize].push(floor * (1.0 + scaled) - trigger_deduction);
            }
        }
        self.lengths.push(table.rates.len() | 1);
        let last = self.lines[self.lines.len() - 1];
        self.lines.resize(first + self.width, last);
        for mut thresholds in keys {
            thresholds.resize(self.width, f64::INFINITY);
            self.thresholds.extend(thresholds.as_chunks().0.iter().copied().map(Thresholds));
        }
        Ok(())
    }

    /// Place of the table for rows whose instrument is not known.
    pub(crate) fn of_unknown(&self) -> usize {
        self.lines.len() / self.width - 1
    }

    /// Lines of the table at this place.
    #[inline(always)]
    pub(crate) fn lines(&self, place: usize) -> &[Line] {
        &self.lines[place * self.width..place * self.width + self.lengths[place]]
    }

    /// Thresholds of the table at this place: the one of line `k` at `k - 1`.
    #[inline(always)]
    pub(crate) fn thresholds(&self, place: usize, key: Key) -> impl Iterator<Item = f64> + Clone {
        self.vectors(place, key).iter().flat_map(|vector| vector.0)
    }

    #[inline(always)]
    fn vectors(&self, place: usize, key: Key) -> &[Thresholds] {
        let vectors = self.width / LANES;
        let first = (place * KEYS + key as usize) * vectors;
        &self.thresholds[first..first + vectors]
    }

    /// Where among all lines the one stands that applies to a number.
    #[inline(always)]
    pub(crate) fn find<C: Compare>(&self, place: usize, key: Key, number: f64) -> usize {
        let mut below = 0;
        for vector in self.vectors(place, key) {
            let count = C::count_below(&vector.0, number);
            below += count;
            if count < LANES {
                break;
            }
        }
        place * self.width + below.min(self.width - 1)
    }

    /// The line that [`Tables::find`] found.
    #[inline(always)]
    pub(crate) fn found(&self, place: usize) -> &Line {
        &self.lines[place]
    }
}

/// Rate of the line that triggers liquidation.
fn scaled_rate(rate: f64, price_fee: f64, trigger: f64) -> Result<f64> {
    let scaled = (rate + price_fee) * trigger;
    if scaled < 1.0 {
        return Ok(scaled);
    }
    Err(Error::Domain { argument: "rate", expected: "rate plus closing fee below the liquidation level", found: rate })
}

/// One tier of a flat table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlatTier {
    pub floor: f64,
    pub rate: f64,
    pub factors: Factors,
}

/// The requirement of an instrument, ready for the kernel.
#[derive(Debug, Clone)]
pub(crate) enum Requirement {
    /// A marginal table, at this place of [`Policy::tables`].
    Marginal(usize),
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
    pub(crate) tables: Tables,
}

/// `d / (1 - d r)` for both directions `d`, the gaining one first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors([f64; 2]);

impl Factors {
    fn of(rate: f64) -> Self {
        Self([1.0 / (1.0 - rate), -1.0 / (1.0 + rate)])
    }

    /// The gaining factor, the losing factor.
    #[inline(always)]
    pub(crate) fn both(&self) -> (f64, f64) {
        (self.0[0], self.0[1])
    }

    /// The factor of a direction, without a branch that half of the rows would mispredict.
    #[inline(always)]
    pub(crate) fn along(&self, direction: f64) -> f64 {
        select_unpredictable(direction > 0.0, self.0[0], self.0[1])
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
            .enumerate()
            .map(|(place, (contract, table))| {
                Ok(Instrument {
                    contract: *contract,
                    requirement: compile_requirement(place, table, price_fee, trigger)?,
                    cap: table.cap,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let tables: Vec<&TierTable> = instruments.iter().map(|(_, table)| table).collect();
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
            tables: Tables::new(&tables, price_fee, trigger)?,
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

fn compile_requirement(place: usize, table: &TierTable, price_fee: f64, trigger: f64) -> Result<Requirement> {
    if table.key == TierKey::Value {
        return Ok(Requirement::Marginal(place));
    }
    let tiers = table.floors.iter().zip(&table.rates).map(|(&floor, &rate)| {
        Ok(FlatTier { floor, rate, factors: Factors::of(scaled_rate(rate, price_fee, trigger)?) })
    });
    Ok(Requirement::Flat(table.key, tiers.collect::<Result<_>>()?))
}
