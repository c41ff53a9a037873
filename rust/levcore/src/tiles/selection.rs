//! What selects the tier of a row where it is not a value alone: contracts, a risk limit, or a rate that grows without tiers.

use crate::machine::vector::{LANES, Vector, rows_at};
use crate::rules::table::{Growing, Kind, Table};
use crate::rules::tiers::TierKey;
use crate::tiles::tile::Tile;

const BY_VALUE: f64 = 0.0;
const BY_CONTRACTS: f64 = 1.0;
const BY_RISK_LIMIT: f64 = 2.0;
const BY_VALUE_OF_A_UNIT: f64 = 3.0;
const GROWING_WITH_SIZE: f64 = 4.0;
const GROWING_WITH_VALUE: f64 = 5.0;

/// What the tables of a book's entries are looked up by; empty if that is the value for all of them.
#[derive(Debug)]
pub(crate) struct Selections {
    /// What selects the tier (one of the codes above), and its upper bound.
    keys: Vec<[f64; 2]>,
    /// Rate, slope, scaled rate and scaled slope of rates that grow.
    growing: Vec<[f64; 4]>,
    selected: Selected,
}

/// What any of some tables is looked up by besides a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    /// Whether any is looked up by something else than a value alone.
    pub any: bool,
    /// Whether any rate grows, so that no line gives it.
    pub growing: bool,
    /// Whether any rate grows with the value, so that it moves with the price.
    pub growing_with_value: bool,
    /// Whether any table is in lines a unit of size.
    pub by_unit: bool,
}

impl Selected {
    /// All of them by their value.
    pub(crate) const BY_VALUE: Self = Self { any: false, growing: false, growing_with_value: false, by_unit: false };
}

/// The same of the rows of a tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<V: Vector> {
    by: V,
    cap: V,
    growing: Growing<V>,
    is_growing: V::Mask,
}

impl Selections {
    /// Of entries with these tables; one without any is looked up by its value.
    pub(crate) fn of<'t>(tables: impl Iterator<Item = Option<&'t Table>> + Clone) -> Self {
        let growing = || tables.clone().flatten().filter_map(Table::growing);
        let any = tables.clone().flatten().any(Table::is_whole);
        Self {
            selected: Selected {
                any,
                growing: growing().count() > 0,
                growing_with_value: growing().any(|growing| growing.by_value().is_some()),
                by_unit: tables.clone().flatten().any(|table| table.units().is_some()),
            },
            keys: if any { tables.clone().map(key_of).collect() } else { Vec::new() },
            growing: if any { tables.map(growing_of).collect() } else { Vec::new() },
        }
    }

    /// What any of the tables is looked up by.
    pub(crate) fn selected(&self) -> Selected {
        self.selected
    }

    /// Whether the table of an entry is looked up by a value alone.
    #[inline(always)]
    pub(crate) fn is_by_value(&self, entry: u32) -> bool {
        self.keys.get(entry as usize).is_none_or(|&[by, _]| by == BY_VALUE)
    }

    /// Of rows by their entries.
    #[inline(always)]
    pub(crate) fn of_rows<V: Vector>(&self, entries: &[u32; LANES]) -> Selection<V> {
        let [by, cap] = V::columns_of_pairs(rows_at(&self.keys, entries));
        let [rate, slope, scaled_rate, scaled_slope] = V::columns_of_fours(rows_at(&self.growing, entries));
        let by_value = by.equals(V::all(GROWING_WITH_VALUE));
        Selection {
            by,
            cap,
            growing: Growing { by_value, rate, slope, scaled_rate, scaled_slope },
            is_growing: by.is_at_least(V::all(GROWING_WITH_SIZE)),
        }
    }
}

impl<V: Vector> Selection<V> {
    /// What rows are looked up by: the given number, unless the contracts or the risk limit select the tier.
    #[inline(always)]
    pub(crate) fn number(&self, tile: &Tile<V>, number: V) -> V {
        let number = V::choose(self.by.equals(V::all(BY_CONTRACTS)), tile.quantity.abs(), number);
        V::choose(self.by.equals(V::all(BY_RISK_LIMIT)), tile.risk_limit, number)
    }

    /// The margin on a value: that of a line, unless the rate grows.
    #[inline(always)]
    pub(crate) fn margin(&self, tile: &Tile<V>, value: V, by_line: V) -> V {
        V::choose(self.is_growing, self.growing.rate(tile.size, value) * value, by_line)
    }

    /// The value at which there is no surplus: that of a line, unless the rate grows.
    #[inline(always)]
    pub(crate) fn value_at_zero(&self, tile: &Tile<V>, by_line: V) -> V {
        V::choose(self.is_growing, self.growing.value_at_zero(tile.needed, tile.direction, tile.size), by_line)
    }

    /// The value beyond which a rate that grows outgrows the profit of a position; NaN where there is none.
    #[inline(always)]
    pub(crate) fn far_value_at_zero(&self, tile: &Tile<V>) -> V {
        self.growing.far_value_at_zero(tile.needed, tile.direction)
    }

    /// Whether rows may be looked up at all, and lie below the upper bound of their table.
    #[inline(always)]
    pub(crate) fn reaches(&self, tile: &Tile<V>) -> V::Mask {
        let number = self.number(tile, V::choose(self.by.equals(V::all(GROWING_WITH_SIZE)), tile.size, tile.value));
        let by_risk_limit = self.by.equals(V::all(BY_RISK_LIMIT));
        let zero = V::all(0.0);
        let is_limit = number.is_above(zero) & number.is_below(V::all(f64::INFINITY));
        self.cap.is_at_least(number) & (is_limit | !by_risk_limit)
    }
}

fn key_of(table: Option<&Table>) -> [f64; 2] {
    let Some(table) = table else { return [BY_VALUE, f64::INFINITY] };
    let by = match &table.kind {
        Kind::Marginal(_) => BY_VALUE,
        Kind::Flat(TierKey::RiskLimit, _) => BY_RISK_LIMIT,
        Kind::Flat(..) => BY_CONTRACTS,
        Kind::Growing(growing) if growing.by_value => GROWING_WITH_VALUE,
        Kind::Growing(_) => GROWING_WITH_SIZE,
        Kind::Unit(_) => return [BY_VALUE_OF_A_UNIT, f64::INFINITY],
    };
    [by, table.cap]
}

fn growing_of(table: Option<&Table>) -> [f64; 4] {
    match table.and_then(Table::growing) {
        Some(growing) => [growing.rate, growing.slope, growing.scaled_rate, growing.scaled_slope],
        None => [0.0; 4],
    }
}
