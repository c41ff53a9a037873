//! A block of accounts whose parts move together: the ordinary ones side by side, each other one alone.

use std::ops::Range;

use crate::accounts::cross::{PositionedLegs, ValuedLegs};
use crate::accounts::kept::{KeepLegs, ValuedTile, keep, tile_ahead};
use crate::accounts::leg_results::{LegResults, ToldAccount, ToldLeg, prices, status_of_balance};
use crate::accounts::line_up::{LineUp, WaitingBalance};
use crate::accounts::movers::MoverZeros;
use crate::accounts::settle_alone::SettleAlone;
use crate::accounts::verdict::Standing;
use crate::book::pooled_accounts::PooledAccount;
use crate::book::pooled_rows::CELL;
use crate::codes::measures::{BalanceMeasure, Measure};
use crate::formulas::ray::Zeros;
use crate::formulas::state::as_code;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{store_codes, store_measures};
use crate::machine::instruction_set::InstructionSet;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::{HalfLine, LANES, Vector, half_lines_at, prefetch};
use crate::tiles::found::{Asked, Found};
use crate::tiles::kernel;
use crate::tiles::marked::Terms;
use crate::tiles::pass::Pass;
use crate::tiles::shape::Shape;
use crate::tiles::tile::{Place, Tile, TileRows};

/// Settles a block of accounts.
pub(crate) struct Settler<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    accounts: &'a [PooledAccount],
    line_up: LineUp<'a>,
    /// Numbers of the accounts that are settled alone.
    alone: Vec<usize>,
}

impl<'a> Settler<'a> {
    pub(crate) fn new(
        job: &'a Job<'a>,
        part: &'a PolicyPart<'a>,
        set: InstructionSet,
        accounts: &'a [PooledAccount],
    ) -> Self {
        Self { job, part, accounts, line_up: LineUp::new(job, part, set), alone: Vec::new() }
    }

    /// Judges the ordinary accounts of the block and finds the zeros of their movers. Says whether there are any.
    pub(crate) fn line_up(&mut self, legs: &PositionedLegs<'_>) -> bool {
        if !LineUp::has_ordinary(self.part.policy) {
            self.alone.extend(0..self.accounts.len());
            return false;
        }
        self.line_up.clear(self.accounts.len(), legs.signed.len());
        let first = self.accounts[0].legs.start;
        for (number, account) in self.accounts.iter().enumerate() {
            let range = account.legs.start - first..account.legs.end - first;
            if !self.line_up.take(number, account, legs, range) {
                self.alone.push(number);
            }
        }
        self.line_up.solve_rest();
        self.alone.len() < self.accounts.len()
    }

    /// What the legs of the block are told; those of accounts that are settled alone nothing of meaning.
    pub(crate) fn tellings(&self) -> ByNumber<'_> {
        let LineUp { accounts, movers, standings, zeros, .. } = &self.line_up;
        ByNumber { accounts, movers, standings, zeros }
    }

    /// Writes what the legs of ordinary accounts are told to the cells of the block's legs.
    pub(crate) fn write_tellings(&self, cells: &mut [[f64; CELL]]) {
        let told = self.tellings();
        let mut alone = self.alone.iter().peekable();
        let first = self.accounts.first().map_or(0, |account| account.legs.start);
        for (number, account) in self.accounts.iter().enumerate() {
            if alone.next_if_eq(&&number).is_some() {
                continue;
            }
            let HalfLine(standing) = told.standings[number];
            for leg in account.legs.start - first..account.legs.end - first {
                let HalfLine(zeros) = told.zeros[told.movers[leg] as usize];
                *cells[leg].first_chunk_mut().unwrap_or(&mut [0.0; 4]) = standing;
                *cells[leg].last_chunk_mut().unwrap_or(&mut [0.0; 4]) = zeros;
            }
        }
    }

    /// Stores the balances of ordinary accounts; the numbers of the other accounts, to be [settled alone](settle_alone) after all legs are
    /// told.
    pub(crate) fn finish(self) -> Vec<usize> {
        for balance in &self.line_up.balances {
            self.store_balance(balance);
        }
        self.alone
    }

    fn store_balance(&self, balance: &WaitingBalance) {
        let HalfLine([lower, upper, ..]) = self.line_up.zeros[balance.mover];
        let prices = prices(Zeros { lower, upper }, balance.price, None);
        let status = status_of_balance(f64::from(balance.state), prices);
        let mut results = balance.results;
        results[BalanceMeasure::LiquidationPriceLower as usize] = prices.lower;
        results[BalanceMeasure::LiquidationPriceUpper as usize] = prices.upper;
        self.job.outputs.balances.store(balance.row, results, status);
    }
}

/// Settles those accounts of a block that have these numbers, each alone.
pub(crate) fn settle_alone(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    set: InstructionSet,
    accounts: &[PooledAccount],
    numbers: &[usize],
    legs: &ValuedLegs<'_>,
) {
    if numbers.is_empty() {
        return;
    }
    let mut alone = SettleAlone::new(job, part, set);
    for account in numbers.iter().map(|&number| &accounts[number]) {
        alone.account(account, legs, account.legs.start - accounts[0].legs.start);
    }
}

/// Where legs find what they are told: of each the standing of its account, and the zeros of its mover.
pub(crate) trait Tellings: Copy {
    /// Those of the legs of a tile.
    fn of_tile(&self, rows: &TileRows<'_>) -> [[&[f64; 4]; LANES]; 2];
}

/// By the numbers of account and mover in the block.
#[derive(Clone, Copy)]
pub(crate) struct ByNumber<'s> {
    accounts: &'s [u32],
    movers: &'s [u32],
    standings: &'s [Standing],
    zeros: &'s [MoverZeros],
}

impl Tellings for ByNumber<'_> {
    #[inline(always)]
    fn of_tile(&self, rows: &TileRows<'_>) -> [[&[f64; 4]; LANES]; 2] {
        let inside = Place::Consecutive(rows.inside, rows.place.len());
        let (accounts, movers) = (inside.load_codes(self.accounts), inside.load_codes(self.movers));
        [half_lines_at(self.standings, &accounts), half_lines_at(self.zeros, &movers)]
    }
}

/// At the places of the block's legs; those of the legs after them follow.
#[derive(Clone, Copy)]
pub(crate) struct ByPlace<'s> {
    pub cells: &'s [[f64; CELL]],
    pub places: &'s [u32],
}

impl Tellings for ByPlace<'_> {
    #[inline(always)]
    fn of_tile(&self, rows: &TileRows<'_>) -> [[&[f64; 4]; LANES]; 2] {
        for &place in tile_ahead(self.places, rows.inside) {
            prefetch(self.cells.as_ptr(), place as usize);
        }
        let places = Place::Consecutive(rows.inside, rows.place.len()).load_codes(self.places);
        let mut found = [[&NOTHING; LANES]; 2];
        for lane in 0..LANES {
            let (halves, _) = self.cells[places[lane] as usize].as_chunks();
            (found[0][lane], found[1][lane]) = (&halves[0], &halves[1]);
        }
        found
    }
}

/// What nobody is told.
const NOTHING: [f64; 4] = [f64::NAN; 4];

/// Where legs that lie apart leave what the first pass finds of them.
pub(crate) struct CellLegs<'a> {
    /// Places of the block's legs, and of those after them.
    pub places: &'a [u32],
    /// Numbers of the cells, one after the other.
    pub cells: SharedSlice<'a, f64>,
    pub status: &'a mut [u8],
    /// Whether there are so many cells that they are written past the cache.
    pub stream: bool,
}

impl KeepLegs for CellLegs<'_> {
    #[inline(always)]
    fn keep<V: Vector>(&mut self, legs: Range<usize>, tile: &ValuedTile<V>) {
        if !self.stream {
            for &place in tile_ahead(self.places, legs.start) {
                self.cells.prefetch(place as usize * CELL);
            }
        }
        let mut entries = [0.0; LANES];
        for lane in 0..LANES {
            entries[lane] = f64::from(tile.entries[lane]);
        }
        let amounts = V::rows_of_fours(tile.amounts);
        let others = V::rows_of_fours([tile.released, tile.signed, V::load(&entries), tile.status]);
        for (lane, &place) in self.places[legs.clone()].iter().enumerate() {
            let ([a, b, c, d], [e, f, g, h]) = (amounts[lane], others[lane]);
            let (first, cell) = (place as usize * CELL, V::load(&[a, b, c, d, e, f, g, h]));
            if self.stream { self.cells.stream_vector(first, cell) } else { self.cells.write_vector(first, cell) }
        }
        keep(&mut self.status[legs], &tile.status.codes());
    }
}

impl PositionedLegs<'_> {
    /// Takes what [`CellLegs`] has kept of these legs.
    #[allow(clippy::cast_sign_loss, reason = "an entry")]
    pub(crate) fn read_cells(&mut self, cells: &[[f64; CELL]]) {
        let Self { valued: ValuedLegs { amounts, released, status }, signed, entries } = self;
        for (leg, &[a, b, c, d, e, f, g, h]) in cells.iter().enumerate() {
            (amounts[leg], released[leg], signed[leg]) = ([a, b, c, d], e, f);
            (entries[leg], status[leg]) = (g as u32, as_code(h));
        }
    }
}

/// The last pass over legs of accounts whose parts move together: what each is told of its account.
pub(crate) struct TellPass<'s, 'a, T> {
    pub job: &'s Job<'a>,
    pub part: &'s PolicyPart<'a>,
    pub tellings: T,
    /// What the first pass found of each leg.
    pub status: &'s [u8],
    shape: Shape,
}

impl<'s, 'a, T> TellPass<'s, 'a, T> {
    pub(crate) fn new(job: &'s Job<'a>, part: &'s PolicyPart<'a>, tellings: T, status: &'s [u8]) -> Self {
        Self { job, part, tellings, status, shape: part.shape(job, true) }
    }
}

impl<T: Tellings> Pass for TellPass<'_, '_, T> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        self.shape
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        Asked { initial: false, maintenance: false, trigger: false }
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, _terms: &Terms<V>) -> Tile<V> {
        let mut tile = Tile::new();
        tile.quantity = rows.place.load(self.job.book.quantity);
        tile
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, mut tile: Tile<V>, _found: &Found<V>) {
        kernel::place_on_coordinate(&mut tile, terms);
        let [standings, zeros] = self.tellings.of_tile(rows);
        let [equity, margin_ratio, price, state] = V::columns_of_fours(standings);
        let [lower, upper, low, high] = V::columns_of_fours(zeros);
        let in_coin = if self.shape.any_inverse { Some(terms.long_direction.is_below(V::all(0.0))) } else { None };
        let leg = ToldLeg {
            mark: terms.mark,
            reciprocal_mark: terms.reciprocal_mark,
            cap: terms.cap,
            value: tile.value,
            charged: V::all(1.0),
            reciprocal: V::none(),
            in_coin,
            finding: codes_of::<V>(self.status, rows),
        };
        let account = ToldAccount {
            equity,
            margin_ratio,
            state,
            price,
            surplus_zeros: Zeros { lower, upper },
            equity_zeros: Zeros { lower: low, upper: high },
        };
        let results = LegResults::of(&leg, &account, self.part.policy.moves_in_cross());
        // One assignment, in the order of `BY_ACCOUNT`: a loop would keep the tile from standing in registers.
        [
            tile.results[Measure::Equity],
            tile.results[Measure::MarginRatio],
            tile.results[Measure::EffectiveLeverage],
            tile.results[Measure::LiquidationPrice],
            tile.results[Measure::BankruptcyPrice],
            tile.results[Measure::DistanceToLiquidation],
            tile.results[Measure::LiquidationPriceLower],
            tile.results[Measure::LiquidationPriceUpper],
        ] = results.measures;
        (tile.state, tile.status) = (state, results.status);
        store_measures!(
            self.job, &tile, rows.place,
            Equity MarginRatio EffectiveLeverage LiquidationPrice BankruptcyPrice DistanceToLiquidation
            LiquidationPriceLower LiquidationPriceUpper
        );
        store_codes(self.job, &tile, rows.place);
    }
}

/// Codes of the legs of a tile, as numbers.
#[inline(always)]
fn codes_of<V: Vector>(codes: &[u8], rows: &TileRows<'_>) -> V {
    let mut numbers = [0.0; LANES];
    for (number, &code) in numbers.iter_mut().zip(&codes[rows.inside..rows.inside + rows.place.len()]) {
        *number = f64::from(code);
    }
    V::load(&numbers)
}
