//! A block of accounts whose parts move together: the ordinary ones side by side, each other one alone.

use crate::accounts::cross::PositionedLegs;
use crate::accounts::leg_results::{LegResults, ToldAccount, ToldLeg, prices, status_of_balance};
use crate::accounts::line_up::{LineUp, WaitingBalance};
use crate::accounts::settle_alone::SettleAlone;
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::measures::{BalanceMeasure, Measure};
use crate::formulas::ray::Zeros;
use crate::job::context::{Job, PolicyPart};
use crate::job::rows::{store_codes, store_measures};
use crate::machine::instruction_set::InstructionSet;
use crate::machine::vector::{HalfLine, LANES, Vector, half_lines_at};
use crate::tiles::found::{Asked, Found};
use crate::tiles::kernel;
use crate::tiles::marked::Terms;
use crate::tiles::pass::Pass;
use crate::tiles::tile::{Place, Tile, TileRows};

/// Settles a block of accounts.
pub(crate) struct Settler<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    accounts: &'a [PooledAccount],
    line_up: LineUp<'a>,
    /// Numbers of the accounts that are settled alone.
    alone: Vec<usize>,
    set: InstructionSet,
}

impl<'a> Settler<'a> {
    pub(crate) fn new(
        job: &'a Job<'a>,
        part: &'a PolicyPart<'a>,
        set: InstructionSet,
        accounts: &'a [PooledAccount],
    ) -> Self {
        Self { job, part, accounts, line_up: LineUp::new(job, part, set), alone: Vec::new(), set }
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

    /// The pass that tells the legs of ordinary accounts; what it tells others is overwritten.
    pub(crate) fn tell<'s>(&'s self, legs: &'s PositionedLegs<'s>) -> TellPass<'s, 'a> {
        TellPass { job: self.job, part: self.part, line_up: &self.line_up, status: legs.valued.status }
    }

    /// Stores the balances of ordinary accounts, and settles the others.
    pub(crate) fn finish(&self, legs: &PositionedLegs<'_>) {
        for balance in &self.line_up.balances {
            self.store_balance(balance);
        }
        if self.alone.is_empty() {
            return;
        }
        let mut alone = SettleAlone::new(self.job, self.part, self.set);
        let first = self.accounts[0].legs.start;
        for account in self.alone.iter().map(|&number| &self.accounts[number]) {
            alone.account(account, &legs.valued, account.legs.start - first);
        }
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

/// The last pass over the legs of a block: what each is told of its account.
pub(crate) struct TellPass<'s, 'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    line_up: &'s LineUp<'a>,
    /// What the first pass found of each leg.
    status: &'s [u8],
}

impl Pass for TellPass<'_, '_> {
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
        let (instruments, line_up) = (&self.part.instruments, self.line_up);
        kernel::place_on_coordinate(&mut tile, terms);
        let inside = Place::Consecutive(rows.inside, rows.place.len());
        let (accounts, movers) = (inside.load_codes(&line_up.accounts), inside.load_codes(&line_up.movers));
        let [equity, margin_ratio, price, state] = V::columns_of_fours(half_lines_at(&line_up.standings, &accounts));
        let [lower, upper, low, high] = V::columns_of_fours(half_lines_at(&line_up.zeros, &movers));
        let in_coin = if instruments.any_inverse { Some(terms.long_direction.is_below(V::all(0.0))) } else { None };
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
