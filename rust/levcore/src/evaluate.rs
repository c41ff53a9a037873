//! Evaluation of a book: blocks on threads, tiles inside of blocks, results in the caller's order.

use rayon::prelude::*;

use crate::account::{Sums, Verdict, judge};
use crate::book::Book;
use crate::contract::{Contract, Payoff};
use crate::error::{Error, Result};
use crate::instruction_set::InstructionSet;
use crate::kernel::{self, MarkedInstrument, MarkedInstruments};
use crate::layout::{Block, Layout, Rows};
use crate::measures::{COUNT, Measure};
use crate::policy::{Instrument, Policy, Requirement};
use crate::shared::{self, SharedSlice};
use crate::state::State;
use crate::status::{FIRST_FAILURE, Status};
use crate::threads;
use crate::tile::{Place, ROWS, Tile};
#[cfg(target_arch = "x86_64")]
use crate::vector::{Avx2, Avx512};
use crate::vector::{Baseline, Compare};

/// Measures of an account, in the order of `AccountOutputs::columns`.
pub const ACCOUNT_MEASURES: [&str; 6] =
    ["equity", "initial_margin", "maintenance_margin", "free_margin", "margin_ratio", "margin_call_amount"];

/// Blocks a thread evaluates between two looks at the interrupt.
const BLOCKS_BETWEEN_INTERRUPTS: usize = 128;

/// Columns that an evaluation writes, each as long as the book. Measures without a column are not stored.
#[derive(Debug)]
pub struct Outputs<'a> {
    columns: [Option<SharedSlice<'a, f64>>; COUNT],
    state: SharedSlice<'a, u8>,
    status: SharedSlice<'a, u8>,
    accounts: AccountOutputs<'a>,
}

/// Columns of the accounts, by account code.
#[derive(Debug)]
pub struct AccountOutputs<'a> {
    columns: [SharedSlice<'a, f64>; 6],
    state: SharedSlice<'a, u8>,
    status: SharedSlice<'a, u8>,
}

impl<'a> AccountOutputs<'a> {
    /// Columns of a book without accounts.
    #[must_use]
    pub fn none() -> Self {
        Self::new(std::array::from_fn(|_| <&mut [f64]>::default()), &mut [], &mut [])
    }

    /// Borrows one column a measure of [`ACCOUNT_MEASURES`], and the codes of state and status.
    pub fn new(columns: [&'a mut [f64]; 6], state: &'a mut [u8], status: &'a mut [u8]) -> Self {
        Self {
            columns: columns.map(SharedSlice::new),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
        }
    }
}

impl<'a> Outputs<'a> {
    /// Borrows the columns of the measures wanted, in the order of [`Measure`], and the codes of state and status.
    pub fn new(
        columns: [Option<&'a mut [f64]>; COUNT],
        state: &'a mut [u8],
        status: &'a mut [u8],
        accounts: AccountOutputs<'a>,
    ) -> Self {
        Self {
            columns: columns.map(|column| column.map(SharedSlice::new)),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
            accounts,
        }
    }

    fn check(&self, rows: usize, accounts: usize) -> Result<()> {
        let columns = self.columns.iter().flatten().map(SharedSlice::len);
        let of_rows = columns.chain([self.state.len(), self.status.len()]).find(|&len| len != rows);
        if let Some(found) = of_rows {
            return Err(Error::Length { argument: "out", expected: rows, found });
        }
        let columns = self.accounts.columns.iter().map(SharedSlice::len);
        match columns.chain([self.accounts.state.len(), self.accounts.status.len()]).find(|&len| len != accounts) {
            Some(found) => Err(Error::Length { argument: "out.accounts", expected: accounts, found }),
            None => Ok(()),
        }
    }
}

/// What every block of an evaluation shares.
struct Job<'a> {
    book: &'a Book<'a>,
    layout: &'a Layout,
    policy: &'a Policy,
    instruments: MarkedInstruments<'a>,
    outputs: &'a Outputs<'a>,
    /// Whether the outputs are so large that they are written past the cache.
    stream: bool,
}

/// Bytes of output from which on writing past the cache is faster.
const LARGE_OUTPUT: usize = 8 << 20;

/// Memory of one thread.
struct Scratch {
    tile: Box<Tile>,
    sums: Vec<Sums>,
    verdicts: Vec<Verdict>,
    /// By row of the block: what the leg releases, and its status.
    released: Vec<f64>,
    status: Vec<u8>,
}

impl Scratch {
    fn new() -> Self {
        Self {
            tile: Box::new(Tile::new()),
            sums: Vec::new(),
            verdicts: Vec::new(),
            released: Vec::new(),
            status: Vec::new(),
        }
    }
}

/// Evaluates a book at marks.
///
/// `compiled[code]` is the place of the book's instrument in the policy (`None`: the policy does not know it) and `marks[code]` its mark
/// price (NaN: missing). `interrupted` is asked now and then, from the calling thread, whether to stop.
///
/// # Errors
///
/// [`Error::Length`] for columns of different length, [`Error::Interrupted`], or what [`threads::with_pool`] returns. Rows that cannot be
/// evaluated are no error: see [`Status`].
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub fn evaluate(
    book: &Book<'_>,
    layout: &Layout,
    policy: &Policy,
    compiled: &[Option<usize>],
    marks: &[f64],
    outputs: &Outputs<'_>,
    instruction_set: InstructionSet,
    threads: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<()> {
    book.check()?;
    if layout.accounts.len() > book.wallet_balance.len() {
        let (expected, found) = (layout.accounts.len(), book.wallet_balance.len());
        return Err(Error::Length { argument: "wallet_balance", expected, found });
    }
    if layout.rows != book.rows() {
        return Err(Error::Length { argument: "layout", expected: book.rows(), found: layout.rows });
    }
    if marks.len() != compiled.len() {
        return Err(Error::Length { argument: "marks", expected: compiled.len(), found: marks.len() });
    }
    outputs.check(book.rows(), book.wallet_balance.len())?;
    let stand_in = Instrument {
        contract: Contract { payoff: Payoff::Linear, contract_size: 1.0, multiplier: 1.0 },
        requirement: Requirement::Marginal(policy.tables.of_unknown()),
        cap: f64::INFINITY,
    };
    let instruments = compiled.iter().zip(marks).map(|(place, &mark)| {
        let instrument = place.and_then(|place| policy.instruments.get(place));
        MarkedInstrument::new(instrument, mark, &stand_in)
    });
    let columns = outputs.columns.iter().flatten().count();
    let stream = columns * book.rows() * size_of::<f64>() >= LARGE_OUTPUT;
    let job = Job {
        book,
        layout,
        policy,
        instruments: MarkedInstruments::new(instruments.collect(), &policy.tables),
        outputs,
        stream,
    };
    run(&job, instruction_set, threads, interrupted)
}

fn run(job: &Job<'_>, set: InstructionSet, threads: usize, interrupted: &mut dyn FnMut() -> bool) -> Result<()> {
    let blocks = &job.layout.blocks;
    let threads = threads.clamp(1, blocks.len().max(1));
    let mut single = Scratch::new();
    for batch in blocks.chunks(BLOCKS_BETWEEN_INTERRUPTS * threads) {
        if threads == 1 {
            batch.iter().for_each(|block| dispatch(set, job, block, &mut single));
        } else {
            threads::with_pool(threads, || {
                batch.par_iter().for_each_init(Scratch::new, |scratch, block| dispatch(set, job, block, scratch));
            })?;
        }
        if interrupted() {
            return Err(Error::Interrupted);
        }
    }
    Ok(())
}

/// Runs a block with the instruction set chosen.
fn dispatch(set: InstructionSet, job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
    match set {
        InstructionSet::Baseline => evaluate_block::<Baseline>(job, block, scratch),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 | InstructionSet::Avx512 => vectorised(set, job, block, scratch),
        #[cfg(not(target_arch = "x86_64"))]
        InstructionSet::Avx2 | InstructionSet::Avx512 => evaluate_block::<Baseline>(job, block, scratch),
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "calls functions compiled for features that the processor was seen to have")]
fn vectorised(set: InstructionSet, job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
    #[target_feature(enable = "avx2,popcnt")]
    fn with_avx2(job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
        evaluate_block::<Avx2>(job, block, scratch);
    }
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,popcnt")]
    fn with_avx512(job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
        evaluate_block::<Avx512>(job, block, scratch);
    }
    if set == InstructionSet::Avx512 && set.is_available() {
        // SAFETY: the processor has the features that the function is compiled for, checked on the line above.
        unsafe { with_avx512(job, block, scratch) }
    } else if InstructionSet::Avx2.is_available() {
        // SAFETY: as above.
        unsafe { with_avx2(job, block, scratch) }
    } else {
        evaluate_block::<Baseline>(job, block, scratch);
    }
}

#[inline(always)]
fn evaluate_block<C: Compare>(job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
    // No closures on this path: a closure would be compiled without the instruction set of its caller.
    scratch.tile.shared_instrument = None;
    if !block.cross {
        for (_, place) in Tiles::of(job, block) {
            isolated_tile::<C>(job, &mut scratch.tile, place);
        }
        shared::fence();
        return;
    }
    scratch.sums.clear();
    scratch.sums.resize(block.accounts.len(), Sums::default());
    scratch.released.resize(block.rows.len(), 0.0);
    scratch.status.resize(block.rows.len(), 0);
    for (inside, place) in Tiles::of(job, block) {
        value_legs::<C>(job, scratch, block, inside, place);
    }
    judge_accounts(job, block, scratch);
    for (inside, place) in Tiles::of(job, block) {
        price_legs::<C>(job, scratch, block, inside, place);
    }
    shared::fence();
}

/// The tiles of a block: first position inside of the block, place in the caller's columns.
struct Tiles<'a> {
    rows: &'a Rows,
    order: &'a [u32],
    instrument: &'a [u32],
    inside: usize,
}

/// Rows of one instrument from which on a tile of their own is worth its unused slots.
const LONG_RUN: usize = 24;

impl<'a> Tiles<'a> {
    #[inline(always)]
    fn of(job: &Job<'a>, block: &'a Block) -> Self {
        Self { rows: &block.rows, order: &job.layout.order, instrument: job.book.instrument, inside: 0 }
    }
}

impl<'a> Iterator for Tiles<'a> {
    type Item = (usize, Place<'a>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let inside = self.inside;
        let left = (self.rows.len() - inside).min(ROWS);
        if left == 0 {
            return None;
        }
        let place = match self.rows {
            Rows::Listed(range) => Place::Scattered(&self.order[range.start + inside..range.start + inside + left]),
            Rows::Range(range) => {
                let first = range.start + inside;
                // Tiles end at multiples of their length, so that whole ones start on a cache line.
                let left = left.min(ROWS - first % ROWS);
                Place::Consecutive(first, long_run(&self.instrument[first..first + left]))
            }
        };
        self.inside += place.len();
        Some((inside, place))
    }
}

/// Rows that a tile takes of these: a long run of one instrument alone, else all of them.
#[inline(always)]
fn long_run(instrument: &[u32]) -> usize {
    let last = instrument.len() - 1;
    if instrument[0] == instrument[last] || last < LONG_RUN || instrument[0] != instrument[LONG_RUN] {
        return last + 1;
    }
    let mut run = LONG_RUN;
    while instrument[run] == instrument[0] {
        run += 1;
    }
    run
}

#[inline(always)]
fn load_inputs(job: &Job<'_>, tile: &mut Tile, place: Place<'_>) {
    let book = job.book;
    place.load(book.instrument, &mut tile.instrument);
    place.load(book.quantity, &mut tile.quantity);
    place.load(book.entry_price, &mut tile.entry_price);
    if let Some(column) = book.leverage {
        place.load(column, &mut tile.leverage);
    }
    if let Some(column) = book.accrued_funding {
        place.load(column, &mut tile.funding);
    }
    if let Some(column) = book.risk_limit {
        place.load(column, &mut tile.risk_limit);
    }
}

#[inline(always)]
fn isolated_tile<C: Compare>(job: &Job<'_>, tile: &mut Tile, place: Place<'_>) {
    let rules = &job.policy.rules;
    load_inputs(job, tile, place);
    match job.book.isolated_margin {
        Some(column) => place.load(column, &mut tile.isolated_margin),
        None => tile.isolated_margin = [f64::NAN; ROWS],
    }
    kernel::spread_instruments(tile, &job.instruments);
    kernel::mark_positions(tile, &job.instruments);
    kernel::rate_return(tile);
    kernel::fund_isolated(tile, job.policy);
    let basis = rules.requirement_isolated;
    kernel::require_margin::<C>(tile, job.policy, &job.instruments, basis, rules.initial_at_entry_isolated);
    kernel::judge_isolated(tile, job.policy, basis);
    kernel::find_prices::<C>(tile, job.policy, &job.instruments, basis, false);
    if kernel::needs_classification(tile, &job.instruments, job.book, false) {
        classify_isolated(job, tile, place);
    }
    for (results, column) in tile.results.iter().zip(&job.outputs.columns) {
        if let Some(column) = column {
            place.store_results(results, column, job.stream);
        }
    }
    store_codes(job, tile, place);
}

#[inline(always)]
fn store_codes(job: &Job<'_>, tile: &Tile, place: Place<'_>) {
    place.store(&narrow(&tile.state), &job.outputs.state);
    place.store(&narrow(&tile.status), &job.outputs.status);
}

/// Codes as they are stored.
#[inline(always)]
fn narrow(codes: &[u64; ROWS]) -> [u8; ROWS] {
    let mut narrowed = [0; ROWS];
    for slot in 0..ROWS {
        narrowed[slot] = codes[slot] as u8;
    }
    narrowed
}

/// Gives every row that is not an ordinary one its status, and takes the numbers from those that failed.
#[cold]
#[inline(never)]
fn classify_isolated(job: &Job<'_>, tile: &mut Tile, place: Place<'_>) {
    for slot in 0..place.len() {
        let marked = &job.instruments.list[tile.instrument[slot] as usize];
        let margin = job.book.isolated_margin.map_or(f64::NAN, |column| column[place.row(slot)]);
        match kernel::classify(tile, slot, margin, job.policy, marked, job.book, false) {
            Status::Ok => {}
            Status::MissingLeverage => note_missing_leverage(tile, slot),
            Status::Flat => {
                let equity =
                    if margin > 0.0 && margin < f64::INFINITY { margin + tile.funding[slot] } else { f64::NAN };
                flatten(tile, slot);
                tile.results[Measure::Equity as usize][slot] = equity;
                tile.results[Measure::MarginRatio as usize][slot] = 0.0;
                tile.state[slot] = State::Healthy as u64;
            }
            failure => fail(tile, slot, failure),
        }
    }
}

fn note_missing_leverage(tile: &mut Tile, slot: usize) {
    if tile.status[slot] == Status::Ok as u64 {
        tile.status[slot] = Status::MissingLeverage as u64;
    }
}

/// Results of a row without exposure that do not depend on its account.
fn flatten(tile: &mut Tile, slot: usize) {
    let results = &mut tile.results;
    for measure in [Measure::Notional, Measure::UnrealizedPnl, Measure::InitialMargin, Measure::MaintenanceMargin] {
        results[measure as usize][slot] = 0.0;
    }
    for measure in [Measure::ReturnOnEquity, Measure::LiquidationPrice, Measure::BankruptcyPrice] {
        results[measure as usize][slot] = f64::NAN;
    }
    results[Measure::EffectiveLeverage as usize][slot] = 0.0;
    results[Measure::DistanceToLiquidation as usize][slot] = f64::INFINITY;
    tile.status[slot] = Status::Flat as u64;
}

fn fail(tile: &mut Tile, slot: usize, failure: Status) {
    for results in &mut tile.results {
        results[slot] = f64::NAN;
    }
    tile.state[slot] = State::Incomplete as u64;
    tile.status[slot] = failure as u64;
}

/// First pass over the legs of cross accounts: values, margins, sums by account.
#[inline(always)]
fn value_legs<C: Compare>(job: &Job<'_>, scratch: &mut Scratch, block: &Block, inside: usize, place: Place<'_>) {
    let Scratch { tile, sums, released, status, .. } = scratch;
    let rules = &job.policy.rules;
    let basis = rules.requirement_cross;
    load_inputs(job, tile, place);
    kernel::spread_instruments(tile, &job.instruments);
    kernel::mark_positions(tile, &job.instruments);
    kernel::rate_return(tile);
    if job.policy.has_fixed_fee() {
        kernel::fix_fee_by_leverage(tile, job.policy);
    }
    kernel::require_margin::<C>(tile, job.policy, &job.instruments, basis, rules.initial_at_entry_cross);
    let mut freed = kernel::release(tile, job.policy, basis);
    let mut profit = tile.results[Measure::UnrealizedPnl as usize];
    for slot in 0..ROWS {
        profit[slot] += tile.funding[slot];
    }
    tile.status = [Status::Ok as u64; ROWS];
    if kernel::needs_classification(tile, &job.instruments, job.book, true) {
        classify_legs(job, tile, place, &mut profit, &mut freed);
    }
    let len = place.len();
    released[inside..inside + len].copy_from_slice(&freed[..len]);
    let codes = narrow(&tile.status);
    status[inside..inside + len].copy_from_slice(&codes[..len]);
    load_accounts(job, tile, block, place);
    for slot in 0..len {
        sums[tile.account[slot] as usize].add(
            profit[slot],
            tile.requirement[slot],
            tile.results[Measure::InitialMargin as usize][slot],
            tile.results[Measure::MaintenanceMargin as usize][slot],
        );
    }
    for measure in [
        Measure::Notional,
        Measure::UnrealizedPnl,
        Measure::ReturnOnEquity,
        Measure::InitialMargin,
        Measure::MaintenanceMargin,
    ] {
        store_measure(job, tile, measure, place);
    }
}

#[inline(always)]
fn store_measure(job: &Job<'_>, tile: &Tile, measure: Measure, place: Place<'_>) {
    if let Some(column) = &job.outputs.columns[measure as usize] {
        place.store_results(&tile.results[measure as usize], column, job.stream);
    }
}

/// Account of each row as a place in the block.
#[inline(always)]
fn load_accounts(job: &Job<'_>, tile: &mut Tile, block: &Block, place: Place<'_>) {
    place.load(&job.layout.account_of_row, &mut tile.account);
    let first = block.accounts.start as u32;
    for account in &mut tile.account {
        *account -= first;
    }
}

#[cold]
#[inline(never)]
fn classify_legs(
    job: &Job<'_>,
    tile: &mut Tile,
    place: Place<'_>,
    profit: &mut [f64; ROWS],
    released: &mut [f64; ROWS],
) {
    for slot in 0..place.len() {
        let marked = &job.instruments.list[tile.instrument[slot] as usize];
        match kernel::classify(tile, slot, f64::NAN, job.policy, marked, job.book, true) {
            Status::Ok => {}
            Status::MissingLeverage => note_missing_leverage(tile, slot),
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

#[inline(always)]
fn judge_accounts(job: &Job<'_>, block: &Block, scratch: &mut Scratch) {
    let accounts = &job.layout.accounts[block.accounts.clone()];
    scratch.verdicts.clear();
    for (&code, sums) in accounts.iter().zip(&scratch.sums) {
        scratch.verdicts.push(judge(job.book.wallet_balance[code as usize], sums, job.policy));
    }
    let outputs = &job.outputs.accounts;
    for (&code, verdict) in accounts.iter().zip(&scratch.verdicts) {
        let code = code as usize;
        let measures = [
            verdict.equity,
            verdict.initial_margin,
            verdict.maintenance_margin,
            verdict.free_margin,
            verdict.margin_ratio,
            verdict.margin_call_amount,
        ];
        for (column, measure) in outputs.columns.iter().zip(measures) {
            column.write_consecutive(code, &[measure]);
        }
        outputs.state.write_consecutive(code, &[verdict.state]);
        outputs.status.write_consecutive(code, &[verdict.status]);
    }
}

/// Second pass over the legs: prices with the other legs at their marks, and the account's verdict.
#[inline(always)]
fn price_legs<C: Compare>(job: &Job<'_>, scratch: &mut Scratch, block: &Block, inside: usize, place: Place<'_>) {
    let Scratch { tile, verdicts, released, status, .. } = scratch;
    let len = place.len();
    place.load(job.book.instrument, &mut tile.instrument);
    place.load(job.book.quantity, &mut tile.quantity);
    if let Some(column) = job.book.risk_limit {
        place.load(column, &mut tile.risk_limit);
    }
    load_accounts(job, tile, block, place);
    let mut surplus = [0.0; ROWS];
    for slot in 0..ROWS {
        let verdict = &verdicts[tile.account[slot] as usize];
        surplus[slot] = verdict.surplus;
        tile.results[Measure::Equity as usize][slot] = verdict.equity;
        tile.results[Measure::MarginRatio as usize][slot] = verdict.margin_ratio;
        tile.state[slot] = u64::from(verdict.state);
    }
    let mut freed = [0.0; ROWS];
    freed[..len].copy_from_slice(&released[inside..inside + len]);
    kernel::spread_instruments(tile, &job.instruments);
    kernel::need_of_legs(tile, &surplus, &freed);
    let basis = job.policy.rules.requirement_cross;
    kernel::find_prices::<C>(tile, job.policy, &job.instruments, basis, true);
    for slot in 0..len {
        finish_leg(tile, slot, status[inside + slot]);
    }
    for measure in [
        Measure::Equity,
        Measure::MarginRatio,
        Measure::EffectiveLeverage,
        Measure::LiquidationPrice,
        Measure::BankruptcyPrice,
        Measure::DistanceToLiquidation,
    ] {
        store_measure(job, tile, measure, place);
    }
    store_codes(job, tile, place);
}

/// Joins what the first pass found out about a leg with what the second did.
#[inline(always)]
fn finish_leg(tile: &mut Tile, slot: usize, first_pass: u8) {
    let incomplete = tile.state[slot] == State::Incomplete as u64;
    if first_pass == Status::Ok as u8 && !incomplete {
        return;
    }
    if first_pass >= FIRST_FAILURE {
        tile.status[slot] = u64::from(first_pass);
    } else if incomplete {
        tile.status[slot] = Status::AccountIncomplete as u64;
    } else if first_pass == Status::MissingLeverage as u8 {
        note_missing_leverage(tile, slot);
    } else if first_pass == Status::Flat as u8 {
        let of_account = [Measure::Equity, Measure::MarginRatio].map(|measure| tile.results[measure as usize][slot]);
        flatten(tile, slot);
        for (measure, kept) in [Measure::Equity, Measure::MarginRatio].into_iter().zip(of_account) {
            tile.results[measure as usize][slot] = kept;
        }
        return;
    }
    if tile.status[slot] >= u64::from(Status::AccountIncomplete as u8) {
        withdraw(tile, slot);
    }
}

/// Takes back what a leg was told of an account that could not be judged.
fn withdraw(tile: &mut Tile, slot: usize) {
    for measure in [
        Measure::Equity,
        Measure::MarginRatio,
        Measure::EffectiveLeverage,
        Measure::LiquidationPrice,
        Measure::BankruptcyPrice,
        Measure::DistanceToLiquidation,
    ] {
        tile.results[measure as usize][slot] = f64::NAN;
    }
    tile.state[slot] = State::Incomplete as u64;
}
