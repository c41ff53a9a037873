//! A tile: some rows side by side, small enough for the first-level cache.
//!
//! Every loop over a tile has the same constant length, so the compiler turns it into full vectors of whatever width the instruction set
//! has, without a remainder. Unused slots repeat the first row and are not stored.

use crate::book::blocks::{Block, Rows};
use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::codes::measures::ByMeasure;
use crate::machine::compare::ROWS;
use crate::machine::shared::SharedSlice;

/// One value a row of the tile.
pub(crate) type Column = [f64; ROWS];

/// Copies the first rows of a tile. A whole tile is of constant length: moves of vectors instead of a call.
#[inline(always)]
pub(crate) fn copy_rows<T: Copy>(from: &[T], into: &mut [T]) {
    if let (Some(from), Some(into)) = (from.first_chunk::<ROWS>(), into.first_chunk_mut::<ROWS>()) {
        *into = *from;
    } else {
        let len = from.len().min(into.len());
        into[..len].copy_from_slice(&from[..len]);
    }
}

/// Where the rows of a tile are in the caller's columns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// So many rows from this one on.
    Consecutive(usize, usize),
    /// These rows.
    Scattered(&'a [u32]),
}

impl Place<'_> {
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Consecutive(_, len) => *len,
            Self::Scattered(rows) => rows.len(),
        }
    }

    /// Row of the caller in this slot.
    #[inline(always)]
    pub(crate) fn row(&self, slot: usize) -> usize {
        match self {
            Self::Consecutive(first, _) => first + slot,
            Self::Scattered(rows) => rows[slot] as usize,
        }
    }

    /// Reads a column of the caller into a tile.
    #[inline(always)]
    pub(crate) fn load<T: Copy>(&self, column: &[T], into: &mut [T; ROWS]) {
        match self {
            Self::Consecutive(first, ROWS) => {
                // A constant length: moves of vectors instead of a call.
                for (slot, &value) in into.iter_mut().zip(&column[*first..first + ROWS]) {
                    *slot = value;
                }
                return;
            }
            Self::Consecutive(first, len) => into[..*len].copy_from_slice(&column[*first..first + len]),
            Self::Scattered(rows) => {
                for (slot, &row) in into.iter_mut().zip(*rows) {
                    *slot = column[row as usize];
                }
            }
        }
        let first = into[0];
        into[self.len()..].fill(first);
    }

    /// Writes a tile of results to a column of the caller, past the cache if `stream` says that the columns are larger than it.
    #[inline(always)]
    pub(crate) fn store_results(&self, values: &Column, column: &SharedSlice<'_, f64>, stream: bool) {
        let streamed = match self {
            Self::Consecutive(first, ROWS) if stream => column.write_streaming(*first, values),
            _ => false,
        };
        if !streamed {
            self.store(values, column);
        }
    }

    /// Writes a tile to a column of the caller.
    #[inline(always)]
    pub(crate) fn store<T: Copy>(&self, values: &[T; ROWS], column: &SharedSlice<'_, T>) {
        match self {
            Self::Consecutive(first, ROWS) => column.write_consecutive(*first, values),
            Self::Consecutive(first, len) => column.write_consecutive(*first, &values[..*len]),
            Self::Scattered(rows) => column.write_scattered(rows, &values[..rows.len()]),
        }
    }
}

/// Inputs, intermediate values and results of the rows of a tile.
#[repr(align(64))]
pub(crate) struct Tile {
    pub quantity: Column,
    pub entry_price: Column,
    pub isolated_margin: Column,
    pub leverage: Column,
    pub funding: Column,
    pub risk_limit: Column,
    pub instrument: [u32; ROWS],
    /// Account of each row as a place in its block.
    pub account: [u32; ROWS],
    /// The instrument that all rows share, if they do.
    pub shared_instrument: Option<u32>,
    /// Place of each row's marginal table.
    pub table: [u32; ROWS],
    /// Whether all rows have the same one.
    pub one_table: bool,
    /// Constants of each row's instrument at its mark.
    pub contract_size: Column,
    pub multiplier: Column,
    pub long_direction: Column,
    pub coordinate: Column,
    pub mark: Column,
    pub reciprocal_mark: Column,
    /// Upper bound of the last tier of a table keyed by value.
    pub cap: Column,
    /// Size in the coordinate's units.
    pub size: Column,
    pub direction: Column,
    pub value: Column,
    pub entry_value: Column,
    /// Margin plus accrued funding of an isolated position.
    pub cash: Column,
    /// Closing fee fixed in advance.
    pub fixed_fee: Column,
    /// The maintenance margin without any fee.
    pub maintenance: Column,
    pub requirement: Column,
    /// What the position must be worth, before deductions and factors: `-A` of the closed form.
    pub needed: Column,
    pub liquidation_value: Column,
    pub bankruptcy_value: Column,
    /// Prices on the two sides of short inverse positions whose rate grows: NaN below for all others; of meaning where `any_far`.
    pub far_price: Column,
    pub own_price: Column,
    pub any_far: bool,
    /// Results in the order of the measures.
    pub results: ByMeasure<Column>,
    pub state: [u64; ROWS],
    pub status: [u64; ROWS],
}

impl Tile {
    pub(crate) fn new() -> Self {
        let zero = [0.0; ROWS];
        Self {
            quantity: zero,
            entry_price: zero,
            isolated_margin: [f64::NAN; ROWS],
            leverage: [f64::NAN; ROWS],
            funding: zero,
            risk_limit: [f64::NAN; ROWS],
            instrument: [0; ROWS],
            account: [0; ROWS],
            shared_instrument: None,
            table: [0; ROWS],
            one_table: false,
            contract_size: [1.0; ROWS],
            multiplier: [1.0; ROWS],
            long_direction: [1.0; ROWS],
            coordinate: zero,
            mark: zero,
            reciprocal_mark: zero,
            cap: zero,
            size: zero,
            direction: zero,
            value: zero,
            entry_value: zero,
            cash: zero,
            fixed_fee: zero,
            maintenance: zero,
            requirement: zero,
            needed: zero,
            liquidation_value: zero,
            bankruptcy_value: zero,
            far_price: zero,
            own_price: zero,
            any_far: false,
            results: ByMeasure::from_fn(|_| zero),
            state: [0; ROWS],
            status: [0; ROWS],
        }
    }

    /// Takes back what an earlier book left in columns that this one does not fill.
    #[inline(always)]
    pub(crate) fn forget(&mut self, book: &Book<'_>, plain_contracts: bool) {
        self.shared_instrument = None;
        if book.leverage.is_none() {
            self.leverage = [f64::NAN; ROWS];
        }
        if book.accrued_funding.is_none() {
            self.funding = [0.0; ROWS];
        }
        if book.risk_limit.is_none() {
            self.risk_limit = [f64::NAN; ROWS];
        }
        self.fixed_fee = [0.0; ROWS];
        if plain_contracts {
            self.contract_size = [1.0; ROWS];
            self.multiplier = [1.0; ROWS];
            self.long_direction = [1.0; ROWS];
        }
    }
}

/// The tiles of a block: first leg inside of the block, place in the caller's columns.
pub(crate) struct Tiles<'a> {
    rows: &'a Rows,
    listed: &'a [u32],
    instrument: &'a [u32],
    inside: usize,
}

/// Rows of one instrument from which on a tile of their own is worth its unused slots.
const LONG_RUN: usize = 24;

impl<'a> Tiles<'a> {
    #[inline(always)]
    pub(crate) fn of(layout: &'a Layout, instrument: &'a [u32], block: &'a Block) -> Self {
        Self { rows: &block.rows, listed: &layout.listed, instrument, inside: 0 }
    }
}

impl<'a> Iterator for Tiles<'a> {
    type Item = (usize, Place<'a>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let inside = self.inside;
        let left = (self.rows.len() - inside).min(ROWS);
        if left == 0 {
            return None;
        }
        let place = match self.rows {
            Rows::Listed(range) => Place::Scattered(&self.listed[range.start + inside..range.start + inside + left]),
            Rows::Range(range) => {
                let first = range.start + inside;
                // Tiles end at multiples of their length, so that whole ones start on a cache line.
                let left = left.min(ROWS - first % ROWS);
                Place::Consecutive(first, long_run(&self.instrument[first..first + left]))
            }
        };
        self.inside += place.len();
        Some((inside, place))
    }
}

/// Rows that a tile takes of these: a long run of one instrument alone, else all of them.
#[inline(always)]
fn long_run(instrument: &[u32]) -> usize {
    let last = instrument.len() - 1;
    if instrument[0] == instrument[last] || last < LONG_RUN || instrument[0] != instrument[LONG_RUN] {
        return last + 1;
    }
    let mut run = LONG_RUN;
    while instrument[run] == instrument[0] {
        run += 1;
    }
    run
}
