//! The instruments of a book at their marks, and their constants spread over the rows of a tile.

use crate::codes::status::Status;
use crate::machine::vector::{LANES, Vector, rows_at};
use crate::rules::policy::{Instrument, Policy};
use crate::rules::table::{Lookup, Table};
use crate::rules::tables::Tables;
use crate::tiles::selection::Selections;
use crate::tiles::shape::Shape;
use crate::tiles::tile::{Tile, TileRows};

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

    /// Whether the mark is the coordinate and a contract one unit.
    fn is_plain(&self) -> bool {
        let contract = &self.instrument.contract;
        !contract.is_inverse() && contract.contract_size == 1.0 && contract.multiplier == 1.0
    }
}

/// Constants of rows' instruments at their marks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<T> {
    pub coordinate: T,
    pub reciprocal_mark: T,
    /// Upper bound of the last tier of a table keyed by value.
    pub cap: T,
    pub mark: T,
    pub contract_size: T,
    pub multiplier: T,
    pub long_direction: T,
}

/// The instruments of a book at their marks, with the constants that rows need in few cache lines.
///
/// A row finds its own at its [`entry`](MarkedInstruments::entries): one an instrument, or one an instrument and side.
pub(crate) struct MarkedInstruments<'a> {
    pub tables: &'a Tables,
    pub initial_tables: &'a Tables,
    pub list: Vec<MarkedInstrument<'a>>,
    /// Coordinate, reciprocal mark, cap, and the place of the table: what almost every row needs, in half a cache line.
    constants: Vec<[f64; 4]>,
    /// Mark, contract size, multiplier, long direction; empty where all contracts are plain.
    contracts: Vec<[f64; 4]>,
    /// Place of the initial table, and the cap that it sets; empty unless the initial margin follows a table.
    initial: Vec<(u32, f64)>,
    /// What tables of maintenance are looked up by.
    pub selections: Selections,
    /// What initial tables are looked up by.
    pub initial_selections: Selections,
    /// Whether any instrument has other tiers for short positions, so that there are two entries an instrument.
    pub any_sided: bool,
    /// Of each instrument, the leverage and the leverage times value that are harmless on either side.
    harmless: Vec<[f64; 2]>,
}

impl<'a> MarkedInstruments<'a> {
    pub(crate) fn new(list: Vec<MarkedInstrument<'a>>, policy: &'a Policy) -> Self {
        let any_sided = list.iter().any(|marked| marked.instrument.short.is_some());
        let sides: &[f64] = if any_sided { &[1.0, -1.0] } else { &[1.0] };
        let entries =
            || list.iter().flat_map(|marked| sides.iter().map(move |&side| (marked, marked.instrument.table(side))));
        let initial_of = |(marked, _): (&MarkedInstrument<'a>, &'a Table)| marked.instrument.initial.as_ref();
        let by_initial_table = policy.rules.initial_from_table;
        let initial = || entries().map(initial_of).filter(|_| by_initial_table);
        // No value is up to the bound of a table that there is not.
        let none = (policy.initial_tables.of_none() as u32, f64::NEG_INFINITY);
        let harmless: Vec<[f64; 2]> = list.iter().map(|marked| marked.instrument.harmless).collect();
        Self {
            tables: &policy.tables,
            initial_tables: &policy.initial_tables,
            constants: entries().map(|(marked, table)| constants_of(marked, table)).collect(),
            contracts: if list.iter().all(MarkedInstrument::is_plain) {
                Vec::new()
            } else {
                entries().map(|(marked, _)| contract_of(marked)).collect()
            },
            initial: initial().map(|table| table.map_or(none, |table| (table.place(), table.cap_of_value()))).collect(),
            selections: Selections::of(entries().map(|(_, table)| Some(table))),
            initial_selections: Selections::of(initial()),
            any_sided,
            harmless,
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
        let sides = if self.any_sided { 2 } else { 1 };
        for entry in code * sides..(code + 1) * sides {
            (self.constants[entry][0], self.constants[entry][1]) = (moved.coordinate, moved.reciprocal_mark);
            if let Some(contract) = self.contracts.get_mut(entry) {
                contract[0] = moved.mark;
            }
        }
        self.list[code] = moved;
    }

    /// Rows whose leverage may exceed the maximum of their tier: two comparisons a row.
    #[inline(always)]
    pub(crate) fn is_leverage_near<V: Vector>(&self, tile: &Tile<V>, rows: &TileRows<'_>) -> V::Mask {
        let [leverage, product] = V::columns_of_pairs(rows_at(&self.harmless, &rows.instrument));
        tile.leverage.is_above(leverage) | (tile.leverage * tile.value).is_at_least(product)
    }

    /// Highest leverage that the tier of each row allows at the mark, row by row; infinite where none is stated.
    #[inline(always)]
    pub(crate) fn highest_leverage<V: Vector>(&self, tile: &Tile<V>, rows: &TileRows<'_>, shape: Shape) -> V {
        let (mut highest, value) = ([f64::INFINITY; LANES], tile.value.array());
        for lane in 0..LANES {
            let place = self.table(rows.entries[lane]) as usize;
            highest[lane] = self.tables.found(self.tables.find::<V>(place, value[lane])).max_leverage();
        }
        if shape.selected.any {
            let (size, quantity, limit) = (tile.size.array(), tile.quantity.array(), tile.risk_limit.array());
            for lane in 0..LANES {
                let table = self.list[rows.instrument[lane] as usize].instrument.table(quantity[lane]);
                if table.is_whole() {
                    let lookup = Lookup { quantity: quantity[lane], risk_limit: limit[lane], size: size[lane] };
                    highest[lane] = table.highest_leverage(&lookup, value[lane]);
                }
            }
        }
        V::load(&highest)
    }

    /// Entries of rows by the codes of their instruments.
    #[inline(always)]
    pub(crate) fn entries<V: Vector>(&self, instrument: [u32; LANES], quantity: V, shape: Shape) -> [u32; LANES] {
        if !shape.any_sided {
            return instrument;
        }
        let (short, mut entries) = (V::bits(quantity.is_below(V::all(0.0))), instrument);
        for lane in 0..LANES {
            entries[lane] = 2 * instrument[lane] + u32::from(short >> lane & 1);
        }
        entries
    }

    /// Code of the instrument of an entry.
    #[inline(always)]
    pub(crate) fn code_of_entry(&self, entry: u32) -> usize {
        (if self.any_sided { entry / 2 } else { entry }) as usize
    }

    /// Place of the maintenance table of an entry, if the table is one of lines that a value alone selects.
    #[inline(always)]
    pub(crate) fn lines_of_entry(&self, entry: u32) -> Option<usize> {
        let place = self.table(entry) as usize;
        self.selections.is_by_value(entry).then_some(place)
    }

    /// What passes over these instruments have in common, but for the columns of a book.
    pub(crate) fn shape(&self, policy: &Policy, cross: bool) -> Shape {
        Shape {
            any_inverse: self.list.iter().any(|marked| marked.instrument.contract.is_inverse()),
            all_plain: self.contracts.is_empty(),
            any_sided: self.any_sided,
            limits_leverage: self.harmless.iter().any(|&[leverage, _]| leverage < f64::INFINITY),
            selected: self.selections.selected(),
            initially_selected: self.initial_selections.selected(),
            ..Shape::of_rules(&policy.rules, cross)
        }
    }

    /// Constants of rows by their entries, and the places of their maintenance tables.
    #[inline(always)]
    pub(crate) fn terms_and_tables<V: Vector>(&self, entries: &[u32; LANES], shape: Shape) -> (Terms<V>, V) {
        let [coordinate, reciprocal_mark, cap, tables] = V::columns_of_fours(rows_at(&self.constants, entries));
        let mut contract = [coordinate, V::all(1.0), V::all(1.0), V::all(1.0)];
        if !shape.all_plain {
            contract = V::columns_of_fours(rows_at(&self.contracts, entries));
        }
        let [mark, contract_size, multiplier, long_direction] = contract;
        (Terms { coordinate, reciprocal_mark, cap, mark, contract_size, multiplier, long_direction }, tables)
    }

    /// Constants of rows that share an entry.
    #[inline(always)]
    pub(crate) fn shared_terms<V: Vector>(&self, entry: usize, shape: Shape) -> Terms<V> {
        let [coordinate, reciprocal_mark, cap, _] = self.constants[entry];
        let contract = if shape.all_plain { [coordinate, 1.0, 1.0, 1.0] } else { self.contracts[entry] };
        let [mark, contract_size, multiplier, long_direction] = contract;
        Terms {
            coordinate: V::all(coordinate),
            reciprocal_mark: V::all(reciprocal_mark),
            cap: V::all(cap),
            mark: V::all(mark),
            contract_size: V::all(contract_size),
            multiplier: V::all(multiplier),
            long_direction: V::all(long_direction),
        }
    }

    /// Place of the maintenance table of an entry.
    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "a place in a list")]
    pub(crate) fn table(&self, entry: u32) -> u32 {
        self.constants[entry as usize][3] as u32
    }

    /// Places of the initial tables of rows.
    #[inline(always)]
    pub(crate) fn initial_tables_of<V: Vector>(&self, entries: &[u32; LANES]) -> V {
        let mut places = [0.0; LANES];
        for lane in 0..LANES {
            places[lane] = f64::from(self.initial_table(entries[lane]));
        }
        V::load(&places)
    }

    /// Place of the initial table of an entry.
    #[inline(always)]
    pub(crate) fn initial_table(&self, entry: u32) -> u32 {
        self.initial[entry as usize].0
    }

    /// Upper bounds of the value by the initial tables of rows.
    #[inline(always)]
    pub(crate) fn initial_caps<V: Vector>(&self, entries: &[u32; LANES]) -> V {
        let mut caps = [0.0; LANES];
        for lane in 0..LANES {
            caps[lane] = self.initial[entries[lane] as usize].1;
        }
        V::load(&caps)
    }
}

fn constants_of(marked: &MarkedInstrument<'_>, table: &Table) -> [f64; 4] {
    [marked.coordinate, marked.reciprocal_mark, table.cap_of_value(), f64::from(table.place())]
}

fn contract_of(marked: &MarkedInstrument<'_>) -> [f64; 4] {
    let contract = &marked.instrument.contract;
    [marked.mark, contract.contract_size, contract.multiplier, contract.long_direction()]
}
