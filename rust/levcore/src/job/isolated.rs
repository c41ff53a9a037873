//! Isolated positions: each is its own account.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::formulas::margin;
use crate::formulas::state::state_of;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{BY_ACCOUNT, fail, flatten, live, load_inputs, slots_of, store_codes, store_measures};
use crate::machine::vector::Vector;
use crate::rules::parameters::Basis;
use crate::rules::policy::Policy;
use crate::tiles::classify::{classify, note_finding, note_leverage, odd_rows};
use crate::tiles::found::{Asked, Found};
use crate::tiles::kernel;
use crate::tiles::marked::Terms;
use crate::tiles::pass::{HasForms, Pass};
use crate::tiles::prices;
use crate::tiles::requirement;
use crate::tiles::shape::{Known, Shape};
use crate::tiles::slots::Slots;
use crate::tiles::tile::{Tile, TileRows};

/// The only pass over isolated rows.
pub(crate) struct IsolatedRows<'a, K = Shape> {
    pub job: &'a Job<'a>,
    pub part: &'a PolicyPart<'a>,
    pub known: K,
}

impl<'a> IsolatedRows<'a> {
    /// A pass of whose rows nothing is known before it runs.
    pub(crate) fn any(job: &'a Job<'a>, part: &'a PolicyPart<'a>) -> Self {
        Self { job, part, known: part.shape(job, false) }
    }
}

impl<'a> HasForms for IsolatedRows<'a> {
    type Of<'p, K: Known>
        = IsolatedRows<'a, K>
    where
        Self: 'p;

    fn form<K: Known>(&mut self, known: K) -> Self::Of<'_, K> {
        IsolatedRows { job: self.job, part: self.part, known }
    }
}

impl<K: Known> Pass for IsolatedRows<'_, K> {
    const WHOLE_TILES: bool = K::WHOLE_TILES;

    #[inline(always)]
    fn shape(&self) -> Shape {
        self.known.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        let shape = self.shape();
        Asked { initial: shape.initial_from_table, maintenance: true, trigger: shape.moves() }
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        let (policy, book, shape) = (self.part.policy, self.job.book, self.shape());
        let mut tile = load_inputs(book, rows.place, shape.columns);
        if shape.columns.isolated_margin {
            tile.isolated_margin = rows.place.load(book.isolated_margin.unwrap_or_default());
        }
        kernel::mark_positions(&mut tile, terms, shape);
        kernel::fund_isolated(&mut tile, policy, shape);
        requirement::take_values(&mut tile, shape);
        kernel::need_of_isolated(&mut tile, policy, shape);
        tile
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        let (job, mut tile) = (self.job, self.judge(rows, terms, tile, found));
        store_measures!(job, &tile, rows.place, Notional UnrealizedPnl ReturnOnEquity InitialMargin MaintenanceMargin);
        store_measures!(
            job, &tile, rows.place,
            Equity MarginRatio EffectiveLeverage LiquidationPrice BankruptcyPrice DistanceToLiquidation
        );
        if job.bounds_prices {
            if !self.shape().bounds {
                prices::bound_prices(&mut tile);
            }
            store_measures!(job, &tile, rows.place, LiquidationPriceLower LiquidationPriceUpper);
        }
        store_codes(job, &tile, rows.place);
    }
}

impl<K: Known> IsolatedRows<'_, K> {
    /// All results of rows, by the lines found.
    #[inline(always)]
    pub(crate) fn judge<V: Vector>(
        &self,
        rows: &TileRows<'_>,
        terms: &Terms<V>,
        mut tile: Tile<V>,
        found: &Found<V>,
    ) -> Tile<V> {
        let PolicyPart { policy, instruments, .. } = self.part;
        let (job, shape, entries) = (self.job, self.shape(), &rows.entries);
        kernel::rate_return(&mut tile, shape);
        requirement::require_margin(&mut tile, policy, instruments, entries, found, shape);
        kernel::judge_isolated(&mut tile, policy, shape);
        prices::find_prices(&mut tile, terms, policy, instruments, entries, found, shape);
        let odd = odd_rows(&tile, terms, instruments, entries, shape) & live(rows.place);
        if odd != 0 {
            let mut slots = Slots::of(&tile);
            // A copy: what is pointed to does not stand in registers.
            classify_isolated(job, self.part, &mut slots, &rows.clone(), odd);
            slots.give_back(&mut tile);
        }
        // What the lines say of the leverage of ordinary rows stands in their status.
        if odd != 0 || found.highest_leverage.is_none() {
            note_leverage(&mut tile, instruments, rows, found, shape);
        }
        tile
    }
}

/// Gives every row that is not an ordinary one its status, and takes the numbers from those that failed.
#[cold]
#[inline(never)]
fn classify_isolated(job: &Job<'_>, part: &PolicyPart<'_>, tile: &mut Slots, rows: &TileRows<'_>, odd: u8) {
    for slot in slots_of(odd) {
        let marked = &part.instruments.list[rows.instrument[slot] as usize];
        let margin = job.book.isolated_margin.map_or(f64::NAN, |column| column[rows.place.row(slot)]);
        match classify(tile, slot, margin, part.policy, marked, job.book, false) {
            Status::Ok => {}
            finding @ (Status::MissingLeverage | Status::MissingInitialTiers) => note_finding(tile, slot, finding),
            Status::WithoutMargin => leave_without_margin(tile, slot, part.policy),
            Status::Flat => judge_flat(tile, slot, margin, part.policy),
            failure => fail(tile, slot, failure),
        }
    }
}

/// Judges a row without exposure by what it holds; a leverage says that it holds no margin.
fn judge_flat(tile: &mut Slots, slot: usize, given: f64, policy: &Policy) {
    let held = if given.is_nan() && margin::is_leverage(tile.leverage[slot]) { 0.0 } else { given };
    if held.is_infinite() {
        return fail(tile, slot, Status::InvalidMargin);
    }
    flatten(tile, slot);
    let equity = held + tile.funding[slot];
    if held.is_nan() {
        return leave_without_margin(tile, slot, policy);
    }
    if equity.is_infinite() {
        return fail(tile, slot, Status::NumericOverflow);
    }
    let ratio = margin::margin_ratio(0.0, equity);
    tile.results[Measure::Equity][slot] = equity;
    tile.results[Measure::MarginRatio][slot] = ratio;
    tile.state[slot] = state_of(ratio, &policy.levels);
}

/// Leaves a row without margin what does not depend on it.
fn leave_without_margin(tile: &mut Slots, slot: usize, policy: &Policy) {
    for measure in BY_ACCOUNT {
        tile.results[measure][slot] = f64::NAN;
    }
    let rules = &policy.rules;
    if rules.requirement_isolated == Basis::Bankruptcy {
        tile.results[Measure::MaintenanceMargin][slot] = f64::NAN;
    }
    if rules.fee_basis_isolated.needs_leverage() {
        // How large the margin is, or where it ends, is not known, nor is the fee on it.
        for (held, measure) in
            [(rules.fee_in_initial, Measure::InitialMargin), (rules.fee_in_maintenance, Measure::MaintenanceMargin)]
        {
            if held {
                tile.results[measure][slot] = f64::NAN;
            }
        }
    }
    tile.state[slot] = f64::from(State::Incomplete as u8);
    tile.status[slot] = f64::from(Status::WithoutMargin as u8);
}
