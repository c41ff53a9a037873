//! Legs of cross accounts: valued one by one, then, when their account is judged, priced with its verdict.

use std::ops::Range;

use crate::accounts::kept::{JudgedLegs, KeepLegs, ValuedTile, keep};
use crate::accounts::verdict::Amounts;
use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::{FIRST_FAILURE, Status};
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{BY_ACCOUNT, fail, flatten, live, load_inputs, slots_of, store_codes, store_measures};
use crate::machine::vector::{LANES, Vector};
use crate::rules::parameters::Basis;
use crate::tiles::classify::{classify, join_findings, note_finding, note_leverage, odd_rows};
use crate::tiles::found::{Asked, Found};
use crate::tiles::kernel;
use crate::tiles::marked::Terms;
use crate::tiles::pass::{HasForms, Pass};
use crate::tiles::prices;
use crate::tiles::requirement;
use crate::tiles::shape::{Known, Shape};
use crate::tiles::slots::Slots;
use crate::tiles::tile::{Place, Tile, TileRows};

/// What the first pass leaves behind, by leg.
pub(crate) struct ValuedLegs<'a> {
    pub amounts: &'a mut [Amounts],
    /// What the leg gives back to its account's surplus when it is solved for.
    pub released: &'a mut [f64],
    pub status: &'a mut [u8],
}

impl KeepLegs for ValuedLegs<'_> {
    #[inline(always)]
    fn keep<V: Vector>(&mut self, legs: Range<usize>, tile: &ValuedTile<V>) {
        keep(&mut self.amounts[legs.clone()], &V::rows_of_fours(tile.amounts));
        keep(&mut self.released[legs.clone()], &tile.released.array());
        keep(&mut self.status[legs], &tile.status.codes());
    }
}

/// The same with where each leg stands.
pub(crate) struct PositionedLegs<'a> {
    pub valued: ValuedLegs<'a>,
    /// Value with the sign of the direction.
    pub signed: &'a mut [f64],
    /// Entry of its constants.
    pub entries: &'a mut [u32],
}

impl KeepLegs for PositionedLegs<'_> {
    #[inline(always)]
    fn keep<V: Vector>(&mut self, legs: Range<usize>, tile: &ValuedTile<V>) {
        self.valued.keep(legs.clone(), tile);
        keep(&mut self.signed[legs.clone()], &tile.signed.array());
        keep(&mut self.entries[legs], &tile.entries);
    }
}

/// First pass over the legs of cross accounts: values, margins, what each brings into its account.
pub(crate) struct ValuePass<'a, L, K = Shape> {
    pub job: &'a Job<'a>,
    pub part: &'a PolicyPart<'a>,
    pub legs: &'a mut L,
    pub known: K,
}

impl<'a, L> ValuePass<'a, L> {
    /// A pass of whose rows nothing is known before it runs.
    pub(crate) fn any(job: &'a Job<'a>, part: &'a PolicyPart<'a>, legs: &'a mut L) -> Self {
        Self { job, part, legs, known: part.shape(job, true) }
    }
}

impl<L: KeepLegs> HasForms for ValuePass<'_, L> {
    type Of<'p, K: Known>
        = ValuePass<'p, L, K>
    where
        Self: 'p;

    fn form<K: Known>(&mut self, known: K) -> Self::Of<'_, K> {
        ValuePass { job: self.job, part: self.part, legs: &mut *self.legs, known }
    }
}

impl<L: KeepLegs, K: Known> Pass for ValuePass<'_, L, K> {
    const WHOLE_TILES: bool = K::WHOLE_TILES;

    #[inline(always)]
    fn shape(&self) -> Shape {
        self.known.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        Asked { initial: self.shape().initial_from_table, maintenance: true, trigger: false }
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        let shape = self.shape();
        let mut tile = load_inputs(self.job.book, rows.place, shape.columns);
        kernel::mark_positions(&mut tile, terms, shape);
        if shape.has_fixed_fee() {
            kernel::fix_fee_by_leverage(&mut tile, &self.part.policy.cross_fees, shape);
        }
        if shape.basis == Basis::Bankruptcy {
            kernel::go_bankrupt_by_leverage(&mut tile);
        }
        requirement::take_values(&mut tile, shape);
        tile
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        self.value(rows, terms, tile, found);
    }
}

impl<L: KeepLegs, K: Known> ValuePass<'_, L, K> {
    /// Values rows by the lines found, and keeps what the account and the second pass need.
    #[inline(always)]
    pub(crate) fn value<V: Vector>(
        &mut self,
        rows: &TileRows<'_>,
        terms: &Terms<V>,
        mut tile: Tile<V>,
        found: &Found<V>,
    ) -> Tile<V> {
        let PolicyPart { policy, instruments, .. } = self.part;
        let (entries, shape) = (&rows.entries, self.shape());
        kernel::rate_return(&mut tile, shape);
        requirement::require_margin(&mut tile, policy, instruments, entries, found, shape);
        let mut released = kernel::release(&tile, policy, shape);
        let mut profit = tile.results[Measure::UnrealizedPnl] + tile.funding;
        let odd = odd_rows(&tile, terms, instruments, entries, shape) & live(rows.place);
        if odd != 0 {
            let mut legs = OddLegs { slots: Slots::of(&tile), profit: profit.array(), released: released.array() };
            classify_legs(self.job, self.part, &mut legs, &rows.clone(), odd);
            legs.slots.give_back(&mut tile);
            (profit, released) = (V::load(&legs.profit), V::load(&legs.released));
        }
        note_leverage(&mut tile, instruments, rows, found, shape);
        self.keep(rows, &tile, profit, released);
        store_measures!(self.job, &tile, rows.place, Notional UnrealizedPnl ReturnOnEquity InitialMargin MaintenanceMargin);
        tile
    }

    /// Keeps what the account and the second pass need.
    #[inline(always)]
    fn keep<V: Vector>(&mut self, rows: &TileRows<'_>, tile: &Tile<V>, profit: V, released: V) {
        let legs = rows.inside..rows.inside + rows.place.len();
        let [initial, maintenance] = [tile.results[Measure::InitialMargin], tile.results[Measure::MaintenanceMargin]];
        let valued = ValuedTile {
            amounts: [profit, tile.requirement, initial, maintenance],
            released,
            status: tile.status,
            signed: tile.direction * tile.value,
            entries: rows.entries,
        };
        self.legs.keep(legs, &valued);
    }
}

/// Legs to be looked at one by one, with what they bring into their account.
struct OddLegs {
    slots: Slots,
    profit: [f64; LANES],
    released: [f64; LANES],
}

#[cold]
#[inline(never)]
fn classify_legs(job: &Job<'_>, part: &PolicyPart<'_>, legs: &mut OddLegs, rows: &TileRows<'_>, odd: u8) {
    let OddLegs { slots: tile, profit, released } = legs;
    for slot in slots_of(odd) {
        let marked = &part.instruments.list[rows.instrument[slot] as usize];
        match classify(tile, slot, f64::NAN, part.policy, marked, job.book, true) {
            Status::Ok => {}
            finding @ (Status::MissingLeverage | Status::MissingInitialTiers) => note_finding(tile, slot, finding),
            Status::Flat => {
                flatten(tile, slot);
                tile.requirement[slot] = 0.0;
                profit[slot] = tile.funding[slot];
                released[slot] = 0.0;
            }
            failure => {
                fail(tile, slot, failure);
                // NaN reaches the sums of the account, which is then incomplete.
                tile.requirement[slot] = f64::NAN;
                profit[slot] = f64::NAN;
                released[slot] = f64::NAN;
            }
        }
    }
}

/// Second pass over the legs: prices with the other legs at their marks, and the account's verdict.
pub(crate) struct PricePass<'a, 'l, K = Shape> {
    pub job: &'a Job<'a>,
    pub part: &'a PolicyPart<'a>,
    pub legs: &'a JudgedLegs<'l>,
    pub known: K,
}

impl<'a, 'l> PricePass<'a, 'l> {
    /// A pass of whose rows nothing is known before it runs.
    pub(crate) fn any(job: &'a Job<'a>, part: &'a PolicyPart<'a>, legs: &'a JudgedLegs<'l>) -> Self {
        Self { job, part, legs, known: part.shape(job, true) }
    }
}

impl<'a, 'l> HasForms for PricePass<'a, 'l> {
    type Of<'p, K: Known>
        = PricePass<'a, 'l, K>
    where
        Self: 'p;

    fn form<K: Known>(&mut self, known: K) -> Self::Of<'_, K> {
        PricePass { job: self.job, part: self.part, legs: self.legs, known }
    }
}

impl<K: Known> Pass for PricePass<'_, '_, K> {
    const WHOLE_TILES: bool = K::WHOLE_TILES;

    #[inline(always)]
    fn shape(&self) -> Shape {
        self.known.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        Asked { initial: false, maintenance: false, trigger: self.shape().moves() }
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        let (book, legs) = (self.job.book, self.legs);
        let mut tile = Tile::new();
        tile.quantity = rows.place.load(book.quantity);
        if self.shape().columns.risk_limit {
            tile.risk_limit = rows.place.load(book.risk_limit.unwrap_or_default());
        }
        let [equity, margin_ratio, surplus, state] = V::columns_of_fours(legs.standings.of_tile(self.job, rows));
        tile.results[Measure::Equity] = equity;
        tile.results[Measure::MarginRatio] = margin_ratio;
        tile.state = state;
        let inside = Place::Consecutive(rows.inside, rows.place.len());
        kernel::need_of_legs(&mut tile, terms, surplus, inside.load(legs.released));
        tile
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, mut tile: Tile<V>, found: &Found<V>) {
        let PolicyPart { policy, instruments, .. } = self.part;
        self.legs.standings.prefetch(rows.inside);
        prices::find_prices(&mut tile, terms, policy, instruments, &rows.entries, found, self.shape());
        let mut first_pass = [Status::Ok as u8; LANES];
        let status = &self.legs.status[rows.inside..rows.inside + rows.place.len()];
        match status.first_chunk() {
            Some(whole) => first_pass = *whole,
            None => first_pass[..status.len()].copy_from_slice(status),
        }
        let incomplete = tile.state.equals(V::all(f64::from(State::Incomplete as u8)));
        if u64::from_ne_bytes(first_pass) != 0 || V::bits(incomplete) != 0 {
            let mut slots = Slots::of(&tile);
            for slot in 0..rows.place.len() {
                finish_leg(&mut slots, slot, first_pass[slot]);
            }
            slots.give_back(&mut tile);
        }
        store_measures!(
            self.job, &tile, rows.place,
            Equity MarginRatio EffectiveLeverage LiquidationPrice BankruptcyPrice DistanceToLiquidation
        );
        if self.job.bounds_prices {
            if !self.shape().bounds {
                prices::bound_prices(&mut tile);
            }
            store_measures!(self.job, &tile, rows.place, LiquidationPriceLower LiquidationPriceUpper);
        }
        store_codes(self.job, &tile, rows.place);
    }
}

#[cold]
#[inline(never)]
fn finish_leg(tile: &mut Slots, slot: usize, first_pass: u8) {
    let incomplete = tile.state[slot] == f64::from(State::Incomplete as u8);
    if first_pass == Status::Ok as u8 && !incomplete {
        return;
    }
    if first_pass >= FIRST_FAILURE {
        tile.status[slot] = f64::from(first_pass);
    } else if incomplete {
        tile.status[slot] = f64::from(Status::AccountIncomplete as u8);
    } else if first_pass == Status::Flat as u8 {
        let of_account = [Measure::Equity, Measure::MarginRatio].map(|measure| tile.results[measure][slot]);
        flatten(tile, slot);
        for (measure, kept) in [Measure::Equity, Measure::MarginRatio].into_iter().zip(of_account) {
            tile.results[measure][slot] = kept;
        }
        return;
    } else {
        tile.status[slot] = join_findings(tile.status[slot], f64::from(first_pass));
    }
    if tile.status[slot] >= f64::from(Status::AccountIncomplete as u8) {
        withdraw(tile, slot);
    }
}

/// Takes back what a leg was told of an account that could not be judged.
fn withdraw(tile: &mut Slots, slot: usize) {
    for measure in BY_ACCOUNT {
        tile.results[measure][slot] = f64::NAN;
    }
    tile.state[slot] = f64::from(State::Incomplete as u8);
}
