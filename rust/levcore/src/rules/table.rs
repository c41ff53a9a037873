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

    /// Rate of the line that triggers liquidation; one below 1, so that some price restores the position.
    pub(crate) fn rate(self, rate: f64) -> Result<f64> {
        let scaled = (rate + self.price_fee) * self.trigger;
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
}

impl Table {
    /// Compiles a table; one with tiers is added to those whose lines stand side by side.
    pub(crate) fn new<'a>(
        table: &'a TierTable,
        inverse: bool,
        scale: Scale,
        tiered: &mut Vec<&'a TierTable>,
    ) -> Result<Self> {
        if table.key != TierKey::Size {
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
        };
        Ok(Self { kind, cap })
    }

    /// Upper bound of the value of a position, if the table is keyed by value; else infinite.
    pub(crate) fn cap_of_value(&self) -> f64 {
        match &self.kind {
            Kind::Marginal(_) => self.cap,
            Kind::Growing(growing) if growing.by_value => self.cap,
            Kind::Flat(..) | Kind::Growing(_) => f64::INFINITY,
        }
    }

    /// Whether it is looked up by something else than a value alone.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self.kind, Kind::Marginal(_))
    }

    /// What its rate grows with, if it grows.
    pub(crate) fn growing(&self) -> Option<&Growing<f64>> {
        match &self.kind {
            Kind::Growing(growing) => Some(growing),
            Kind::Marginal(_) | Kind::Flat(..) => None,
        }
    }

    /// Place of its lines; of rows whose requirement no line gives, any place does.
    pub(crate) fn place(&self) -> u32 {
        match self.kind {
            Kind::Marginal(place) | Kind::Flat(_, place) => place as u32,
            Kind::Growing(_) => 0,
        }
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
