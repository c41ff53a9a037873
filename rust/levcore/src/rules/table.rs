//! One tier table of an instrument, ready for the kernel, and how rates turn into factors of the closed form.

use crate::error::{Error, Result};
use crate::formulas::liquidation;
use crate::formulas::margin;
use crate::machine::number::Number;
use crate::rules::tiers::{TierKey, TierTable};

/// `d / (1 - d r)` for both directions `d`, the gaining one first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors([f64; 2]);

impl Factors {
    pub(crate) fn of(rate: f64) -> Self {
        Self([1.0 / (1.0 - rate), -1.0 / (1.0 + rate)])
    }

    /// The gaining factor, the losing factor.
    #[inline(always)]
    pub(crate) fn both(&self) -> (f64, f64) {
        (self.0[0], self.0[1])
    }

    /// The factor of each direction.
    #[inline(always)]
    pub(crate) fn along<N: Number>(&self, direction: N) -> N {
        N::choose(direction.is_above(N::all(0.0)), N::all(self.0[0]), N::all(self.0[1]))
    }
}

/// How the rate of the line that triggers liquidation follows from a rate of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Closing fee that moves with the price.
    pub price_fee: f64,
    /// Reciprocal of the liquidation level.
    pub trigger: f64,
}

impl Scale {
    /// Of tables that trigger nothing.
    pub(crate) const NONE: Self = Self { price_fee: 0.0, trigger: 1.0 };

    /// Rate of the line that triggers liquidation.
    fn scaled(self, rate: f64) -> f64 {
        (rate + self.price_fee) * self.trigger
    }

    /// The same; one below 1, so that some price restores the position.
    pub(crate) fn rate(self, rate: f64) -> Result<f64> {
        let scaled = self.scaled(rate);
        if scaled < 1.0 {
            return Ok(scaled);
        }
        Err(Error::Domain {
            argument: "rate",
            expected: "rate plus closing fee below the liquidation level",
            found: rate,
        })
    }
}

/// A table of an instrument.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub kind: Kind,
    /// Upper bound of its key.
    pub cap: f64,
    /// Lower bounds of its tiers and the highest leverage in each, which a marginal table has in its lines too; empty where not stated.
    floors: Vec<f64>,
    max_leverage: Vec<f64>,
}

/// How a table gives the rate of a position.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Lines in the value, at this place of `Tables`.
    Marginal(usize),
    /// One rate for the whole position, by contracts or by risk limit: lines without deductions, at this place of `Tables`.
    Flat(TierKey, usize),
    /// One rate for the whole position, by its size in base currency.
    Growing(Growing<f64>),
    /// Lines in the value of one unit of size.
    Unit(Vec<UnitLine>),
}

impl Table {
    /// Compiles a table; one of lines without a size is added to those whose lines stand side by side. `losing` says that only positions that lose as
    /// the coordinate rises are looked up in it, which a rate of 1 a unit does not keep from being restored.
    pub(crate) fn new<'a>(
        table: &'a TierTable,
        inverse: bool,
        losing: bool,
        scale: Scale,
        tiered: &mut Vec<&'a TierTable>,
    ) -> Result<Self> {
        if matches!(table.key, TierKey::Value | TierKey::Contracts | TierKey::RiskLimit) {
            tiered.push(table);
        }
        let (kind, cap) = match table.key {
            TierKey::Value => (Kind::Marginal(tiered.len() - 1), table.cap),
            TierKey::Contracts | TierKey::RiskLimit => (Kind::Flat(table.key, tiered.len() - 1), table.cap),
            TierKey::Size => {
                let growing = Growing::new(table, inverse, scale)?;
                let limit = growing.limit();
                (Kind::Growing(growing), if limit < table.cap { limit } else { table.cap })
            }
            TierKey::UnitValue => (Kind::Unit(unit_lines(table, losing, scale)?), table.cap),
        };
        let floors = if table.max_leverage.is_empty() { Vec::new() } else { table.floors.clone() };
        Ok(Self { kind, cap, floors, max_leverage: table.max_leverage.clone() })
    }

    /// A table without numbers; `place` is that of none in the tables.
    pub(crate) fn of_none(place: usize) -> Self {
        Self { kind: Kind::Marginal(place), cap: f64::INFINITY, floors: Vec::new(), max_leverage: Vec::new() }
    }

    /// Highest leverage in the tier of a position, infinite where none is stated; of a marginal table its line says so.
    pub(crate) fn highest_leverage(&self, lookup: &Lookup, value: f64) -> f64 {
        let key = match &self.kind {
            Kind::Marginal(_) => return f64::INFINITY,
            Kind::Flat(TierKey::RiskLimit, _) => lookup.risk_limit,
            Kind::Flat(..) => lookup.quantity.abs(),
            Kind::Growing(growing) => growing.base(lookup.size, value),
            Kind::Unit(_) => value / lookup.size,
        };
        // Floors begin with zero.
        let tier = self.floors.partition_point(|&floor| key > floor);
        self.max_leverage.get(tier.saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
    }

    /// A leverage and a leverage times value up to which, the second not included, no position exceeds the maximum of its tier.
    pub(crate) fn harmless_leverage(&self) -> (f64, f64) {
        let first = self.max_leverage.first().copied().unwrap_or(f64::INFINITY);
        if self.max_leverage.len() <= 1 {
            return (first, f64::INFINITY);
        }
        // Above a floor and above that tier's maximum, the product is above theirs.
        let products = self.max_leverage.iter().zip(&self.floors).skip(1).map(|(leverage, floor)| leverage * floor);
        let by_value = matches!(self.kind, Kind::Marginal(_));
        (first, if by_value { products.fold(f64::INFINITY, f64::min) } else { f64::NEG_INFINITY })
    }

    /// Upper bound of the value of a position, if the table is keyed by value; else infinite.
    pub(crate) fn cap_of_value(&self) -> f64 {
        match &self.kind {
            Kind::Marginal(_) => self.cap,
            Kind::Growing(growing) if growing.by_value => self.cap,
            Kind::Flat(..) | Kind::Growing(_) | Kind::Unit(_) => f64::INFINITY,
        }
    }

    /// Whether no line in the value alone gives the requirement: it needs contracts, risk limit or size, too.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.kind, Kind::Marginal(_))
    }

    /// What its rate grows with, if it grows.
    pub(crate) fn growing(&self) -> Option<&Growing<f64>> {
        match &self.kind {
            Kind::Growing(growing) => Some(growing),
            Kind::Marginal(_) | Kind::Flat(..) | Kind::Unit(_) => None,
        }
    }

    /// Lines a unit of size, if it is made of them.
    pub(crate) fn units(&self) -> Option<&[UnitLine]> {
        match &self.kind {
            Kind::Unit(lines) => Some(lines),
            Kind::Marginal(_) | Kind::Flat(..) | Kind::Growing(_) => None,
        }
    }

    /// Whether the margin is no convex function of the value: a rate a unit falls.
    pub(crate) fn falls(&self) -> bool {
        matches!(&self.kind, Kind::Unit(lines) if !lines.is_sorted_by(|below, above| below.rate <= above.rate))
    }

    /// Place of its lines; of rows whose requirement no line gives, any place does.
    pub(crate) fn place(&self) -> u32 {
        match self.kind {
            Kind::Marginal(place) | Kind::Flat(_, place) => place as u32,
            Kind::Growing(_) | Kind::Unit(_) => 0,
        }
    }
}

/// What a table is looked up by, besides the value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    pub quantity: f64,
    pub risk_limit: f64,
    /// Size in the coordinate's units.
    pub size: f64,
}

/// A line a unit of size with everything that does not depend on the position: each amount is multiplied by the size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnitLine {
    floor: f64,
    gaining: f64,
    losing: f64,
    pub rate: f64,
    deduction: f64,
    trigger_deduction: f64,
    pub factors: Factors,
}

fn unit_lines(table: &TierTable, losing: bool, scale: Scale) -> Result<Vec<UnitLine>> {
    let lines = table.floors.iter().zip(&table.rates).zip(&table.deductions);
    lines
        .map(|((&floor, &rate), &deduction)| {
            let scaled = if losing { scale.scaled(rate) } else { scale.rate(rate)? };
            let trigger_deduction = deduction * scale.trigger;
            Ok(UnitLine {
                floor,
                gaining: floor * (1.0 - scaled) + trigger_deduction,
                losing: floor * (1.0 + scaled) - trigger_deduction,
                rate,
                deduction,
                trigger_deduction,
                factors: Factors::of(scaled),
            })
        })
        .collect()
}

impl UnitLine {
    /// Rate and deduction of the line that holds for a position of this size at a value.
    pub(crate) fn touching(lines: &[Self], size: f64, value: f64) -> (f64, f64) {
        let chosen = Self::last(lines, |line| value > line.floor * size);
        (chosen.rate, chosen.deduction * size)
    }

    /// Deduction and factor of the line that triggers liquidation.
    pub(crate) fn triggering(lines: &[Self], needed: f64, direction: f64, size: f64) -> (f64, f64) {
        let chosen = Self::last(lines, |line| {
            direction * needed > (if direction > 0.0 { line.gaining } else { line.losing }) * size
        });
        (chosen.trigger_deduction * size, chosen.factors.along(direction))
    }

    /// The last line that applies; the first where no other does.
    fn last(lines: &[Self], applies: impl Fn(&Self) -> bool) -> &Self {
        lines[1..].iter().rev().find(|line| applies(line)).unwrap_or(&lines[0])
    }
}

/// Rates that grow with the size of positions in base currency: the value of an inverse position, else its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growing<N: Number> {
    pub by_value: N::Mask,
    pub rate: N,
    pub slope: N,
    pub scaled_rate: N,
    pub scaled_slope: N,
}

impl Growing<f64> {
    fn new(table: &TierTable, inverse: bool, scale: Scale) -> Result<Self> {
        let (rate, slope) = (table.rates[0], table.slope);
        let (scaled_rate, scaled_slope) = (scale.rate(rate)?, slope * scale.trigger);
        Ok(Self { by_value: inverse, rate, slope, scaled_rate, scaled_slope })
    }

    /// Size at which the rate that triggers liquidation reaches 1: beyond it no price restores a position.
    fn limit(&self) -> f64 {
        (1.0 - self.scaled_rate) / self.scaled_slope
    }

    /// Rate and slope, if it is the value that the rate grows with.
    pub(crate) fn by_value(&self) -> Option<(f64, f64)> {
        self.by_value.then_some((self.rate, self.slope))
    }
}

impl<N: Number> Growing<N> {
    /// Size in base currency.
    #[inline(always)]
    pub(crate) fn base(&self, size: N, value: N) -> N {
        N::choose(self.by_value, value, size)
    }

    /// Rate of a position.
    #[inline(always)]
    pub(crate) fn rate(&self, size: N, value: N) -> N {
        margin::growing_rate(self.rate, self.slope, self.base(size, value))
    }

    /// Value at which the surplus of a position is zero: along the price, the rate of an inverse one moves with its value.
    #[inline(always)]
    pub(crate) fn value_at_zero(&self, needed: N, direction: N, size: N) -> N {
        let moving = liquidation::value_at_zero_of_growing(needed, direction, self.scaled_rate, self.scaled_slope);
        let rate = margin::growing_rate(self.scaled_rate, self.scaled_slope, size);
        let still = liquidation::value_at_zero(needed, N::all(0.0), direction / (N::all(1.0) - direction * rate));
        N::choose(self.by_value, moving, still)
    }

    /// Value beyond which the rate outgrows a position that gains with its value; NaN for others.
    #[inline(always)]
    pub(crate) fn far_value_at_zero(&self, needed: N, direction: N) -> N {
        let far = liquidation::far_value_at_zero_of_growing(needed, self.scaled_rate, self.scaled_slope);
        N::choose(self.by_value & !direction.is_below(N::all(0.0)), far, N::nan())
    }
}
