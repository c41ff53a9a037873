//! The requirement of one leg as a function of its value.

use crate::formulas::margin;
use crate::machine::baseline::Baseline;
use crate::machine::vector::{LANES, Vector};
use crate::rules::table::{Kind, Lookup, Table, UnitLine};
use crate::rules::tables::Tables;
use crate::rules::tiers::TierKey;

/// Margin as a convex function of the value: the largest of some lines, one line, or a parabola.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Curve<'a> {
    /// The marginal table at this place.
    Lines(&'a Tables, usize),
    /// One rate for the whole position at every price.
    Rate(f64),
    /// A rate that grows with the value: its start, its slope.
    Growing(f64, f64),
    /// Lines a unit, of this size. Only where rates do not fall is the margin convex.
    Unit(&'a [UnitLine], f64),
}

impl<'a> Curve<'a> {
    /// Curve of a position; `tables` holds the lines of marginal tables.
    pub(crate) fn new(table: &'a Table, tables: &'a Tables, lookup: &Lookup) -> Self {
        match &table.kind {
            Kind::Marginal(place) => Self::Lines(tables, *place),
            Kind::Flat(key, place) => {
                let key = if *key == TierKey::RiskLimit { lookup.risk_limit } else { lookup.quantity.abs() };
                Self::Rate(tables.found(tables.find::<Baseline>(*place, key)).rate())
            }
            Kind::Growing(growing) => match growing.by_value() {
                Some((rate, slope)) => Self::Growing(rate, slope),
                None => Self::Rate(growing.rate(lookup.size, f64::NAN)),
            },
            Kind::Unit(lines) => Self::Unit(lines, lookup.size),
        }
    }
}

impl Curve<'_> {
    /// Rate and deduction of the line that touches the curve at a value.
    pub(crate) fn touching(&self, value: f64) -> (f64, f64) {
        match *self {
            Self::Lines(tables, place) => {
                let line = tables.found(tables.find::<Baseline>(place, value));
                (line.rate(), line.deduction())
            }
            Self::Rate(rate) => (rate, 0.0),
            Self::Growing(rate, slope) => (rate + 2.0 * slope * value, slope * value * value),
            Self::Unit(lines, size) => UnitLine::touching(lines, size, value),
        }
    }

    /// Place of its lines in the tables, if it is made of them.
    pub(crate) fn place_of_lines(&self) -> Option<usize> {
        match *self {
            Self::Lines(_, place) => Some(place),
            Self::Rate(_) | Self::Growing(..) | Self::Unit(..) => None,
        }
    }

    /// Margin at a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        match *self {
            Self::Growing(rate, slope) => margin::growing_rate(rate, slope, value) * value,
            _ => {
                let (rate, deduction) = self.touching(value);
                margin::maintenance_line(value, rate, deduction)
            }
        }
    }

    /// Whether the margin is one a unit, so that a share of the position asks for that share of it.
    pub(crate) fn is_by_unit(&self) -> bool {
        matches!(self, Self::Unit(..))
    }

    /// Whether it is not made of lines alone.
    pub(crate) fn is_smooth(&self) -> bool {
        matches!(self, Self::Growing(..))
    }
}

/// Rates and deductions of the lines that touch eight curves, at these places of the tables, each at its value.
#[inline(always)]
pub(crate) fn touching_lines<V: Vector>(tables: &Tables, places: &[u32; LANES], values: V) -> [V; 2] {
    let (mut singles, mut found) = ([0.0; LANES], [0; LANES]);
    values.store_singles(&mut singles);
    tables.find_each::<V, LANES>(LANES, places, &values.array(), &singles, &mut found);
    let [rate, deduction, ..] = tables.lines(&found, places, values);
    [rate, deduction]
}

/// Initial margin as a function of the value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InitialCurve<'a> {
    /// The value over the leverage.
    Leverage(f64),
    /// A table of the instrument.
    Table(Curve<'a>),
}

impl InitialCurve<'_> {
    /// Initial margin at a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        match self {
            Self::Leverage(leverage) => margin::initial_margin(value, *leverage),
            Self::Table(curve) => curve.at(value),
        }
    }
}
