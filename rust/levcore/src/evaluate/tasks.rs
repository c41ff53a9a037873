//! The tasks of an evaluation: blocks on threads, tiles inside of blocks, results in the caller's order.

use std::cell::RefCell;

use crate::accounts::close::Closer;
use crate::accounts::cross::{PositionedLegs, PricePass, ValuePass, ValuedLegs};
use crate::accounts::distance::{Betas, DistanceOutputs, Measurer};
use crate::accounts::judging::{judge_accounts, judge_scattered};
use crate::accounts::kept::{JudgedLegs, ScatteredLegs, Standings};
use crate::accounts::leave::Leaver;
use crate::accounts::pooled_work::PooledWork;
use crate::accounts::settle::Settler;
use crate::accounts::verdict::{Amounts, Standing};
use crate::book::blocks::{AccountRange, Block};
use crate::book::layout::Layout;
use crate::book::pooled_accounts::{PooledAccount, PooledBlock};
use crate::book::scattered::LegMemory;
use crate::error::Result;
use crate::job::context::{Job, PolicyPart};
use crate::job::isolated::IsolatedRows;
use crate::job::outputs::AccountOutputs;
use crate::machine::execution::Execution;
use crate::machine::instruction_set::{InstructionSet, Work};
use crate::machine::shared::{self, SharedSlice};
use crate::machine::vector::{HalfLine, Vector};
use crate::tiles::pass::{Keyed, Pass, Stage, go_over};
use crate::tiles::tile::Runs;

/// Tasks of a thread between two looks at the interrupt.
const TASKS_BETWEEN_INTERRUPTS: usize = 128;

/// What a thread does at a time.
pub(crate) enum Task<'a> {
    /// A block whose accounts, if any, have all their legs in it.
    Whole(&'a Block),
    /// The first pass over a block of legs.
    Value(&'a Block, ScatteredLegs<'a>),
    /// These accounts, with the cells of their legs.
    Judge(&'a AccountRange, &'a mut [HalfLine]),
    /// The second pass over a block of legs.
    Price(&'a Block, JudgedLegs<'a>),
    /// Accounts as wholes, and what is asked of them.
    Pooled(&'a PooledBlock, Question<'a>),
}

/// What is asked of accounts as wholes.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// Their risk.
    Settle,
    /// Their distance to liquidation, with the betas of each policy.
    Measure(&'a [Betas<'a>], &'a DistanceOutputs<'a>),
    /// The same of the accounts without each of their legs, by row.
    MeasureWithout(&'a [Betas<'a>], &'a DistanceOutputs<'a>),
    /// Their risk without each of their legs, by row.
    Leave(&'a AccountOutputs<'a>),
    /// How much of each leg alone to close.
    Close(&'a SharedSlice<'a, f64>),
}

impl Task<'_> {
    /// Code of the policy of its rows or accounts.
    #[inline(always)]
    fn policy(&self) -> usize {
        match self {
            Self::Whole(block) | Self::Value(block, _) | Self::Price(block, _) => block.policy,
            Self::Judge(range, ..) => range.policy,
            Self::Pooled(block, _) => block.policy,
        }
    }
}

/// Memory of one thread.
struct Scratch {
    stage: Box<Stage>,
    legs: Legs,
}

/// What is kept of legs and accounts between the passes.
#[derive(Default)]
struct Legs {
    amounts: Vec<Amounts>,
    released: Vec<f64>,
    status: Vec<u8>,
    standings: Vec<Standing>,
    signed: Vec<f64>,
    entries: Vec<u32>,
}

impl Legs {
    /// Memory of a block.
    fn resize(&mut self, legs: usize, accounts: usize) {
        self.amounts.resize(legs, Amounts::default());
        self.released.resize(legs, 0.0);
        self.status.resize(legs, 0);
        self.standings.resize(accounts, Standing::default());
    }
}

impl Scratch {
    fn new() -> Self {
        Self { stage: Box::new(Stage::new()), legs: Legs::default() }
    }
}

/// Evaluates all rows and accounts.
pub(crate) fn evaluate_all(job: &Job<'_>, execution: &mut Execution<'_>) -> Result<()> {
    let layout = job.layout;
    let pooled = layout.pooled.blocks.iter().map(|block| Task::Pooled(block, Question::Settle));
    if layout.keeps_accounts_together() {
        let whole = layout.blocks.iter().map(Task::Whole).collect();
        return run(job, execution, in_order_of_rows(layout, whole).into_iter().chain(pooled).collect());
    }
    let (legs, isolated): (Vec<&Block>, Vec<&Block>) = layout.blocks.iter().partition(|block| block.cross);
    let others = isolated.into_iter().map(Task::Whole).chain(pooled).collect();
    let mut memory = layout.scattered.memory.take(layout.scattered.places.len())?;
    let done = evaluate_scattered(job, execution, others, &legs, &mut memory);
    layout.scattered.memory.give_back(memory);
    done
}

/// Evaluates legs that lie apart, and does other tasks with their first pass. Each pass over the whole book ends before the next one starts.
fn evaluate_scattered<'a>(
    job: &Job<'a>,
    execution: &mut Execution<'_>,
    others: Vec<Task<'a>>,
    blocks: &[&'a Block],
    legs: &mut LegMemory,
) -> Result<()> {
    let first = value_tasks(job.layout, blocks, legs).into_iter().chain(others).collect();
    run(job, execution, in_order_of_rows(job.layout, first))?;
    run(job, execution, judge_tasks(job.layout, &mut legs.cells))?;
    let LegMemory { cells, released, status } = legs;
    let tasks = blocks.iter().map(|block| {
        let range = block.first_leg..block.first_leg + block.rows.len();
        let standings = Standings::Scattered(cells, &job.layout.scattered.places[block.first_leg..]);
        Task::Price(block, JudgedLegs { released: &released[range.clone()], status: &status[range], standings })
    });
    run(job, execution, tasks.collect())
}

/// Tasks by their first row: where modes or policies alternate, those that write to the same lines follow one another. Pooled accounts last.
fn in_order_of_rows<'a>(layout: &Layout, mut tasks: Vec<Task<'a>>) -> Vec<Task<'a>> {
    tasks.sort_by_key(|task| match task {
        Task::Whole(block) | Task::Value(block, _) => layout.first_row(&block.rows),
        _ => usize::MAX,
    });
    tasks
}

/// Asks something of all accounts, each settled as one whole.
pub(crate) fn ask_all(job: &Job<'_>, question: Question<'_>, execution: &mut Execution<'_>) -> Result<()> {
    let blocks = &job.layout.pooled.blocks;
    run(job, execution, blocks.iter().map(|block| Task::Pooled(block, question)).collect())
}

/// First passes over these blocks, each with its own part of the legs.
fn value_tasks<'a>(layout: &'a Layout, blocks: &[&'a Block], legs: &'a mut LegMemory) -> Vec<Task<'a>> {
    let cells = SharedSlice::new(&mut legs.cells);
    let (mut released, mut status) = (&mut legs.released[..], &mut legs.status[..]);
    let mut tasks = Vec::with_capacity(blocks.len());
    for block in blocks {
        let count = block.rows.len();
        let places = &layout.scattered.places[block.first_leg..];
        let own_released = released.split_off_mut(..count).unwrap_or_default();
        let own_status = status.split_off_mut(..count).unwrap_or_default();
        let own = ScatteredLegs { places, cells, released: own_released, status: own_status };
        tasks.push(Task::Value(block, own));
    }
    tasks
}

/// Verdicts on all accounts, each range with the cells of its legs.
fn judge_tasks<'a>(layout: &'a Layout, mut cells: &'a mut [HalfLine]) -> Vec<Task<'a>> {
    let starts = &layout.legs_of_account;
    let mut tasks = Vec::with_capacity(layout.account_ranges.len());
    for range in &layout.account_ranges {
        let legs = (starts[range.accounts.end] - starts[range.accounts.start]) as usize;
        tasks.push(Task::Judge(range, cells.split_off_mut(..legs).unwrap_or_default()));
    }
    tasks
}

/// Runs tasks on the threads of a call.
fn run(job: &Job<'_>, execution: &mut Execution<'_>, tasks: Vec<Task<'_>>) -> Result<()> {
    let set = execution.set;
    let work = |(): &mut (), task: Task<'_>| with_scratch(|scratch| run_task(job, set, task, scratch));
    execution.run(tasks, TASKS_BETWEEN_INTERRUPTS, || (), work)?;
    Ok(())
}

/// Lends the memory of the calling thread; it is kept from call to call.
fn with_scratch(work: impl FnOnce(&mut Scratch)) {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
    }
    SCRATCH.with_borrow_mut(work);
}

/// A pass over some runs of rows, compiled for every instruction set.
struct Going<'a, P> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    stage: &'a mut Stage,
    pass: &'a mut P,
    runs: Runs<'a>,
}

impl<P: Pass> Work for Going<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let keyed = Keyed { instrument: self.job.book.instrument, quantity: self.job.book.quantity };
        for run in self.runs {
            go_over::<V>(self.pass, &self.part.instruments, keyed, self.stage, &run);
        }
        shared::fence();
    }
}

fn run_task(job: &Job<'_>, set: InstructionSet, task: Task<'_>, scratch: &mut Scratch) {
    let part = &job.parts[task.policy()];
    match task {
        Task::Whole(block) if block.cross => whole_accounts(job, set, part, block, scratch),
        Task::Whole(block) => go_over_block(job, set, part, &mut scratch.stage, block, &mut IsolatedRows { job, part }),
        Task::Value(block, mut legs) => {
            go_over_block(job, set, part, &mut scratch.stage, block, &mut ValuePass { job, part, legs: &mut legs });
        }
        Task::Judge(range, cells) => {
            let sums = &mut scratch.legs.standings;
            sums.resize(range.accounts.len(), HalfLine::default());
            judge_scattered(job, part.policy, range.accounts.clone(), cells, sums);
        }
        Task::Price(block, legs) => {
            go_over_block(job, set, part, &mut scratch.stage, block, &mut PricePass { job, part, legs: &legs });
        }
        Task::Pooled(block, question) => {
            let Scratch { stage, legs } = scratch;
            let pooled = &job.layout.pooled;
            let (accounts, rows) = (&pooled.accounts[block.accounts.clone()], pooled.rows_of(block));
            let legs = value_accounts(job, set, part, rows, stage, legs);
            let valued = &legs.valued;
            match question {
                Question::Settle => {
                    let mut settler = Settler::new(job, part, set, accounts);
                    if settler.line_up(&legs) {
                        let runs = Runs::of_accounts(rows, job.book.instrument);
                        set.run(Going { job, part, stage, pass: &mut settler.tell(&legs), runs });
                    }
                    settler.finish(&legs);
                }
                Question::Measure(betas, outputs) => {
                    each_account(Measurer::new(job, part, betas[block.policy], outputs, false, set), accounts, valued);
                }
                Question::MeasureWithout(betas, outputs) => {
                    each_account(Measurer::new(job, part, betas[block.policy], outputs, true, set), accounts, valued);
                }
                Question::Leave(outputs) => each_account(Leaver::new(job, part, outputs), accounts, valued),
                Question::Close(quantities) => each_account(Closer::new(job, part, quantities), accounts, valued),
            }
        }
    }
}

/// All passes over a block whose accounts have all their legs in it, while it is in the cache.
fn whole_accounts(job: &Job<'_>, set: InstructionSet, part: &PolicyPart<'_>, block: &Block, scratch: &mut Scratch) {
    let Scratch { stage, legs } = scratch;
    legs.resize(block.rows.len(), block.accounts.len());
    let Legs { amounts, released, status, standings, .. } = legs;
    let mut legs = ValuedLegs { amounts, released, status };
    go_over_block(job, set, part, stage, block, &mut ValuePass { job, part, legs: &mut legs });
    judge_accounts(job, part.policy, block.accounts.clone(), legs.amounts, standings);
    let standings = Standings::ByAccount(standings, block.accounts.start);
    let legs = JudgedLegs { released: legs.released, status: legs.status, standings };
    go_over_block(job, set, part, stage, block, &mut PricePass { job, part, legs: &legs });
}

/// First pass over the legs of pooled accounts, which stand in these rows.
fn value_accounts<'s>(
    job: &Job<'_>,
    set: InstructionSet,
    part: &PolicyPart<'_>,
    rows: &[u32],
    stage: &mut Stage,
    legs: &'s mut Legs,
) -> PositionedLegs<'s> {
    legs.resize(rows.len(), 0);
    legs.signed.resize(rows.len(), 0.0);
    legs.entries.resize(rows.len(), 0);
    let Legs { amounts, released, status, signed, entries, .. } = legs;
    let mut legs = PositionedLegs { valued: ValuedLegs { amounts, released, status }, signed, entries };
    let runs = Runs::of_accounts(rows, job.book.instrument);
    set.run(Going { job, part, stage, pass: &mut ValuePass { job, part, legs: &mut legs }, runs });
    legs
}

/// Out of line: these formulas go account by account, which no vectors speed up.
#[inline(never)]
fn each_account(mut work: impl PooledWork, accounts: &[PooledAccount], valued: &ValuedLegs<'_>) {
    for account in accounts {
        work.account(account, valued, account.legs.start - accounts[0].legs.start);
    }
}

/// Takes a pass over the rows of a block.
fn go_over_block(
    job: &Job<'_>,
    set: InstructionSet,
    part: &PolicyPart<'_>,
    stage: &mut Stage,
    block: &Block,
    pass: &mut impl Pass,
) {
    let runs = Runs::of(job.layout, job.book.instrument, !part.instruments.any_sided, block);
    set.run(Going { job, part, stage, pass, runs });
}
