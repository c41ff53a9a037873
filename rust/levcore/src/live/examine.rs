//! Isolated rows evaluated where they stand, and the bounds that follow.

use crate::codes::measures::Measure;
use crate::codes::status::{FIRST_PARTIAL, Status};
use crate::formulas::state::as_code;
use crate::job::context::{Job, PolicyPart};
use crate::job::isolated::IsolatedRows;
use crate::live::bounds::{Bounds, GUARD, Judgement, Zeros, is_of_price, is_ordinary};
use crate::live::verdicts::RowVerdict;
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector};
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::table::Table;
use crate::tiles::found::{Asked, Found, look_up_alone};
use crate::tiles::kernel;
use crate::tiles::marked::{MarkedInstrument, Terms};
use crate::tiles::pass::{Pass, Stage, go_over_rows};
use crate::tiles::prices;
use crate::tiles::shape::Shape;
use crate::tiles::slots::Slots;
use crate::tiles::tile::{Tile, TileRows};

/// Isolated rows.
pub(crate) struct RowWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub stage: &'w mut Stage,
    pub rows: &'w [u32],
    pub found: &'w mut Vec<RowVerdict>,
}

impl Work for RowWork<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { job, part, stage, rows, found } = self;
        let mut pass = RowPass { rows: IsolatedRows::any(job, part), found };
        go_over_rows::<V>(&mut pass, &part.instruments, job.keyed(), stage, rows);
    }
}

/// Evaluates isolated rows, and then once more with a guard, for their bounds.
struct RowPass<'a> {
    rows: IsolatedRows<'a>,
    found: &'a mut Vec<RowVerdict>,
}

impl Pass for RowPass<'_> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        self.rows.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        self.rows.asked()
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        self.rows.begin(rows, terms)
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        let PolicyPart { policy, instruments, .. } = self.rows.part;
        let mut tile = self.rows.judge(rows, terms, tile, found);
        let (first, judged) = (self.found.len(), Slots::of(&tile));
        for slot in 0..rows.place.len() {
            self.found.push(row_verdict(&judged, slot));
        }
        // A requirement at the mark moves with the mark.
        let given = self.shape();
        let basis = if given.basis == Basis::Mark { Basis::Price } else { given.basis };
        let shape = Shape { basis, bounds: true, ..given };
        kernel::need_of_isolated(&mut tile, policy, shape);
        kernel::judge_isolated(&mut tile, policy, shape);
        let magnitude = tile.cash.abs() + tile.entry_value + tile.value + tile.requirement;
        let mut sign = [0.0; LANES];
        for slot in 0..rows.place.len() {
            sign[slot] = Judgement::of(self.found[first + slot].state).sign();
        }
        tile.needed = tile.needed + V::load(&sign) * (V::all(GUARD) * magnitude);
        let asked = Asked { initial: false, maintenance: false, trigger: shape.moves() };
        let found = look_up_alone(asked, &tile, instruments, rows, shape);
        prices::find_prices(&mut tile, terms, policy, instruments, &rows.entries, &found, shape);
        let without_fees = policy.isolated_fees.basis == FeeBasis::None && policy.cross_fees.price_fee == 0.0;
        let (solved, zeros) = (given.basis != Basis::Mark || without_fees, Slots::of(&tile));
        let held = (tile.cash.abs() + tile.entry_value + tile.requirement).array();
        for slot in 0..rows.place.len() {
            let RowVerdict { state, status, .. } = self.found[first + slot];
            let marked = &instruments.list[rows.instrument[slot] as usize];
            let ordinary = is_ordinary(zeros.value[slot]) && is_ordinary(held[slot]) && is_ordinary(zeros.size[slot]);
            self.found[first + slot].bounds = bounds_of_row(&zeros, slot, marked, state, status, solved && ordinary);
        }
    }
}

fn row_verdict(tile: &Slots, slot: usize) -> RowVerdict {
    RowVerdict {
        state: as_code(tile.state[slot]),
        status: as_code(tile.status[slot]),
        liquidation_price: tile.results[Measure::LiquidationPrice][slot],
        equity: tile.results[Measure::Equity][slot],
        maintenance_margin: tile.results[Measure::MaintenanceMargin][slot],
        margin_ratio: tile.results[Measure::MarginRatio][slot],
        bounds: Bounds::NONE,
    }
}

fn bounds_of_row(
    tile: &Slots,
    slot: usize,
    marked: &MarkedInstrument<'_>,
    state: u8,
    status: u8,
    solved: bool,
) -> Bounds {
    let mark = marked.mark;
    if status == Status::Flat as u8 {
        return Bounds::NONE;
    }
    if status >= FIRST_PARTIAL {
        return if is_of_price(status) { Bounds::at(mark) } else { Bounds::NONE };
    }
    if !solved {
        return Bounds::at(mark);
    }
    bounds_of_zeros(tile, slot, marked, Judgement::of(state))
}

/// Bounds by the zeros that the tile holds.
pub(super) fn bounds_of_zeros(
    tile: &Slots,
    slot: usize,
    marked: &MarkedInstrument<'_>,
    judgement: Judgement,
) -> Bounds {
    let inverse = marked.instrument.contract.is_inverse();
    let zeros = Zeros {
        lower: tile.results[Measure::LiquidationPriceLower][slot],
        upper: tile.results[Measure::LiquidationPriceUpper][slot],
        room_in_tiers: cap_of(marked, tile.quantity[slot]) / tile.value[slot],
    };
    Bounds::around(marked.mark, judgement, &zeros, inverse)
}

/// Value at which the tiers of a position of this quantity end, or those of its initial margin.
pub(super) fn cap_of(marked: &MarkedInstrument<'_>, quantity: f64) -> f64 {
    let (own, initial) = (marked.instrument.table(quantity).cap_of_value(), marked.instrument.initial.as_ref());
    let opening = initial.map_or(f64::INFINITY, Table::cap_of_value);
    if opening < own { opening } else { own }
}
