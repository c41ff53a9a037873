//! A pass over the rows of a block: what comes before the look-ups, the look-ups, what comes after them.

use crate::machine::vector::{LANES, Vector};
use crate::rules::tables::ROWS;
use crate::tiles::found::{Asked, Found, LookUps, SharedTables};
use crate::tiles::marked::{MarkedInstruments, Terms};
use crate::tiles::shape::{Known, Shape};
use crate::tiles::tile::{Place, Run, Runs, Tile, TileRows};

/// The formulas before and after the look-ups of a tile.
pub(crate) trait Pass {
    /// Whether all its rows are whole tiles that follow each other.
    const WHOLE_TILES: bool = false;

    /// What its rows have in common.
    fn shape(&self) -> Shape;

    /// Which lines it needs.
    fn asked(&self) -> Asked;

    /// Reads rows and takes them to what their lines are looked up by. Done twice where rows differ in their instruments: it is quicker to
    /// do it again than to keep it.
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V>;

    /// Takes rows from their lines to their results.
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>);
}

/// A pass that has forms of its own for whole tiles of rows of which much is known.
pub(crate) trait HasForms: Pass {
    type Of<'p, K: Known>: Pass
    where
        Self: 'p;

    /// The form for rows of which this is known.
    fn form<K: Known>(&mut self, known: K) -> Self::Of<'_, K>;
}

/// The columns that say which constants a row needs.
#[derive(Clone, Copy)]
pub(crate) struct Keyed<'a> {
    pub instrument: &'a [u32],
    pub quantity: &'a [f64],
}

/// Memory of a thread for rows whose instruments differ.
#[repr(align(64))]
pub(crate) struct Stage {
    look_ups: LookUps,
    terms: [[[f64; LANES]; ROWS / LANES]; 7],
    entries: [[u32; LANES]; ROWS / LANES],
    instrument: [[u32; LANES]; ROWS / LANES],
}

impl Stage {
    pub(crate) const fn new() -> Self {
        Self {
            look_ups: LookUps::new(),
            terms: [[[0.0; LANES]; ROWS / LANES]; 7],
            entries: [[0; LANES]; ROWS / LANES],
            instrument: [[0; LANES]; ROWS / LANES],
        }
    }

    /// Keeps the constants of a tile, so that they are gathered once.
    #[inline(always)]
    fn keep<V: Vector>(&mut self, tile: usize, terms: &Terms<V>, shape: Shape) {
        terms.coordinate.store(&mut self.terms[0][tile]);
        terms.reciprocal_mark.store(&mut self.terms[1][tile]);
        terms.cap.store(&mut self.terms[2][tile]);
        if !shape.all_plain {
            terms.mark.store(&mut self.terms[3][tile]);
            terms.contract_size.store(&mut self.terms[4][tile]);
            terms.multiplier.store(&mut self.terms[5][tile]);
            terms.long_direction.store(&mut self.terms[6][tile]);
        }
    }

    #[inline(always)]
    fn kept<V: Vector>(&self, tile: usize, shape: Shape) -> Terms<V> {
        let (coordinate, one) = (V::load(&self.terms[0][tile]), V::all(1.0));
        let mut terms = Terms {
            coordinate,
            reciprocal_mark: V::load(&self.terms[1][tile]),
            cap: V::load(&self.terms[2][tile]),
            mark: coordinate,
            contract_size: one,
            multiplier: one,
            long_direction: one,
        };
        if !shape.all_plain {
            terms.mark = V::load(&self.terms[3][tile]);
            terms.contract_size = V::load(&self.terms[4][tile]);
            terms.multiplier = V::load(&self.terms[5][tile]);
            terms.long_direction = V::load(&self.terms[6][tile]);
        }
        terms
    }
}

/// [`Pass::begin`], in a function of its own unless the formulas are fused.
#[inline(always)]
fn begin<V: Vector, P: Pass>(pass: &P, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
    #[inline(never)]
    fn apart<V: Vector, P: Pass>(pass: &P, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        pass.begin(rows, terms)
    }
    if V::FUSED { pass.begin(rows, terms) } else { apart(pass, rows, terms) }
}

/// [`Pass::finish`], in a function of its own unless the formulas are fused.
#[inline(always)]
fn finish<V: Vector, P: Pass>(pass: &mut P, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
    #[inline(never)]
    fn apart<V: Vector, P: Pass>(
        pass: &mut P,
        rows: &TileRows<'_>,
        terms: &Terms<V>,
        tile: &Tile<V>,
        found: &Found<V>,
    ) {
        pass.finish(rows, terms, *tile, found);
    }
    if V::FUSED { pass.finish(rows, terms, tile, found) } else { apart(pass, rows, terms, &tile, found) }
}

/// Takes a pass over a run of rows.
#[inline(always)]
pub(crate) fn go_over<V: Vector>(
    pass: &mut impl Pass,
    instruments: &MarkedInstruments<'_>,
    keyed: Keyed<'_>,
    stage: &mut Stage,
    run: &Run<'_>,
) {
    match run.instrument {
        Some(code) => go_over_one::<V, _>(pass, instruments, code, run),
        None => go_over_each::<V, _>(pass, instruments, keyed, stage, run),
    }
}

/// Takes a pass over rows that lie apart.
#[inline(always)]
pub(crate) fn go_over_rows<V: Vector>(
    pass: &mut impl Pass,
    instruments: &MarkedInstruments<'_>,
    keyed: Keyed<'_>,
    stage: &mut Stage,
    rows: &[u32],
) {
    for run in Runs::of_rows(rows, keyed.instrument) {
        go_over::<V>(pass, instruments, keyed, stage, &run);
    }
}

/// The tile of a run that starts at this slot; where all are whole, the compiler is told so.
#[inline(always)]
fn tile_of<'r, P: Pass>(run: &Run<'r>, slot: usize) -> Place<'r> {
    if P::WHOLE_TILES { Place::Consecutive(run.place.row(slot), LANES) } else { run.place.tile(slot) }
}

/// Tiles of one instrument whose lines are searched before the first of them is finished.
const TILES_AHEAD: usize = 8;

/// Rows of one instrument: its constants and its table stay at hand. Where its table is searched in registers, some tiles are searched
/// before the first one is finished: a search is a chain of steps that wait for each other, and those of several tiles need not.
#[inline(always)]
fn go_over_one<V: Vector, P: Pass>(pass: &mut P, instruments: &MarkedInstruments<'_>, code: u32, run: &Run<'_>) {
    let (asked, shape) = (pass.asked(), pass.shape());
    let terms = instruments.shared_terms::<V>(code as usize, shape);
    let tables = SharedTables::of(instruments, code, shape);
    let (mut slot, shared) = (0, [code; LANES]);
    while slot < run.place.len() {
        let mut searched = [None; TILES_AHEAD];
        if tables.are_searched::<V>(asked) {
            let mut ahead = slot;
            for found in &mut searched {
                if ahead >= run.place.len() {
                    break;
                }
                let place = tile_of::<P>(run, ahead);
                let rows = TileRows { place, inside: run.inside + ahead, instrument: shared, entries: shared };
                let tile = begin(pass, &rows, &terms);
                *found = tables.search(asked, &tile, instruments, &rows, shape);
                ahead += place.len();
            }
        }
        for searched in &searched {
            if slot >= run.place.len() {
                break;
            }
            let place = tile_of::<P>(run, slot);
            let rows = TileRows { place, inside: run.inside + slot, instrument: shared, entries: shared };
            let tile = begin(pass, &rows, &terms);
            let found = tables.look_up(asked, *searched, &tile, instruments, &rows, shape);
            finish(pass, &rows, &terms, tile, &found);
            slot += place.len();
        }
    }
}

/// Rows of any instruments, in three turns: a look-up takes long, and the next one need not wait for it.
#[inline(always)]
fn go_over_each<V: Vector, P: Pass>(
    pass: &mut P,
    instruments: &MarkedInstruments<'_>,
    keyed: Keyed<'_>,
    stage: &mut Stage,
    run: &Run<'_>,
) {
    let (asked, shape) = (pass.asked(), pass.shape());
    let (mut slot, mut number) = (0, 0);
    while slot < run.place.len() {
        let place = tile_of::<P>(run, slot);
        let instrument = place.load_codes(keyed.instrument);
        let entries = instruments.entries(instrument, place.load::<V>(keyed.quantity), shape);
        let (terms, tables) = instruments.terms_and_tables::<V>(&entries, shape);
        stage.keep(number, &terms, shape);
        (stage.entries[number], stage.instrument[number]) = (entries, instrument);
        let rows = TileRows { place, inside: run.inside + slot, instrument, entries };
        let tile = begin(pass, &rows, &terms);
        stage.look_ups.note(asked, &tile, (number, tables), instruments, &rows, shape);
        slot += place.len();
        number += 1;
    }
    stage.look_ups.find::<V>(asked, number, instruments);
    (slot, number) = (0, 0);
    while slot < run.place.len() {
        let place = tile_of::<P>(run, slot);
        let (entries, instrument) = (stage.entries[number], stage.instrument[number]);
        let rows = TileRows { place, inside: run.inside + slot, instrument, entries };
        let terms = stage.kept::<V>(number, shape);
        let tile = begin(pass, &rows, &terms);
        let found = stage.look_ups.found(asked, number, &tile, instruments, &rows, shape);
        finish(pass, &rows, &terms, tile, &found);
        slot += place.len();
        number += 1;
    }
}
