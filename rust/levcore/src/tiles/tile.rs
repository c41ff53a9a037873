//! Tiles: eight rows side by side, and which rows of a block they hold.

use std::ops::Range;

use crate::book::blocks::{Block, Rows};
use crate::book::layout::Layout;
use crate::codes::measures::ByMeasure;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::{LANES, Vector, prefetch};
use crate::rules::tables::ROWS;

/// How many rows before they are needed columns are asked for.
const AHEAD: usize = 256;

/// Where rows are in the caller's columns. Passed by value: what is pointed to does not stand in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// So many rows from this one on.
    Consecutive(usize, usize),
    /// These rows.
    Scattered(&'a [u32]),
}

impl<'a> Place<'a> {
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Consecutive(_, len) => len,
            Self::Scattered(rows) => rows.len(),
        }
    }

    /// Row of the caller in this slot.
    #[inline(always)]
    pub(crate) fn row(self, slot: usize) -> usize {
        match self {
            Self::Consecutive(first, _) => first + slot,
            Self::Scattered(rows) => rows[slot] as usize,
        }
    }

    /// The tile that starts at this slot. Tiles end at multiples of their length, so that whole ones start on a cache line.
    #[inline(always)]
    pub(crate) fn tile(self, slot: usize) -> Self {
        match self {
            Self::Consecutive(first, len) => {
                let row = first + slot;
                Self::Consecutive(row, (LANES - row % LANES).min(len - slot))
            }
            Self::Scattered(rows) => Self::Scattered(&rows[slot..rows.len().min(slot + LANES)]),
        }
    }

    /// Reads a column of the caller.
    #[inline(always)]
    pub(crate) fn load<V: Vector>(self, column: &[f64]) -> V {
        match self {
            Self::Consecutive(first, LANES) => V::load(whole_tile(column, first)),
            _ => V::load(&self.collect(column)),
        }
    }

    /// Reads a column of codes.
    #[inline(always)]
    pub(crate) fn load_codes(self, column: &[u32]) -> [u32; LANES] {
        match self {
            Self::Consecutive(first, LANES) => *whole_tile(column, first),
            _ => self.collect(column),
        }
    }

    /// The same of rows that lie apart, or of fewer than a tile holds: unused slots repeat the first row and are not stored.
    #[inline(always)]
    fn collect<T: Copy>(self, column: &[T]) -> [T; LANES] {
        match self {
            Self::Consecutive(first, len) => collect_few(&column[first..], len),
            Self::Scattered(rows) => collect_rows(rows, column),
        }
    }

    /// The first row of a whole tile of rows that follow each other.
    #[inline(always)]
    pub(crate) fn whole(self) -> Option<usize> {
        match self {
            Self::Consecutive(first, LANES) => Some(first),
            _ => None,
        }
    }

    /// Writes results of rows that are no [whole](Place::whole) tile to a column of the caller.
    #[inline(always)]
    pub(crate) fn store_apart<V: Vector>(self, results: V, column: &SharedSlice<'_, f64>) {
        match self {
            Self::Consecutive(first, len) => store_few(first, &results.array(), len, column),
            Self::Scattered(rows) => store_rows(rows, &results.array(), column),
        }
    }

    /// Writes a tile of codes to a column of the caller.
    #[inline(always)]
    pub(crate) fn store_codes(self, codes: &[u8; LANES], column: &SharedSlice<'_, u8>) {
        match self {
            Self::Consecutive(first, LANES) => column.write_consecutive(first, codes),
            Self::Consecutive(first, len) => store_few(first, codes, len, column),
            Self::Scattered(rows) => store_rows(rows, codes, column),
        }
    }
}

// What follows takes numbers and slices, not places: a place that is passed on stands in memory, and reading it back waits for all that
// was written before it.

/// A whole tile of a column.
#[inline(always)]
fn whole_tile<T>(column: &[T], first: usize) -> &[T; LANES] {
    // Everything between two reads of a column takes longer than the processor looks ahead.
    prefetch(column.as_ptr(), first + AHEAD);
    let Some(tile) = column[first..].first_chunk() else { unreachable!("rows of a place lie within their columns") };
    tile
}

/// The first ones of a column, fewer than a tile holds.
#[cold]
#[inline(never)]
fn collect_few<T: Copy>(column: &[T], len: usize) -> [T; LANES] {
    let mut collected = [column[0]; LANES];
    collected[..len].copy_from_slice(&column[..len]);
    collected
}

/// Rows of a column that lie apart.
#[inline(never)]
fn collect_rows<T: Copy>(rows: &[u32], column: &[T]) -> [T; LANES] {
    let mut collected = [column[rows[0] as usize]; LANES];
    for (into, &row) in collected.iter_mut().zip(rows) {
        *into = column[row as usize];
    }
    collected
}

/// Writes fewer rows than a tile holds.
#[cold]
#[inline(never)]
fn store_few<T: Copy>(first: usize, values: &[T; LANES], len: usize, column: &SharedSlice<'_, T>) {
    column.write_consecutive(first, &values[..len]);
}

/// Writes rows that lie apart.
#[inline(never)]
fn store_rows<T: Copy>(rows: &[u32], values: &[T; LANES], column: &SharedSlice<'_, T>) {
    column.write_scattered(rows, values);
}

/// The rows of a tile.
#[derive(Clone)]
pub(crate) struct TileRows<'a> {
    pub place: Place<'a>,
    /// First leg inside of the block.
    pub inside: usize,
    /// Their instruments, and the entries of their constants.
    pub instrument: [u32; LANES],
    pub entries: [u32; LANES],
}

/// Inputs, intermediate values and results of eight rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tile<V> {
    pub quantity: V,
    pub entry_price: V,
    pub isolated_margin: V,
    pub leverage: V,
    pub funding: V,
    pub risk_limit: V,
    /// Size in the coordinate's units.
    pub size: V,
    pub direction: V,
    pub value: V,
    pub entry_value: V,
    /// Margin plus accrued funding of an isolated position.
    pub cash: V,
    /// Closing fee fixed in advance.
    pub fixed_fee: V,
    /// Value that the initial margin is taken on.
    pub opened_on: V,
    /// Value that the maintenance margin is taken on.
    pub required_on: V,
    /// The maintenance margin without any fee.
    pub maintenance: V,
    pub requirement: V,
    /// What the position must be worth, before deductions and factors: `-A` of the closed form.
    pub needed: V,
    pub liquidation_value: V,
    pub bankruptcy_value: V,
    /// Results in the order of the measures.
    pub results: ByMeasure<V>,
    /// Codes of state and status, as numbers.
    pub state: V,
    pub status: V,
}

impl<V: Vector> Tile<V> {
    /// A tile of which nothing is known yet.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let (zero, missing) = (V::all(0.0), V::nan());
        Self {
            quantity: zero,
            entry_price: zero,
            isolated_margin: missing,
            leverage: missing,
            funding: zero,
            risk_limit: missing,
            size: zero,
            direction: zero,
            value: zero,
            entry_value: zero,
            cash: zero,
            fixed_fee: zero,
            opened_on: zero,
            required_on: zero,
            maintenance: zero,
            requirement: zero,
            needed: zero,
            liquidation_value: zero,
            bankruptcy_value: zero,
            results: ByMeasure::all(zero),
            state: zero,
            status: zero,
        }
    }
}

/// A run of rows of a block: consecutive ones that share an instrument, or some that need not.
pub(crate) struct Run<'a> {
    /// Its first leg inside of the block.
    pub inside: usize,
    pub place: Place<'a>,
    /// The instrument that all rows share, if they are known to; else there are at most [`ROWS`] rows.
    pub instrument: Option<u32>,
}

/// The runs of a block.
pub(crate) struct Runs<'a> {
    rows: Rows,
    listed: &'a [u32],
    instrument: &'a [u32],
    /// Whether rows of one instrument share their tables.
    shares_tables: bool,
    /// Those that are left, from the first row of the block.
    left: Range<usize>,
}

/// Rows of one instrument from which on its table is better kept at hand than looked up in row by row.
const LONG_RUN: usize = 8;

impl<'a> Runs<'a> {
    #[inline(always)]
    pub(crate) fn of(layout: &'a Layout, instrument: &'a [u32], shares_tables: bool, block: &'a Block) -> Self {
        let left = 0..block.rows.len();
        Self { rows: block.rows.clone(), listed: &layout.listed, instrument, shares_tables, left }
    }

    /// The runs before the first whole tile of consecutive rows, those of whole tiles, and those after them. Rows that lie apart have none.
    pub(crate) fn cut_at_tiles(self) -> [Self; 3] {
        let Range { start, end } = self.left;
        let (first, last) = match &self.rows {
            Rows::Range(rows) => {
                let first = start + (rows.start + start).wrapping_neg() % LANES;
                (first, first + end.saturating_sub(first) / LANES * LANES)
            }
            Rows::Listed(_) => (end, end),
        };
        [start..first.min(end), first.min(end)..last.min(end), last.min(end)..end].map(|left| Self {
            left,
            rows: self.rows.clone(),
            ..self
        })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Runs of these rows; those that follow each other are read side by side.
    pub(crate) fn of_rows(rows: &'a [u32], instrument: &'a [u32]) -> Self {
        let consecutive = rows.iter().zip(rows.first().copied().unwrap_or(0)..).all(|(&row, expected)| row == expected);
        let left = 0..rows.len();
        let rows_of = match rows.first() {
            Some(&first) if consecutive => Rows::Range(first as usize..first as usize + rows.len()),
            _ => Rows::Listed(0..rows.len()),
        };
        Self { rows: rows_of, listed: rows, instrument, shares_tables: false, left }
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Run<'a>> {
        let Range { start: inside, end } = self.left;
        if inside == end {
            return None;
        }
        let (place, instrument) = match &self.rows {
            Rows::Listed(range) => {
                let (first, last) = (range.start + inside, range.start + end);
                (Place::Scattered(&self.listed[first..last.min(first + ROWS)]), None)
            }
            Rows::Range(range) => {
                let (first, last) = (range.start + inside, range.start + end);
                let (len, shared) = cut(&self.instrument[first..last], first % LANES, self.shares_tables);
                (Place::Consecutive(first, len), shared.then(|| self.instrument[first]))
            }
        };
        self.left.start += place.len();
        Some(Run { inside, place, instrument })
    }
}

/// Rows of the next run of these, and whether they share an instrument; `offset` is the place of the first one in its tile.
#[inline(always)]
fn cut(instrument: &[u32], offset: usize, shares_tables: bool) -> (usize, bool) {
    let mut len = LANES - offset;
    if shares_tables && has_long_run(instrument) {
        while let Some(tile) = instrument[len.min(instrument.len())..].first_chunk::<LANES>()
            && are_all(tile, instrument[0])
        {
            len += LANES;
        }
        // What is left after the last whole tile of the instrument stands in a tile with others, unless there are none.
        let rest = &instrument[len.min(instrument.len())..];
        let ends = rest.len() < LANES && rest.iter().all(|&code| code == instrument[0]);
        return (if ends { instrument.len() } else { len }, true);
    }
    while len + LANES <= ROWS && len < instrument.len() {
        if shares_tables && has_long_run(&instrument[len..]) {
            break;
        }
        len += LANES;
    }
    (len.min(instrument.len()), false)
}

/// Whether these rows begin with a long run of one instrument.
#[inline(always)]
fn has_long_run(instrument: &[u32]) -> bool {
    let Some(run) = instrument.first_chunk::<LONG_RUN>() else { return false };
    run[LONG_RUN - 1] == run[0] && run[LONG_RUN / 2] == run[0] && are_all(run, run[0])
}

#[inline(always)]
fn are_all<const COUNT: usize>(codes: &[u32; COUNT], code: u32) -> bool {
    let mut differing = 0;
    for other in codes {
        differing |= other ^ code;
    }
    differing == 0
}
