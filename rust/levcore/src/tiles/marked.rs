//! The instruments of a book at their marks, and their constants spread over the rows of a tile.

use crate::codes::status::Status;
use crate::machine::compare::{Compare, ROWS};
use crate::rules::policy::{Instrument, Policy};
use crate::rules::table::{self, Table};
use crate::rules::tables::{Key, Tables};
use crate::tiles::tile::Tile;

/// An instrument of the book under the policy, at its mark.
pub(crate) struct MarkedInstrument<'a> {
    pub instrument: &'a Instrument,
    /// Why no row of this instrument can be evaluated, if so.
    pub failure: Option<Status>,
    pub mark: f64,
    pub coordinate: f64,
    pub reciprocal_mark: f64,
}

impl<'a> MarkedInstrument<'a> {
    pub(crate) fn new(instrument: Option<&'a Instrument>, mark: f64, stand_in: &'a Instrument) -> Self {
        let failure = if instrument.is_none() {
            Some(Status::UnknownInstrument)
        } else if mark.is_nan() {
            Some(Status::MissingMarkPrice)
        } else if !(mark > 0.0 && mark < f64::INFINITY) {
            Some(Status::InvalidMarkPrice)
        } else {
            None
        };
        let instrument = instrument.unwrap_or(stand_in);
        // NaN sends every row of an instrument without a valid mark to the classification.
        let mark = if failure.is_none() { mark } else { f64::NAN };
        Self {
            instrument,
            failure,
            mark,
            coordinate: instrument.contract.coordinate(mark),
            reciprocal_mark: 1.0 / mark,
        }
    }
}

/// Which of an instrument's tables rows are looked up in, by the instrument's code.
#[derive(Default)]
struct Lookup {
    /// Upper bound of the last tier of a table keyed by value, else infinite.
    cap: Vec<f64>,
    /// Place of a marginal table.
    table: Vec<u32>,
}

/// What almost every row needs of its instrument, in half a cache line: one look-up for all of it.
struct Constants {
    coordinate: f64,
    reciprocal_mark: f64,
    /// Of long positions.
    cap: f64,
    table: u32,
}

impl Lookup {
    /// Of instruments without such a table: no bound, and the place where there are no numbers.
    fn of<'t>(tables: impl Iterator<Item = Option<&'t Table>> + Clone, none: usize) -> Self {
        Self {
            cap: tables.clone().map(|table| table.map_or(f64::INFINITY, Table::cap_of_value)).collect(),
            table: tables.map(|table| table.map_or(none as u32, Table::place)).collect(),
        }
    }
}

/// The instruments of a book at their marks, with the constants that rows need column by column: compact, so that they stay in the
/// first-level cache.
pub(crate) struct MarkedInstruments<'a> {
    pub tables: &'a Tables,
    pub initial_tables: &'a Tables,
    pub list: Vec<MarkedInstrument<'a>>,
    constants: Vec<Constants>,
    long: Lookup,
    /// Of short positions; empty unless a table of any differs.
    short: Lookup,
    /// Of the initial margin; empty unless it follows a table.
    initial: Lookup,
    /// Whether every contract is linear with size 1, so that the mark is the coordinate.
    pub all_plain: bool,
    /// Whether any is inverse, so that coordinates must be chosen row by row.
    pub any_inverse: bool,
    /// Whether any has other tiers for short positions, so that tables must be chosen row by row.
    any_sided: bool,
    /// Whether the initial margin follows a table of the instrument.
    pub by_initial_table: bool,
    /// Whether any takes its requirement from one rate for the whole position.
    pub any_whole: bool,
    /// Whether the rate of any grows with its value.
    pub any_growing_by_value: bool,
    /// Of each instrument, the leverage and the leverage times value that are harmless on either side.
    harmless: Vec<(f64, f64)>,
    /// Whether any table states a maximum leverage.
    pub limits_leverage: bool,
    /// The same as `any_whole`, of the initial margin.
    pub any_whole_initial: bool,
}

impl<'a> MarkedInstruments<'a> {
    pub(crate) fn new(list: Vec<MarkedInstrument<'a>>, policy: &'a Policy) -> Self {
        let instruments = list.iter().map(|marked| marked.instrument);
        let contracts = || list.iter().map(|marked| marked.instrument.contract);
        let (tables, initial_tables) = (&policy.tables, &policy.initial_tables);
        let long = instruments.clone().map(|instrument| Some(&instrument.long));
        let short = instruments.clone().map(|instrument| instrument.short.as_ref());
        let initial = instruments.clone().map(|instrument| instrument.initial.as_ref());
        let any_sided = short.clone().any(|table| table.is_some());
        let harmless: Vec<(f64, f64)> = instruments.clone().map(Instrument::harmless_leverage).collect();
        let limits_leverage = harmless.iter().any(|&(leverage, _)| leverage < f64::INFINITY);
        let either = instruments.map(|instrument| instrument.short.as_ref().or(Some(&instrument.long)));
        Self {
            tables,
            initial_tables,
            constants: list
                .iter()
                .map(|marked| Constants {
                    coordinate: marked.coordinate,
                    reciprocal_mark: marked.reciprocal_mark,
                    cap: marked.instrument.long.cap_of_value(),
                    table: marked.instrument.long.place(),
                })
                .collect(),
            any_whole: any_whole(long.clone()) || any_whole(short.clone()),
            any_growing_by_value: long.clone().chain(short).flatten().any(Table::grows_with_value),
            any_whole_initial: any_whole(initial.clone()),
            harmless,
            limits_leverage,
            long: Lookup::of(long, tables.of_none()),
            short: if any_sided { Lookup::of(either, tables.of_none()) } else { Lookup::default() },
            initial: if policy.rules.initial_from_table {
                // No value is up to the bound of a table that there is not.
                let mut lookup = Lookup::of(initial.clone(), initial_tables.of_none());
                for (cap, _) in lookup.cap.iter_mut().zip(initial).filter(|(_, table)| table.is_none()) {
                    *cap = f64::NEG_INFINITY;
                }
                lookup
            } else {
                Lookup::default()
            },
            all_plain: contracts()
                .all(|contract| !contract.is_inverse() && contract.contract_size == 1.0 && contract.multiplier == 1.0),
            any_inverse: contracts().any(|contract| contract.is_inverse()),
            any_sided,
            by_initial_table: policy.rules.initial_from_table,
            list,
        }
    }

    /// Moves the mark of one instrument; what the policy does not know stays unknown.
    pub(crate) fn remark(&mut self, code: usize, mark: f64) {
        let marked = &self.list[code];
        if marked.failure == Some(Status::UnknownInstrument) {
            return;
        }
        let moved = MarkedInstrument::new(Some(marked.instrument), mark, marked.instrument);
        self.constants[code].coordinate = moved.coordinate;
        self.constants[code].reciprocal_mark = moved.reciprocal_mark;
        self.list[code] = moved;
    }

    /// Upper bound of the value by the initial tiers of a row's instrument.
    #[inline(always)]
    pub(crate) fn initial_cap(&self, tile: &Tile, slot: usize) -> f64 {
        self.initial.cap[tile.instrument[slot] as usize]
    }

    /// Whether the leverage of any row of the tile may exceed the maximum of its tier: two comparisons a row.
    #[inline(always)]
    pub(crate) fn any_leverage_near(&self, tile: &Tile) -> bool {
        let mut near = 0_u64;
        if let Some(shared) = tile.shared_instrument {
            let harmless = self.harmless[shared as usize];
            for slot in 0..ROWS {
                near |= u64::from(is_near(tile, slot, harmless));
            }
        } else {
            for slot in 0..ROWS {
                near |= u64::from(is_near(tile, slot, self.harmless[tile.instrument[slot] as usize]));
            }
        }
        near != 0
    }

    /// Highest leverage that the tier of each row allows at the mark; infinite where none is stated.
    #[inline(always)]
    pub(crate) fn highest_leverage<C: Compare>(&self, tile: &Tile) -> [f64; ROWS] {
        let found = self.tables.find_each::<C>(&tile.table, &[Key::Value as u32; ROWS], &tile.value);
        let mut highest = found.map(|place| self.tables.found(place as usize).max_leverage);
        if self.any_whole {
            for slot in 0..ROWS {
                let table = self.table_of_row(tile, slot);
                if table.is_whole() {
                    let (quantity, risk_limit) = (tile.quantity[slot], tile.risk_limit[slot]);
                    let lookup = table::Lookup { quantity, risk_limit, size: tile.size[slot] };
                    highest[slot] = table.highest_leverage(&lookup, tile.value[slot]);
                }
            }
        }
        highest
    }

    /// Place of the initial tiers of a row's instrument.
    #[inline(always)]
    pub(crate) fn initial_table(&self, tile: &Tile, slot: usize) -> usize {
        self.initial.table[tile.instrument[slot] as usize] as usize
    }

    #[inline(always)]
    pub(crate) fn of_row(&self, tile: &Tile, slot: usize) -> &MarkedInstrument<'a> {
        &self.list[tile.instrument[slot] as usize]
    }

    /// Maintenance tiers of a row.
    #[inline(always)]
    pub(crate) fn table_of_row(&self, tile: &Tile, slot: usize) -> &Table {
        self.of_row(tile, slot).instrument.table(tile.quantity[slot])
    }
}

/// Whether a row's leverage is above what is harmless everywhere.
#[inline(always)]
fn is_near(tile: &Tile, slot: usize, harmless: (f64, f64)) -> bool {
    let leverage = tile.leverage[slot];
    (leverage > harmless.0) | (leverage * tile.value[slot] >= harmless.1)
}

fn any_whole<'t>(mut tables: impl Iterator<Item = Option<&'t Table>>) -> bool {
    tables.any(|table| table.is_some_and(Table::is_whole))
}

/// Spreads the constants of each row's instrument over the tile.
#[inline(always)]
pub(crate) fn spread_instruments(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    let first = tile.instrument[0];
    let mut differing = 0;
    for slot in 0..ROWS {
        differing |= tile.instrument[slot] ^ first;
    }
    if differing != 0 {
        tile.shared_instrument = None;
        spread_each(tile, instruments);
    } else if tile.shared_instrument != Some(first) {
        tile.shared_instrument = Some(first);
        spread_each(tile, instruments);
    }
    tile.one_table = differing == 0;
    if instruments.any_sided {
        spread_sides(tile, instruments);
    }
}

#[inline(always)]
fn spread_each(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    for slot in 0..ROWS {
        let constants = &instruments.constants[tile.instrument[slot] as usize];
        tile.coordinate[slot] = constants.coordinate;
        tile.reciprocal_mark[slot] = constants.reciprocal_mark;
        tile.cap[slot] = constants.cap;
        tile.table[slot] = constants.table;
    }
    if instruments.all_plain {
        tile.mark = tile.coordinate;
        return;
    }
    for slot in 0..ROWS {
        let marked = instruments.of_row(tile, slot);
        let contract = &marked.instrument.contract;
        tile.mark[slot] = marked.mark;
        tile.contract_size[slot] = contract.contract_size;
        tile.multiplier[slot] = contract.multiplier;
        tile.long_direction[slot] = contract.long_direction();
    }
}

/// Tables and caps once more, by side: sides differ from tile to tile of one instrument, its other constants do not.
#[inline(always)]
fn spread_sides(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    let mut differing = 0;
    for slot in 0..ROWS {
        let code = tile.instrument[slot] as usize;
        let side = if tile.quantity[slot] < 0.0 { &instruments.short } else { &instruments.long };
        tile.cap[slot] = side.cap[code];
        tile.table[slot] = side.table[code];
        differing |= tile.table[slot] ^ tile.table[0];
    }
    tile.one_table &= differing == 0;
}
