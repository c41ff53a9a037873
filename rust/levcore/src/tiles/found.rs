//! The lines of their tables that apply to rows: looked up row by row, or by one table that many rows share.

use crate::machine::vector::{LANES, Vector};
use crate::rules::one_table::OneTable;
use crate::rules::table::UnitLine;
use crate::rules::tables::{ROWS, Tables};
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::shape::Shape;
use crate::tiles::tile::{Tile, TileRows};

/// Which lines are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub initial: bool,
    pub maintenance: bool,
    /// The lines that trigger liquidation.
    pub trigger: bool,
}

/// Two numbers of each line that applies: rate and deduction, or deduction and factor of what triggers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<V> {
    pub initial: [V; 2],
    pub maintenance: [V; 2],
    pub trigger: [V; 2],
    /// Highest leverage that the tier of each row allows at the mark, if the maintenance lines say so; infinite where none is stated.
    pub highest_leverage: Option<V>,
}

/// What the lines of a tile are looked up by.
#[derive(Debug, Clone, Copy)]
struct Numbers<V> {
    initial: V,
    maintenance: V,
    /// What positions need, the sign turned of losing ones.
    trigger: V,
}

#[inline(always)]
fn numbers_of<V: Vector>(
    tile: &Tile<V>,
    instruments: &MarkedInstruments<'_>,
    entries: &[u32; LANES],
    shape: Shape,
) -> Numbers<V> {
    let mut numbers =
        Numbers { initial: tile.opened_on, maintenance: tile.required_on, trigger: tile.direction * tile.needed };
    if shape.selected.any {
        let selection = instruments.selections.of_rows(entries);
        numbers.maintenance = selection.number(tile, numbers.maintenance);
        numbers.trigger = selection.number(tile, numbers.trigger);
    }
    if shape.initially_selected.any {
        numbers.initial = instruments.initial_selections.of_rows(entries).number(tile, numbers.initial);
    }
    numbers
}

/// Which positions gain with their value: long ones, where no contract is inverse.
#[inline(always)]
fn are_gaining<V: Vector>(tile: &Tile<V>, shape: Shape) -> V::Mask {
    if shape.any_inverse { tile.direction } else { tile.quantity }.is_above(V::all(0.0))
}

/// Tables that all rows of a run share.
pub(crate) struct SharedTables<'a> {
    initial: OneTable<'a>,
    maintenance: OneTable<'a>,
}

impl<'a> SharedTables<'a> {
    #[inline(always)]
    pub(crate) fn of(instruments: &'a MarkedInstruments<'_>, entry: u32, shape: Shape) -> Self {
        let maintenance = instruments.tables.one(instruments.table(entry) as usize);
        let initial = if shape.initial_from_table {
            instruments.initial_tables.one(instruments.initial_table(entry) as usize)
        } else {
            maintenance
        };
        Self { initial, maintenance }
    }

    /// Whether searching the lines of some tiles before the first one is finished is of use.
    #[inline(always)]
    pub(crate) fn are_searched<V: Vector>(&self, asked: Asked) -> bool {
        (asked.maintenance || asked.trigger) && self.maintenance.is_searched::<V>()
    }

    /// Searches the lines of a tile.
    #[inline(always)]
    pub(crate) fn search<V: Vector>(
        &self,
        asked: Asked,
        tile: &Tile<V>,
        instruments: &MarkedInstruments<'_>,
        rows: &TileRows<'_>,
        shape: Shape,
    ) -> Option<[V::Places; 2]> {
        let [value, needed] = numbers_of(tile, instruments, &rows.entries, shape).of_one_search(asked);
        self.maintenance.search(value, are_gaining(tile, shape), needed)
    }

    /// Looks up the lines of a tile, by what was searched, if anything was.
    #[inline(always)]
    pub(crate) fn look_up<V: Vector>(
        &self,
        asked: Asked,
        searched: Option<[V::Places; 2]>,
        tile: &Tile<V>,
        instruments: &MarkedInstruments<'_>,
        rows: &TileRows<'_>,
        shape: Shape,
    ) -> Found<V> {
        let numbers = numbers_of(tile, instruments, &rows.entries, shape);
        let mut found = Found::nothing();
        if asked.initial {
            let [rate, deduction, _] = self.initial.by_value(None, numbers.initial);
            found.initial = [rate, deduction];
        }
        if asked.maintenance {
            let [rate, deduction, highest] = self.maintenance.by_value(searched, numbers.maintenance);
            found.maintenance = [rate, deduction];
            found.highest_leverage = shape.limits_leverage_by_line().then_some(highest);
        }
        if asked.trigger {
            found.trigger = self.maintenance.by_need(searched, are_gaining(tile, shape), numbers.trigger);
        }
        found.take_units(asked, tile, instruments, rows, shape);
        found
    }
}

impl<V: Vector> Numbers<V> {
    /// What the maintenance table is searched by. One search finds both lines; where only one is asked for, it stands for the other, too.
    #[inline(always)]
    fn of_one_search(&self, asked: Asked) -> [V; 2] {
        [
            if asked.maintenance { self.maintenance } else { self.trigger },
            if asked.trigger { self.trigger } else { self.maintenance },
        ]
    }
}

impl<V: Vector> Found<V> {
    #[inline(always)]
    fn nothing() -> Self {
        let nothing = [V::all(0.0); 2];
        Self { initial: nothing, maintenance: nothing, trigger: nothing, highest_leverage: None }
    }

    /// Looks up tables in lines a unit of size, row by row.
    #[inline(always)]
    fn take_units(
        &mut self,
        asked: Asked,
        tile: &Tile<V>,
        instruments: &MarkedInstruments<'_>,
        rows: &TileRows<'_>,
        shape: Shape,
    ) {
        let (size, direction) = (tile.size.array(), tile.direction.array());
        if asked.initial && shape.initially_selected.by_unit {
            let (value, [mut rate, mut deduction]) = (tile.opened_on.array(), self.initial.map(V::array));
            for lane in 0..LANES {
                let table = instruments.list[rows.instrument[lane] as usize].instrument.initial.as_ref();
                if let Some(lines) = table.and_then(|table| table.units()) {
                    (rate[lane], deduction[lane]) = UnitLine::touching(lines, size[lane], value[lane]);
                }
            }
            self.initial = [V::load(&rate), V::load(&deduction)];
        }
        if !shape.selected.by_unit {
            return;
        }
        let (value, needed, quantity) = (tile.required_on.array(), tile.needed.array(), tile.quantity.array());
        let [mut rate, mut deduction] = self.maintenance.map(V::array);
        let [mut trigger_deduction, mut factor] = self.trigger.map(V::array);
        for lane in 0..LANES {
            let table = instruments.list[rows.instrument[lane] as usize].instrument.table(quantity[lane]);
            if let Some(lines) = table.units() {
                (rate[lane], deduction[lane]) = UnitLine::touching(lines, size[lane], value[lane]);
                (trigger_deduction[lane], factor[lane]) =
                    UnitLine::triggering(lines, needed[lane], direction[lane], size[lane]);
            }
        }
        self.maintenance = [V::load(&rate), V::load(&deduction)];
        self.trigger = [V::load(&trigger_deduction), V::load(&factor)];
    }
}

/// Looks up the lines of one tile alone.
#[inline(always)]
pub(crate) fn look_up_alone<V: Vector>(
    asked: Asked,
    tile: &Tile<V>,
    instruments: &MarkedInstruments<'_>,
    rows: &TileRows<'_>,
    shape: Shape,
) -> Found<V> {
    let mut look_ups = LookUps::new();
    let (_, tables) = instruments.terms_and_tables(&rows.entries, shape);
    look_ups.note(asked, tile, (0, tables), instruments, rows, shape);
    look_ups.find::<V>(asked, 1, instruments);
    look_ups.found(asked, 0, tile, instruments, rows, shape)
}

/// One kind of look-up of some rows: first all numbers, then all lines.
#[derive(Debug)]
#[repr(align(64))]
struct LookUp {
    number: [f64; ROWS],
    single: [f32; ROWS],
    table: [u32; ROWS],
    found: [u32; ROWS],
}

impl LookUp {
    const fn new() -> Self {
        Self { number: [0.0; ROWS], single: [0.0; ROWS], table: [0; ROWS], found: [0; ROWS] }
    }

    /// Notes a tile: its numbers, and where the tables stand.
    #[inline(always)]
    fn note<V: Vector>(&mut self, tile: usize, numbers: V, tables: V, screened: bool) {
        if !screened {
            numbers.store(&mut self.number.as_chunks_mut().0[tile]);
        }
        numbers.store_singles(&mut self.single.as_chunks_mut().0[tile]);
        tables.store_places(&mut self.table.as_chunks_mut().0[tile]);
    }

    #[inline(always)]
    fn find<V: Vector>(&mut self, tables: &Tables, rows: usize) {
        tables.find_each::<V, ROWS>(rows, &self.table, &self.number, &self.single, &mut self.found);
    }

    /// What the lines found hold for the numbers of the tile of this number.
    #[inline(always)]
    fn lines<V: Vector>(&self, tables: &Tables, tile: usize, numbers: V) -> [V; 4] {
        tables.lines(&self.found.as_chunks().0[tile], &self.table.as_chunks().0[tile], numbers)
    }
}

/// Look-ups of some rows, tile by tile, whose lines are then looked up one after the other.
#[derive(Debug)]
pub(crate) struct LookUps {
    initial: LookUp,
    maintenance: LookUp,
    trigger: LookUp,
}

impl LookUps {
    pub(crate) const fn new() -> Self {
        Self { initial: LookUp::new(), maintenance: LookUp::new(), trigger: LookUp::new() }
    }

    /// Notes what the lines of the tile of this number are looked up by, and the places of its maintenance tables.
    #[inline(always)]
    pub(crate) fn note<V: Vector>(
        &mut self,
        asked: Asked,
        tile: &Tile<V>,
        (number, places): (usize, V),
        instruments: &MarkedInstruments<'_>,
        rows: &TileRows<'_>,
        shape: Shape,
    ) {
        let numbers = numbers_of(tile, instruments, &rows.entries, shape);
        let screened = instruments.tables.are_screened();
        if asked.initial {
            let places = instruments.initial_tables_of(&rows.entries);
            self.initial.note(number, numbers.initial, places, instruments.initial_tables.are_screened());
        }
        if asked.maintenance {
            self.maintenance.note(number, numbers.maintenance, places, screened);
        }
        if asked.trigger {
            let gains = are_gaining(tile, shape);
            self.trigger.note(number, numbers.trigger, instruments.tables.by_need(places, gains), screened);
        }
    }

    /// Finds the lines of so many tiles.
    #[inline(always)]
    pub(crate) fn find<V: Vector>(&mut self, asked: Asked, tiles: usize, instruments: &MarkedInstruments<'_>) {
        let rows = tiles * LANES;
        if asked.initial {
            self.initial.find::<V>(instruments.initial_tables, rows);
        }
        if asked.maintenance {
            self.maintenance.find::<V>(instruments.tables, rows);
        }
        if asked.trigger {
            self.trigger.find::<V>(instruments.tables, rows);
        }
    }

    /// What was found for the tile of this number.
    #[inline(always)]
    pub(crate) fn found<V: Vector>(
        &self,
        asked: Asked,
        number: usize,
        tile: &Tile<V>,
        instruments: &MarkedInstruments<'_>,
        rows: &TileRows<'_>,
        shape: Shape,
    ) -> Found<V> {
        let numbers = numbers_of(tile, instruments, &rows.entries, shape);
        let mut found = Found::nothing();
        if asked.initial {
            let [rate, deduction, ..] = self.initial.lines(instruments.initial_tables, number, numbers.initial);
            found.initial = [rate, deduction];
        }
        if asked.maintenance {
            let [rate, deduction, _, highest] = self.maintenance.lines(instruments.tables, number, numbers.maintenance);
            found.maintenance = [rate, deduction];
            found.highest_leverage = shape.limits_leverage_by_line().then_some(highest);
        }
        if asked.trigger {
            let [deduction, factor, ..] = self.trigger.lines(instruments.tables, number, numbers.trigger);
            found.trigger = [deduction, factor];
        }
        found.take_units(asked, tile, instruments, rows, shape);
        found
    }
}
