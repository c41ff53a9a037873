//! Evaluation of a book: blocks on threads, tiles inside of blocks, results in the caller's order.

use std::cell::RefCell;

use rayon::prelude::*;

use crate::account::{Amounts, Standing, Verdict};
use crate::book::Book;
use crate::collateral::Asset;
use crate::cross::{JudgedLegs, ValuedLegs, judge_accounts, price_legs, value_legs};
use crate::distance::{Betas, DistanceOutputs, Measurer};
use crate::error::{Error, Result};
use crate::instruction_set::{InstructionSet, Work};
use crate::isolated::isolated_tile;
use crate::layout::{AccountRange, Block, Layout};
use crate::marked::{MarkedInstrument, MarkedInstruments};
use crate::measures::{COUNT, Measure};
use crate::policy::{Instrument, Policy};
use crate::pooled_accounts::{PooledAccount, PooledBlock};
use crate::restore::Restorer;
use crate::settle::{BALANCE_MEASURES, Settler};
use crate::shared::{self, SharedSlice};
use crate::status::Status;
use crate::threads;
use crate::tile::{Place, ROWS, Tile, Tiles};
use crate::vector::Compare;

/// Measures of an account, in the order of `AccountOutputs::columns`.
pub const ACCOUNT_MEASURES: [&str; 9] = [
    "equity",
    "initial_margin",
    "maintenance_margin",
    "free_margin",
    "margin_ratio",
    "margin_call_amount",
    "collateral_value",
    "liabilities",
    "surplus",
];

/// Tasks of a thread between two looks at the interrupt.
const TASKS_BETWEEN_INTERRUPTS: usize = 128;

/// Columns that an evaluation writes, each as long as the book. Measures without a column are not stored.
#[derive(Debug)]
pub struct Outputs<'a> {
    pub(crate) columns: [Option<SharedSlice<'a, f64>>; COUNT],
    pub(crate) state: SharedSlice<'a, u8>,
    pub(crate) status: SharedSlice<'a, u8>,
    pub(crate) accounts: AccountOutputs<'a>,
    pub(crate) balances: BalanceOutputs<'a>,
}

/// Columns of the balances, in the order of their rows.
#[derive(Debug)]
pub struct BalanceOutputs<'a> {
    columns: [SharedSlice<'a, f64>; BALANCE_MEASURES.len()],
    status: SharedSlice<'a, u8>,
}

impl<'a> BalanceOutputs<'a> {
    /// Columns of a book without balances.
    #[must_use]
    pub fn none() -> Self {
        Self::new(std::array::from_fn(|_| <&mut [f64]>::default()), &mut [])
    }

    /// Borrows one column a measure of [`BALANCE_MEASURES`], and the codes of status.
    pub fn new(columns: [&'a mut [f64]; BALANCE_MEASURES.len()], status: &'a mut [u8]) -> Self {
        Self { columns: columns.map(SharedSlice::new), status: SharedSlice::new(status) }
    }

    /// Stores the results of a balance.
    pub(crate) fn store(&self, row: usize, results: [f64; BALANCE_MEASURES.len()], status: u8) {
        for (column, result) in self.columns.iter().zip(results) {
            column.write_consecutive(row, &[result]);
        }
        self.status.write_consecutive(row, &[status]);
    }
}

/// Columns of the accounts, by account code.
#[derive(Debug)]
pub struct AccountOutputs<'a> {
    columns: [SharedSlice<'a, f64>; ACCOUNT_MEASURES.len()],
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
    pub fn new(columns: [&'a mut [f64]; ACCOUNT_MEASURES.len()], state: &'a mut [u8], status: &'a mut [u8]) -> Self {
        Self {
            columns: columns.map(SharedSlice::new),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
        }
    }
}

impl AccountOutputs<'_> {
    /// Stores the verdict on the account with this code.
    pub(crate) fn store(&self, code: usize, verdict: &Verdict) {
        for (column, measure) in self.columns.iter().zip(verdict.measures) {
            column.write_consecutive(code, &[measure]);
        }
        self.state.write_consecutive(code, &[verdict.state]);
        self.status.write_consecutive(code, &[verdict.status as u8]);
    }
}

impl<'a> Outputs<'a> {
    /// Borrows the columns of the measures wanted, in the order of [`Measure`], and the codes of state and status.
    pub fn new(
        columns: [Option<&'a mut [f64]>; COUNT],
        state: &'a mut [u8],
        status: &'a mut [u8],
        accounts: AccountOutputs<'a>,
        balances: BalanceOutputs<'a>,
    ) -> Self {
        Self {
            columns: columns.map(|column| column.map(SharedSlice::new)),
            state: SharedSlice::new(state),
            status: SharedSlice::new(status),
            accounts,
            balances,
        }
    }

    /// Columns of what is only asked about, and not stored.
    fn none() -> Self {
        Self::new([const { None }; COUNT], &mut [], &mut [], AccountOutputs::none(), BalanceOutputs::none())
    }

    fn check(&self, rows: usize, accounts: usize, balances: usize) -> Result<()> {
        let columns = self.balances.columns.iter().map(SharedSlice::len);
        if let Some(found) = columns.chain([self.balances.status.len()]).find(|&len| len != balances) {
            return Err(Error::Length { argument: "out.balances", expected: balances, found });
        }
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

/// A policy of a book, with what it makes of the book's instruments.
#[derive(Debug, Clone, Copy)]
pub struct PolicyAtMarks<'a> {
    /// Rules and tables.
    pub policy: &'a Policy,
    /// Place in the policy of each instrument of the book; `None`: the policy does not know it.
    pub places: &'a [Option<usize>],
    /// Mark price of each instrument of the book under the policy; NaN: missing.
    pub marks: &'a [f64],
    /// Place in the policy of each asset of the book's balances; `None`: the policy does not know it.
    pub places_of_assets: &'a [Option<usize>],
    /// Price of each asset of the policy in the accounts' currency; NaN: missing.
    pub asset_prices: &'a [f64],
}

/// What the rows of one policy share.
pub(crate) struct Part<'a> {
    pub policy: &'a Policy,
    pub instruments: MarkedInstruments<'a>,
    pub places_of_assets: &'a [Option<usize>],
    pub asset_prices: &'a [f64],
    /// The one asset of accounts that have a wallet.
    pub wallet: Asset,
}

/// What every block of an evaluation shares.
pub(crate) struct Job<'a> {
    pub book: &'a Book<'a>,
    pub layout: &'a Layout,
    /// By the code of the policy.
    pub parts: Vec<Part<'a>>,
    pub outputs: &'a Outputs<'a>,
    /// Whether the outputs are so large that they are written past the cache.
    pub stream: bool,
}

impl Job<'_> {
    /// Whether liquidation prices are wanted by side.
    pub(crate) fn bounds_prices(&self) -> bool {
        let columns = &self.outputs.columns;
        columns[Measure::LiquidationPriceLower as usize].is_some()
            || columns[Measure::LiquidationPriceUpper as usize].is_some()
    }
}

/// Bytes of output from which on writing past the cache is faster.
const LARGE_OUTPUT: usize = 8 << 20;

/// Memory of one thread.
struct Scratch {
    tile: Box<Tile>,
    legs: Legs,
}

/// What is kept of legs and accounts between the passes.
#[derive(Default)]
struct Legs {
    amounts: Vec<Amounts>,
    released: Vec<f64>,
    status: Vec<u8>,
    standings: Vec<Standing>,
}

impl Legs {
    fn resize(&mut self, legs: usize, accounts: usize) {
        self.amounts.resize(legs, Amounts::default());
        self.released.resize(legs, 0.0);
        self.status.resize(legs, 0);
        self.standings.resize(accounts, Standing::default());
    }
}

impl Scratch {
    fn new() -> Self {
        Self { tile: Box::new(Tile::new()), legs: Legs::default() }
    }
}

/// Evaluates a book at marks.
///
/// `policies` are those that the rows' codes point to. `interrupted` is asked now and then, from the calling thread, whether to stop.
///
/// # Errors
///
/// [`Error::Length`] for columns of different length, [`Error::Interrupted`], or what [`threads::with_pool`] returns. Rows that cannot be
/// evaluated are no error: see [`Status`].
pub fn evaluate(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    outputs: &Outputs<'_>,
    instruction_set: InstructionSet,
    threads: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<()> {
    check_inputs(book, layout, policies)?;
    let balances = book.balances.map_or(0, |balances| balances.balance.len());
    outputs.check(book.rows(), book.wallet_balance.len(), balances)?;
    let columns = outputs.columns.iter().flatten().count();
    let stream = columns * book.rows() * size_of::<f64>() >= LARGE_OUTPUT;
    let stand_ins: Vec<Instrument> = policies.iter().map(|given| given.policy.stand_in()).collect();
    let parts = policies.iter().zip(&stand_ins).map(|(given, stand_in)| Part::new(given, stand_in)).collect();
    let job = Job { book, layout, parts, outputs, stream };
    run(&job, instruction_set, threads, interrupted)
}

/// Finds how much of each leg alone to close so that its account's margin call ends.
///
/// `layout` settles every account as one whole; `quantities` has one value a row: contracts to close, zero without a margin call, NaN
/// where closing the whole leg is not enough, the account cannot be judged, or the row is isolated.
///
/// # Errors
///
/// As [`evaluate`].
pub fn quantities_to_close(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    quantities: &mut [f64],
    instruction_set: InstructionSet,
    threads: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<()> {
    check_inputs(book, layout, policies)?;
    if quantities.len() != book.rows() {
        return Err(Error::Length { argument: "out", expected: book.rows(), found: quantities.len() });
    }
    quantities.fill(f64::NAN);
    let quantities = SharedSlice::new(quantities);
    let stand_ins: Vec<Instrument> = policies.iter().map(|given| given.policy.stand_in()).collect();
    let parts = policies.iter().zip(&stand_ins).map(|(given, stand_in)| Part::new(given, stand_in)).collect();
    let job = Job { book, layout, parts, outputs: &Outputs::none(), stream: false };
    let mut runner = Runner { job: &job, set: instruction_set, threads, interrupted };
    runner.run(layout.pooled.blocks.iter().map(|block| Task::Restore(block, &quantities)).collect())
}

/// Checks that a book, its layout and its policies fit each other.
fn check_inputs(book: &Book<'_>, layout: &Layout, policies: &[PolicyAtMarks<'_>]) -> Result<()> {
    book.check()?;
    if layout.accounts.len() > book.wallet_balance.len() {
        let (expected, found) = (layout.accounts.len(), book.wallet_balance.len());
        return Err(Error::Length { argument: "wallet_balance", expected, found });
    }
    if layout.rows != book.rows() {
        return Err(Error::Length { argument: "layout", expected: book.rows(), found: layout.rows });
    }
    if policies.len() != layout.policies {
        return Err(Error::Length { argument: "policy", expected: layout.policies, found: policies.len() });
    }
    if let Some(odd) = policies.iter().find(|given| given.marks.len() != given.places.len()) {
        return Err(Error::Length { argument: "marks", expected: odd.places.len(), found: odd.marks.len() });
    }
    let short = |given: &&PolicyAtMarks<'_>| given.asset_prices.len() != given.policy.assets.len();
    if let Some(odd) = book.balances.and_then(|_| policies.iter().find(short)) {
        let (expected, found) = (odd.policy.assets.len(), odd.asset_prices.len());
        return Err(Error::Length { argument: "asset_prices", expected, found });
    }
    let balances = book.balances.map_or(0, |balances| balances.balance.len());
    if layout.pooled.balances.len() != balances {
        let (expected, found) = (layout.pooled.balances.len(), balances);
        return Err(Error::Length { argument: "balances", expected, found });
    }
    Ok(())
}

impl<'a> Part<'a> {
    fn new(given: &PolicyAtMarks<'a>, stand_in: &'a Instrument) -> Self {
        let policy = given.policy;
        let instruments = given.places.iter().zip(given.marks).map(|(place, &mark)| {
            let instrument = place.and_then(|place| policy.instruments.get(place));
            MarkedInstrument::new(instrument, mark, stand_in)
        });
        Self {
            policy,
            instruments: MarkedInstruments::new(instruments.collect(), policy),
            places_of_assets: given.places_of_assets,
            asset_prices: given.asset_prices,
            wallet: Asset::wallet(),
        }
    }

    /// Whether there is a price of the asset at this place of the policy.
    pub(crate) fn price_status(&self, place: usize) -> Status {
        let price = self.asset_prices[place];
        if price.is_nan() {
            Status::MissingAssetPrice
        } else if price > 0.0 && price < f64::INFINITY {
            Status::Ok
        } else {
            Status::InvalidAssetPrice
        }
    }
}

/// Measures how far prices may move together until each account of a book is liquidated.
///
/// `layout` settles every account as one whole ([`Keys::pool_all`](crate::layout::Keys)); `betas` are those of each policy.
///
/// # Errors
///
/// As [`evaluate`].
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub fn measure_distances(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    betas: &[Betas<'_>],
    outputs: &DistanceOutputs<'_>,
    instruction_set: InstructionSet,
    threads: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<()> {
    check_inputs(book, layout, policies)?;
    let accounts = book.wallet_balance.len();
    if let Some(found) = outputs.len().into_iter().find(|&len| len != accounts) {
        return Err(Error::Length { argument: "out", expected: accounts, found });
    }
    if betas.len() != policies.len() {
        return Err(Error::Length { argument: "betas", expected: policies.len(), found: betas.len() });
    }
    for (given, betas) in policies.iter().zip(betas) {
        let lengths =
            [(betas.of_instruments.len(), given.places.len()), (betas.of_assets.len(), given.policy.assets.len())];
        if let Some((found, expected)) = lengths.into_iter().find(|(found, expected)| found != expected) {
            return Err(Error::Length { argument: "betas", expected, found });
        }
    }
    let stand_ins: Vec<Instrument> = policies.iter().map(|given| given.policy.stand_in()).collect();
    let parts = policies.iter().zip(&stand_ins).map(|(given, stand_in)| Part::new(given, stand_in)).collect();
    let job = Job { book, layout, parts, outputs: &Outputs::none(), stream: false };
    let mut runner = Runner { job: &job, set: instruction_set, threads, interrupted };
    let blocks = &layout.pooled.blocks;
    runner.run(blocks.iter().map(|block| Task::Measure(block, betas[block.policy], outputs)).collect())
}

/// What a thread does at a time.
enum Task<'a> {
    /// A block whose accounts, if any, have all their legs in it.
    Whole(&'a Block),
    /// The first pass over a block of legs.
    Value(&'a Block, ValuedLegs<'a>),
    /// These accounts, with the legs of the whole book.
    Judge(&'a AccountRange, &'a [Amounts], &'a mut [Standing]),
    /// The second pass over a block of legs.
    Price(&'a Block, JudgedLegs<'a>),
    /// Accounts that are settled one by one.
    Settle(&'a PooledBlock),
    /// Accounts whose distance to liquidation is measured.
    Measure(&'a PooledBlock, Betas<'a>, &'a DistanceOutputs<'a>),
    /// Accounts whose margin call is to be ended.
    Restore(&'a PooledBlock, &'a SharedSlice<'a, f64>),
}

impl Task<'_> {
    /// Code of the policy of its rows or accounts.
    #[inline(always)]
    fn policy(&self) -> usize {
        match self {
            Self::Whole(block) | Self::Value(block, _) | Self::Price(block, _) => block.policy,
            Self::Judge(range, ..) => range.policy,
            Self::Settle(block) | Self::Measure(block, ..) | Self::Restore(block, _) => block.policy,
        }
    }
}

fn run(job: &Job<'_>, set: InstructionSet, threads: usize, interrupted: &mut dyn FnMut() -> bool) -> Result<()> {
    let layout = job.layout;
    let mut runner = Runner { job, set, threads, interrupted };
    let pooled = layout.pooled.blocks.iter().map(Task::Settle);
    if layout.leg_order.is_empty() {
        return runner.run(layout.blocks.iter().map(Task::Whole).chain(pooled).collect());
    }
    runner.run(pooled.collect())?;
    // The legs of an account lie apart: each pass over the whole book ends before the next one starts.
    let (cross, isolated): (Vec<&Block>, Vec<&Block>) = layout.blocks.iter().partition(|block| block.cross);
    runner.run(isolated.into_iter().map(Task::Whole).collect())?;
    let mut legs = Legs::default();
    legs.resize(layout.leg_order.len(), layout.accounts.len());
    runner.run(value_tasks(&cross, &mut legs))?;
    runner.run(judge_tasks(&layout.account_ranges, &mut legs))?;
    let tasks = cross.iter().map(|block| {
        let range = block.first_leg..block.first_leg + block.rows.len();
        let (released, status) = (&legs.released[range.clone()], &legs.status[range]);
        Task::Price(block, JudgedLegs { released, status, standings: &legs.standings, first_account: 0 })
    });
    runner.run(tasks.collect())
}

/// First passes over these blocks, each with its own part of the legs.
fn value_tasks<'a>(blocks: &[&'a Block], legs: &'a mut Legs) -> Vec<Task<'a>> {
    let (mut amounts, mut released, mut status) = (&mut legs.amounts[..], &mut legs.released[..], &mut legs.status[..]);
    let mut tasks = Vec::with_capacity(blocks.len());
    for block in blocks {
        let count = block.rows.len();
        let (own_amounts, rest) = amounts.split_at_mut(count);
        amounts = rest;
        let (own_released, rest) = released.split_at_mut(count);
        released = rest;
        let (own_status, rest) = status.split_at_mut(count);
        status = rest;
        let own = ValuedLegs { amounts: own_amounts, released: own_released, status: own_status };
        tasks.push(Task::Value(block, own));
    }
    tasks
}

/// Verdicts on these accounts, each range with its own part of the standings.
fn judge_tasks<'a>(ranges: &'a [AccountRange], legs: &'a mut Legs) -> Vec<Task<'a>> {
    let (amounts, mut standings) = (&legs.amounts[..], &mut legs.standings[..]);
    let mut tasks = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (own, rest) = standings.split_at_mut(range.accounts.len());
        standings = rest;
        tasks.push(Task::Judge(range, amounts, own));
    }
    tasks
}

/// Runs tasks on threads, and looks for an interrupt now and then.
struct Runner<'a> {
    job: &'a Job<'a>,
    set: InstructionSet,
    threads: usize,
    interrupted: &'a mut dyn FnMut() -> bool,
}

impl Runner<'_> {
    fn run(&mut self, tasks: Vec<Task<'_>>) -> Result<()> {
        let (job, set) = (self.job, self.set);
        let threads = self.threads.clamp(1, tasks.len().max(1));
        let mut tasks = tasks.into_iter();
        loop {
            let batch: Vec<Task<'_>> = tasks.by_ref().take(TASKS_BETWEEN_INTERRUPTS * threads).collect();
            if threads == 1 {
                batch.into_iter().for_each(|task| with_scratch(|scratch| set.run(Performance { job, task, scratch })));
            } else {
                threads::with_pool(threads, || {
                    batch
                        .into_par_iter()
                        .for_each(|task| with_scratch(|scratch| set.run(Performance { job, task, scratch })));
                })?;
            }
            if tasks.len() == 0 {
                return Ok(());
            }
            if (self.interrupted)() {
                return Err(Error::Interrupted);
            }
        }
    }
}

/// Lends the memory of the calling thread; it is kept from call to call.
fn with_scratch(work: impl FnOnce(&mut Scratch)) {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
    }
    SCRATCH.with_borrow_mut(work);
}

/// A task with all that it needs.
struct Performance<'a, 't> {
    job: &'a Job<'a>,
    task: Task<'t>,
    scratch: &'a mut Scratch,
}

impl Work for Performance<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<C: Compare>(self) {
        perform::<C>(self.job, self.task, self.scratch);
    }
}

// No closures on this path: a closure would be compiled without the instruction set of its caller.
#[inline(always)]
fn perform<C: Compare>(job: &Job<'_>, task: Task<'_>, scratch: &mut Scratch) {
    let part = &job.parts[task.policy()];
    scratch.tile.forget(job.book, part.instruments.all_plain);
    match task {
        Task::Whole(block) if block.cross => whole_accounts::<C>(job, part, block, scratch),
        Task::Whole(block) => {
            for (_, place) in Tiles::of(job.layout, job.book.instrument, block) {
                isolated_tile::<C>(job, part, &mut scratch.tile, place);
            }
        }
        Task::Value(block, mut legs) => value_block::<C>(job, part, &mut scratch.tile, block, &mut legs),
        Task::Judge(range, amounts, standings) => {
            judge_accounts(job, part.policy, range.accounts.clone(), amounts, 0, standings);
        }
        Task::Price(block, legs) => price_block::<C>(job, part, &mut scratch.tile, block, &legs),
        Task::Settle(block) => {
            let (accounts, valued) = value_accounts::<C>(job, part, block, scratch);
            settle_accounts(job, part, accounts, &valued);
        }
        Task::Measure(block, betas, outputs) => {
            let (accounts, valued) = value_accounts::<C>(job, part, block, scratch);
            measure_accounts(job, part, betas, accounts, &valued, outputs);
        }
        Task::Restore(block, quantities) => {
            let (accounts, valued) = value_accounts::<C>(job, part, block, scratch);
            restore_accounts(job, part, accounts, &valued, quantities);
        }
    }
    shared::fence();
}

/// All passes over a block whose accounts have all their legs in it, while it is in the cache.
#[inline(always)]
fn whole_accounts<C: Compare>(job: &Job<'_>, part: &Part<'_>, block: &Block, scratch: &mut Scratch) {
    let Scratch { tile, legs } = scratch;
    legs.resize(block.rows.len(), block.accounts.len());
    let Legs { amounts, released, status, standings } = legs;
    value_block::<C>(job, part, tile, block, &mut ValuedLegs { amounts, released, status });
    judge_accounts(job, part.policy, block.accounts.clone(), amounts, block.first_leg, standings);
    let first_account = block.accounts.start;
    price_block::<C>(job, part, tile, block, &JudgedLegs { released, status, standings, first_account });
}

/// First pass over the legs of pooled accounts.
#[inline(always)]
fn value_accounts<'s, C: Compare>(
    job: &'s Job<'_>,
    part: &Part<'_>,
    block: &PooledBlock,
    scratch: &'s mut Scratch,
) -> (&'s [PooledAccount], ValuedLegs<'s>) {
    let pooled = &job.layout.pooled;
    let accounts = &pooled.accounts[block.accounts.clone()];
    let rows = match accounts {
        [first, .., last] => &pooled.rows[first.legs.start..last.legs.end],
        [only] => &pooled.rows[only.legs.clone()],
        [] => &[],
    };
    let Scratch { tile, legs } = scratch;
    legs.resize(rows.len(), 0);
    let Legs { amounts, released, status, .. } = legs;
    let mut valued = ValuedLegs { amounts, released, status };
    for (number, tile_rows) in rows.chunks(ROWS).enumerate() {
        value_legs::<C>(job, part, tile, &mut valued, number * ROWS, Place::Scattered(tile_rows));
    }
    (accounts, valued)
}

/// Out of line, as [`measure_accounts`]: these formulas go account by account, which no vectors speed up.
#[inline(never)]
fn settle_accounts(job: &Job<'_>, part: &Part<'_>, accounts: &[PooledAccount], valued: &ValuedLegs<'_>) {
    let mut settler = Settler::new(job, part);
    for account in accounts {
        settler.settle(account, valued, account.legs.start - accounts[0].legs.start);
    }
}

#[inline(never)]
fn measure_accounts(
    job: &Job<'_>,
    part: &Part<'_>,
    betas: Betas<'_>,
    accounts: &[PooledAccount],
    valued: &ValuedLegs<'_>,
    outputs: &DistanceOutputs<'_>,
) {
    let mut measurer = Measurer::new(job, part, betas);
    for account in accounts {
        measurer.measure(account, valued, account.legs.start - accounts[0].legs.start, outputs);
    }
}

#[inline(never)]
fn restore_accounts(
    job: &Job<'_>,
    part: &Part<'_>,
    accounts: &[PooledAccount],
    valued: &ValuedLegs<'_>,
    quantities: &SharedSlice<'_, f64>,
) {
    let mut restorer = Restorer::new(job, part);
    for account in accounts {
        restorer.restore(account, valued, account.legs.start - accounts[0].legs.start, quantities);
    }
}

#[inline(always)]
fn value_block<C: Compare>(job: &Job<'_>, part: &Part<'_>, tile: &mut Tile, block: &Block, legs: &mut ValuedLegs<'_>) {
    for (inside, place) in Tiles::of(job.layout, job.book.instrument, block) {
        value_legs::<C>(job, part, tile, legs, inside, place);
    }
}

#[inline(always)]
fn price_block<C: Compare>(job: &Job<'_>, part: &Part<'_>, tile: &mut Tile, block: &Block, legs: &JudgedLegs<'_>) {
    for (inside, place) in Tiles::of(job.layout, job.book.instrument, block) {
        price_legs::<C>(job, part, tile, legs, inside, place);
    }
}
